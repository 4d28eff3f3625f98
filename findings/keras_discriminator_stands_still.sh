#!/usr/bin/env bash
# keras 3.15.1 with torch 2.11.0 (PyPI wheels, CPU): the usual form of a GAN in Keras trains no discriminator any more. It compiles the
# discriminator, sets discriminator.trainable = False, compiles generator and discriminator as one model, and then calls
# train_on_batch of both. The discriminator's weights never change, and all losses are computed. The only sign is a warning, shown
# once, that a model does not have any trainable weights. With jax 0.10.2 as the backend the same program is refused.
#
# The guess before it was run: trainable counts as it was when a model was compiled, as in Keras 2, where a change of it needs a new
# compile(); so the discriminator learns by itself and stands still within the combined model. Most published examples rely on it.
#
# The reason: Keras 3 asks in each step which weights are trainable, and the two models share the layers.
#
# What follows for users: the generator learns to please a random network. Its loss falls quickly, which looks like success. Set
# discriminator.trainable = True before each train_on_batch of the discriminator and False before that of the combined model, or
# write train_step() as Keras' present examples do.
#
# What was seen, after 30 steps, as the largest change of a weight, and the loss of the generator in the first and the last step:
#                                    discriminator   generator   loss
#   as published                     0               0.37        0.78  0.13
#   trainable is set in each step    0.47            0.49        0.80  0.88
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 numpy==2.2.6 keras==3.15.1

cat >"$folder/train.py" <<'PYTHON'
import os
import sys
import warnings

os.environ['KERAS_BACKEND'] = 'torch'
import keras
import numpy


def network(outputs, activation):
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(16), keras.layers.LeakyReLU(),
                             keras.layers.Dense(outputs, activation=activation)])


def compiled(model):
    model.compile(optimizer=keras.optimizers.Adam(0.01, beta_1=0.5), loss='binary_crossentropy')
    return model


def moved(before, model):
    return max(float(abs(old - new).max()) for old, new in zip(before, model.get_weights(), strict=True))


def train(toggle):
    """The largest changes of a weight of both networks, the generator's first and last loss, and the warnings."""
    keras.utils.set_random_seed(0)
    discriminator, generator = compiled(network(1, 'sigmoid')), network(2, None)
    discriminator.trainable = False
    latents = keras.Input((2,))
    combined = compiled(keras.Model(latents, discriminator(generator(latents))))
    before = [[weight.copy() for weight in model.get_weights()] for model in (discriminator, generator)]
    random, losses = numpy.random.default_rng(0), []
    ones, zeros = numpy.ones((16, 1), numpy.float32), numpy.zeros((16, 1), numpy.float32)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        for _ in range(30):
            noise = random.standard_normal((16, 2)).astype(numpy.float32)
            discriminator.trainable = toggle
            discriminator.train_on_batch(noise + 3, ones)
            discriminator.train_on_batch(generator.predict(noise, verbose=0), zeros)
            discriminator.trainable = False
            losses.append(float(combined.train_on_batch(noise, ones)))
    texts = {str(warning.message) for warning in caught if 'trainable' in str(warning.message)}
    changes = [moved(weights, model) for weights, model in zip(before, (discriminator, generator), strict=True)]
    print('trainable is set in each step:' if toggle else 'as published:',
          f'discriminator {changes[0]:.2f}, generator {changes[1]:.2f}, loss {losses[0]:.2f} {losses[-1]:.2f}', texts or '')
    return *changes, losses[0], losses[-1], len(texts)


published, toggled = train(False), train(True)
sys.exit(0 if published[0] == 0 and published[1] > 0.1 and published[3] < published[2] / 2 and published[4] == 1
         and min(toggled[:2]) > 0.1 and toggled[4] == 0 else 1)
PYTHON
OMP_NUM_THREADS=1 KERAS_HOME="$folder" "$folder/venv/bin/python" "$folder/train.py" 2>/dev/null
