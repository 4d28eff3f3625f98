#!/usr/bin/env bash
# OpenEXR 3.5.3 (PyPI wheel), the official writer of EXR: File.write() of a numpy array that is a view (transposed, cropped, every second
# pixel, one channel of a picture) writes the right shape and wrong numbers. There is no error and no warning.
#
# The guess before it was run: an array of numpy is written as numpy shows it, or one that does not lie in one piece is refused,
# as float64 is.
#
# The reason: the numbers are taken from memory one after the other, from the first one of the view on; the view's own steps are not
# used.
#
# What follows for users: a generated image in PyTorch's order that is permuted for the file is noise, and a picture whose channels
# are passed as picture[..., 0] and so on, as the names R, G and B suggest, has parts of its first rows in each of them. Pass
# numpy.ascontiguousarray(array).
#
# What was seen, for a picture of 8 x 8 pixels with the numbers 0 to 191, as the first numbers that come back:
#                                    written              read
#   as it is                         0 1 2 3 4 5          0 1 2 3 4 5
#   (3, 8, 8) permuted to (8, 8, 3)  0 64 128 1 65 129    0 1 2 3 4 5
#   [2:5, 2:5]                       54 55 56 57 58 59    54 55 56 57 58 59, and from the second row on others
#   [::2, ::2]                       0 1 2 6 7 8          0 1 2 3 4 5
#   R, G, B of [..., 0] to [..., 2]  0 1 2 3 4 5          0 1 2 1 2 3
#   each of them made contiguous     right                right
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 20 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile openexr==3.5.3 numpy==2.4.6

cat >"$folder/views.py" <<'PYTHON'
import sys

import numpy
import OpenEXR

picture = numpy.arange(192, dtype=numpy.float32).reshape(8, 8, 3)
planes = numpy.arange(192, dtype=numpy.float32).reshape(3, 8, 8)


def read(channels):
    OpenEXR.File({}, channels).write('picture.exr')
    return OpenEXR.File('picture.exr').channels()['RGB'].pixels


def compare(name, wanted, channels):
    """Whether the shape, the order of the numbers, and the numbers themselves come back."""
    found = read(channels)
    print(f'{name:34}', *(' '.join(f'{number:g}' for number in array.ravel()[:6]).ljust(20) for array in (wanted, found)),
          'equal' if numpy.array_equal(wanted, found) else 'different')
    return found.shape == wanted.shape, numpy.array_equal(wanted, found)


def separate(array):
    return {name: array[..., number] for number, name in enumerate('RGB')}


views = {'as it is': picture, '(3, 8, 8) permuted to (8, 8, 3)': planes.transpose(1, 2, 0), '[2:5, 2:5]': picture[2:5, 2:5],
         '[::2, ::2]': picture[::2, ::2]}
seen = [compare(name, view, {'RGB': view}) for name, view in views.items()]
seen.append(compare('R, G, B of [..., 0] to [..., 2]', picture, separate(picture)))
copies = [compare(name + ', contiguous', view, {'RGB': numpy.ascontiguousarray(view)}) for name, view in views.items()]
copies.append(compare('R, G, B, contiguous', picture,
                      {name: numpy.ascontiguousarray(plane) for name, plane in separate(picture).items()}))
sys.exit(0 if seen == [(True, True)] + [(True, False)] * 4 and copies == [(True, True)] * 5 else 1)
PYTHON
cd "$folder"
venv/bin/python -W error views.py
