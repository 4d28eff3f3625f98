#!/usr/bin/env bash
# OpenCV (PyPI wheel opencv-python-headless 5.0.0.93): imwrite and imencode to JPEG 2000 without parameters lose pixels. With
# IMWRITE_JPEG2000_COMPRESSION_X1000 set to 1000, which the documentation calls the default, nothing is lost.
#
# The guess before it was run: giving a parameter its documented default changes nothing.
#
# What follows for users: data sets that were converted to .jp2 with OpenCV are not lossless. Give the parameter.
#
# What was seen, as the largest difference of a pixel after writing and reading, for noise and for blurred noise:
#   no parameters     noise more than 100, blurred 3
#   1000              noise 0, blurred 0
#   999               noise 4, blurred 0
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 80 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.2.6 opencv-python-headless==5.0.0.93

cat >"$folder/write.py" <<'PYTHON'
import sys

import cv2
import numpy as np

noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
blurred = cv2.GaussianBlur(noise, (0, 0), 2)
print('OpenCV', cv2.__version__)
seen = {}
for name, parameters in (('no parameters', []), ('1000', [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000]),
                         ('999', [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 999])):
    seen[name] = []
    for picture in (noise, blurred):
        file = cv2.imencode('.jp2', picture, parameters)[1]
        seen[name].append(int(np.abs(cv2.imdecode(file, cv2.IMREAD_UNCHANGED).astype(int) - picture).max()))
    print(f'{name:15} largest difference: noise {seen[name][0]}, blurred {seen[name][1]}')
sys.exit(0 if min(seen['no parameters']) > 0 and seen['1000'] == [0, 0] else 1)
PYTHON
"$folder/venv/bin/python" "$folder/write.py"
