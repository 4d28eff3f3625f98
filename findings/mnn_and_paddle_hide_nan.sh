#!/usr/bin/env bash
# MNN 3.6.1 and paddlepaddle 3.3.1 (PyPI wheels, x86-64, CPU): NaN becomes an ordinary number on its way through a network. In MNN tanh(NaN) and
# sigmoid(NaN) are 1, so a generator whose weights are NaN makes white pictures, and relu(-infinity) is NaN. There is no error and
# no warning.
#
# The guess before it was run: NaN stays NaN in each of these functions, as in PyTorch, ONNX Runtime and numpy.
#
# The reason: they are made of maxima, minima and multiplications of vectors, where a comparison with NaN is false and the other number is
# taken; MNN's relu multiplies by 0 what is below 0, and infinity times 0 is NaN.
#
# What follows for users: a check for NaN in the output of a converted generator finds nothing, and a discriminator in Paddle has finite
# outputs for pictures of NaN. Check the weights before the conversion, and the input.
#
# What was seen:
#               MNN of NaN    of -infinity    Paddle of NaN
#   relu        0             NaN             0
#   relu6       6             0               NaN
#   tanh        1             -1              NaN
#   sigmoid     1             about 0         NaN
#   softplus    0             0               NaN
#   gelu        NaN                           NaN
# For finite numbers MNN's tanh and sigmoid are right to 1e-6. Convolution, ReLU, convolution and tanh of a picture of NaN in Paddle: no NaN.
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 300 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile MNN==3.6.1 paddlepaddle==3.3.1 numpy==2.2.6

cat >"$folder/hide.py" <<'PYTHON'
import sys

import MNN.expr
import numpy
import paddle

nan, infinity = numpy.nan, numpy.inf


def by_mnn(name, number, count=13):
    """The results of a function for as many equal numbers, which are all the same up to rounding."""
    values = numpy.full((1, 1, 1, count), number, numpy.float32)
    found = numpy.array(getattr(MNN.expr, name)(MNN.expr.const(values, list(values.shape), MNN.expr.NCHW)).read()).ravel()
    assert numpy.allclose(found, found[0], atol=1e-6, equal_nan=True)
    return float(found[0])


def by_paddle(name, number):
    return float(getattr(paddle.nn.functional, name)(paddle.full([1], number)))


def same(found, wanted):
    return found == wanted or (numpy.isnan(found) and numpy.isnan(wanted)) or abs(found - wanted) < 1e-6


right = True
for name, of_nan, of_minus_infinity, of_paddle in (('relu', 0, nan, 0), ('relu6', 6, 0, nan), ('tanh', 1, -1, nan),
                                                   ('sigmoid', 1, 0, nan), ('softplus', 0, 0, nan)):
    found = by_mnn(name, nan), by_mnn(name, -infinity), by_paddle(name, nan)
    print(f'{name:8} MNN of NaN {found[0]:g}, of -infinity {found[1]:g}, Paddle of NaN {found[2]:g}')
    right = right and all(map(same, found, (of_nan, of_minus_infinity, of_paddle)))
right = right and numpy.isnan([by_mnn('gelu', nan), by_paddle('gelu', nan)]).all()
numbers = numpy.linspace(-9, 9, 100).astype(numpy.float32)
far = max(max(abs(by_mnn('tanh', x) - numpy.tanh(x)), abs(by_mnn('sigmoid', x) - 1 / (1 + numpy.exp(-x)))) for x in numbers)
print(f'finite numbers: MNN differs by {far:.1g}')
paddle.seed(0)
layers = paddle.nn.Sequential(paddle.nn.Conv2D(3, 4, 3), paddle.nn.ReLU(), paddle.nn.Conv2D(4, 3, 3), paddle.nn.Tanh())
picture = layers(paddle.full([1, 3, 8, 8], nan))
print('NaN in the output of a network in Paddle:', int(paddle.isnan(picture).sum()), 'of', picture.size)
sys.exit(0 if right and far < 1e-6 and not bool(paddle.isnan(picture).any()) else 1)
PYTHON
OMP_NUM_THREADS=1 "$folder/venv/bin/python" -W ignore "$folder/hide.py"
