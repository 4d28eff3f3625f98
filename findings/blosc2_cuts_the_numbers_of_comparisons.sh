#!/usr/bin/env bash
# blosc2 4.14.1 (PyPI wheel, x86-64), whose arrays compute as numpy's do: a number that an array is compared or computed with is cut to the array's
# type first. For pictures of 8 bits `pictures < 300` is `pictures < 44`, and for counts of 32 bits `counts < 3_000_000_000` is false
# everywhere. The remainder of negative numbers and rounding are others than numpy's, too. There is no error and no warning.
#
# The guess before it was run: comparisons are exact, as in numpy, and sums that the type cannot hold are refused, as numpy 2 refuses them
# for a number of Python, or get a wider type.
#
# The reason: the number gets the type of the array, and its upper bits are dropped: 300 is 44, and 3,000,000,000 negative. A power of
# 2.0 is computed in 8 bits and converted to float64 afterwards. The remainder and the rounding are those of the language C.
#
# What follows for users: a filter with a limit beyond the type selects other rows. Angles and indices that wrap around with % become negative,
# and a sum of squares of pictures is wrong. maximum() and minimum() do refuse 300. Convert first: pictures.astype('int32') < 300.
#
# What was seen:
#                                          numpy                   blosc2
#   200 100 250 10 (uint8)   < 300         true for all            true for 10 alone; [pictures < 300] is 10
#                            > 256         false for all           true for all
#                            + 300         refused                 244 144 38 54 (uint8)
#                            * 256         refused                 0 0 0 0
#                            ** 2.0        40000 10000 62500 100   64 16 36 100 (float64 in both)
#   -7 7 -1 5 (int32)        < 3000000000  true for all            false for all
#                            % 3           2 1 2 2                 -1 1 -1 2
#                            // 3          -3 2 -1 1               the same
#   0.5 1.5 2.5 -0.5         round         0 2 2 0                 1 2 3 -1
#                            % 1           0.5 for all             0.5 0.5 0.5 -0.5
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 30 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile blosc2==4.14.1 numpy==2.4.6 numexpr==2.14.2

cat >"$folder/compute.py" <<'PYTHON'
import importlib.metadata
import sys
import warnings

import blosc2
import numpy as np

warnings.simplefilter('error')
print(*(f'{name} {importlib.metadata.version(name)}' for name in ('blosc2', 'numpy', 'numexpr')))
PICTURES = np.array([200, 100, 250, 10], np.uint8)
COUNTS = np.array([-7, 7, -1, 5], np.int32)
REALS = np.array([0.5, 1.5, 2.5, -0.5], np.float32)
ALL, NONE = [True] * 4, [False] * 4

CASES = [
    ('pictures < 300', PICTURES, lambda x: x < 300, ALL, [False, False, False, True]),
    ('pictures > 256', PICTURES, lambda x: x > 256, NONE, ALL),
    ('pictures + 300', PICTURES, lambda x: x + 300, None, [244, 144, 38, 54]),
    ('pictures * 256', PICTURES, lambda x: x * 256, None, [0, 0, 0, 0]),
    ('pictures ** 2.0', PICTURES, lambda x: x ** 2.0, [40000, 10000, 62500, 100], [64, 16, 36, 100]),
    ('pictures[pictures < 300]', PICTURES, lambda x: x[x < 300], [200, 100, 250, 10], [10]),
    ('counts < 3000000000', COUNTS, lambda x: x < 3_000_000_000, ALL, NONE),
    ('counts % 3', COUNTS, lambda x: x % 3, [2, 1, 2, 2], [-1, 1, -1, 2]),
    ('counts // 3', COUNTS, lambda x: x // 3, [-3, 2, -1, 1], [-3, 2, -1, 1]),
    ('round(reals)', REALS, lambda x: (np if isinstance(x, np.ndarray) else blosc2).round(x), [0, 2, 2, 0], [1, 2, 3, -1]),
    ('reals % 1', REALS, lambda x: x % 1, [0.5, 0.5, 0.5, 0.5], [0.5, 0.5, 0.5, -0.5]),
]


def result(compute, values):
    try:
        return compute(values)[()].tolist()
    except OverflowError:
        return None


ok = True
for name, values, compute, of_numpy, of_blosc2 in CASES:
    seen = result(compute, values), result(compute, blosc2.asarray(values))
    print(f'{name:25} numpy: {seen[0] or "refused"}  blosc2: {seen[1] or "refused"}')
    ok &= seen == (of_numpy, of_blosc2)
sys.exit(0 if ok else 1)
PYTHON
"$folder/venv/bin/python" "$folder/compute.py"
