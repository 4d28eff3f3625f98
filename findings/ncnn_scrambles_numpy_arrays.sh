#!/usr/bin/env bash
# ncnn 1.0.20261020 (PyPI wheel), the inference library for phones: ncnn.Mat(array) of a numpy array has its shape and other numbers
# where the array is a view (transposed, cropped, every second one) or holds integers. There is no error and no warning.
#
# The guess before it was run: the array is copied into the order that a Mat has, and types that it has not are converted or refused,
# as ONNX Runtime copies views and refuses types.
#
# The reason: the Mat takes the address of the first number and the shape, and neither strides nor type. Of the type only the size counts:
# four bytes are a float32, one byte is an int8.
#
# What follows for users: the usual way to the network's order, picture.transpose(2, 0, 1), feeds stripes, and a crop feeds another part
# of the picture. A generator whose latents are cut out of a larger array makes images of other latents. Pass
# numpy.ascontiguousarray(array, dtype=numpy.float32), and keep it for as long as the Mat, which copies nothing, lives; clone() copies.
#
# What was seen, as whether numpy.array(ncnn.Mat(array)) equals the array:
#   float32, 4 x 5 x 3                          yes
#   the same, transpose(2, 0, 1)                no      after ascontiguousarray: yes
#   the same, cropped [1:3, 1:4]                no      after ascontiguousarray: yes
#   the same, [::2]                             no      after ascontiguousarray: yes
#   the levels 0, 127, 128, 255 as uint8        0, 127, -128, -1
#   the numbers 0, 1, 2, 1065353216 as int32    0, 1e-45, 3e-45, 1
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 120 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 ncnn==1.0.20261020

cat >"$folder/mat.py" <<'PYTHON'
import sys

import ncnn
import numpy

whole = numpy.random.default_rng(0).random((4, 5, 3), dtype=numpy.float32)
VIEWS = {'as it is': whole, 'transpose(2, 0, 1)': whole.transpose(2, 0, 1), 'cropped': whole[1:3, 1:4], '[::2]': whole[::2]}


def returned(array):
    return numpy.array(ncnn.Mat(array))


def kept(array):
    found = returned(array)
    assert found.shape == array.shape
    return numpy.array_equal(found, array)


seen = {}
for name, view in VIEWS.items():
    copied = numpy.ascontiguousarray(view)
    seen[name] = kept(view), kept(copied)
    print(f'{name:20} equal {seen[name][0]}, after ascontiguousarray {seen[name][1]}')
levels = numpy.array([0, 127, 128, 255], numpy.uint8)
numbers = numpy.array([0, 1, 2, 1065353216], numpy.int32)
as_bytes, as_words = returned(levels), returned(numbers)
print('uint8', levels, 'is', as_bytes, as_bytes.dtype)
print('int32', numbers, 'is', as_words, as_words.dtype)
right = seen.pop('as it is') == (True, True) and set(seen.values()) == {(False, True)}
right = right and as_bytes.dtype == numpy.int8 and as_bytes.tolist() == [0, 127, -128, -1]
sys.exit(0 if right and as_words.dtype == numpy.float32 and numpy.array_equal(as_words, numbers.view(numpy.float32)) else 1)
PYTHON
"$folder/venv/bin/python" -W error "$folder/mat.py"
