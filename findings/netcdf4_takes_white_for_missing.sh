#!/usr/bin/env bash
# netCDF4 1.7.5.1.post1 (PyPI wheel): white pixels of 8 and 16 bits that were written come back as missing. mean() and max() leave them
# out, and arithmetic leaves them as they are, so white is 255 where the rest of the picture lies between -1 and 1. There is no
# error and no warning. Numbers beyond the range of a packed variable wrap around.
#
# The guess before it was run: an array of uint8 whose every number was written comes back as it is, and only what was never
# written is missing. Packing rounds, and numbers beyond the range become its ends or are refused.
#
# The reason: a variable that has no fill value of its own has the library's, which is the largest number of uint8, uint16 and uint32.
# Its documentation says of set_auto_mask that data equal to it are masked. numpy's masked arrays do not compute where they are
# masked, and numpy.asarray and torch.from_numpy drop the mask and keep what lies under it.
#
# What follows for users: pictures on a white ground, as drawings, products and scans are, are normalised with the mean of the rest, and
# a network gets 255 for white. Read with set_auto_mask(False); to write with fill_value=False helps for uint8 alone.
#
# What was seen, for a picture of which half is 255, a sixteenth is 100 and the rest is 0, with a mean of about 134:
#                                   mean    largest   (x / 127.5 - 1) as an array
#   uint8                           12.5    100       -1 to 255
#   uint16, 65535 for 255           12.5    100       -1 to 65535 (of x / 32767.5 - 1)
#   int16, int64, float32           as written
#   set_auto_mask(False), h5py      133.75  255       -1 to 1
#   uint8 with fill_value=False     133.75  255       -1 to 1
#   uint16 with fill_value=False    12.5    100       -1 to 65535
# 0, 0.5, 1.1 and -0.1, packed into uint8 with scale_factor 1 / 255: 0, 0.502, 0.094 and 0.902.
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 40 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 netCDF4==1.7.5.1.post1 h5py==3.16.0

cat >"$folder/white.py" <<'PYTHON'
import sys

import h5py
import numpy
from netCDF4 import Dataset

grey = numpy.zeros((8, 8), numpy.uint8)
grey[:, 4:] = 255
grey[0, :4] = 100


def written(kind, white, **options):
    """The path of a file with the picture, whose white is that number."""
    picture = (grey.astype(numpy.float64) / 255 * white).astype(kind)
    with Dataset('picture.nc', 'w') as file:
        file.createDimension('y', 8)
        file.createDimension('x', 8)
        file.createVariable('picture', kind, ('y', 'x'), **options)[:] = picture
    return 'picture.nc'


def read(path, mask=True):
    with Dataset(path) as file:
        file.set_auto_mask(mask)
        return file['picture'][:]


def seen(title, picture, white):
    """Of the levels between 0 and 1: the mean and the largest, and the largest after scaling to -1 to 1 and dropping the mask."""
    scaled = numpy.asarray(picture / (white / 2) - 1)
    found = tuple(round(float(value), 3) for value in (picture.mean() / white * 255, picture.max() / white * 255, scaled.max()))
    print(f'{title:24} mean {found[0]}, largest {found[1]}, largest of the scaled array {found[2]}')
    return found


right = (133.75, 255, 1)
same, missing = [], []
for kind, white in (('u1', 255), ('u2', 65535)):
    missing.append(seen(kind, read(written(kind, white)), white))
    same.append(seen(kind + ', set_auto_mask(False)', read('picture.nc', mask=False), white))
    with h5py.File('picture.nc') as file:
        same.append(seen(kind + ', h5py', file['picture'][...], white))
    (same if kind == 'u1' else missing).append(seen(kind + ', fill_value=False', read(written(kind, white, fill_value=False)), white))
for kind, white in (('i2', 32767), ('i8', 255), ('f4', 255)):
    same.append(seen(kind, read(written(kind, white)), white))

with Dataset('packed.nc', 'w') as file:
    file.createDimension('x', 4)
    packed = file.createVariable('picture', 'u1', ('x',))
    packed.scale_factor = 1 / 255
    packed[:] = [0, 0.5, 1.1, -0.1]
unpacked = [round(float(value), 3) for value in read('packed.nc')]
print('packed 0, 0.5, 1.1, -0.1:', unpacked)
sys.exit(0 if missing[0] == (12.5, 100, 255) and all(abs(mean - 12.5) < 0.1 and white == 65535 for mean, _, white in missing[1:]) and
         all(abs(value - wanted) < 0.1 for found in same for value, wanted in zip(found, right)) and
         unpacked == [0, 0.502, 0.094, 0.902] else 1)
PYTHON
cd "$folder"
venv/bin/python -W ignore white.py
