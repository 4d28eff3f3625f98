#!/usr/bin/env bash
# OpenCV (PyPI wheel opencv-python-headless 5.0.0.93): white is not white in valid Netpbm and BMP files. Binary Netpbm files
# come out as they are stored, whatever their maximum, so pictures of 4, 7 or 10 bits are dark or black. The same picture in
# the ASCII form comes out right. A BMP of 16 bits has no level above 252.
#
# The guess before it was run: the maximum in the header is white, and 31 of 31 is 255, as in Pillow.
#
# What was seen, for a row that ends in white, read with IMREAD_GRAYSCALE or IMREAD_COLOR:
#   PGM, binary, maximum 100       last pixel 100
#   PGM, ASCII, maximum 100        last pixel 255
#   PGM, binary, maximum 1023      last pixel 3
#   PGM, binary, maximum 65535     last pixel 255
#   PPM, binary, maximum 15        last pixel 15
#   BMP, 5 bits per colour         last pixel 248
#   BMP, 5, 6 and 5 bits           last pixel 248, green 252
# Pillow 12.0.0: 255 in the 8-bit ones.
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 90 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.2.6 \
  opencv-python-headless==5.0.0.93 pillow==12.0.0

cat >"$folder/read.py" <<'PYTHON'
import io
import struct
import sys

import cv2
import numpy as np
from PIL import Image


def bmp(masks, white):
    """A row of black and white with 16 bits per pixel."""
    start = 14 + 40 + len(masks)
    header = struct.pack('<2sIHHI', b'BM', start + 4, 0, 0, start)
    header += struct.pack('<IiiHHIIiiII', 40, 2, 1, 1, 16, 3 if masks else 0, 4, 2835, 2835, 0, 0)
    return header + masks + struct.pack('<2H', 0, white)


files = {'PGM, binary, maximum 100': b'P5 2 1 100\n\x00\x64', 'PGM, ASCII, maximum 100': b'P2 2 1 100\n0 100\n',
         'PGM, binary, maximum 1023': b'P5 2 1 1023\n\x00\x00\x03\xff', 'PGM, binary, maximum 65535': b'P5 2 1 65535\n\0\0\xff\xff',
         'PPM, binary, maximum 15': b'P6 2 1 15\n\0\0\0\x0f\x0f\x0f', 'BMP, 5 bits per colour': bmp(b'', 0x7fff),
         'BMP, 5, 6 and 5 bits': bmp(struct.pack('<3I', 0xf800, 0x07e0, 0x001f), 0xffff)}
print('OpenCV', cv2.__version__)
seen = []
for name, data in files.items():
    seen.append(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[0, -1].tolist())
    pillow = np.asarray(Image.open(io.BytesIO(data)))[0, -1].tolist()
    print(f'{name:28} last pixel {seen[-1]}, in Pillow {pillow}')
sys.exit(0 if seen == [[100] * 3, [255] * 3, [3] * 3, [255] * 3, [15] * 3, [248] * 3, [248, 252, 248]] else 1)
PYTHON
"$folder/venv/bin/python" "$folder/read.py"
