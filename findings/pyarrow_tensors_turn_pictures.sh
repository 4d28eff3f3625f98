#!/usr/bin/env bash
# pyarrow 26.0.1 (PyPI wheel), arrays of tensors of one shape, which Parquet files keep pictures in: FixedShapeTensorArray.from_numpy_ndarray() of
# pictures whose channels were moved with transpose() notes the inverse of the order of the axes. The file is written without an
# error or a warning. Pictures that were moved to [channels, height, width] cannot be read any more, those that were moved
# to [height, width, channels] come back as [width, channels, height], and cubes in their shape with the numbers in other places.
#
# The guess before it was run: to_numpy_ndarray() returns the same numbers in the same places, as after copy().
#
# The reason, inferred from what was seen: the numbers are stored as they lie in memory, with a note of the axes' order. The format's
# specification says which stored axis is the first one of the picture, and so on. pyarrow notes where each stored axis goes. The
# two are the same as long as only two axes are exchanged. Reading follows the specification.
#
# What follows for users: a data set of pictures in PyTorch's order, made with transpose(0, 3, 1, 2) from what Pillow or OpenCV reads,
# fails when it is read, long after it was written. The pictures are still there: storage.flatten() has the numbers, in the order
# that type.shape says. Call copy() first. numpy.ascontiguousarray() is not enough where axes have a length of 1.
#
# What was seen for five arrays in one call, also after writing to Parquet and reading:
#   array in memory           given as                         noted order   right order   read as
#   [8, 6, 3]                 contiguous                       0, 1, 2       0, 1, 2       the same
#   [8, 6, 3]                 [6, 8, 3], an exchange of two    1, 0, 2       1, 0, 2       the same
#   [8, 6, 3]                 [3, 8, 6]                        1, 2, 0       2, 0, 1       error: strides must not involve buffer over run
#   [3, 8, 6]                 [8, 6, 3]                        2, 0, 1       1, 2, 0       [6, 3, 8]
#   [4, 4, 4]                 turned [4, 4, 4]                 1, 2, 0       2, 0, 1       [4, 4, 4], other places
#   [1, 1, 8]                 [8, 1, 1]                        1, 2, 0       2, 0, 1       [1, 8, 1]
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 70 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile pyarrow==26.0.1 numpy==2.4.6

cat >"$folder/tensors.py" <<'PYTHON'
import sys

import numpy
import pyarrow
from pyarrow import parquet


def read(tensors):
    """The arrays as pyarrow reads them, or its error."""
    try:
        return tensors.to_numpy_ndarray()
    except pyarrow.ArrowInvalid as error:
        return str(error)


draw = numpy.random.default_rng(0)
right = True
for stored, axes, expected in (((8, 6, 3), (0, 1, 2), 'the same'), ((8, 6, 3), (1, 0, 2), 'the same'),
                               ((8, 6, 3), (2, 0, 1), 'strides must not involve buffer over run'), ((3, 8, 6), (1, 2, 0), (6, 3, 8)),
                               ((4, 4, 4), (2, 0, 1), (4, 4, 4)), ((1, 1, 8), (2, 0, 1), (1, 8, 1))):
    pictures = draw.integers(0, 256, (5, *stored), dtype=numpy.uint8).transpose(0, *(1 + axis for axis in axes))
    tensors = pyarrow.FixedShapeTensorArray.from_numpy_ndarray(pictures)
    parquet.write_table(pyarrow.table({'picture': tensors}), 'pictures.parquet')
    for way in (tensors, parquet.read_table('pictures.parquet')['picture'].combine_chunks()):
        seen = read(way)
        if not isinstance(seen, str):
            seen = 'the same' if numpy.array_equal(seen, pictures) else seen.shape[1:]
        right = right and seen == expected
    noted = list(tensors.type.permutation)
    right = right and noted == numpy.argsort(axes).tolist() and list(tensors.type.shape) == list(stored)
    copied = read(pyarrow.FixedShapeTensorArray.from_numpy_ndarray(pictures.copy()))
    kept = tensors.storage.flatten().to_numpy().reshape(5, *stored).transpose(0, *(1 + axis for axis in axes))
    right = right and numpy.array_equal(copied, pictures) and numpy.array_equal(kept, pictures)
    print(f'in memory {stored}, given as {pictures.shape[1:]}: noted {noted}, right {list(axes)}, read: {seen}')
sys.exit(0 if right else 1)
PYTHON
cd "$folder"
venv/bin/python -W error tensors.py
