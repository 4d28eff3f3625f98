#!/usr/bin/env bash
# nibabel 5.4.2 (PyPI wheel), which writes NIfTI, the format of medical images: an array that is saved with the header of another picture, the
# usual Nifti1Image(prediction, picture.affine, picture.header), is stored in that picture's type and comes back as other numbers. There
# is no error and no warning.
#   - One label of 300 in a file of 8 bits makes the label 1 to 1.18 and the label 2 to 2.35.
#   - 0 in a map of floating-point numbers that has negative ones too is above 0, so a mask `map > 0` holds the background.
#   - NaN becomes the same small number, and infinity the largest ordinary one.
#
# The guess before it was run: the array keeps its type, or numbers that do not fit are refused. 0 stays 0, and NaN is refused for a type
# that does not have it.
#
# The reason: the type stands in the header. Where the numbers do not fit it, all of them are scaled and shifted so that the range
# does, and rounded to its 256 or 65,536 levels; NaN is stored as 0 is.
#
# What follows for users: labels, masks and checks for NaN are wrong after a round trip, in 8 bits all maps have 256 levels. Leave the header
# out, or call set_data_dtype(array.dtype) on the new image before it is saved.
#
# What was seen, for pictures of 8 and 16 bits whose headers were taken:
#   written                      read, uint8                    read, int16
#   labels 0 1 2 200             0 1 2 200                      0 1 2 200
#   labels 0 1 2 300             0 1.176 2.353 300              0 1 2 300
#   maps 0 0.25 1                0 0.251 1                      0 0.25 1
#   maps -1 0 0.25 NaN 3         -1 0.0039 0.2549 0.0039 3      -1 0.000015 0.25 0.000015 3
#   maps 0 1 infinity            0 1 1                          0 1 1
# Without the header, or with set_data_dtype(array.dtype), each is read as it was written.
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 25 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile nibabel==5.4.2 numpy==2.4.6

cat >"$folder/maps.py" <<'PYTHON'
import sys

import nibabel
import numpy

ARRAYS = {'labels to 200': numpy.array([0, 1, 2, 200], numpy.int32), 'labels to 300': numpy.array([0, 1, 2, 300], numpy.int32),
          'positive': numpy.array([0, 0.25, 1], numpy.float32),
          'negative, NaN': numpy.array([-1, 0, 0.25, numpy.nan, 3], numpy.float32),
          'infinity': numpy.array([0, 1, numpy.inf], numpy.float32)}


def picture(kind):
    """A picture of that type as it is read from a file, with levels that fit."""
    nibabel.Nifti1Image(numpy.arange(8, dtype=kind).reshape(2, 2, 2), numpy.eye(4)).to_filename('picture.nii')
    return nibabel.load('picture.nii')


def back(array, header=None, typed=False):
    image = nibabel.Nifti1Image(array.reshape(1, 1, -1), numpy.eye(4), header)
    if typed:
        image.set_data_dtype(array.dtype)
    image.to_filename('map.nii')
    return nibabel.load('map.nii').get_fdata().ravel()


right = True
seen = {}
for kind in (numpy.uint8, numpy.int16):
    header = picture(kind).header
    for name, array in ARRAYS.items():
        seen[kind.__name__, name] = found = back(array, header)
        print(f'{kind.__name__:6} {name:14}', *(f'{number:.4g}' for number in found))
        right = right and numpy.array_equal(back(array), array, equal_nan=True)
        right = right and numpy.array_equal(back(array, header, typed=True), array, equal_nan=True)


def near(kind, name, *wanted):
    return numpy.allclose(seen[kind, name], wanted, rtol=2e-3, atol=1e-6)


right = right and near('uint8', 'labels to 200', 0, 1, 2, 200) and near('uint8', 'labels to 300', 0, 300 / 255, 600 / 255, 300)
right = right and near('uint8', 'positive', 0, 64 / 255, 1) and near('uint8', 'negative, NaN', -1, 0.003922, 0.2549, 0.003922, 3)
right = right and near('uint8', 'infinity', 0, 1, 1)
right = right and near('int16', 'labels to 200', 0, 1, 2, 200) and near('int16', 'labels to 300', 0, 1, 2, 300)
right = right and near('int16', 'negative, NaN', -1, 0.00001526, 0.25, 0.00001526, 3) and near('int16', 'infinity', 0, 1, 1)
sys.exit(0 if right else 1)
PYTHON
cd "$folder"
venv/bin/python -W error maps.py
