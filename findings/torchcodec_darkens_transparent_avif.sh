#!/usr/bin/env bash
# torchcodec 0.17.0 (PyPI wheel, torch 2.15.0): decode_image() multiplies the colours of an AVIF with transparency by its
# alpha, in its default mode RGB and in GRAY. For PNG, WebP and HEIC of the same pixels the same call drops the alpha and
# returns the colours as they are stored. The modes RGB_ALPHA and UNCHANGED return the stored colours for all four. There
# is no error and no warning. The documentation of the mode does not tell formats apart.
#
# The guess before it was run: a mode does the same for each format, so RGB drops the alpha, as it does for PNG.
#
# What follows for users: transparent parts of AVIFs are black in a data set in which those of PNG, WebP and HEIC show
# the colours below, often white, and what is half transparent is half as bright. Read with mode="RGB_ALPHA" and
# composite onto a background of your own.
#
# What was seen, for colours of 64 x 64 pixels with an alpha of 128 everywhere: mean of what is returned, divided by the
# mean of the colours that were stored
#          RGB    GRAY   RGB_ALPHA
#   PNG    1.00   1.00   1.00
#   WebP   1.00   1.00   1.00
#   HEIC   1.00   1.00   1.00
#   AVIF   0.50   0.50   1.00
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 3 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.15.0 torchcodec==0.17.0 numpy==2.4.6 \
  pillow==13.0.0 pillow_heif==1.8.1

cat >"$folder/decode.py" <<'PYTHON'
import io
import sys

import numpy as np
import pillow_heif
from PIL import Image
from torchcodec.decoders import decode_image

pillow_heif.register_heif_opener()
y, x = np.mgrid[0:64, 0:64]
colours = np.stack([4 * x, 4 * y, 255 - 4 * x], -1).astype(np.uint8)
grey = np.asarray(Image.fromarray(colours).convert('L'))
picture = Image.fromarray(np.dstack([colours, np.full((64, 64), 128, np.uint8)]))
OPTIONS = {'PNG': {}, 'WEBP': {'lossless': True, 'exact': True}, 'HEIF': {'quality': 100, 'chroma': 444},
           'AVIF': {'quality': 100, 'subsampling': '4:4:4'}}


def ratio(data, mode):
    pixels = decode_image(data, mode=mode).numpy()
    return round(pixels[:3].mean() / (grey if mode == 'GRAY' else colours).mean(), 1)


expected = {'PNG': [1.0, 1.0, 1.0], 'WEBP': [1.0, 1.0, 1.0], 'HEIF': [1.0, 1.0, 1.0], 'AVIF': [0.5, 0.5, 1.0]}
seen = {}
for name, options in OPTIONS.items():
    stream = io.BytesIO()
    picture.save(stream, name, **options)
    seen[name] = [ratio(stream.getvalue(), mode) for mode in ('RGB', 'GRAY', 'RGB_ALPHA')]
    print(name, *seen[name])
sys.exit(0 if seen == expected else 1)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/decode.py"
