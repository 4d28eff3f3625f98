#!/usr/bin/env bash
# tensorflow-cpu 2.21.0 (PyPI wheel): tf.reduce_mean of more than 65,519 numbers of half precision is 0, or NaN where their sum is above that, too.
# The L1 distance of two pictures of 256 x 256 pixels, the loss of pix2pix, is 0 for two different ones. There is no error and no warning.
#
# The guess before it was run: sums of float16 are formed in float32, as numpy, PyTorch and JAX do it, and the mean is right to three digits.
#
# The reason: the sum is formed in float16, and so is the count that it is divided by. A count above 65,519 is infinite in float16. A finite
# sum divided by it is 0, and an infinite one NaN. tf.nn.moments computes in float32.
#
# What follows for users: in half precision a loss or a logged mean is exactly 0 as if the networks were perfect, and it is right where
# the batch is small. Cast to float32 before each mean, or use tf.nn.moments. bfloat16 has no such limit.
#
# What was seen, on the CPU, with numpy's value for the same float16:
#   mean of 65,519 and of 65,520 numbers that are 0.1       0.1 and 0          numpy 0.1 and 0.1
#   mean of 65,000 and of 65,520 numbers that are 1         1.001 and NaN      numpy 1 and 1
#   mean |a - b| of pictures (1, 128, 128, 3), 0.1 apart    0.1                numpy 0.1
#   the same of (1, 256, 256, 3)                            0                  numpy 0.1
#   mean over all but the channels of ones (64, 32, 32, 8)  0 for each         numpy 1
#   reduce_variance of 65,520 normal numbers                NaN                numpy 1.0
#   moments of the 65,520 numbers that are 0.1              0.1
#   each of them in bfloat16                                right
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 300 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile tensorflow-cpu==2.21.0 numpy==2.4.6

cat >"$folder/means.py" <<'PYTHON'
import sys
import warnings

warnings.simplefilter('ignore')
import numpy
import tensorflow

random = numpy.random.default_rng(0)


def distance(side):
    pictures = random.random((2, 1, side, side, 3)) * 0.5
    return (pictures[0], pictures[0] + 0.1)


def l1(first, second):
    return tensorflow.reduce_mean(tensorflow.abs(first - second))


def mean(numbers):
    return tensorflow.reduce_mean(numbers)


CASES = {'65,519 of 0.1': (mean, [numpy.full(65_519, 0.1)], 0.1), '65,520 of 0.1': (mean, [numpy.full(65_520, 0.1)], 0.1),
         '65,000 of 1': (mean, [numpy.ones(65_000)], 1), '65,520 of 1': (mean, [numpy.ones(65_520)], 1),
         'L1, 128 px': (l1, distance(128), 0.1), 'L1, 256 px': (l1, distance(256), 0.1),
         'all but channels': (lambda numbers: tensorflow.reduce_mean(numbers, [0, 1, 2]), [numpy.ones((64, 32, 32, 8))], 1),
         'variance': (tensorflow.math.reduce_variance, [random.standard_normal(65_520)], 1),
         'moments': (lambda numbers: tensorflow.nn.moments(numbers, [0])[0], [numpy.full(65_520, 0.1)], 0.1)}


def judged(name, kind):
    measure, arrays, wanted = CASES[name]
    found = tensorflow.cast(measure(*(tensorflow.cast(array, kind) for array in arrays)), tensorflow.float32).numpy().ravel()
    print(f'{kind:9} {name:18}', *(f'{number:g}' for number in sorted(set(found.tolist()))))
    if numpy.allclose(found, wanted, rtol=0.02):
        return 'right'
    return 'zero' if not found.any() else 'nan' if numpy.isnan(found).all() else 'other'


exact = [float(numpy.mean(numpy.full(65_520, 0.1, numpy.float16))), float(numpy.mean(numpy.ones(65_520, numpy.float16)))]
print('numpy, float16:', *exact)
half = [judged(name, 'float16') for name in CASES]
bfloat = [judged(name, 'bfloat16') for name in CASES]
right = abs(exact[0] - 0.1) < 1e-3 and exact[1] == 1 and bfloat == ['right'] * len(CASES)
sys.exit(0 if right and half == ['right', 'zero', 'right', 'nan', 'right', 'zero', 'zero', 'nan', 'right'] else 1)
PYTHON
CUDA_VISIBLE_DEVICES='' TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" "$folder/means.py" 2>"$folder/log" || { cat "$folder/log"; exit 1; }
