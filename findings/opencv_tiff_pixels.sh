#!/usr/bin/env bash
# OpenCV (PyPI wheel opencv-python-headless 4.12.0.88): valid TIFFs come out of imdecode black, darkened or changed,
# without an error.
#
# The guess before it was run: imdecode with IMREAD_UNCHANGED gives the stored samples of an 8-bit TIFF, or nothing where
# the kind of TIFF is not supported.
#
# What was seen, on one picture of mean 128 in every channel:
#   RGB                             mean 128
#   RGB, JPEG 2000 compression      mean 0
#   RGB, PNG compression            mean 0
#   RGBA, straight alpha 64         mean of the colours 32: alpha is multiplied in
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 110 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install numpy==2.2.6 opencv-python-headless==4.12.0.88 \
  tifffile==2025.10.16 imagecodecs==2025.8.2

cat >"$folder/read.py" <<'PYTHON'
import io
import sys

import cv2
import numpy as np
import tifffile


def mean_of(pixels, **options):
    out = io.BytesIO()
    tifffile.imwrite(out, pixels, photometric='rgb', metadata=None, **options)
    image = cv2.imdecode(np.frombuffer(out.getvalue(), np.uint8), cv2.IMREAD_UNCHANGED)
    return None if image is None else round(float(image[..., :3].mean()))


rgb = np.full((32, 32, 3), 128, np.uint8)
rgba = np.dstack([rgb, np.full((32, 32), 64, np.uint8)])
print('OpenCV', cv2.__version__)
seen = {'RGB': mean_of(rgb), 'RGB, JPEG 2000 compression': mean_of(rgb, compression='jpeg2000'),
        'RGB, PNG compression': mean_of(rgb, compression='png'),
        'RGBA, straight alpha 64': mean_of(rgba, extrasamples=['unassalpha'])}
for name, mean in seen.items():
    print(f'{name:31} mean {mean}')
sys.exit(0 if list(seen.values()) == [128, 0, 0, 32] else 1)
PYTHON
"$folder/venv/bin/python" "$folder/read.py" 2>/dev/null
