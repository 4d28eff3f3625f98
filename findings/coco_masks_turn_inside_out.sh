#!/usr/bin/env bash
# pycocotools 2.0.11 and faster-coco-eval 1.8.0 (PyPI wheels): mask.encode(), COCO's run lengths, turns a mask inside out where it holds
# more than one level besides 0. Of a disc of 1,264 pixels with a smooth edge 232 remain. There is no error and no warning.
#
# The guess before it was run: 0 is the background and everything else the object, since 0 and 255 encode as 0 and 1 do, and every
# type but uint8 and bool is refused.
#
# The reason: a run ends wherever the level changes, also from 128 to 255, and the runs are background and object by turns. The
# documentation of encode() says that it takes binary masks, and nothing checks it.
#
# What follows for users: a mask that was resized with interpolation, drawn with smooth edges or stored as a JPEG has levels between 0 and
# 255, and an array of labels has several objects that touch. The areas, boxes, overlaps and the decoded mask are then of other
# pixels, and so is what is trained on or measured with them. Pass (mask > 127).astype('uint8'), or one label at a time.
#
# What was seen, with both libraries:
#   the row                     decoded
#   0 255 255 255 255 0         0 1 1 1 1 0
#   0 128 255 255 64 0          0 1 0 0 1 0
#   labels 0 1 1 2 2 3 0        0 1 1 0 0 1 0
#   labels 2 2 1 0              1 1 0 1: the object 1 is background, and the background an object
#   a disc with a radius of 20, area: 1,264 with a hard edge; 232 with one that fades over one pixel, 788 over two pixels
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 20 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile pycocotools==2.0.11 faster-coco-eval==1.8.0 numpy==2.2.6

cat >"$folder/encode.py" <<'PYTHON'
import importlib.metadata
import sys
import warnings

warnings.simplefilter('error')
warnings.simplefilter('ignore', DeprecationWarning)  # pycocotools calls numpy in an older way, whatever the mask.

import faster_coco_eval.core.mask
import numpy as np
import pycocotools.mask

ROWS = {
    'hard edge': ([0, 255, 255, 255, 255, 0], [0, 1, 1, 1, 1, 0]),
    'smooth edge': ([0, 128, 255, 255, 64, 0], [0, 1, 0, 0, 1, 0]),
    'three labels': ([0, 1, 1, 2, 2, 3, 0], [0, 1, 1, 0, 0, 1, 0]),
    'two labels': ([2, 2, 1, 0], [1, 1, 0, 1]),
}
y, x = np.mgrid[:64, :64]
distance = np.hypot(y - 31.5, x - 31.5)


def disc(fade):
    """White inside a radius of 20, with an edge that is `fade` pixels wide."""
    level = np.where(distance < 20, 255, 0) if fade == 0 else np.clip((20 - distance) / fade * 255 + 128, 0, 255).round()
    return level.astype(np.uint8)


def check(library, mask):
    print(library, importlib.metadata.version(library))
    right = True
    for name, (row, expected) in ROWS.items():
        decoded = mask.decode(mask.encode(np.array([row], np.uint8, order='F')))[0].tolist()
        print(f'  {name:13}', *row, ' decoded:', *decoded)
        right &= decoded == expected
    areas = [int(mask.area(mask.encode(np.asfortranarray(disc(fade))))) for fade in (0, 1, 2)]
    print('  a disc, sharp and with edges of one and two pixels:', *areas)
    print('  of it above 127 there are', *(int((disc(fade) > 127).sum()) for fade in (0, 1, 2)))
    return right and areas == [1264, 232, 788]


seen = [check('pycocotools', pycocotools.mask), check('faster-coco-eval', faster_coco_eval.core.mask)]
sys.exit(0 if all(seen) else 1)
PYTHON
"$folder/venv/bin/python" "$folder/encode.py"
