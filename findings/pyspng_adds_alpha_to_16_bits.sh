#!/usr/bin/env bash
# pyspng 0.1.4 (PyPI wheel), the PNG reader of StyleGAN's tools: load() of a PNG with 16 bits per channel and no alpha
# returns one channel more than the file has, an alpha of 65,535 everywhere. Greys become [H, W, 2] and colours
# [H, W, 4]. With 8 bits the same pictures are [H, W] and [H, W, 3]. There is no error and no warning.
#
# The guess before it was run: the number of channels follows from the file's colour type alone, and only the type of the
# numbers from its depth.
#
# What follows for users: a data set of 16-bit greys (X-rays, depth, satellites) is taken for grey with transparency or
# fails in code that knows one and three channels; 16-bit colours are taken for RGBA. Drop the last channel where the
# file's header has none.
#
# What was seen, for pictures of 8 x 8 pixels:
#   grey, 8 bits       (8, 8) uint8
#   grey, 16 bits      (8, 8, 2) uint16, the last channel 65,535 everywhere
#   colours, 8 bits    (8, 8, 3) uint8
#   colours, 16 bits   (8, 8, 4) uint16, the last channel 65,535 everywhere
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 20 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile pyspng==0.1.4 numpy==2.2.6 pypng==0.20220715.0

cat >"$folder/load.py" <<'PYTHON'
import io
import sys

import numpy as np
import png
import pyspng

failed = False
for name, channels in (('grey', 1), ('colours', 3)):
    for bits in (8, 16):
        pixels = (np.arange(64 * channels) << (bits - 8)).reshape(8, 8 * channels)
        stream = io.BytesIO()
        png.Writer(8, 8, greyscale=channels == 1, bitdepth=bits).write(stream, pixels.tolist())
        loaded = pyspng.load(stream.getvalue())
        print(f'{name}, {bits} bits: {loaded.shape} {loaded.dtype}')
        shown = loaded.reshape(64, -1)
        failed |= shown.shape[1] != channels + (bits == 16) or not (shown[:, :channels].ravel() == pixels.ravel()).all()
        failed |= bits == 16 and not (shown[:, channels] == 65535).all()
sys.exit(failed)
PYTHON
"$folder/venv/bin/python" "$folder/load.py"
