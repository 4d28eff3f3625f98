#!/usr/bin/env bash
# wandb 0.31.0 (PyPI wheel): wandb.Image() of floating-point numbers between 0 and 1 is black, and of -1 to 1 black with white
# where the numbers are near -1. There is no error and no warning. tensorboardX 2.6.5 scales floating-point numbers by 255.
#
# The guess before it was run: floats between 0 and 1 are scaled by 255, as in tensorboardX, and -1 to 1 is shown in full.
#
# The reason: the numbers are cast to 8 bits as they are. The documentation of the argument says that they are expected
# between 0 and 255; there is no argument `normalize`.
#
# What follows for users: the samples of a healthy generator look dead. Convert them first: (x * 127.5 + 127.5).round(), clipped
# to 0 and 255.
#
# What was seen, for a row of four numbers:
#   wandb, 0, 0.25, 0.5 and 0.999        0 0 0 0
#   wandb, -1, -0.5, 0 and 0.5           255 0 0 0
#   wandb, integers 0, 64, 128, 255      0 64 128 255
#   tensorboardX, 0, 0.25, 0.5, 0.999    0 63 127 254
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 70 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile wandb==0.31.0 tensorboardX==2.6.5 numpy==2.2.6 \
  pillow==12.0.0

cat >"$folder/log.py" <<'PYTHON'
import io
import sys
import warnings

warnings.simplefilter('error')

import numpy as np
import wandb
from PIL import Image
from tensorboardX.summary import image

print('wandb', wandb.__version__)


def with_wandb(row, kind):
    return np.asarray(wandb.Image(np.array([row, row], kind)).image)[0].tolist()


def with_tensorboard(row):
    summary = image('a', np.array([[row, row]] * 3, np.float32)).value[0].image
    return np.asarray(Image.open(io.BytesIO(summary.encoded_image_string)).convert('L'))[0].tolist()


shades = [0, 0.25, 0.5, 0.999]
seen = [with_wandb(shades, np.float32), with_wandb([-1, -0.5, 0, 0.5], np.float32), with_wandb([0, 64, 128, 255], np.uint8),
        with_tensorboard(shades)]
for name, row in zip(('wandb, 0 to 1', 'wandb, -1 to 1', 'wandb, integers', 'tensorboardX, 0 to 1'), seen):
    print(f'{name:24}', *row)
sys.exit(0 if seen == [[0, 0, 0, 0], [255, 0, 0, 0], [0, 64, 128, 255], [0, 63, 127, 254]] else 1)
PYTHON
cd "$folder"
WANDB_MODE=offline WANDB_SILENT=true TMPDIR="$folder" "$folder/venv/bin/python" "$folder/log.py"
