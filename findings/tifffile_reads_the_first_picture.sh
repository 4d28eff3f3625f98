#!/usr/bin/env bash
# tifffile 2026.3.3 (PyPI wheel): imread() of a TIFF with several pictures returns the first one alone where they were written one
# after the other, with append=True or several calls of write(), and only the first ones of a kind where their sizes or modes
# differ. scikit-image 0.26.0 and imageio 2.38.1 read through it and do the same. There is no error and no warning.
#
# The guess before it was run: imread() returns all pages of a file, as tifffile returns all of an array that was written in one call,
# and refuses pages that do not fit into one array.
#
# The reason: pages are grouped into series, and imread() returns the first one, as its documentation says. tifffile writes the shape
# of each array into the file, and one with a shape of its own starts a series of its own, be they all alike.
#
# What follows for users: of samples that a training appends to one file, or of a data set in one TIFF, one picture is read, and a
# data set of one picture trains without complaint. Read [page.asarray() for page in TiffFile(path).pages], or write all of them in
# one call. Pillow and OpenCV count all of them.
#
# What was seen, as the shape that imread() returns, and the pages that Pillow 13.0.0 and OpenCV 5.0.0 count:
#   one call with 5 x 32 x 32                    5 x 32 x 32       5
#   imwrite(append=True), five times 32 x 32     32 x 32           5
#   TiffWriter.write(), five times 32 x 32       32 x 32           5
#   the same, contiguous=True                    5 x 32 x 32       5
#   by Pillow, three in grey, two in colour      3 x 32 x 32       5
#   two of 32 x 32, one of 48 x 48 in colour     32 x 32 x 3       3
# scikit-image makes one colour picture, 32 x 32 x 3, of the three grey ones.
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 170 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 tifffile==2026.3.3 pillow==13.0.0 \
  opencv-python-headless==5.0.0.93 scikit-image==0.26.0 imageio==2.38.1

cat >"$folder/pages.py" <<'PYTHON'
import sys

import cv2
import imageio.v3
import numpy
import tifffile
from PIL import Image
from skimage import io

random = numpy.random.default_rng(0)


def pictures(count, *shape):
    return random.integers(0, 256, (count, *shape), dtype=numpy.uint8)


def in_one_call(path):
    tifffile.imwrite(path, pictures(5, 32, 32))


def appended(path):
    for number, picture in enumerate(pictures(5, 32, 32)):
        tifffile.imwrite(path, picture, append=number > 0)


def one_by_one(path, **options):
    with tifffile.TiffWriter(path) as file:
        for picture in pictures(5, 32, 32):
            file.write(picture, **options)


def by_pillow(path):
    first, *others = [Image.fromarray(picture) for picture in (*pictures(3, 32, 32), *pictures(2, 32, 32, 3))]
    first.save(path, save_all=True, append_images=others)


def two_sizes(path):
    with tifffile.TiffWriter(path) as file:
        for picture in (*pictures(2, 32, 32, 3), *pictures(1, 48, 48, 3)):
            file.write(picture, photometric='rgb')


RUNS = {'one call': (in_one_call, (5, 32, 32), 5), 'append=True': (appended, (32, 32), 5), 'write()': (one_by_one, (32, 32), 5),
        'write(contiguous=True)': (lambda path: one_by_one(path, contiguous=True), (5, 32, 32), 5),
        'by Pillow, grey and colour': (by_pillow, (3, 32, 32), 5), 'two sizes': (two_sizes, (32, 32, 3), 3)}
right = True
for number, (name, (write, shape, count)) in enumerate(RUNS.items()):
    path = f'{number}.tif'
    write(path)
    found = tifffile.imread(path).shape
    peers = io.imread(path).shape, imageio.v3.imread(path).shape
    with Image.open(path) as image:
        pages = image.n_frames, len(cv2.imreadmulti(path)[1]), len(tifffile.TiffFile(path).pages)
    print(f'{name:28}', found, 'scikit-image, imageio', *peers, 'pages', *pages)
    right = right and found == shape and pages == (count,) * 3
    right = right and peers == (((32, 32, 3), shape) if write is by_pillow else (shape, shape))
sys.exit(0 if right else 1)
PYTHON
cd "$folder"
venv/bin/python -W ignore pages.py
