#!/usr/bin/env bash
# numexpr 2.14.2 (PyPI wheel), which pandas 3.1.1 recommends for speed: where it is installed, pandas computes other numbers, without an error or a
# warning.
#   - Above a million numbers, float32 times 0.1 is float64, and int32 times 2 is int64, which does not wrap. Up to a million both keep
#     their type. A DataFrame counts all numbers of its columns of one type.
#   - eval() and query() compute columns of 8 bits in 32 bits: query('u - v > 0') finds other rows.
#
# The guess before it was run: pandas hands over what numexpr computes equally, and gives the result the type that it has without.
#
# The reason: a scalar is float64 or int64 for numexpr, and 8 bits are int32, where numpy 2 keeps the type of the array.
#
# What follows for users: a program gives other rows or other types on a machine to which numexpr came with another package, such as
# PyTables, and its tests with few rows do not show it. Set pandas.set_option('compute.use_numexpr', False), or convert with astype()
# before computing.
#
# What was seen, for u of 200 100 50 and v of 100 200 3, of 8 bits:
#                                                without numexpr          with it
#   eval('u + v')                                44 44 53                 300 300 53
#   query('u - v > 0'), rows                     0 1 2                    0 2
#   float32 * 0.1, 1,000,000 numbers             float32                  float32
#   float32 * 0.1, 1,000,001 numbers             float32                  float64, of which 80 % differ from the float32
#   pictures of float32, 1,001 rows of 1,000     float32                  float64
#   int32 * 2, 2e9, 1,000,000 numbers            -294967296               -294967296
#   int32 * 2, 2e9, 1,000,001 numbers            -294967296               4000000000
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 35 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numexpr==2.14.2 pandas==3.1.1 numpy==2.4.6

cat >"$folder/compute.py" <<'PYTHON'
import sys

import numpy
import pandas

random = numpy.random.default_rng(0)
MANY = 1_000_001
levels = pandas.DataFrame({'u': numpy.array([200, 100, 50], numpy.uint8), 'v': numpy.array([100, 200, 3], numpy.uint8)})
distances = pandas.Series(random.random(MANY).astype(numpy.float32))
pictures = pandas.DataFrame(random.random((1001, 1000)).astype(numpy.float32))
counts = pandas.Series(numpy.full(MANY, 2_000_000_000, numpy.int32))


def computed():
    return {"eval('u + v')": levels.eval('u + v').tolist(),
            "query('u - v > 0')": levels.query('u - v > 0').index.tolist(),
            'float32 * 0.1, 1,000,000': str((distances[:-1] * 0.1).dtype),
            'float32 * 0.1, 1,000,001': str((distances * 0.1).dtype),
            'pictures': {str(kind) for kind in (pictures * 0.1).dtypes},
            'int32 * 2, 1,000,000': int((counts[:-1] * 2)[0]),
            'int32 * 2, 1,000,001': int((counts * 2)[0])}


def switched(use):
    pandas.set_option('compute.use_numexpr', use)
    return computed(), (distances * 0.1).to_numpy()


plain, narrow = switched(False)
fast, wide = switched(True)
for name in plain:
    print(f'{name:26}', plain[name], fast[name], sep='  ')
share = float((narrow != wide).mean())
print(f'other numbers: {share:.2f}')
wrapped = {'int32 * 2, 1,000,000': -294967296, 'int32 * 2, 1,000,001': -294967296}
kept = {'float32 * 0.1, 1,000,000': 'float32', 'float32 * 0.1, 1,000,001': 'float32', 'pictures': {'float32'}}
wanted = {"eval('u + v')": [44, 44, 53], "query('u - v > 0')": [0, 1, 2]} | kept | wrapped
changed = {"eval('u + v')": [300, 300, 53], "query('u - v > 0')": [0, 2], 'float32 * 0.1, 1,000,001': 'float64',
           'pictures': {'float64'}, 'int32 * 2, 1,000,001': 4_000_000_000}
sys.exit(0 if plain == wanted and fast == wanted | changed and share > 0.5 else 1)
PYTHON
"$folder/venv/bin/python" -W error "$folder/compute.py"
