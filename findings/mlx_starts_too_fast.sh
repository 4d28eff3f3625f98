#!/usr/bin/env bash
# mlx 0.32.4 (PyPI wheels mlx and mlx-cpu, Linux), the framework for Apple's processors: two parts of a GAN that have the names and
# arguments of PyTorch's compute other numbers by default, without an error or a warning.
#   - Adam and AdamW do not correct the bias of their averages. With the betas of most GANs, 0.5 and 0.999, the first step is
#     16 times as long as the learning rate, and the first hundred go nearly six times as far.
#   - GroupNorm takes the channels 0, 4, 8, ... for one group, where PyTorch, Keras and Flax take neighbouring ones.
#
# The guess before it was run: Adam is that of the paper, whose first steps are as long as the learning rate; and GroupNorm of
# the same arguments computes the same, so weights of another framework can be loaded.
#
# The reason: both have an argument for it, bias_correction=False and pytorch_compatible=False. The documentation names them.
#
# What follows for users: a learning rate from a paper throws both networks far away in the first steps, at the moment where a
# discriminator can win for good, and a port from PyTorch makes other images with the same weights. Pass True to both.
#
# What was seen, for a constant gradient and a learning rate of 0.001, as the way in learning rates:
#                                            step 1     steps 1 to 10   steps 1 to 100
#   betas 0.5 and 0.999, by default          15.8       133             568
#   the same, bias_correction=True            1.0        10             100
#   betas 0 and 0.99, by default             10.0        51             203
# and as the largest difference from the formula of GroupNorm, for 2 groups of 8 channels:
#   by default                               more than 1
#   pytorch_compatible=True                  less than 1e-5
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 30 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile mlx==0.32.4 mlx-cpu==0.32.4 numpy==2.4.6

cat >"$folder/steps.py" <<'PYTHON'
import sys

import mlx.core as mx
import numpy
from mlx import nn, optimizers

RATE = 0.001


class Weight(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = mx.array([0.0])


def ways(betas, **options):
    """How many learning rates the weight has gone after 1, 10 and 100 steps with a gradient of 1."""
    model, optimizer, found = Weight(), optimizers.Adam(RATE, betas=betas, **options), []
    for step in range(1, 101):
        optimizer.update(model, {'weight': mx.array([1.0])})
        mx.eval(model.parameters())
        if step in (1, 10, 100):
            found.append(-model.weight.item() / RATE)
    print(f'Adam, {betas} {options}:', *(f'{way:.1f}' for way in found))
    return found


def difference(**options):
    """The largest difference of GroupNorm from its formula, for two groups of four neighbouring channels."""
    images = numpy.random.default_rng(0).standard_normal((2, 8, 8, 8)).astype(numpy.float32) * numpy.arange(1, 9, dtype=numpy.float32)
    groups = images.reshape(2, 8, 8, 2, 4)
    right = (groups - groups.mean((1, 2, 4), keepdims=True)) / numpy.sqrt(groups.var((1, 2, 4), keepdims=True) + 1e-5)
    found = float(abs(numpy.array(nn.GroupNorm(2, 8, **options)(mx.array(images))) - right.reshape(images.shape)).max())
    print(f'GroupNorm {options}: {found:.2g}')
    return found


found = ways([0.5, 0.999]) + ways([0.5, 0.999], bias_correction=True) + ways([0.0, 0.99])
expected = [15.8, 133.4, 567.5, 1, 10, 100, 10, 50.7, 202.6]
right = all(abs(a - b) < 0.01 * b for a, b in zip(found, expected, strict=True))
sys.exit(0 if right and difference() > 1 and difference(pytorch_compatible=True) < 1e-5 else 1)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/steps.py"
