#!/usr/bin/env bash
# jax 0.10.2 (PyPI wheel, CPU): jax.image.resize() of a picture in which one number is NaN or infinite is NaN everywhere, whether it is
# enlarged or made smaller, with each method but 'nearest'. There is no error and no warning.
#
# The guess before it was run: a pixel of the result depends on the few pixels below the filter, as in Pillow, whose results it
# equals to 0.001 for finite numbers; so NaN stays where it was.
#
# The reason: the filter is a matrix of weights for all pixels, mostly zeros, with which the picture is multiplied, and zero times NaN or
# infinity is NaN.
#
# What follows for users: one broken pixel of a photograph of floating-point numbers (EXR, TIFF, depth) spoils all of it, and
# one of a feature map all that follows, so where NaN came from cannot be seen from where it is. Look for NaN before resizing.
#
# What was seen, as the NaN of a grey picture of 31 by 23 with one NaN, and with one infinite number:
#                                            64 by 50, of 3,200     10 by 9, of 90
#   linear, cubic, lanczos3, lanczos5        all                    all
#   nearest                                  less than 16           at most 1
#   Pillow 13.0.0, bilinear                  less than 40           less than 16
#   finite numbers, against Pillow           differ by less than 0.001 of 255
# and where the width alone is changed, the row of the NaN is NaN and the others are not.
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 180 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile jax==0.10.2 numpy==2.4.6 pillow==13.0.0

cat >"$folder/spread.py" <<'PYTHON'
import sys

import jax
import numpy
from PIL import Image

picture = numpy.random.default_rng(0).random((31, 23), numpy.float32) * 255
peers = {'linear': Image.Resampling.BILINEAR, 'cubic': Image.Resampling.BICUBIC, 'lanczos3': Image.Resampling.LANCZOS}


def resized(image, shape, method):
    return numpy.asarray(jax.image.resize(image, shape, method))


def by_pillow(image, shape, method):
    return numpy.asarray(Image.fromarray(image).resize(shape[::-1], peers[method]))


def lost(array):
    return int((~numpy.isfinite(array)).sum())


right = True
for shape, few in (((64, 50), 40), ((10, 9), 16)):
    far = max(float(abs(resized(picture, shape, method) - by_pillow(picture, shape, method)).max()) for method in peers)
    print(shape, f'finite numbers differ from Pillow by {far:.2g}')
    right = right and far < 0.001
    for broken in (numpy.nan, numpy.inf):
        damaged = picture.copy()
        damaged[3, 4] = broken
        found = {method: lost(resized(damaged, shape, method)) for method in ('linear', 'cubic', 'lanczos3', 'lanczos5', 'nearest')}
        peer, nearest = lost(by_pillow(damaged, shape, 'linear')), found.pop('nearest')
        print(shape, broken, 'of', shape[0] * shape[1], found, 'nearest', nearest, 'Pillow', peer)
        right = right and set(found.values()) == {shape[0] * shape[1]} and nearest < 16 and peer < few
damaged = picture.copy()
damaged[3, 4] = numpy.nan
rows = numpy.isnan(resized(damaged, (31, 50), 'linear')).sum(axis=1)
print('width alone: NaN in the row of the NaN', int(rows[3]), 'of 50, in all others', int(rows.sum() - rows[3]))
sys.exit(0 if right and rows[3] == 50 and rows.sum() == 50 else 1)
PYTHON
JAX_PLATFORMS=cpu "$folder/venv/bin/python" -W ignore "$folder/spread.py"
