#!/usr/bin/env bash
# h5py 3.16.0 and zarr 3.1.6 (PyPI wheels) store numbers that 8 bits do not hold as other levels: 300 is 255 in h5py and 44 in
# zarr, and -1 is black in h5py and white in zarr. NaN is 0 in h5py. The same call in h5py, astype('uint8'), limits where it is
# made on the data set and wraps where it is made on the array. There is no error and no warning for integers.
#
# The guess before it was run: assigning to a slice converts as numpy does in both, or refuses what does not fit, as numpy
# refuses a Python integer.
#
# The reason: HDF5 converts by itself: it limits numbers to those of the type and cuts fractions off. zarr lets numpy convert,
# which keeps the lowest 8 bits.
#
# What follows for users: pictures that overshoot look right in HDF5, and the same program writes white pixels as black after a
# change to zarr. A mean over data.astype('uint8')[:] differs from one over data[:].astype('uint8'). Round and clip before
# writing, in both.
#
# What was seen, as the levels of uint8 that were read again:
#   written          300   -1    255.7   254.6   infinity   NaN
#   h5py             255    0    255     254     255        0
#   zarr, numpy       44  255    255     254     (depends on the processor, with a warning)
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 40 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile h5py==3.16.0 zarr==3.1.6 \
  numcodecs==0.16.6 numpy==2.4.6

cat >"$folder/write.py" <<'PYTHON'
import sys
import warnings

import h5py
import numpy
import zarr

warnings.simplefilter('error')
integers = numpy.array([300, -1, 70000, 255, 0])
fractions = numpy.array([255.7, 254.6, 0.9])
others = numpy.array([numpy.inf, -numpy.inf, numpy.nan])


def by_h5py(numbers):
    """What is read of numbers that were written into a data set of uint8, and of those that are converted when they are read."""
    with h5py.File('x.h5', 'w') as file:
        levels = file.create_dataset('levels', numbers.shape, 'uint8')
        levels[:] = numbers
        file['numbers'] = numbers
        read = levels[:].tolist()
        print('h5py ', numbers, read)
        return read, file['numbers'].astype('uint8')[:].tolist()


def by_zarr(numbers):
    levels = zarr.create_array({}, shape=numbers.shape, dtype='uint8')
    levels[:] = numbers
    read = levels[:].tolist()
    print('zarr ', numbers, read)
    return read, numbers.astype('uint8').tolist()


sys.exit(0 if by_h5py(integers) == ([255, 0, 255, 255, 0],) * 2 and by_zarr(integers) == ([44, 255, 112, 255, 0],) * 2
         and by_h5py(fractions) == by_zarr(fractions) == ([255, 254, 0],) * 2 and by_h5py(others) == ([255, 0, 0],) * 2 else 1)
PYTHON
cd "$folder"
venv/bin/python write.py
