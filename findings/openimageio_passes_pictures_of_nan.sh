#!/usr/bin/env bash
# OpenImageIO 3.2.2.0 (PyPI wheel), whose comparison of pictures is a usual test of renderers and image code: a picture that consists of
# NaN equals every other one. ImageBufAlgo.compare() counts no failing pixel, and the programs idiff and oiiotool --diff print PASS and
# exit with 0, also where no difference is allowed. A single number that is NaN or infinite passes in two of the three. There is no
# error and no warning.
#
# The guess before it was run: a pixel that is NaN in one picture and a number in the other one fails.
#
# The reason, inferred from what was seen: a pixel fails where its difference is larger than the threshold. The difference is NaN, and a
# comparison with NaN is always false. oiiotool looks at the largest difference, too, which is infinite for a single number and 0 or NaN
# for whole pixels.
#
# What follows for users: a test that compares the images of a generator with stored ones, in EXR, TIFF or from numpy, passes after the
# weights became NaN. Count the numbers that are not finite first: ImageBufAlgo.computePixelStats() has them as nancount and
# infcount, and numpy.isfinite() finds them. The mean error is NaN in some cases and 0 in others, so it is no test.
#
# What was seen for a picture of 16 x 16 pixels with three channels, against a changed one, with a threshold of 0.001:
#                                 failing pixels   compare().error   idiff     oiiotool --diff
#   one number is 0.5 higher      1                True              FAILURE   FAILURE
#   one number is NaN             0                False             PASS      FAILURE
#   one number is infinite        0                False             PASS      FAILURE
#   one pixel is NaN              0                False             PASS      PASS
#   every number is NaN           0                False             PASS      PASS
#   the same with a threshold 0   0                False             PASS      PASS
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 26 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile openimageio==3.2.2.0 numpy==2.4.6

cat >"$folder/differences.py" <<'PYTHON'
import pathlib
import subprocess
import sys

import numpy
from OpenImageIO import ImageBuf, ImageBufAlgo

programs = pathlib.Path(sys.executable).parent
picture = numpy.random.default_rng(0).random((16, 16, 3)).astype(numpy.float32)
higher, nan, infinite, pixel, everything = (picture.copy() for _ in range(5))
higher[3, 3, 1] += 0.5
nan[3, 3, 1] = numpy.nan
infinite[3, 3, 1] = numpy.inf
pixel[3, 3] = numpy.nan
everything[:] = numpy.nan
ImageBuf(picture).write('picture.exr')


def answers(threshold):
    """Whether idiff and oiiotool find no difference between the two files, by the exit code and by the word they print."""
    limits = [word for name in ('fail', 'warn') for word in (f'-{name}', str(threshold))]
    for command in (('idiff', *limits, 'picture.exr', 'changed.exr'),
                    ('oiiotool', *(word.replace('-', '--') for word in limits), 'picture.exr', 'changed.exr', '--diff')):
        done = subprocess.run((str(programs / command[0]), *command[1:]), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        yield done.returncode == 0 and 'PASS' in done.stdout


right = True
for name, changed, threshold, expected in (('one number is 0.5 higher', higher, 1e-3, [False, False, False]),
                                           ('one number is NaN', nan, 1e-3, [True, True, False]),
                                           ('one number is infinite', infinite, 1e-3, [True, True, False]),
                                           ('one pixel is NaN', pixel, 1e-3, [True, True, True]),
                                           ('every number is NaN', everything, 1e-3, [True, True, True]),
                                           ('every number is NaN, threshold 0', everything, 0, [True, True, True])):
    seen = ImageBufAlgo.compare(ImageBuf(picture), ImageBuf(changed), threshold, threshold)
    ImageBuf(changed).write('changed.exr')
    passed = [seen.nfail == 0 and not seen.error, *answers(threshold)]
    print(f'{name:33} passes compare(): {passed[0]}, idiff: {passed[1]}, oiiotool: {passed[2]}')
    right = right and passed == expected
nan_count = ImageBufAlgo.computePixelStats(ImageBuf(everything)).nancount
print('computePixelStats() counts NaN:', list(nan_count))
sys.exit(0 if right and list(nan_count) == [256] * 3 else 1)
PYTHON
cd "$folder"
venv/bin/python -W error differences.py
