#!/usr/bin/env bash
# MONAI 1.6.1 with torch 2.11.0 and Pillow 12.0.0 (PyPI wheels, CPU): LoadImage returns PNGs and JPEGs with height and width exchanged,
# and Flip and RandFlip with spatial_axis=1 turn them upside down. There is no error and no warning.
#
# The guess before it was run: channels, height, width, the order of PyTorch, as torchvision's and imageio's readers give it; so
# axis 1 of the picture is its width, and a flip along it is a mirror image.
#
# The reason: MONAI follows the convention of medical volumes, width first. The reader has reverse_indexing=True, and its
# documentation says that it swaps the two axes. SaveImage swaps them back, so a look at what MONAI saved shows nothing.
#
# What follows for users: a generator learns pictures that lie on their side. Samples that are written by other libraries, and
# distances to pictures that others read, show it; where half of the pictures are also turned upside down by a flip that was meant
# to mirror them, a network learns faces whose chins are up. Pass reader=PILReader(reverse_indexing=False), or flip with
# spatial_axis=0.
#
# What was seen, for a picture that is 30 wide and 20 high:
#   torchvision.io.read_image                   3 x 20 x 30
#   MONAI, LoadImage                            3 x 30 x 20
#   the same, reverse_indexing=False            3 x 20 x 30
#   LoadImage, Flip(spatial_axis=1)             upside down
#   LoadImage, Flip(spatial_axis=0)             mirrored
#   LoadImage, Resize((10, 15))                 15 high and 10 wide, stretched
#   LoadImage, SaveImage                        30 wide and 20 high, equal to the picture
#   LoadImage, torchvision.utils.save_image     20 wide and 30 high
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 torchvision==0.26.0 numpy==2.2.6 \
  pillow==12.0.0 monai==1.6.1

cat >"$folder/turn.py" <<'PYTHON'
import pathlib
import sys

import numpy
import torch
import torchvision
from monai.data import PILReader
from monai.transforms import Flip, LoadImage, Resize, SaveImage
from PIL import Image

picture = numpy.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=numpy.uint8)
Image.fromarray(picture).save('picture.png')


def as_picture(turned):
    """MONAI's width first, back to height first with the channels last."""
    return numpy.asarray(turned).transpose(2, 1, 0)


loaded = LoadImage(image_only=True, ensure_channel_first=True)('picture.png')
plain = LoadImage(image_only=True, ensure_channel_first=True, reader=PILReader(reverse_indexing=False))('picture.png')
peer = torchvision.io.read_image('picture.png')
SaveImage(output_dir='saved', output_ext='.png', separate_folder=False, print_log=False)(loaded)
torchvision.utils.save_image(torch.as_tensor(loaded) / 255, 'peer.png')
saved = Image.open(next(pathlib.Path('saved').iterdir())).convert('RGB')
smaller = as_picture(Resize((10, 15))(loaded)).shape
facts = {'torchvision reads 3 x 20 x 30': tuple(peer.shape) == (3, 20, 30),
         'LoadImage reads 3 x 30 x 20': tuple(loaded.shape) == (3, 30, 20),
         'its pixels are those of the picture, turned': numpy.array_equal(as_picture(loaded), picture),
         'reverse_indexing=False reads 3 x 20 x 30': tuple(plain.shape) == (3, 20, 30),
         'Flip(spatial_axis=1) is upside down': numpy.array_equal(as_picture(Flip(spatial_axis=1)(loaded)), picture[::-1]),
         'Flip(spatial_axis=0) is mirrored': numpy.array_equal(as_picture(Flip(spatial_axis=0)(loaded)), picture[:, ::-1]),
         'Resize((10, 15)) is 15 high and 10 wide': smaller == (15, 10, 3),
         'SaveImage writes the picture': numpy.array_equal(numpy.asarray(saved), picture),
         'save_image writes 20 wide and 30 high': Image.open('peer.png').size == (20, 30)}
for fact, holds in facts.items():
    print(f'{fact:45}', 'yes' if holds else 'no')
sys.exit(0 if all(facts.values()) else 1)
PYTHON
cd "$folder"
OMP_NUM_THREADS=1 venv/bin/python -W ignore turn.py
