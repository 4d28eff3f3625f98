#!/usr/bin/env bash
# Pillow 12.0.0 (PyPI wheel): three kinds of valid grey pictures come out nearly black, inverted or white, without an error
# or a warning.
#
# The guess before it was run: what Pillow opens and converts to RGB looks like the picture that was saved; more than 8
# bits per sample lose their low bits at most.
#
# What was seen, on a ramp from black to white (the mean of a faithful RGB is 127):
#   TIFF, 12 bits                         largest value 4095 in a mode of 16 bits, so its high byte is at most 15
#   TIFF, 16 bits, white is 0             first pixel 0, last 65535: black and white are exchanged (8 bits are right)
#   PGM, 16 bits, converted to RGB        mean 254: everything above 255 of 65535 is white
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 25 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install pillow==12.0.0 numpy==2.2.6

cat >"$folder/greys.py" <<'PYTHON'
import io
import struct
import sys

import numpy as np
from PIL import Image


def tiff(width, bits, photometric, data):
    """One row of samples, least significant byte first, without compression."""
    tags = [(256, 3, width), (257, 3, 1), (258, 3, bits), (259, 3, 1), (262, 3, photometric), (273, 4, 8), (277, 3, 1),
            (278, 3, 1), (279, 4, len(data))]
    directory = struct.pack('<H', len(tags)) + b''.join(struct.pack('<HHII', t, k, 1, v) for t, k, v in tags) + bytes(4)
    return b'II*\0' + struct.pack('<I', 8 + len(data)) + data + directory


ramp = np.linspace(0, 65535, 256).astype(np.uint16)
twelve = ramp >> 4
packed = b''.join(bytes([a >> 4, (a & 15) << 4 | b >> 8, b & 255]) for a, b in zip(*(map(int, twelve[k::2]) for k in (0, 1))))
dark = np.asarray(Image.open(io.BytesIO(tiff(256, 12, 1, packed))))
print('TIFF, 12 bits                         largest value', dark.max(), 'in', dark.dtype)
white = np.asarray(Image.open(io.BytesIO(tiff(256, 16, 0, ramp.astype('<u2').tobytes()))))[0]
eight = np.asarray(Image.open(io.BytesIO(tiff(256, 8, 0, (ramp >> 8).astype(np.uint8).tobytes()))))[0]
print('TIFF, 16 bits, white is 0             first pixel', white[0], 'last', white[-1], '   at 8 bits', eight[0], eight[-1])
pgm = np.asarray(Image.open(io.BytesIO(b'P5 256 1 65535\n' + ramp.astype('>u2').tobytes())).convert('RGB'))
print('PGM, 16 bits, converted to RGB        mean %.0f' % pgm.mean())
sys.exit(0 if dark.max() == 4095 and dark.dtype == np.uint16 and (white[0], white[-1]) == (0, 65535) and
         (eight[0], eight[-1]) == (255, 0) and pgm.mean() > 250 else 1)
PYTHON
"$folder/venv/bin/python" "$folder/greys.py"
