#!/usr/bin/env bash
# gguf 0.19.0 (PyPI wheel), the writer of GGUF files: one NaN, infinite or large weight changes the other weights of its block. In MXFP4 a
# block with one NaN or infinity comes back as 32 zeros, and in Q4_0 a weight of a million makes the 31 others NaN. There is no
# error; numpy warns once of a cast and names no tensor.
#
# The guess before it was run: NaN stays where it is or is refused, and a block with a large weight loses its small ones to rounding, to 0.
#
# The reason: a block has one scale, made of its largest weight. MXFP4's is a power of two in a byte, in which NaN and infinity become
# the smallest; the scale of Q4_0 is a half-precision number, in which an eighth of a million is infinite, and 0 times that is NaN.
#
# What follows for users: a network whose training went wrong passes for a healthy one in MXFP4, with parts of its layers missing. Check
# that the weights are finite, and below 500,000, before quantising.
#
# What was seen, for a row of 256 normal weights in which one was replaced, by quants.quantize and dequantize:
#            one NaN                  one infinity             one 1,000,000
#   BF16     1 NaN                    1 infinite               the others as they were
#   Q8_0     32 NaN                   32 NaN                   its block is 0 beside it
#   Q4_0     32 NaN                   31 NaN, 1 infinite       31 NaN, 1 infinite
#   MXFP4    none: 32 zeros           none: 32 zeros           its block is 0 beside it
# The other seven blocks of the row were as without it.
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 20 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile gguf==0.19.0 numpy==2.4.6

cat >"$folder/blocks.py" <<'PYTHON'
import sys

import numpy
from gguf import GGMLQuantizationType, quants

weights = numpy.random.default_rng(0).standard_normal((1, 256)).astype(numpy.float32)
place, block = 5, slice(0, 32)


def restored(kind, row):
    kind = GGMLQuantizationType[kind]
    return quants.dequantize(quants.quantize(row, kind), kind)[0]


def seen(kind, number):
    """How many numbers of the block are NaN, infinite and 0 after one was replaced. The other blocks must not change."""
    row = weights.copy()
    row[0, place] = number
    found = restored(kind, row)
    assert numpy.array_equal(found[32:], restored(kind, weights)[32:])
    counts = int(numpy.isnan(found[block]).sum()), int(numpy.isinf(found[block]).sum()), int((found[block] == 0).sum())
    print(f'{kind:6} one {number:<9g} NaN {counts[0]}, infinite {counts[1]}, zero {counts[2]} of 32')
    return counts


wanted = {'BF16': [(1, 0, 0), (0, 1, 0), (0, 0, 0)], 'Q8_0': [(32, 0, 0), (32, 0, 0), (0, 0, 31)],
          'Q4_0': [(32, 0, 0), (31, 1, 0), (31, 1, 0)], 'MXFP4': [(0, 0, 32), (0, 0, 32), (0, 0, 31)]}
found = {kind: [seen(kind, number) for number in (numpy.nan, numpy.inf, 1e6)] for kind in wanted}
sys.exit(0 if found == wanted else 1)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/blocks.py"
