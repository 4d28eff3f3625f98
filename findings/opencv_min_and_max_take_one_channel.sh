#!/usr/bin/env bash
# OpenCV 5.0.0 (opencv-python-headless 5.0.0.93 from PyPI): of the functions that take a picture and a number, cv2.min, cv2.max,
# the bitwise ones and inRange use the number for the first channel and 0 for the others, and add, subtract, multiply, divide,
# absdiff and compare use it for all. cv2.min(picture, 250) makes green and red 0. There is no error and no warning. Grey
# pictures are right.
#
# The guess before it was run: a number holds for all channels in each of these functions, as in numpy; or for the first one in
# each, as OpenCV's Scalar is filled in C++.
#
# What follows for users: limiting levels with cv2.min and cv2.max makes a colour picture blue, and a border or a fill of 128 is
# dark blue, where a test with grey pictures, or with cv2.add, shows nothing. Pass four numbers, (250, 250, 250, 250), or use
# numpy.clip.
#
# What was seen, for a picture whose channels are all 100:
#   add, subtract, multiply, divide, absdiff, compare     three equal channels
#   cv2.max(picture, 150)                                 150 100 100
#   cv2.min(picture, 50)                                   50   0   0
#   cv2.min(picture, 250)                                 100   0   0
#   bitwise_and(picture, 240), bitwise_or(picture, 15)     96   0   0,  111 100 100
#   inRange(picture, 90, 110)                             nowhere
#   copyMakeBorder(value=128), warpAffine(borderValue=128), rectangle of 128      128 0 0
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 80 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile opencv-python-headless==5.0.0.93 numpy==2.4.6

cat >"$folder/number.py" <<'PYTHON'
import sys

import cv2
import numpy

colour = numpy.full((6, 8, 3), 100, numpy.uint8)
move = numpy.float32([[1, 0, 3], [0, 1, 3]])
ALL = {'add': (lambda x: cv2.add(x, 50), 150), 'subtract': (lambda x: cv2.subtract(x, 50), 50),
       'multiply': (lambda x: cv2.multiply(x, 2), 200), 'divide': (lambda x: cv2.divide(x, 2), 50),
       'absdiff': (lambda x: cv2.absdiff(x, 30), 70), 'compare': (lambda x: cv2.compare(x, 90, cv2.CMP_GT), 255)}
FIRST = {'max': (lambda x: cv2.max(x, 150), [150, 100, 100]), 'min': (lambda x: cv2.min(x, 50), [50, 0, 0]),
         'min above': (lambda x: cv2.min(x, 250), [100, 0, 0]), 'and': (lambda x: cv2.bitwise_and(x, 240), [96, 0, 0]),
         'or': (lambda x: cv2.bitwise_or(x, 15), [111, 100, 100]),
         'border': (lambda x: cv2.copyMakeBorder(x, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=128), [128, 0, 0]),
         'warp': (lambda x: cv2.warpAffine(x, move, (8, 6), borderValue=128), [128, 0, 0]),
         'rectangle': (lambda x: cv2.rectangle(x.copy(), (0, 0), (2, 2), 128, -1), [128, 0, 0])}


def corner(name, result):
    print(f'{name:10}', result[0, 0].tolist())
    return result[0, 0].tolist()


right = [corner(name, change(colour)) == [level] * 3 for name, (change, level) in ALL.items()]
right += [corner(name, change(colour)) == levels for name, (change, levels) in FIRST.items()]
right += [corner(name + ' grey', change(colour[:, :, 0].copy())) == levels[0] for name, (change, levels) in FIRST.items()]
right.append(corner('min of 4', cv2.min(colour, (50, 50, 50, 50))) == [50] * 3)
found = [int(cv2.inRange(x, 90, 110).max()) for x in (colour, colour[:, :, 0].copy())]
print('inRange   ', *found)
sys.exit(0 if all(right) and found == [0, 255] else 1)
PYTHON
"$folder/venv/bin/python" "$folder/number.py"
