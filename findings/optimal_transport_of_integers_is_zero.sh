#!/usr/bin/env bash
# POT 0.9.7.post1 (PyPI wheel, import ot) with numpy 2.4.6: the sliced Wasserstein distance of two sets of integers, such as pictures of
# 8 bits, is exactly 0, whatever the sets are. So is wasserstein_1d(). Other distances of 8-bit pictures are wrong, by a little, or refused.
# There is no error and no warning where a number comes back.
#
# The guess before it was run: numbers are converted to floating-point ones, as scikit-learn's distances do, or integers are refused.
#
# The reason: random directions, quantiles and weights, which lie between -1 and 1, are made in the type of the data, where they
# are 0. Differences of 8 bits wrap around.
#
# What follows for users: a generator that is measured on the pictures as they were read has a perfect distance from the first step on.
# Convert with astype(numpy.float64) before the call.
#
# What was seen, for 50 dark pictures (0 to 127) and 50 bright ones (128 to 255) of 64 levels:
#                                       uint8             int64        float64
#   sliced_wasserstein_distance         0                 0            152.4
#   max_sliced_wasserstein_distance     0                 0            441.1
#   wasserstein_1d, the first levels    0                 0            135.2
#   emd2_1d, the same levels            18348             18348        18348
#   dist(metric='cityblock'), mean      8172              8212         8212
#   dist(metric='cosine'), mean         -0.84             0.155        0.155
#   dist(), mean                        OverflowError     1229684      1229684
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 60 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 scipy==1.17.1 pot==0.9.7.post1

cat >"$folder/measure.py" <<'PYTHON'
import sys
import warnings

import numpy
import ot

random = numpy.random.default_rng(0)
dark = random.integers(0, 128, (50, 64), dtype=numpy.uint8)
bright = random.integers(128, 256, (50, 64), dtype=numpy.uint8)

MEASURES = {'sliced_wasserstein_distance': lambda a, b: ot.sliced_wasserstein_distance(a, b, seed=0),
            'max_sliced_wasserstein_distance': lambda a, b: ot.max_sliced_wasserstein_distance(a, b, seed=0),
            'wasserstein_1d': lambda a, b: ot.wasserstein_1d(a[:, 0], b[:, 0]),
            'emd2_1d': lambda a, b: ot.emd2_1d(a[:, 0], b[:, 0]),
            'cityblock': lambda a, b: ot.dist(a, b, metric='cityblock').mean(),
            'cosine': lambda a, b: ot.dist(a, b, metric='cosine').mean(),
            'dist': lambda a, b: ot.dist(a, b).mean()}


def measured(measure, kind):
    try:
        return float(measure(dark.astype(kind), bright.astype(kind)))
    except OverflowError as error:
        return type(error).__name__


with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter('always')
    seen = {name: [measured(measure, kind) for kind in ('uint8', 'int64', 'float64')] for name, measure in MEASURES.items()}
for name, row in seen.items():
    print(f'{name:34}', *(f'{value:>15}' if isinstance(value, str) else f'{value:15.4f}' for value in row))
print('warnings:', sorted({str(warning.message)[:100] for warning in caught}))

zeros = [seen.pop(name) for name in list(MEASURES)[:3]]
right = all(row[:2] == [0, 0] and row[2] > 100 for row in zeros) and not caught
right = right and all(abs(row[1] - row[2]) < 1e-6 * row[2] for row in seen.values())
one_dimension, cityblock, cosine, squares = (row[0] for row in seen.values())
right = right and abs(one_dimension - seen['emd2_1d'][2]) < 1e-6 and abs(cityblock - seen['cityblock'][2]) > 1
sys.exit(0 if right and abs(cosine - seen['cosine'][2]) > 0.1 and squares == 'OverflowError' else 1)
PYTHON
"$folder/venv/bin/python" "$folder/measure.py"
