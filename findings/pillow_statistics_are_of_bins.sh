#!/usr/bin/env bash
# Pillow 13.0.0 (PyPI wheel): ImageStat.Stat of pictures with more than 8 bits is not of their pixels. A picture of
# floating-point numbers (mode F) that holds 0.25 to 0.875 has a mean of 127.5, as one of 32 bits (I) that holds 100 to 150, and
# one of 16 bits (I;16) with these has 55. There is no error and no warning. 8 bits are right, and so is getextrema() in each
# mode.
#
# The guess before it was run: mean, median, stddev, sum and extrema are those of the pixels, or the mode is refused, as most
# filters refuse it.
#
# The reason: they are computed from histogram(), which has 256 bins. In the modes F and I these lie between the least and the
# largest pixel, and the numbers of the bins count as levels. In I;16 the bytes of the left half of each row are counted as if
# each were a pixel.
#
# What follows for users: a mean and a deviation for normalising pictures of 16 bits are wrong, the deviation by any factor, and
# a check for empty or flat pictures passes or stops the wrong ones: two pictures that differ by a factor of 1,000 have the same
# statistics. Compute them with numpy.asarray(image).
#
# What was seen, for rows of six pixels:
#                              mean     median   stddev    extrema     those of the pixels
#   L      100, 110 to 150     125      130      17.1      100, 150    the same
#   F      0.25 to 0.875       127.5    153      87.1      0, 255      0.56    0.625   0.21   0.25, 0.875
#   F, I   100 to 150          127.5    153      87.1      0, 255      125     130     17.1   100, 150
#   F, I   100,000 to 150,000  127.5    153      87.1      0, 255      1,000 times these
#   I;16   100 to 150          55       100      55.3      0, 120      125     130     17.1   100, 150
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 7 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile pillow==13.0.0

cat >"$folder/measure.py" <<'PYTHON'
import statistics
import struct
import sys
import warnings

from PIL import Image, ImageStat

warnings.simplefilter('error')
ROW = [100, 110, 120, 130, 140, 150]
FORMATS = {'L': 'B', 'F': 'f', 'I': 'i', 'I;16': 'H'}


def measured(mode, pixels):
    """Mean, median, deviation and extrema that Pillow tells of a picture of one row, and those of the numbers themselves."""
    image = Image.frombytes(mode, (len(pixels), 1), struct.pack(f'<{len(pixels)}{FORMATS[mode]}', *pixels))
    stat = ImageStat.Stat(image)
    told = [round(stat.mean[0], 1), stat.median[0], round(stat.stddev[0], 1), stat.extrema[0]]
    true = [round(statistics.mean(pixels), 3), statistics.median_high(pixels), round(statistics.pstdev(pixels), 3),
            (min(pixels), max(pixels))]
    print(f'{mode:5} told {told}   true {true}   getextrema {image.getextrema()}')
    return told, image.getextrema() == true[3]


bins = [127.5, 153, 87.1, (0, 255)]
right = [measured('L', ROW) == ([125, 130, 17.1, (100, 150)], True),
         measured('F', [0.25, 0.375, 0.5, 0.625, 0.75, 0.875]) == (bins, True),
         measured('I;16', ROW) == ([55, 100, 55.3, (0, 120)], True)]
for mode in ('F', 'I'):
    for factor in (1, 1000):
        right.append(measured(mode, [factor * pixel for pixel in ROW]) == (bins, True))
sys.exit(0 if all(right) else 1)
PYTHON
"$folder/venv/bin/python" "$folder/measure.py"
