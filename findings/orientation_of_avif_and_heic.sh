#!/usr/bin/env bash
# The turn of a photograph gets lost on its way into the newer formats and out of them:
#   Pillow 13.0.0: save() to AVIF takes the orientation out of the Exif object that the caller passed. What is saved with
#     the same object afterwards, in whatever format, is not turned.
#   pillow-heif 1.8.1: save(exif=image.getexif()) to HEIC does not turn; save(exif=bytes) does.
#   OpenCV 5.0.0 (opencv-python-headless 5.0.0.93): imdecode turns JPEG, PNG and WebP, and not AVIF.
#
# The guess before it was run: saving leaves its arguments as they are; an Exif object and its bytes mean the same; and
# a reader that obeys the orientation obeys it in each format.
#
# What follows for users: turn the pixels (ImageOps.exif_transpose) before saving, then no reader has to.
#
# What was seen, for a picture of 64 x 32 with orientation 6, which is 32 x 64 when turned:
#   orientation in the Exif object: before 6, after saving as AVIF None
#   saved as JPEG with the same object: shown as 64 x 32
#   HEIC with an Exif object: shown as 64 x 32       HEIC with Exif bytes: shown as 32 x 64
#   OpenCV: JPEG 32 x 64, PNG 32 x 64, WebP 32 x 64, AVIF 64 x 32
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 100 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.2.6 pillow==13.0.0 \
  pillow-heif==1.8.1 opencv-python-headless==5.0.0.93

cat >"$folder/turn.py" <<'PYTHON'
import io
import sys

import cv2
import numpy as np
import pillow_heif
from PIL import ExifTags, Image, ImageOps

pillow_heif.register_heif_opener()
TURN = ExifTags.Base.Orientation
picture = Image.new('RGB', (64, 32), 'red')


def exif():
    tags = Image.Exif()
    tags[TURN] = 6
    return tags


def saved(kind, tags):
    file = io.BytesIO()
    picture.save(file, kind, exif=tags)
    return file.getvalue()


def shown(data):
    return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).size


tags = exif()
before = tags.get(TURN)
saved('AVIF', tags)
after, jpeg = tags.get(TURN), shown(saved('JPEG', tags))
print(f'orientation in the Exif object: before {before}, after saving as AVIF {after}')
print(f'saved as JPEG with the same object: shown as {jpeg}')
heic = shown(saved('HEIF', exif())), shown(saved('HEIF', exif().tobytes()))
print(f'HEIC with an Exif object: shown as {heic[0]}   HEIC with Exif bytes: shown as {heic[1]}')
opencv = {}
for kind in ('JPEG', 'PNG', 'WEBP', 'AVIF'):
    data = saved(kind, exif())
    assert shown(data) == (32, 64)
    opencv[kind] = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape[1::-1]
print('OpenCV', cv2.__version__, opencv)
sys.exit(0 if (before, after, jpeg) == (6, None, (64, 32)) and heic == ((64, 32), (32, 64)) and
         list(opencv.values()) == [(32, 64)] * 3 + [(64, 32)] else 1)
PYTHON
"$folder/venv/bin/python" "$folder/turn.py"
