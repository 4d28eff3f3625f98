#!/usr/bin/env bash
# keras 3.15.1 (PyPI wheel): keras.utils.array_to_img and save_img stretch each picture by default until its darkest number is
# 0 and its brightest 255, also where it lies between 0 and 255 already, and also 8-bit arrays. A picture of one level is black.
#
# The guess before it was run: numbers from 0 to 255 are kept, as matplotlib, imageio and Pillow keep them. The documentation
# of save_img says only that `scale` brings the values into [0, 255].
#
# The reason: scale=True subtracts the smallest number of the picture and divides by the largest one that is left.
#
# What follows for users: Keras' own DCGAN example multiplies the generated pictures by 255 and saves them that way. The samples
# of a generator that makes all pictures grey and alike look rich in contrast, and neither brightness
# nor contrast can be compared between two samples or with real pictures. A folder that was written for a Fréchet inception
# distance holds other pictures than the network made. Pass scale=False, and first clip to 0 … 255 and round: without it, 255.6
# becomes 255 and 256 becomes 0.
#
# What was seen, as the levels that a picture with three levels has after saving it to PNG and reading it again:
#   90 100 110                  0 127 255
#   90 100 110, scale=False    90 100 110
#   the same in 8 bits          0 127 255
#   0.45 0.50 0.55              0 127 255
#   200 200 200                 0   0   0
#   255 256 257, scale=False  255   0   1
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 200 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile keras==3.15.1 numpy==2.2.6 scipy==1.17.1 \
  pillow==12.0.0 jax==0.10.2 jaxlib==0.10.2

cat >"$folder/save.py" <<'PYTHON'
import sys

import keras
import numpy as np
from PIL import Image


def levels(name, numbers, dtype=np.float32, **options):
    """The numbers are the three columns of a grey picture with three channels."""
    picture = np.broadcast_to(np.array(numbers, dtype)[None, :, None], (3, 3, 3))
    keras.utils.save_img('picture.png', picture, **options)
    found = np.asarray(Image.open('picture.png'))[0, :, 0].tolist()
    print(f'{name:26}', *(f'{level:4}' for level in found))
    return found


seen = [levels('90 100 110', [90, 100, 110]),
        levels('90 100 110, scale=False', [90, 100, 110], scale=False),
        levels('the same in 8 bits', [90, 100, 110], np.uint8),
        levels('0.45 0.50 0.55', [0.45, 0.5, 0.55]),
        levels('200 200 200', [200, 200, 200]),
        levels('255 256 257, scale=False', [255, 256, 257], scale=False)]
stretched = [0, 127, 255]
sys.exit(0 if seen[0] == seen[2] == stretched and seen[1] == [90, 100, 110] and seen[3][::2] == [0, 255]
         and seen[4] == [0, 0, 0] and seen[5] == [255, 0, 1] else 1)
PYTHON
cd "$folder"
KERAS_HOME="$folder/keras" KERAS_BACKEND=jax venv/bin/python -W ignore save.py
