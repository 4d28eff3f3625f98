#!/usr/bin/env bash
# numpy 2.4.6 with ml_dtypes 0.6.0 (PyPI wheels), the types of JAX's and TensorFlow's weights: sum(), mean(), var() and std() of
# bfloat16 stop at a few hundred. The mean of 4,096 ones is 0.0625. There is no error and no warning. sort() leaves numbers in the
# wrong order where one of them is NaN. float16, numpy's own type of 16 bits, has neither fault.
#
# The guess before it was run: numpy sums in float32 for the mean, as it does for float16, and the mean of 4,096 ones is 1.
#
# The reason, inferred from what was seen: the numbers are added one after the other in bfloat16, which has 8 binary digits. 256 and 1
# make 256 again, so the sum stands still as soon as it is some hundred times as large as its next number.
#
# What follows for users: means of weights, features or pixels that were taken from a training in bfloat16 are too small by a factor
# that grows with their count, and a Fréchet distance from such means compares numbers near 0. Convert first, with
# astype(numpy.float32), or pass dtype=numpy.float32 to sum() and mean().
#
# What was seen:
#                                                  float16     bfloat16
#   mean of 4,096 ones                             1           0.0625
#   mean of 10,000 numbers between 0 and 1         0.4995      0.0256, and with dtype=numpy.float32 0.4994
#   their standard deviation                       0.2891      0.1602
#   sort of 3, NaN, 1                              1, 3, NaN   3, NaN, 1
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 20 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 ml_dtypes==0.6.0

cat >"$folder/means.py" <<'PYTHON'
import sys

import ml_dtypes
import numpy

numbers = numpy.random.default_rng(0).random(10000)
seen = {}
for kind in (numpy.float16, ml_dtypes.bfloat16):
    ones = float(numpy.ones(4096, kind).mean())
    some = numbers.astype(kind)
    mean, wide, deviation = float(some.mean()), float(some.mean(dtype=numpy.float32)), float(some.std())
    order = numpy.sort(numpy.array([3, numpy.nan, 1], kind)).astype(float).tolist()
    seen[kind.__name__] = ones, mean, wide, deviation, order
    print(f'{kind.__name__:8}  mean of ones {ones:.4f}, of numbers {mean:.4f}, with dtype=float32 {wide:.4f}, '
          f'deviation {deviation:.4f}, sorted {order}')
ones, mean, wide, deviation, order = seen['float16']
right = ones == 1 and abs(mean - numbers.mean()) < 1e-3 and abs(deviation - numbers.std()) < 1e-3 and order[:2] == [1, 3]
ones, mean, wide, deviation, order = seen['bfloat16']
right = right and ones == 0.0625 and mean < 0.05 and abs(wide - numbers.mean()) < 1e-3 and deviation < 0.2 and order[:2] != [1, 3]
sys.exit(0 if right else 1)
PYTHON
cd "$folder"
venv/bin/python -W error means.py
