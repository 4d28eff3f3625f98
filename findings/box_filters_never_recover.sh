#!/usr/bin/env bash
# Averages over a moving window that never recover: after one NaN, one infinity or one huge number, later values are wrong although
# the window has long left it. There is no error and no warning.
#   SciPy 1.17.1: ndimage.uniform_filter1d and uniform_filter
#   OpenCV 5.0.0 (opencv-python-headless 5.0.0.93): blur and boxFilter
#   bottleneck 1.6.0: move_mean, after an infinity and a huge number
#
# The guess before it was run: a window of three spoils three values, as in pandas 3.1.1, polars 2.1.0 and a Gaussian filter.
#
# The reason: a running sum adds the value that enters and subtracts the one that leaves. NaN minus NaN is NaN, and 1 is lost
# beside 1e17. OpenCV keeps running sums along columns, and from a size of 6 on along rows.
#
# What follows for users: one step that diverged ends a smoothed loss, or makes it 0, which looks like perfect convergence. In a
# picture of floating-point numbers (depth, radiance) one pixel without a value takes a quarter of the picture and more. Replace
# what is not finite before the filter, or use a Gaussian one.
#
# What was seen, for twenty ones of which the tenth is replaced and a window of three, as values that are not 1:
#                                NaN              infinity         1e17
#   SciPy, uniform_filter1d      12, last NaN     12, last NaN     12, last 0
#   bottleneck, move_mean        0, leaves it out 11, last NaN     11, last 0
#   pandas, rolling              0, leaves it out 0, leaves it out 3
#   polars, rolling_mean         3                3                3
# and for a picture of 20 x 20 in which the pixel in row 10 and column 10 is replaced by NaN, as pixels that are not 1:
#                                window of 3 x 3  window of 7 x 7
#   SciPy, uniform_filter        144              196
#   OpenCV, blur                  36              196
#   SciPy, gaussian_filter         9               49
#   OpenCV, GaussianBlur           9               49
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 240 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 scipy==1.17.1 bottleneck==1.6.0 \
  opencv-python-headless==5.0.0.93 pandas==3.1.1 polars==2.1.0

cat >"$folder/windows.py" <<'PYTHON'
import math
import sys

import bottleneck
import cv2
import numpy
import pandas
import polars
from scipy import ndimage

MEANS = {'SciPy, uniform_filter1d': lambda values: ndimage.uniform_filter1d(values, 3),
         'bottleneck, move_mean': lambda values: bottleneck.move_mean(values, 3, min_count=1),
         'pandas, rolling': lambda values: pandas.Series(values).rolling(3, min_periods=1).mean().to_numpy(),
         'polars, rolling_mean': lambda values: polars.Series(values).rolling_mean(3, min_samples=1).to_numpy()}
FILTERS = {'SciPy, uniform_filter': lambda image, size: ndimage.uniform_filter(image, size),
           'OpenCV, blur': lambda image, size: cv2.blur(image, (size, size)),
           'SciPy, gaussian_filter': lambda image, size: ndimage.gaussian_filter(image, 1, radius=size // 2),
           'OpenCV, GaussianBlur': lambda image, size: cv2.GaussianBlur(image, (size, size), 1)}


def spoilt(result):
    """How many values are not 1."""
    return int((~(abs(result - 1) < 1e-6)).sum())


means = {}
for name, mean in MEANS.items():
    found = []
    for bad in (math.nan, math.inf, 1e17):
        values = numpy.ones(20)
        values[9] = bad
        result = mean(values)
        found.append((spoilt(result), str(float(result[-1]))))
    print(f'{name:24}', *(f'{count:3}, last {last}' for count, last in found))
    means[name] = found
pictures = {}
for name, filtered in FILTERS.items():
    image = numpy.ones((20, 20))
    image[9, 9] = math.nan
    pictures[name] = [spoilt(filtered(image, size)) for size in (3, 7)]
    print(f'{name:24}', *pictures[name])
sys.exit(0 if list(means.values()) == [[(12, 'nan'), (12, 'nan'), (12, '0.0')], [(0, '1.0'), (11, 'nan'), (11, '0.0')],
                                       [(0, '1.0'), (0, '1.0'), (3, '1.0')], [(3, '1.0')] * 3]
         and list(pictures.values()) == [[144, 196], [36, 196], [9, 49], [9, 49]] else 1)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/windows.py"
