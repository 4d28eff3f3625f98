#!/usr/bin/env bash
# optax 0.2.8 with jax 0.10.2 (PyPI wheels, CPU): apply_if_finite(optimizer, max_consecutive_errors=3) skips three steps whose gradients
# are NaN, and applies the fourth one, which makes the weights NaN for ever. There is no error and no warning. Of the clippings, clip()
# makes infinity 1 and keeps NaN, and one infinite gradient makes all others NaN in clip_by_global_norm().
#
# The guess before it was run: max_consecutive_errors is where it gives up with an error, as its name says, or it skips for ever.
#
# The reason: it is meant so. "Errors" that go on are let through in order to be seen, as the documentation says; the state has
# the counts. Weights of Adam whose gradient was NaN once stay NaN, with the moments.
#
# What follows for users: a discriminator that overflows in mixed precision for a few steps in a row, which the loss scale would have
# repaired, is destroyed, and the generator with it. Give a number that is never reached, and stop the training by the
# count in the state, notfinite_count.
#
# What was seen, for three weights of 1 and sgd(0.1), of which steps 3 to 8 have NaN gradients, with 3 allowed errors:
#   after step         2     3     4     5     6     7     8     9
#   weights            0.8   0.8   0.8   0.8   NaN   NaN   NaN   NaN
#   notfinite_count    0     1     2     3     4     5     6     0
# with adam(0.1), where the gradient of one weight is NaN, that weight is NaN at the end, and the others have been updated in steps 6 to 8.
# Of the gradients NaN, infinity and 5:
#   clip(1)                    NaN 1 1
#   clip_by_global_norm(1)     NaN NaN NaN
#   zero_nans()                0 infinity 5
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 150 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 jax==0.10.2 optax==0.2.8

cat >"$folder/skip.py" <<'PYTHON'
import math
import sys

import jax.numpy as jnp
import numpy
import optax


def train(optimizer, bad):
    """The weights and the count of bad steps in a row, after each of nine steps of which 3 to 8 are bad."""
    guarded = optax.apply_if_finite(optimizer, max_consecutive_errors=3)
    weights = jnp.ones(3)
    state, history, counts = guarded.init(weights), [], []
    for step in range(1, 10):
        gradients = jnp.array(bad) if 3 <= step <= 8 else jnp.ones(3)
        updates, state = guarded.update(gradients, state, weights)
        weights = optax.apply_updates(weights, updates)
        history.append(numpy.asarray(weights))
        counts.append(int(state.notfinite_count))
        print('step', step, history[-1], 'notfinite_count', counts[-1])
    return numpy.array(history), counts


def clipped(name, transformation):
    gradients = jnp.array([math.nan, math.inf, 5.0])
    found = numpy.asarray(transformation.update(gradients, transformation.init(gradients))[0])
    print(f'{name:24}', found)
    return found


NAN, INF = math.nan, math.inf
plain, counts = train(optax.sgd(0.1), [NAN] * 3)
adam, _ = train(optax.adam(0.1), [NAN, 1, 1])
right = numpy.allclose(plain[1:5], 0.8) and numpy.isnan(plain[5:]).all() and counts == [0, 0, 1, 2, 3, 4, 5, 6, 0]
right = right and numpy.allclose(adam[4], adam[1]) and numpy.isnan(adam[5:, 0]).all() and (adam[5:8, 1] < adam[4:7, 1]).all()
for name, transformation, expected in (('clip', optax.clip(1.0), [NAN, 1, 1]),
                                       ('clip_by_global_norm', optax.clip_by_global_norm(1.0), [NAN] * 3),
                                       ('zero_nans', optax.zero_nans(), [0, INF, 5])):
    right = numpy.array_equal(clipped(name, transformation), expected, equal_nan=True) and right
sys.exit(0 if right else 1)
PYTHON
JAX_PLATFORMS=cpu "$folder/venv/bin/python" -W error "$folder/skip.py"
