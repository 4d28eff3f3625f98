#!/usr/bin/env bash
# numcodecs 0.16.6 (PyPI wheel), the filters of Zarr's format 2: Delta of floating-point numbers returns NaN for everything after the
# first NaN or infinity of a chunk, and after one large number the digits of the others are lost. There is no error, and no warning
# but one of numpy for the infinity.
#
# The guess before it was run: a filter that prepares numbers for compression gives back what it was given, and a NaN remains one NaN.
#
# The reason: the filter stores differences of neighbours and adds them up again in the type of the numbers. NaN and infinity
# stay in such a sum, and rounding errors too. Integers wrap around and back, so they are exact.
#
# What follows for users: one diverged loss among the measurements of a run, or one broken pixel of a floating-point picture, hides
# all that follows in the chunk. Delta is for integers. Give floating-point numbers a shuffle and zstd, which are exact.
#
# What was seen, as the numbers that came back equal, of 1,000 in one chunk that zarr 3.1.6 wrote:
#                                    Delta    Shuffle and zstd
#   float64, one NaN at 100           101     1000
#   float64, one infinity at 100      101     1000
#   float64, 1e10 at 100              101     1000
#   float32, between 0 and 1           73     1000
#   int16                            1000     1000
# After the NaN and after the infinity all 899 numbers are NaN; after 1e10 they are off by up to 1e-6.
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 30 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 zarr==3.1.6 numcodecs==0.16.6

cat >"$folder/filter.py" <<'PYTHON'
import sys

import numpy
import zarr
from numcodecs import Delta, Shuffle, Zstd

random = numpy.random.default_rng(0)


def losses(at_100=None, dtype='float64'):
    values = random.random(1000).astype(dtype)
    if at_100 is not None:
        values[100] = at_100
    return values


def returned(values, make_filter):
    array = zarr.create_array({}, data=values, chunks=(1000,), zarr_format=2, filters=[make_filter(values.dtype)], compressors=Zstd())
    return array[:]


def delta(dtype):
    return Delta(dtype)


def shuffle(dtype):
    return Shuffle(dtype.itemsize)


RUNS = {'float64, one NaN at 100': losses(numpy.nan), 'float64, one infinity at 100': losses(numpy.inf),
        'float64, 1e10 at 100': losses(1e10), 'float32, between 0 and 1': losses(dtype='float32'),
        'int16': random.integers(-32768, 32767, 1000, dtype=numpy.int16)}
equal, lost, off = {}, {}, {}
for name, values in RUNS.items():
    found = returned(values, delta)
    equal[name] = [int((numpy.isclose(other, values, rtol=0, atol=0, equal_nan=True)).sum())
                   for other in (found, returned(values, shuffle))]
    lost[name] = int(numpy.isnan(found[101:].astype(float)).sum())
    off[name] = float(numpy.abs(found[101:].astype(float) - values[101:]).max())
    print(f'{name:30} equal {equal[name]}, NaN after 100: {lost[name]}, largest difference after 100: {off[name]:.3g}')
nan, infinity, large, single, integers = equal.values()
right = all(row[1] == 1000 for row in equal.values()) and integers[0] == 1000 and single[0] < 800 and large[0] < 200
right = right and nan[0] < 102 and infinity[0] < 102 and list(lost.values()) == [899, 899, 0, 0, 0]
sys.exit(0 if right and 1e-8 < off['float64, 1e10 at 100'] < 2e-6 else 1)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/filter.py"
