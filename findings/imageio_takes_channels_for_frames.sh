#!/usr/bin/env bash
# imageio 2.38.1 (PyPI wheel) with Pillow 12.0.0: imageio.v3.imwrite() of an array (3, height, width), PyTorch's order, writes
# an animation of three grey pictures to PNG, WebP and GIF. A batch becomes an animation, too. There is no error and no warning.
#
# The guess before it was run: an array that is no picture of height, width and channels is refused, as imageio.v2 and
# Pillow do, or its channels are found by their number.
#
# What follows for users: every other program shows the first frame, which is the red channel alone or the first picture of
# the batch. imageio's own reader gives the array back as it was, so a test by reading finds nothing. Call
# x.transpose(1, 2, 0) first, or pass is_batch=False, which refuses the array.
#
# What was seen, for red, green and blue halves in 3 x 16 x 24:
#   imageio.v3, PNG     read by imageio (3, 16, 24), by Pillow L of 24 x 16 with 3 frames
#   imageio.v3, WebP    by Pillow RGB of 24 x 16 with 3 frames, all of them grey
#   imageio.v3, GIF     by Pillow 3 frames
#   is_batch=False      refused
#   imageio.v2, PNG     refused
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 30 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile imageio==2.38.1 numpy==2.2.6 pillow==12.0.0

cat >"$folder/write.py" <<'PYTHON'
import sys
import warnings

warnings.simplefilter('error', UserWarning)

import imageio
import imageio.v2
import imageio.v3
import numpy as np
from PIL import Image

print('imageio', imageio.__version__)
top = sys.argv[1]
picture = np.random.default_rng(0).integers(0, 256, (3, 16, 24), np.uint8)
seen = {}
for kind in ('png', 'webp', 'gif'):
    imageio.v3.imwrite(f'{top}/a.{kind}', picture)
    image = Image.open(f'{top}/a.{kind}')
    seen[kind] = image.size, image.n_frames
    print(f'imageio.v3, {kind:5} Pillow reads {image.mode} {image.size} with {image.n_frames} frames')
again = imageio.v3.imread(f'{top}/a.png')
first = np.asarray(Image.open(f'{top}/a.png'))
print('read again by imageio', again.shape, ' the first frame is the red channel', np.array_equal(first, picture[0]))
refused = 0
for name, write in (('is_batch=False', lambda: imageio.v3.imwrite(f'{top}/b.png', picture, is_batch=False)),
                    ('imageio.v2', lambda: imageio.v2.imwrite(f'{top}/c.png', picture))):
    try:
        write()
        print(name, 'wrote it')
    except (ValueError, TypeError) as error:
        refused += 1
        print(f'{name}: {error}')
right = np.array_equal(again, picture) and np.array_equal(first, picture[0])
sys.exit(0 if right and refused == 2 and all(found == ((24, 16), 3) for found in seen.values()) else 1)
PYTHON
"$folder/venv/bin/python" "$folder/write.py" "$folder"
