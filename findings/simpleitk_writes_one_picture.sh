#!/usr/bin/env bash
# SimpleITK 2.5.7 (PyPI wheel, x86-64): WriteImage to PNG writes the first of several pictures and drops the others, and of a colour
# picture from numpy its first row; and Cast to 8 bits makes white black. There is no error and no warning.
#
# The guess before it was run: three dimensions are refused by a format that has two, as SimpleITK refuses them for JPEG and BMP; an
# array of height, width and 3 is a colour picture; and Cast clamps to 0 and 255.
#
# The reason: GetImageFromArray takes each array of three dimensions for a volume, unless it has isVector=True, and the writer of PNG
# writes the first slice. Cast converts as C++ does, which keeps the lowest 8 bits.
#
# What follows for users: of a batch of generated slices one is left, and nobody looks for the others. After x * 127.5 + 128.5, or with
# an overshoot of an interpolation, the whitest pixels are black. Write to TIFF, which keeps all slices, or slice by slice, pass
# isVector=True, and call Clamp(image, sitkUInt8, 0, 255) instead of Cast.
#
# What was seen:
#   5 x 20 x 30 to PNG                     20 x 30, the first one
#   5 x 20 x 30 to JPEG, BMP               refused
#   5 x 20 x 30 to TIFF                    5 pages
#   20 x 30 x 3 to PNG                     a grey picture, 30 high and 3 wide
#   the same, isVector=True                20 x 30 in colour
#   Cast of -1  0  255  256  300           255  0  255  0  44
#   Clamp of the same                      0  0  255  255  255
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 80 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 SimpleITK==2.5.7 pillow==13.0.0

cat >"$folder/write.py" <<'PYTHON'
import sys

import numpy
import SimpleITK
from PIL import Image

random = numpy.random.default_rng(0)
slices = random.integers(0, 256, (5, 20, 30), dtype=numpy.uint8)
colours = random.integers(0, 256, (20, 30, 3), dtype=numpy.uint8)


def written(name, array, **options):
    """The pixels and the count of pages that Pillow reads, or None where SimpleITK refuses."""
    try:
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array, **options), name)
    except RuntimeError:
        print(f'{array.shape} to {name}: refused')
        return None
    with Image.open(name) as image:
        print(f'{array.shape} to {name} {options}: {image.mode}, {image.size[0]} wide and {image.size[1]} high, '
              f'{getattr(image, "n_frames", 1)} pages')
        return numpy.asarray(image), getattr(image, 'n_frames', 1)


first, volume = written('slices.png', slices), written('slices.tif', slices)
refused = [written('slices.jpg', slices), written('slices.bmp', slices)]
row, picture = written('colours.png', colours), written('vector.png', colours, isVector=True)
numbers = SimpleITK.GetImageFromArray(numpy.array([[-1.0, 0, 255, 256, 300]]))
cast, clamped = (SimpleITK.GetArrayFromImage(image)[0].tolist() for image in
                 (SimpleITK.Cast(numbers, SimpleITK.sitkUInt8), SimpleITK.Clamp(numbers, SimpleITK.sitkUInt8, 0, 255)))
print('Cast ', *cast)
print('Clamp', *clamped)
sys.exit(0 if numpy.array_equal(first[0], slices[0]) and volume[1] == 5 and refused == [None, None]
         and numpy.array_equal(row[0], colours[0].reshape(30, 3)) and numpy.array_equal(picture[0], colours)
         and cast == [255, 0, 255, 0, 44] and clamped == [0, 0, 255, 255, 255] else 1)
PYTHON
cd "$folder"
venv/bin/python -W ignore write.py 2>/dev/null
