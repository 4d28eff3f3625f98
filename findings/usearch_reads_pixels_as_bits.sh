#!/usr/bin/env bash
# usearch 2.26.6 (PyPI wheel), which searches nearest neighbours: arrays of numpy.uint8, pixels, are taken for packed bits. search(), which is
# exact, answers with the first vectors and distances of NaN, also for every other type of integers but int8, for bool, and for
# numbers in big-endian order. An Index of floating-point numbers stores the first bits instead of the pixels. There is no error and no
# warning.
#
# The guess before it was run: search() over uint8 arrays finds the nearest neighbours that numpy finds.
#
# The reason, inferred from what was seen: an array's type chooses the type of the numbers, uint8 stands for eight bits each, as the
# documentation of bit vectors says, and search() takes each type that it does not know for bits, too. A Euclidean distance of bits
# does not exist and is NaN. The Index reads as many bits as it has dimensions, so only the first eighth of the pixels counts.
#
# What follows for users: a search for the training picture that is nearest to a generated one, the test for memorised pictures,
# compares a few bits, or nothing, where pixels are given as they are stored. Convert them with astype(numpy.float32) first, and
# check that each picture finds itself at a distance of 0.
#
# What was seen for 200 random pictures of 64 pixels, each asked for itself with a change of up to 4 levels, Euclidean distance:
#                        search()               Index(ndim=64, metric='l2sq', dtype='f32')
#   float32, float64     100 %                  100 %
#   uint8                0.5 %, distances NaN   91 %, get() is 0 and 1 only
#   int64, uint16, bool  0.5 %, distances NaN   refused with an error
#   >f4 (big-endian)     0.5 %, distances NaN   refused with an error
#   0.5 % is the first picture, which is the answer to each question. As float32 the pictures of uint8 are all found.
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 30 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile usearch==2.26.6 numpy==2.4.6

cat >"$folder/neighbours.py" <<'PYTHON'
import sys

import numpy
from usearch.index import Index, search

COUNT = 200
draw = numpy.random.default_rng(0)
pixels = draw.integers(4, 252, (COUNT, 64))
changed = pixels + draw.integers(-4, 5, pixels.shape)
own = numpy.arange(COUNT)


def share(matches):
    """The share of the questions whose nearest neighbour is the picture itself, and whether its distances are NaN."""
    return float((numpy.array(matches.keys).ravel() == own).mean()), bool(numpy.isnan(numpy.array(matches.distances)).all())


right = True
for kind in ('float32', 'float64', 'uint8', 'uint16', 'int64', 'bool', '>f4'):
    stored, asked = pixels.astype(kind), changed.astype(kind)
    exact = share(search(stored, asked, 1, 'l2sq', exact=True))
    index = Index(ndim=64, metric='l2sq', dtype='f32')
    try:
        index.add(own, stored)
        found, levels = share(index.search(asked, 1, exact=True))[0], numpy.unique(index.get(3)).tolist()
    except ValueError:
        found, levels = None, []
    print(f'{kind:8} search(): found {exact[0]:.3f}, distances NaN: {exact[1]}. Index: found {found}, levels {levels[:4]}')
    if kind.startswith('float'):
        right = right and exact == (1, False) and found == 1 and levels == numpy.unique(stored[3]).tolist()
    else:
        right = right and exact == (1 / COUNT, True)
        right = right and (found < 1 and levels == [0, 1] if kind == 'uint8' else found is None)
sys.exit(0 if right else 1)
PYTHON
cd "$folder"
venv/bin/python -W error neighbours.py
