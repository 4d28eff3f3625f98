#!/usr/bin/env bash
# numba 0.68.1 (PyPI wheel): in a compiled loop, the difference of two pixels of 8 or 16 bits that is negative is 18,446,744,073,709,551,606
# instead of -10. Mean absolute and mean squared errors of pictures are about 1e18 and more. There is no error and no warning.
# The difference of the same two arrays in the same function, a - b, wraps at 8 bits as in numpy.
#
# The guess before it was run: numba computes small integers as machine integers with a sign (int64), so 10 - 20 is -10, or wraps
# at 8 bits as numpy's uint8 does.
#
# The reason, inferred from what was seen: unsigned numbers below 64 bits become uint64 in arithmetic, not int64, and a difference of two uint64 wraps there.
# A uint8 and a whole number written in the program make int64.
#
# What follows for users: loops that compare pixels are wrong wherever the second one is brighter, and `a[i] - b[i] < 10` is
# false for it. Write numpy.int16(a[i]) - numpy.int16(b[i]), or call astype(numpy.int16) outside. int(a[i]) - int(b[i]) does not
# help, because int() of an unsigned number has no sign in numba.
#
# What was seen, for the pixels 10 and 20:
#                          uint8                       uint16                      int8
#   a[0] - b[0]            18446744073709551606        18446744073709551606        -10
#   abs(a[0] - b[0])       18446744073709551606        18446744073709551606         10
#   (a - b)[0]             246                         65526                       -10
#   a[0] - 20              -10                         -10                         -10
#   int(a[0]) - int(b[0])  18446744073709551606        18446744073709551606        -10
#   int16 of each          -10                         -10                         -10
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 60 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numba==0.68.1 numpy==2.4.6

cat >"$folder/pixels.py" <<'PYTHON'
import sys

import numba
import numpy


@numba.njit
def differences(a, b):
    return a[0] - b[0], abs(a[0] - b[0]), (a - b)[0], a[0] - 20, int(a[0]) - int(b[0]), numpy.int16(a[0]) - numpy.int16(b[0])


@numba.njit
def mean_absolute_error(a, b):
    total = 0.0
    for i in range(a.size):
        total += abs(a[i] - b[i])
    return total / a.size


seen, errors = {}, {}
for kind in ('uint8', 'uint16', 'int8'):
    pair = numpy.array([10], kind), numpy.array([20], kind)
    seen[kind] = tuple(int(value) for value in differences(*pair))
    errors[kind] = mean_absolute_error(*pair)
    print(f'{kind:7}', *seen[kind], f'mean absolute error {errors[kind]:.6g}')
huge = 2**64 - 10
right = seen['uint8'] == (huge, huge, 246, -10, huge, -10) and seen['uint16'] == (huge, huge, 65526, -10, huge, -10)
right = right and seen['int8'] == (-10, 10, -10, -10, -10, -10) and errors['int8'] == 10 and min(errors['uint8'], errors['uint16']) > 1e19
sys.exit(0 if right else 1)
PYTHON
"$folder/venv/bin/python" -W error "$folder/pixels.py"
