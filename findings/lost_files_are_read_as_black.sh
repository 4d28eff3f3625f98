#!/usr/bin/env bash
# h5py 3.16.0 with HDF5 2.0.0, zarr 3.1.6 and tensorstore 0.1.86 (PyPI wheels) return zeros, black pictures, for what is not there any
# more, without an error or a warning:
#   h5py: a part of a virtual data set whose file was moved or deleted, or whose data set was renamed in that file
#   h5py: what was cut off the end of the raw file of a data set with external=. A missing raw file is refused.
#   zarr and tensorstore: a chunk whose file is missing
#
# The guess before it was run: a data set that names a file which is not there cannot be read. At most Zarr, where chunks that were never
# written are no files, has no way to know.
#
# The reason: HDF5 gives the fill value for missing sources, so that a virtual data set can be made before its parts. Paths to
# them are relative to the virtual file.
#
# What follows for users: a virtual file over shards that is copied without one of them, or a copy that was interrupted, trains on
# black pictures whose labels are right, and a generator learns to paint them. Check that each of virtual_sources() exists, and
# count pictures that are 0 throughout, or store with fill_value=numpy.nan or another level that no picture has.
#
# What was seen, for three pictures of the levels 1 to 255, as the smallest and the largest level of each:
#   h5py, virtual, all files there            1 255    1 255    1 255
#   h5py, virtual, the second file moved      1 255    0   0    1 255
#   h5py, virtual, data set renamed           1 255    0   0    1 255
#   h5py, virtual, the second file damaged    OSError
#   h5py, external, all there                 1 255    1 255    1 255
#   h5py, external, the last third cut off    1 255    1 255    0   0
#   h5py, external, missing                   OSError
#   zarr, the second chunk missing            1 255    0   0    1 255
#   tensorstore, the second chunk missing     1 255    0   0    1 255
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 50 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 h5py==3.16.0 zarr==3.1.6 \
  tensorstore==0.1.86

cat >"$folder/lose.py" <<'PYTHON'
import os
import sys

import h5py
import numpy
import tensorstore
import zarr

SHAPE = (3, 16, 16)
pictures = numpy.stack([numpy.roll(numpy.arange(256) % 255 + 1, turn).reshape(16, 16) for turn in range(3)]).astype(numpy.uint8)


def write_part(number, name='x'):
    with h5py.File(f'{number}.h5', 'w') as file:
        file[name] = pictures[number]


def read_h5(path):
    with h5py.File(path) as file:
        return file['x'][:]


def read_tensorstore():
    return tensorstore.open({'driver': 'zarr3', 'kvstore': {'driver': 'file', 'path': os.path.abspath('p.zarr')}}).result().read().result()


def levels(name, read):
    try:
        found = [(int(picture.min()), int(picture.max())) for picture in read()]
    except OSError as error:
        found = type(error).__name__
    print(f'{name:42}', found)
    return found


layout = h5py.VirtualLayout(SHAPE, numpy.uint8)
for number in range(3):
    write_part(number)
    layout[number] = h5py.VirtualSource(f'{number}.h5', 'x', SHAPE[1:])
with h5py.File('virtual.h5', 'w') as file:
    file.create_virtual_dataset('x', layout)
with h5py.File('external.h5', 'w') as file:
    file.create_dataset('x', data=pictures, external=[('raw.bin', 0, h5py.h5f.UNLIMITED)])
zarr.create_array('p.zarr', shape=SHAPE, chunks=(1, *SHAPE[1:]), dtype='uint8')[:] = pictures

seen = [levels('virtual, all files there', lambda: read_h5('virtual.h5'))]
os.rename('1.h5', 'moved.h5')
seen.append(levels('virtual, the second file moved', lambda: read_h5('virtual.h5')))
write_part(1, name='y')
seen.append(levels('virtual, data set renamed', lambda: read_h5('virtual.h5')))
with open('1.h5', 'wb') as file:
    file.write(b'no HDF5 file')
seen.append(levels('virtual, the second file damaged', lambda: read_h5('virtual.h5')))
seen.append(levels('external, all there', lambda: read_h5('external.h5')))
os.truncate('raw.bin', 512)
seen.append(levels('external, the last third cut off', lambda: read_h5('external.h5')))
os.remove('raw.bin')
seen.append(levels('external, missing', lambda: read_h5('external.h5')))
os.remove('p.zarr/c/1/0/0')
seen.append(levels('zarr, the second chunk missing', lambda: zarr.open_array('p.zarr')[:]))
seen.append(levels('tensorstore, the second chunk missing', read_tensorstore))
whole, black = (1, 255), (0, 0)
second = [whole, black, whole]
sys.exit(0 if seen == [[whole] * 3, second, second, 'OSError', [whole] * 3, [whole, whole, black], 'OSError', second, second] else 1)
PYTHON
cd "$folder"
venv/bin/python -W ignore lose.py
