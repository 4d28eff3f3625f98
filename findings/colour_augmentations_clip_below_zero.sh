#!/usr/bin/env bash
# kornia 0.9.0 and torchvision 0.26.0 with torch 2.11.0 (PyPI wheels, CPU): colour augmentations make every negative number 0,
# without an error or a warning. Images in [-1, 1], the range of most GANs, lose their dark half. Flips and crops keep it.
#
# The guess before it was run: an augmentation that is told to change nothing, or one percent, changes at most that.
#
# The reason: both clip to [0, 1], the range that their colour functions expect.
#
# What follows for users: the discriminator never sees dark pixels of real or generated images, and through kornia's, and
# through torchvision's brightness, the generator gets a gradient of 0 for all of them. Augment in [0, 1], and give the
# discriminator x * 2 - 1 afterwards.
#
# What was seen, for uniform numbers in [-1, 1], as the smallest number after it and the share of gradients that are 0:
#   kornia ColorJiggle that changes nothing     0      0.5
#   kornia RandomBrightness of 0.99             0      0.5
#   torchvision ColorJitter, brightness 0.99    0      0.5
#   torchvision ColorJitter, contrast 0.99      0      0
#   kornia RandomHorizontalFlip                -1      0
#   kornia RandomBrightness of 0.99 in [0, 1]   0      0, within 0.01 of the input
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 torchvision==0.26.0 numpy==2.2.6 \
  kornia==0.9.0

cat >"$folder/augment.py" <<'PYTHON'
import sys

import kornia
import torch
import torchvision
from kornia import augmentation
from torchvision.transforms import v2

torch.manual_seed(0)
unit = torch.rand(4, 3, 16, 16)
print('kornia', kornia.__version__, 'torchvision', torchvision.__version__, 'torch', torch.__version__)


def augmented(name, change, images):
    images = images.clone().requires_grad_()
    changed = change(images)
    changed.sum().backward()
    found = changed.min().item(), (images.grad == 0).float().mean().item(), (changed - images).abs().max().item()
    print(f'{name:44} smallest {found[0]:5.2f}, gradients of 0 {found[1]:.2f}, largest change {found[2]:.2f}')
    return found


signed = unit * 2 - 1
brightness = augmentation.RandomBrightness((0.99, 0.99), p=1.0)
clipped = [augmented('kornia ColorJiggle that changes nothing', augmentation.ColorJiggle(0, 0, 0, 0, p=1.0), signed),
           augmented('kornia RandomBrightness of 0.99', brightness, signed),
           augmented('torchvision ColorJitter, brightness 0.99', v2.ColorJitter(brightness=(0.99, 0.99)), signed)]
contrast = augmented('torchvision ColorJitter, contrast 0.99', v2.ColorJitter(contrast=(0.99, 0.99)), signed)
flip = augmented('kornia RandomHorizontalFlip', augmentation.RandomHorizontalFlip(p=1.0), signed)
right = augmented('kornia RandomBrightness of 0.99 in [0, 1]', brightness, unit)
lost = all(smallest == 0 and 0.4 < dead < 0.6 and change > 0.9 for smallest, dead, change in clipped)
sys.exit(0 if lost and contrast[0] == 0 and contrast[1] == 0 and flip[0] < -0.9 and flip[1] == 0 and right[1] < 0.02 and
         right[2] < 0.02 else 1)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/augment.py"
