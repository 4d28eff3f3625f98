#!/usr/bin/env bash
# orbax-checkpoint 0.12.8 (PyPI wheel, jax 0.10.2), the checkpoints of JAX and Flax: CheckpointManager with best_fn takes a measurement
# that is NaN for the best one of all. With max_to_keep=1 it deletes the best checkpoint and keeps that of the NaN, best_step() names
# it, and a later, worse one takes its place. There is no error and no warning.
#
# The guess before it was run: a NaN is the worst measurement, as it is no number; the best one stays until there is a better one.
#
# The reason: the checkpoints are sorted by their measurements. Comparisons with NaN are false, so it stays where it was, which is
# last, where the best one is expected; and what lies on its two sides is not compared.
#
# What follows for users: when a training diverges, its best weights are deleted with the first measurement after it. An infinity is
# sorted rightly. Write best_fn so that it returns infinity (minus infinity with best_mode='max') instead of NaN.
#
# What was seen, with best_mode='min', as the steps that are kept, and best_step():
#   distances of steps 1, 2, ...   max_to_keep=1    max_to_keep=2
#   50 20 30 45                    2, best 2        2 3, best 2
#   50 20 30 NaN                   4, best 4        2 4, best 4
#   20 NaN 50 40                   4, best 4        3 4, best 4
#   20 infinity 50 40              1, best 1        1 4, best 1
#   20 NaN 50 40, best_fn returns infinity
#                                  1, best 1        1 4, best 1
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 150 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile jax==0.10.2 jaxlib==0.10.2 orbax-checkpoint==0.12.8

cat >"$folder/keep.py" <<'PYTHON'
import logging
import math
import sys
import tempfile

import numpy
import orbax.checkpoint as orbax

logging.disable(logging.CRITICAL)


def kept(distances, count, best=lambda metrics: metrics['distance']):
    """The steps that are in the folder at the end, and the one that is called the best."""
    options = orbax.CheckpointManagerOptions(max_to_keep=count, best_fn=best, best_mode='min', enable_async_checkpointing=False)
    with tempfile.TemporaryDirectory() as folder, orbax.CheckpointManager(folder, options=options) as manager:
        for step, distance in enumerate(distances, 1):
            manager.save(step, args=orbax.args.StandardSave({'weight': numpy.full(2, step)}), metrics={'distance': float(distance)})
        manager.wait_until_finished()
        return sorted(manager.all_steps()), manager.best_step()


def finite(metrics):
    return math.inf if math.isnan(metrics['distance']) else metrics['distance']


NAN = math.nan
RUNS = [((50, 20, 30, 45), {}, ([2], 2), ([2, 3], 2)), ((50, 20, 30, NAN), {}, ([4], 4), ([2, 4], 4)),
        ((20, NAN, 50, 40), {}, ([4], 4), ([3, 4], 4)), ((20, math.inf, 50, 40), {}, ([1], 1), ([1, 4], 1)),
        ((20, NAN, 50, 40), {'best': finite}, ([1], 1), ([1, 4], 1))]
right = True
for distances, options, *expected in RUNS:
    found = [kept(distances, count, **options) for count in (1, 2)]
    print(*distances, 'with infinity for NaN' if options else '', *found)
    right = right and found == expected
sys.exit(0 if right else 1)
PYTHON
OMP_NUM_THREADS=1 JAX_PLATFORMS=cpu "$folder/venv/bin/python" -W ignore "$folder/keep.py"
