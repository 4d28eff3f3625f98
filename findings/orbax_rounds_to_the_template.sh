#!/usr/bin/env bash
# orbax-checkpoint 0.12.8 (PyPI wheel, jax 0.10.2), the checkpoints of JAX and Flax: StandardCheckpointer.restore(path, template) converts every
# number to the type that stands in the template, whatever it loses. With 0 as the placeholder, 0.999 is restored as 0. A count of
# 3,000,000,000 images is negative where the template was made with jnp.zeros. There is no error and no warning.
#
# The guess before it was run: a template says where the numbers go and in which precision; where it has another kind of number, or the
# number does not fit, restoring is refused, as it is for another shape and for missing or surplus names.
#
# The reason: the type of the template is applied with a plain cast, and for Python's numbers with int() and float(). jnp.zeros((), int) has 32
# bits unless jax_enable_x64 is set. The shape is compared for arrays of JAX, and not for those of numpy.
#
# What follows for users: a template of zeros that was written by hand ends the averaging of weights (a decay of 0), sets a learning rate to
# 0, or makes a schedule that counts images start before its beginning. Write placeholders as 0.0, make the template from a state
# of the same program with jax.eval_shape, or restore without a template and compare.
#
# What was seen:
#   saved                          template                           restored
#   0.999 (float of Python)        0                                  0
#   12.7                           0                                  12
#   0.999                          0.0                                0.999
#   0.0002 0.0004 (float32)        jnp.array([0, 0])                  0 0
#   3000000000 (int64)             jnp.zeros((), int)                 -1294967296
#   3000000000                     jax.ShapeDtypeStruct((), int32)    -1294967296
#   300 -1 (int32)                 numpy.zeros(2, uint8)              44 255
#   NaN infinity                   jnp.array([0, 0])                  -2147483648 twice
#   2 rows of 3 numbers            numpy.zeros((5, 5))                2 rows of 3 numbers
#   2 rows of 3 numbers            jnp.zeros((5, 5))                  refused
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 150 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile jax==0.10.2 jaxlib==0.10.2 orbax-checkpoint==0.12.8

cat >"$folder/restore.py" <<'PYTHON'
import importlib.metadata
import sys
import warnings

warnings.simplefilter('error')

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp

print(*(f'{name} {importlib.metadata.version(name)}' for name in ('orbax-checkpoint', 'jax')))
SAVED = {'decay': 0.999, 'best': 12.7, 'rates': np.array([2e-4, 4e-4], np.float32), 'images': np.array(3_000_000_000),
         'levels': np.array([300, -1], np.int32), 'broken': np.array([np.nan, np.inf]), 'weights': np.arange(6.0).reshape(2, 3)}
path = sys.argv[1]
checkpointer = ocp.StandardCheckpointer()
checkpointer.save(path, SAVED)
checkpointer.wait_until_finished()


def restored(name, placeholder):
    try:
        value = checkpointer.restore(path, {**SAVED, name: placeholder})[name]
    except ValueError:
        return None
    return np.asarray(value).tolist()


CASES = [
    ('decay', 0, 0),
    ('decay', 0.0, 0.999),
    ('best', 0, 12),
    ('rates', jnp.array([0, 0]), [0, 0]),
    ('images', jnp.zeros((), int), 3_000_000_000 - 2**32),
    ('images', jax.ShapeDtypeStruct((), jnp.int32), 3_000_000_000 - 2**32),
    ('levels', np.zeros(2, np.uint8), [44, 255]),
    ('broken', jnp.array([0, 0]), [-2**31, -2**31]),
    ('weights', np.zeros((5, 5)), [[0, 1, 2], [3, 4, 5]]),
    ('weights', jnp.zeros((5, 5)), None),
]
ok = True
for name, placeholder, expected in CASES:
    seen = restored(name, placeholder)
    kind = f'{type(placeholder).__name__} {getattr(placeholder, "dtype", "")} {getattr(placeholder, "shape", "")}'
    print(f'{name:8} template: {kind:32} restored: {"refused" if seen is None else seen}')
    ok &= seen == expected
sys.exit(0 if ok else 1)
PYTHON
# What JAX logs about processors that are not there, and about refusals, is left out.
JAX_PLATFORMS=cpu "$folder/venv/bin/python" "$folder/restore.py" "$folder/checkpoint" 2>"$folder/log" || { status=$?; tail -n 5 "$folder/log"; exit "$status"; }
