#!/usr/bin/env bash
# mozjpeg-lossless-optimization 1.3.2 (PyPI wheel): optimize() gives back the same levels of all pixels, as its name says, and drops the
# orientation and the colour profile. A photograph that was shown upright lies on its side. There is no error and no warning.
#
# The guess before it was run: lossless means that the picture looks the same; what changes how it is shown is kept, as Exif's
# other fields may not be.
#
# The reason: the argument copy is COPY_MARKERS.NONE by default, so that everything but the picture is dropped.
#
# What follows for users: data sets are made smaller with it before they are uploaded. A generator then learns from pictures on
# their side, and where the profile was Display P3 or Adobe RGB, from dull colours. Pass copy=COPY_MARKERS.ALL.
#
# What was seen, for a JPEG of 64 x 48 pixels with the orientation 6 and a profile:
#                                         orientation   profile   levels   as ImageOps.exif_transpose() shows it
#   the file                              6             yes                48 x 64
#   optimize()                            none          no        equal    64 x 48
#   optimize(copy=COPY_MARKERS.ICC)       none          yes       equal    64 x 48
#   optimize(copy=COPY_MARKERS.ALL)       6             yes       equal    48 x 64
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 30 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 pillow==13.0.0 \
  mozjpeg-lossless-optimization==1.3.2

cat >"$folder/optimize.py" <<'PYTHON'
import io
import sys

import numpy
from mozjpeg_lossless_optimization import COPY_MARKERS, optimize
from PIL import Image, ImageCms, ImageOps

ORIENTATION = 0x112


def photograph():
    rows, columns = numpy.mgrid[:48, :64]
    image = Image.fromarray(numpy.stack([rows * 5, columns * 4, rows + columns], -1).astype(numpy.uint8))
    exif = image.getexif()
    exif[ORIENTATION] = 6
    buffer = io.BytesIO()
    image.save(buffer, 'JPEG', quality=95, exif=exif, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes())
    return buffer.getvalue()


def described(name, data):
    image = Image.open(io.BytesIO(data))
    levels = numpy.asarray(image)
    shown = ImageOps.exif_transpose(image).size
    found = image.getexif().get(ORIENTATION), 'icc_profile' in image.info, shown, numpy.array_equal(levels, original)
    print(f'{name:34} orientation {found[0]}, profile {found[1]}, shown {shown}, equal levels {found[3]}, {len(data)} bytes')
    return found


data = photograph()
original = numpy.asarray(Image.open(io.BytesIO(data)))
seen = [described('the file', data), described('optimize()', optimize(data)),
        described('optimize(copy=COPY_MARKERS.ICC)', optimize(data, copy=COPY_MARKERS.ICC)),
        described('optimize(copy=COPY_MARKERS.ALL)', optimize(data, copy=COPY_MARKERS.ALL))]
upright, aside = (48, 64), (64, 48)
sys.exit(0 if seen == [(6, True, upright, True), (None, False, aside, True), (None, True, aside, True), (6, True, upright, True)] else 1)
PYTHON
"$folder/venv/bin/python" "$folder/optimize.py"
