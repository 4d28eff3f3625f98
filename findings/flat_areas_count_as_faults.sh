#!/usr/bin/env bash
# torchmetrics 1.9.0 and piq 0.8.0 with torch 2.11.0 (PyPI wheels, x86-64, CPU): measures of the likeness of two images give equal images a
# bad score, NaN or infinity where the images have flat or black areas. There is no error and no warning.
#   - torchmetrics: the universal image quality index and the spatial correlation coefficient count flat areas as different; the
#     visual information fidelity of equal flat images is NaN, and so is the spectral angle where one pixel is black.
#   - piq: HaarPSI of two black images is infinite.
#
# The guess before it was run: two equal images have the best score of each measure, 1 or, for an angle, 0, whatever they show.
#
# The reason: in a flat window the variance is 0, and each measure then divides 0 by 0, or by a tiny constant. For torchmetrics' first two
# that is 0, the worst score. The angle of a black pixel to anything is 0 / 0 too, and the mean over all pixels is NaN for one of them.
#
# What follows for users: pictures on a white or black ground, drawings, icons and padded pictures score lower the more ground they have.
# A noisy copy of a picture without ground scores better than an exact copy of one with it. One black pixel or one flat picture makes
# the mean of a whole set NaN. Use SSIM, which is 1 for all of these in both libraries.
#
# What was seen, each picture against itself (UQI, SCC, VIF and SAM of torchmetrics, HaarPSI of piq):
#                           UQI     SCC     VIF    SAM       HaarPSI   SSIM of torchmetrics and piq
#   texture                 1       1       1      0.0001    1         1
#   texture, half white     0.59    0.56    1      0.00005   1         1
#   texture, half black     0.57    0.56    1      NaN       1         1
#   one pixel black         1       1       1      NaN       1         1
#   grey                    0       0       NaN    0         1         1
#   black                   0       0       NaN    NaN       infinite  1
# and the texture against a copy with noise of 0.3: UQI 0.68, SCC 0.70
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 torchvision==0.26.0 numpy==2.2.6 \
  torchmetrics==1.9.0 piq==0.8.0

cat >"$folder/compare.py" <<'PYTHON'
import importlib.metadata
import math
import sys
import warnings

import piq
import torch
from torchmetrics.functional.image import (spatial_correlation_coefficient, spectral_angle_mapper,
                                           structural_similarity_index_measure, universal_image_quality_index,
                                           visual_information_fidelity)

warnings.simplefilter('error')
torch.set_num_threads(1)
print(*(f'{name} {importlib.metadata.version(name)}' for name in ('torchmetrics', 'piq', 'torch')))

torch.manual_seed(0)
texture = torch.rand(1, 3, 64, 64)
half_white, half_black, pixel = texture.clone(), texture.clone(), texture.clone()
half_white[..., :32] = 1
half_black[..., :32] = 0
pixel[0, :, 0, 0] = 0
noisy = (texture + 0.3 * torch.randn(texture.shape)).clamp(0, 1)
grey, black = torch.full_like(texture, 0.5), torch.zeros_like(texture)


def scores(name, image, other):
    found = [universal_image_quality_index(image, other), spatial_correlation_coefficient(image, other),
             visual_information_fidelity(image, other), spectral_angle_mapper(image, other), piq.haarpsi(image, other),
             structural_similarity_index_measure(image, other, data_range=1.0), piq.ssim(image, other)]
    found = [float(score) for score in found]
    print(f'{name:13}', *(f'{score:9.5f}' for score in found))
    return found


def near(found, *expected):
    return all(math.isnan(a) and math.isnan(b) or a == b or abs(a - b) < 0.02 for a, b in zip(found, expected, strict=True))


print(f'{"":13}', *(f'{name:>9}' for name in ('UQI', 'SCC', 'VIF', 'SAM', 'HaarPSI', 'SSIM', 'SSIM, piq')))
NAN, INF = math.nan, math.inf
ok = [near(scores('texture', texture, texture.clone()), 1, 1, 1, 0, 1, 1, 1),
      near(scores('half white', half_white, half_white.clone()), 0.59, 0.56, 1, 0, 1, 1, 1),
      near(scores('half black', half_black, half_black.clone()), 0.57, 0.56, 1, NAN, 1, 1, 1),
      near(scores('a black pixel', pixel, pixel.clone()), 1, 1, 1, NAN, 1, 1, 1),
      near(scores('grey', grey, grey.clone()), 0, 0, NAN, 0, 1, 1, 1),
      near(scores('black', black, black.clone()), 0, 0, NAN, NAN, INF, 1, 1),
      near(scores('noise', noisy, texture)[:2], 0.68, 0.70)]
sys.exit(0 if all(ok) else 1)
PYTHON
"$folder/venv/bin/python" "$folder/compare.py"
