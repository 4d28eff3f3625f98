#!/usr/bin/env bash
# torchmetrics 1.9.0, piq 0.8.0 and scikit-image 0.26.0 (PyPI wheels), each asked for SSIM with a Gaussian window of 11, sigma
# 1.5 and a range of 1, give different values for the same images; and PSNR of a batch is another quantity in each.
#
# The guess before it was run: with the window and the range fixed, they agree to three digits.
#
# The reason: torchmetrics pads the images and then counts the padded border; scikit-image and piq leave the border
# out; piq first shrinks images whose shorter side is 384 px or more. PSNR: torchmetrics pools the error of the batch,
# piq averages the decibels of the images.
#
# What follows for users: a value is comparable within one library, one image size and, for PSNR, one batch size.
#
# What was seen, for smooth images with noise:
#   SSIM at  64 px: torchmetrics 0.60, piq 0.63, scikit-image 0.63
#   SSIM at 512 px: torchmetrics 0.62, piq 0.94, scikit-image 0.62
#   PSNR of eight images: torchmetrics 16.1 dB, piq 20.1 dB, mean over scikit-image's 20.1 dB
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 torchvision==0.26.0 \
  numpy==2.2.6 torchmetrics==1.9.0 piq==0.8.0 scikit-image==0.26.0

cat >"$folder/measure.py" <<'PYTHON'
import sys

import piq
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch.nn.functional import interpolate
from torchmetrics.functional.image import peak_signal_noise_ratio as torchmetrics_psnr
from torchmetrics.functional.image import structural_similarity_index_measure

torch.manual_seed(0)


def mean_of_images(measure, images, noisy):
    values = [measure(a.permute(1, 2, 0).numpy(), b.permute(1, 2, 0).numpy()) for a, b in zip(images, noisy)]
    return sum(values) / len(values)


def skimage_ssim(a, b):
    return structural_similarity(a, b, channel_axis=2, data_range=1, gaussian_weights=True, sigma=1.5,
                                 use_sample_covariance=False)


seen = {}
for side in (64, 512):
    images = interpolate(torch.rand(4, 3, side // 8, side // 8), size=(side, side), mode='bicubic').clamp(0, 1)
    noisy = (images + 0.1 * torch.randn_like(images)).clamp(0, 1)
    seen[side] = (structural_similarity_index_measure(noisy, images, data_range=1.0).item(),
                  piq.ssim(noisy, images, data_range=1.0).item(), mean_of_images(skimage_ssim, images, noisy))
    print(f'SSIM at {side:3} px: torchmetrics %.4f, piq %.4f, scikit-image %.4f' % seen[side])
images = torch.rand(8, 3, 32, 32)
noisy = (images + torch.linspace(0.01, 0.3, 8).view(8, 1, 1, 1) * torch.randn_like(images)).clamp(0, 1)
psnr = (torchmetrics_psnr(noisy, images, data_range=1.0).item(), piq.psnr(noisy, images).item(),
        mean_of_images(lambda a, b: peak_signal_noise_ratio(a, b, data_range=1), images, noisy))
print('PSNR of eight images: torchmetrics %.1f dB, piq %.1f dB, mean over scikit-image %.1f dB' % psnr)
small, large = seen[64], seen[512]
sys.exit(0 if abs(small[1] - small[2]) < 1e-3 and small[1] - small[0] > 0.01 and large[1] - large[2] > 0.2 and
         psnr[1] - psnr[0] > 2 and abs(psnr[1] - psnr[2]) < 0.01 else 1)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/measure.py"
