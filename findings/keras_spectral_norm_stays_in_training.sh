#!/usr/bin/env bash
# keras 3.15.1 on jax 0.10.2 (PyPI wheels, CPU): a network with layers.SpectralNormalization that fit() trained is another one in evaluate()
# and predict(): there its weights are not normalised. A loss below 0.001 in training is one above 10 after it. There is no error and
# no warning.
#
# The guess before it was run: as with PyTorch's, the weights are divided by their largest singular value wherever the layer is
# called, so the network computes the same function in training and after it.
#
# The reason: the layer normalises in calls with training=True alone, and assigns the result to the kernel of the layer that it wraps.
# With JAX, fit() goes on with the weights that the optimizer returns, which were made from the kernel before it was normalised.
#
# What follows for users: what a discriminator says of held-out pictures, and what a generator with such layers makes, come from a
# network that was never trained. Outside of fit(), where a call assigns the kernel, a call with training=True changes a
# discriminator whose trainable is False, so that a generator's step changes it. Divide the kernels once before saving.
#
# What was seen, for Dense, SpectralNormalization(Dense) and Dense, trained for 20 epochs on a linear function:
#   largest singular value of the kernel before      1.8
#   after fit() with a rate of 0                     1.8, the kernel is unchanged
#   after fit() with Adam                            about 3
#   loss of the last epoch, and of evaluate()        less than 0.001, more than 10
#   evaluate() with the kernel divided by it         less than 0.001
#   a call with training=True and trainable=False    from 1.8 to about 1
#   a call with training=False                       1.8
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 180 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile keras==3.15.1 jax==0.10.2 numpy==2.4.6

cat >"$folder/normalise.py" <<'PYTHON'
import sys

import keras
import numpy
from keras import layers, ops

random = numpy.random.default_rng(0)
x = random.standard_normal((256, 8)).astype(numpy.float32)
y = 3 * x[:, :1]


def network():
    keras.utils.set_random_seed(0)
    normalised = layers.SpectralNormalization(layers.Dense(8, use_bias=False))
    return keras.Sequential([keras.Input((8,)), normalised, layers.Dense(1)]), normalised


def kernel(normalised):
    return ops.convert_to_numpy(normalised.layer.kernel)


def largest(normalised):
    """The largest singular value of the kernel that the layer keeps."""
    return float(numpy.linalg.norm(kernel(normalised), 2))


def called(training):
    """The largest singular value after 30 calls of a layer that is not trainable."""
    normalised = network()[1]
    normalised.trainable = False
    for _ in range(30):
        normalised(x, training=training)
    return largest(normalised)


model, normalised = network()
before, weights = largest(normalised), kernel(normalised)
model.compile(keras.optimizers.SGD(0.0), 'mse')
model.fit(x, y, verbose=0)
unchanged = numpy.array_equal(kernel(normalised), weights)
model.compile(keras.optimizers.Adam(0.05), 'mse')
trained = model.fit(x, y, epochs=20, verbose=0).history['loss'][-1]
after = largest(normalised)
evaluated = model.evaluate(x, y, verbose=0)
normalised.layer.kernel.assign(kernel(normalised) / after)
divided = model.evaluate(x, y, verbose=0)
in_training, otherwise = called(True), called(False)
print(f'largest singular value: before {before:.2f}, unchanged by a rate of 0: {unchanged}, after fit {after:.2f}')
print(f'loss: of the last epoch {trained:.2g}, of evaluate {evaluated:.3g}, with the kernel divided {divided:.2g}')
print(f'called with trainable=False: training=True {in_training:.3f}, training=False {otherwise:.3f}')
sys.exit(0 if unchanged and before > 1.5 and after > 2 and trained < 0.001 and evaluated > 10 and divided < 0.001 and
         abs(in_training - 1) < 0.01 and otherwise > 1.5 else 1)
PYTHON
KERAS_BACKEND=jax JAX_PLATFORMS=cpu "$folder/venv/bin/python" -W ignore "$folder/normalise.py"
