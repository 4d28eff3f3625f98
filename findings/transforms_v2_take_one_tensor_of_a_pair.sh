#!/usr/bin/env bash
# torchvision 0.26.0 with torch 2.11.0 (PyPI wheels, CPU): a transform of transforms.v2 that is given a pair of tensors changes the
# first one and passes the second through. It changes both where they are PIL images or tv_tensors. The same pipeline so
# treats a pair rightly before the conversion to tensors and wrongly after it, without an error or a warning.
#
# The guess before it was run: transforms.v2 exists to transform several inputs alike, so both tensors are flipped or neither, and
# Normalize changes both.
#
# The reason: a plain tensor could be anything, so only the first one counts as an image, and none where a PIL image or a
# tv_tensors.Image is in the input. The documentation of v2 says so in its section on plain tensors.
#
# What follows for users: in a translation from image to image (pix2pix, super-resolution, colouring) half of the pairs are mirror
# images of each other, and the target stays in [0, 1] while the input lies in [-1, 1]. In a dictionary the order of its
# entries decides. PILToTensor makes plain tensors, ToImage makes tv_tensors: use ToImage, or tv_tensors.Image(tensor).
#
# What was seen, for a pair of the same picture, where a flip and Normalize change each picture that they apply to:
#   two PIL images                             flipped both
#   PILToTensor, then the flip                 flipped first only
#   ToImage, then the flip                     flipped both
#   tv_tensors.Image and a plain tensor        flipped first only, in either order the tv_tensors.Image
#   {'input': tensor, 'target': tensor}        flipped input only
#   two tensors, Normalize                     changed first only
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 torchvision==0.26.0 numpy==2.2.6 \
  pillow==12.0.0

cat >"$folder/pair.py" <<'PYTHON'
import sys

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import v2
from torchvision.tv_tensors import Image as TensorImage

PICTURE = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
FLIP = v2.RandomHorizontalFlip(p=1)


def pictures():
    return Image.fromarray(PICTURE), Image.fromarray(PICTURE)


def tensor():
    return torch.from_numpy(PICTURE.transpose(2, 0, 1).copy()).float() / 255


def values(picture):
    return np.asarray(picture).tolist()


def changed(name, transform, pair):
    """Which of the two the transform changed."""
    after = transform(pair if isinstance(pair, dict) else tuple(pair))
    before, after = (list(each.values()) if isinstance(each, dict) else list(each) for each in (pair, after))
    found = [values(one) != values(other) for one, other in zip(before, after)]
    print(f'{name:36} changed {[which for which, is_changed in zip(("first", "second"), found) if is_changed]}')
    return found


seen = [changed('PIL images', FLIP, pictures()),
        changed('after PILToTensor', FLIP, v2.PILToTensor()(*pictures())),
        changed('after ToImage', FLIP, v2.ToImage()(*pictures())),
        changed('tv_tensors.Image and tensor', FLIP, [TensorImage(tensor()), tensor()]),
        changed('tensor and tv_tensors.Image', FLIP, [tensor(), TensorImage(tensor())]),
        changed('dictionary of tensors', FLIP, {'input': tensor(), 'target': tensor()}),
        changed('tensors, Normalize', v2.Normalize([0.5] * 3, [0.5] * 3), [tensor(), tensor()]),
        changed('tv_tensors, Normalize', v2.Normalize([0.5] * 3, [0.5] * 3), [TensorImage(tensor()), TensorImage(tensor())])]
both, first, second = [True, True], [True, False], [False, True]
sys.exit(0 if seen == [both, first, both, first, second, first, first, both] else 1)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/pair.py"
