#!/usr/bin/env bash
# cleanvision 0.3.7 with Pillow 13.0.0 (PyPI wheels): three kinds of different pictures count as exact duplicates, without an error or
# a warning: pictures with the same indices and other palettes, flat pictures of other shapes, and the same pixels in rows of another
# length.
#
# The guess before it was run: exact duplicates are pictures that look the same, pixel by pixel.
#
# The reason: the digest is taken of the bytes that Pillow holds. Width, mode and palette are not among them, and for a picture with a
# palette the bytes are the indices.
#
# What follows for users: pixel art, sprites, icons and maps often come as one drawing in several palettes, and whoever deletes the
# exact duplicates keeps one of the colours. Convert to RGB first, or compare numpy.asarray(image.convert('RGBA')) of each pair
# before deleting.
#
# What was seen, for eight pictures, of which the last two alone are equal:
#   exact duplicates   one drawing in red and green, in black and white
#                      white of 10 x 20 and of 20 x 10
#                      noise of 48 x 32, and the same numbers as 32 x 48
#                      two equal pictures
#   with convert('RGB') before saving
#                      white of 10 x 20 and of 20 x 10
#                      noise of 48 x 32, and the same numbers as 32 x 48
#                      two equal pictures
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 120 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 pillow==13.0.0 pandas==3.1.1 \
  ImageHash==4.3.2 cleanvision==0.3.7

cat >"$folder/duplicates.py" <<'PYTHON'
import contextlib
import io
import pathlib
import sys

import numpy
from cleanvision import Imagelab
from PIL import Image

noise = numpy.random.default_rng(0).integers(0, 256, (32, 48), dtype=numpy.uint8)


def drawing(*palette):
    image = Image.fromarray(noise % 2)
    image.putpalette(palette)
    return image


def colours(levels):
    return Image.fromarray(numpy.stack([levels] * 3, -1))


PICTURES = {'drawing_red_green': drawing(200, 0, 0, 0, 200, 0), 'drawing_black_white': drawing(0, 0, 0, 255, 255, 255),
            'white_10_20': colours(numpy.full((20, 10), 255, numpy.uint8)),
            'white_20_10': colours(numpy.full((10, 20), 255, numpy.uint8)),
            'noise_48_32': colours(noise), 'noise_32_48': colours(noise.reshape(48, 32)),
            'equal_a': colours(noise[::-1]), 'equal_b': colours(noise[::-1])}


def duplicates(folder, convert):
    """The sets of exact duplicates among the pictures, as PNGs of a folder."""
    pathlib.Path(folder).mkdir()
    for name, picture in PICTURES.items():
        convert(picture).save(f'{folder}/{name}.png')
    with contextlib.redirect_stdout(io.StringIO()):
        lab = Imagelab(data_path=folder)
        lab.find_issues({'exact_duplicates': {}}, n_jobs=1, verbose=False)
    found = sorted(sorted(pathlib.Path(path).stem for path in group) for group in lab.info['exact_duplicates']['sets'])
    print(folder, *found, sep='\n  ')
    return found


as_they_are, as_rgb = duplicates('as_they_are', lambda picture: picture), duplicates('rgb', lambda picture: picture.convert('RGB'))
alike = [['equal_a', 'equal_b'], ['noise_32_48', 'noise_48_32'], ['white_10_20', 'white_20_10']]
sys.exit(0 if as_rgb == alike and as_they_are == [['drawing_black_white', 'drawing_red_green']] + alike else 1)
PYTHON
cd "$folder"
OMP_NUM_THREADS=1 MPLCONFIGDIR="$folder" venv/bin/python -W ignore duplicates.py 2>/dev/null
