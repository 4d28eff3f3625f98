#!/usr/bin/env bash
# torchmetrics 1.9.0 with torch 2.11.0 (PyPI wheels, x86-64, CPU): with normalize=True, which is for images between 0 and 1, the Fréchet
# and kernel inception distances, MiFID and the inception score make 1.004 black and -0.01 nearly white, before the network sees them.
# There is no error and no warning.
#
# The guess before it was run: numbers a little beyond the range become 0 and 255, as in torchvision's save_image(), or are refused, as
# torchmetrics' LPIPS refuses them.
#
# The reason: the images are multiplied by 255 and cut to 8 bits, and 256 is 0 there.
#
# What follows for users: generators without a Tanh at the end, such as StyleGAN's, and bicubic resizing go beyond the range by
# a little. Highlights get black specks and shadows white ones, in the measurement alone: the saved images look right, and the distance is
# that of noisy pictures. Call clamp(0, 1) before update(). A feature extractor of one's own gets the numbers as they are, except in
# the inception score.
#
# What was seen, as the levels that the inception network gets of each, in all four:
#   0      0.5     1      1.003    1.004   1.01   -0.001   -0.01
#   0      127     255    255      0       1      0        254
#
# The network itself, whose weights would have to be downloaded, is replaced by one that keeps what it gets.
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 torchvision==0.26.0 numpy==2.2.6 \
  torchmetrics==1.9.0 torch-fidelity==0.4.0

cat >"$folder/levels.py" <<'PYTHON'
import sys

import torch
import torchmetrics.image.fid
import torchmetrics.image.inception
import torchmetrics.image.kid
import torchmetrics.image.mifid


class Network(torch.nn.Module):
    """Stands for the inception network, and keeps the images that it gets."""

    def __init__(self, **options):
        super().__init__()

    def forward(self, images):
        self.seen = images
        return images.float().flatten(1)[:, :4].repeat(1, 512)


NUMBERS = [0, 0.5, 1, 1.003, 1.004, 1.01, -0.001, -0.01]
images = torch.tensor(NUMBERS).repeat(2, 3, 1, 1)


def levels(module, name, **update):
    module.NoTrainInceptionV3 = Network
    metric = getattr(module, name)(normalize=True)
    metric.update(images, **update)
    found = metric.inception.seen[0, 0, 0].tolist()
    print(f'{name:40}', found)
    return found


print(f'{"numbers":40}', NUMBERS)
image = torchmetrics.image
seen = [levels(image.fid, 'FrechetInceptionDistance', real=False), levels(image.kid, 'KernelInceptionDistance', real=False),
        levels(image.mifid, 'MemorizationInformedFrechetInceptionDistance', real=False), levels(image.inception, 'InceptionScore')]
sys.exit(0 if seen == [[0, 127, 255, 255, 0, 1, 0, 254]] * 4 else 1)
PYTHON
OMP_NUM_THREADS=1 "$folder/venv/bin/python" -W ignore "$folder/levels.py"
