#!/usr/bin/env bash
# h5py 3.16.0 with HDF5 2.0.0 (PyPI wheel): floating-point numbers that are stored with scaleoffset come back without their NaN.
# Ordinary numbers, near the smallest of the chunk, stand in its place. Where the first number of a chunk of float32 is NaN, the
# chunk can be written and never be read again. Nothing warns while writing.
#
# The guess before it was run: NaN stays NaN, as with every other filter; the digits that are kept are rounded rightly; an integer
# that does not fit is cut to the nearest that fits, or refused.
#
# The reason: the filter stores the difference from the smallest number of the chunk as an integer, which NaN cannot be. The
# documentation of create_dataset calls the filter lossy, with an absolute error of less than 0.5 * 10**(-scaleoffset), and does not
# mention NaN.
#
# What follows for users: features, latents and losses that contained NaN look healthy after loading, or a file of days of
# measurements is lost. Check with isfinite before writing, or use gzip. For integers pass 0, which finds the count of bits.
#
# What was seen, for random numbers in [-1, 1] in chunks of 1,000 with scaleoffset=3, and for integers:
#   float32, every hundredth is NaN     no NaN
#   float64, every hundredth is NaN     no NaN
#   float32, the first is NaN           OSError in reading
#   float64, the first is NaN           all numbers as they were
#   float64, largest error              0.0007, by the documentation less than 0.0005
#   gzip instead                        all numbers as they were
#   uint8, 0 to 255, with 4 bits        0 to 15, sixteen times
#   uint8, 0 to 255, with 0             all numbers as they were
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 30 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 h5py==3.16.0

cat >"$folder/store.py" <<'PYTHON'
import sys

import h5py
import numpy


def stored(data, **options):
    """The numbers that a file returns after it was closed, as an open one still has them in its cache, or None."""
    with h5py.File('numbers.h5', 'w') as file:
        file.create_dataset('numbers', data=data, **options)
    with h5py.File('numbers.h5') as file:
        try:
            return file['numbers'][...]
        except OSError as error:
            print('OSError:', error)
            return None


numbers = numpy.random.default_rng(0).uniform(-1, 1, 10_000)
error = float(abs(stored(numbers, chunks=(1000,), scaleoffset=3) - numbers).max())
print(f'float64, largest error {error:.5f}')
right = error > 0.0006
numbers[50::100] = numpy.nan
for kind in (numpy.float32, numpy.float64):
    data = numbers.astype(kind)
    read, plain = stored(data, chunks=(1000,), scaleoffset=3), stored(data, chunks=(1000,), compression='gzip')
    data[0] = numpy.nan
    first = stored(data[:1000], chunks=(1000,), scaleoffset=3)
    print(f'{kind.__name__}: NaN {numpy.isnan(read).sum()} of 100, in their place {read[50]:.3f}; with gzip '
          f'{numpy.isnan(plain).sum()}; the first is NaN: {"lost" if first is None else "read"}')
    right = right and numpy.isnan(read).sum() == 0 and abs(read[50::100]).max() <= 1.001 and numpy.isnan(plain).sum() == 100
    right = right and (first is None if kind is numpy.float32 else numpy.array_equal(first, data[:1000], equal_nan=True))
levels = numpy.arange(256, dtype=numpy.uint8)
few, all_bits = (stored(levels, chunks=(256,), scaleoffset=bits) for bits in (4, 0))
print('uint8, 14 to 18, with 4 bits', *few[14:19], 'with 0', *all_bits[14:19])
sys.exit(0 if right and numpy.array_equal(few, levels % 16) and numpy.array_equal(all_bits, levels) else 1)
PYTHON
cd "$folder"
venv/bin/python -W ignore store.py
