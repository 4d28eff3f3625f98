#!/usr/bin/env bash
# Blurring 8-bit pictures makes them darker, by up to one level each time, without a warning:
#   SciPy 1.17.1: ndimage.gaussian_filter and uniform_filter, one level and two thirds of one
#   SimpleITK 2.5.7: DiscreteGaussian, Mean and BinomialBlur, one level and half of one
#   Pillow 13.0.0: ImageFilter.GaussianBlur, half a level the first time
# Pillow's BoxBlur, OpenCV 5.0.0 (opencv-python-headless 5.0.0.93) and scikit-image 0.26.0 (in [0, 1]) keep the mean.
#
# The guess before it was run: the result is the blurred picture, rounded to whole levels, as ndimage.zoom, shift and rotate
# round, so that the mean stays within a twentieth of a level.
#
# The reason: SciPy and SimpleITK cut the fractions off, SciPy after each axis. SciPy's documentation says that intermediate results
# are stored in the type of the output and may be imprecise.
#
# What follows for users: pictures that were blurred this way differ from others in their mean, which a discriminator and a Fréchet
# inception distance see; and what is blurred repeatedly (pyramids, levels of blur for diffusion) drifts to black. Blur
# float32 and round afterwards.
#
# What was seen, for noise between 0 and 255, as the mean after blurring minus the mean before:
#                                      once     ten times
#   SciPy, gaussian_filter             -1.0     -10.0
#   SciPy, uniform_filter              -0.7      -6.6
#   SimpleITK, DiscreteGaussian        -1.0     -10.0
#   SimpleITK, Mean                    -0.4      -4.4
#   SimpleITK, BinomialBlur            -0.5      -5.0
#   Pillow, GaussianBlur               -0.5      -3.0
#   Pillow, BoxBlur                     0.0       0.0
#   OpenCV, GaussianBlur                0.0       0.0
#   scikit-image, gaussian              0.0       0.0
#   SciPy, float32, rounded             0.0       0.0
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 220 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 scipy==1.17.1 SimpleITK==2.5.7 \
  pillow==13.0.0 opencv-python-headless==5.0.0.93 scikit-image==0.26.0

cat >"$folder/blur.py" <<'PYTHON'
import sys

import cv2
import numpy
import SimpleITK
from PIL import Image, ImageFilter
from scipy import ndimage
from skimage import filters, util


def itk(blur):
    return lambda image: SimpleITK.GetArrayFromImage(blur(SimpleITK.GetImageFromArray(image)))


def pillow(blur):
    return lambda image: numpy.asarray(Image.fromarray(image).filter(blur))


BLURS = {'SciPy, gaussian_filter': lambda image: ndimage.gaussian_filter(image, 1),
         'SciPy, uniform_filter': lambda image: ndimage.uniform_filter(image, 3),
         'SimpleITK, DiscreteGaussian': itk(lambda image: SimpleITK.DiscreteGaussian(image, 1.0)),
         'SimpleITK, Mean': itk(lambda image: SimpleITK.Mean(image, (1, 1))),
         'SimpleITK, BinomialBlur': itk(lambda image: SimpleITK.BinomialBlur(image, 2)),
         'Pillow, GaussianBlur': pillow(ImageFilter.GaussianBlur(1)),
         'Pillow, BoxBlur': pillow(ImageFilter.BoxBlur(1)),
         'OpenCV, GaussianBlur': lambda image: cv2.GaussianBlur(image, (0, 0), 1),
         'scikit-image, gaussian': lambda image: util.img_as_ubyte(filters.gaussian(image, 1)),
         'SciPy, float32, rounded': lambda image: ndimage.gaussian_filter(image.astype('float32'), 1).round().astype('uint8')}
EXPECTED = [(-1.0, -10.0), (-0.67, -6.6), (-1.0, -10.0), (-0.44, -4.4), (-0.5, -5.0), (-0.5, -3.0)] + [(0.0, 0.0)] * 4

noise = numpy.random.default_rng(0).integers(0, 256, (256, 256), dtype=numpy.uint8)
right = True
for (name, blur), expected in zip(BLURS.items(), EXPECTED, strict=True):
    image, drift = noise, []
    for _ in range(10):
        image = blur(image)
        drift.append(float(image.mean() - noise.mean()))
    print(f'{name:30} once {drift[0]:5.2f}   ten times {drift[-1]:6.2f}')
    right = right and abs(drift[0] - expected[0]) < 0.05 and abs(drift[-1] - expected[1]) < 0.3
sys.exit(0 if right else 1)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/blur.py"
