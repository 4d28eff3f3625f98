#!/usr/bin/env bash
# scikit-image 0.26.0 (PyPI wheel): pictures whose levels are ordinary integers of numpy (int64) come out black, without an error or a
# warning, from resize, rotate, rgb2gray, rgb2hsv and gaussian. The largest number of the result is 2e-17. uint8 of the same
# levels is right, and img_as_ubyte takes int64 rightly.
#
# The guess before it was run: the range of levels is 0 to 255, or the numbers are kept as they are; in any case all functions
# treat one array alike.
#
# The reason: levels are divided by the largest number of their type, 9.2e18 for int64, as the documentation of the types says.
# img_as_ubyte looks at the numbers first.
#
# What follows for users: one astype(int), a sum or difference of pictures, a list of lists, or labels as colours make int64 of a
# picture. Its blurred or turned copy is black to the eye and to a network, and the histogram still has its shape, so what
# normalises each picture by its own maximum hides it. Convert to uint8 first, or pass preserve_range=True where there is one.
#
# What was seen, as the largest number of the result for random levels of 0 to 255:
#                                     uint8       int64
#   resize                            0.87        2e-17
#   resize, preserve_range=True       221         221
#   rotate                            1           3e-17
#   rgb2gray                          1           3e-17
#   rgb2hsv, the value                1           3e-17
#   gaussian                          0.81        2e-17
#   img_as_ubyte                      255         255
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 100 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 scipy==1.17.1 scikit-image==0.26.0

cat >"$folder/black.py" <<'PYTHON'
import sys
import warnings

import numpy
from skimage import color, filters, transform, util

levels = numpy.random.default_rng(0).integers(0, 256, (32, 32, 3))
RUNS = {'resize': lambda image: transform.resize(image, (16, 16)), 'rotate': lambda image: transform.rotate(image, 10),
        'rgb2gray': color.rgb2gray, 'rgb2hsv, the value': lambda image: color.rgb2hsv(image)[..., 2],
        'gaussian': lambda image: filters.gaussian(image, channel_axis=-1)}
KEEP = {'resize, preserve_range=True': lambda image: transform.resize(image, (16, 16), preserve_range=True),
        'img_as_ubyte': util.img_as_ubyte}


def largest(name, run):
    """The largest numbers of the results for uint8 and int64, and whether there was a warning for int64."""
    narrow = float(run(levels.astype(numpy.uint8)).max())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        wide = float(run(levels.astype(numpy.int64)).max())
    print(f'{name:28} uint8 {narrow:8.3g}   int64 {wide:8.3g}   warnings {len(caught)}')
    return narrow, wide, len(caught)


black, kept = [largest(*run) for run in RUNS.items()], [largest(*run) for run in KEEP.items()]
sys.exit(0 if all(narrow > 0.5 and wide < 1e-16 and not count for narrow, wide, count in black)
         and all(abs(narrow - wide) < 1 and narrow > 150 for narrow, wide, count in kept) else 1)
PYTHON
"$folder/venv/bin/python" "$folder/black.py"
