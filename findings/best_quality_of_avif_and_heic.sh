#!/usr/bin/env bash
# Asked for their best quality, two libraries halve the resolution of the colours in AVIF and HEIC, without a warning:
#   pillow-heif 1.8.1: save(quality=-1) to HEIC, which its documentation calls lossless
#   Pillow 12.0.0: save(quality=100) to AVIF
# OpenCV 5.0.0 loses nothing in AVIF at quality 100, and pyvips 3.2.0 with libvips 8.18.7 one level.
#
# The guess before it was run: -1 is lossless, and 100 is within two levels in each library.
#
# What follows for users: fine coloured detail of a data set is blurred, and a discriminator sees from its real pictures that
# colours have half the resolution. Pass chroma=444, matrix_coefficients=0 to pillow-heif and subsampling='4:4:4' to Pillow.
#
# What was seen, for a chessboard of single pixels in red and green, as the largest difference of a channel:
#   pillow-heif, quality=-1                                       91
#   pillow-heif, quality=-1, chroma=444                            1
#   pillow-heif, quality=-1, chroma=444, matrix_coefficients=0     0
#   Pillow, AVIF, quality=100                                     91
#   Pillow, AVIF, quality=100, subsampling='4:4:4'                 1
#   OpenCV, AVIF, quality 100                                      0
#   pyvips, AVIF, Q=100                                            1
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 100 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile pillow==12.0.0 pillow-heif==1.8.1 numpy==2.2.6 \
  opencv-python-headless==5.0.0.93 pyvips==3.2.0 pyvips-binary==8.18.7

cat >"$folder/write.py" <<'PYTHON'
import io
import sys

import cv2
import numpy as np
import pillow_heif
import pyvips
from PIL import Image

pillow_heif.register_heif_opener()
board = np.where(np.indices((64, 64)).sum(0)[..., None] % 2, np.uint8([200, 30, 90]), np.uint8([10, 120, 60]))


def pillow(kind, **options):
    file = io.BytesIO()
    Image.fromarray(board).save(file, kind, **options)
    return np.asarray(Image.open(file).convert('RGB'))


def opencv():
    return cv2.imdecode(cv2.imencode('.avif', board, [cv2.IMWRITE_AVIF_QUALITY, 100])[1], cv2.IMREAD_COLOR)


def vips():
    return pyvips.Image.new_from_buffer(pyvips.Image.new_from_array(board).write_to_buffer('.avif', Q=100), '').numpy()


seen = []
for name, written in (('pillow-heif, -1', pillow('HEIF', quality=-1)),
                      ('pillow-heif, -1, 4:4:4', pillow('HEIF', quality=-1, chroma=444)),
                      ('pillow-heif, -1, 4:4:4, RGB', pillow('HEIF', quality=-1, chroma=444, matrix_coefficients=0)),
                      ('Pillow, AVIF, 100', pillow('AVIF', quality=100)),
                      ('Pillow, AVIF, 100, 4:4:4', pillow('AVIF', quality=100, subsampling='4:4:4')),
                      ('OpenCV, AVIF, 100', opencv()), ('pyvips, AVIF, 100', vips())):
    seen.append(int(np.abs(written[..., :3].astype(int) - board).max()))
    print(f'{name:30} {seen[-1]:3}')
sys.exit(0 if seen[0] > 50 and seen[3] > 50 and all(level <= 1 for level in seen[1:3] + seen[4:]) and seen[2] == 0 else 1)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/write.py"
