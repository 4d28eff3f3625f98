#!/usr/bin/env bash
# flax 0.12.8 and dm-haiku 0.0.17 with jax 0.10.2 (PyPI wheels, CPU): normalisations return numbers in the hundreds, or NaN, for activations whose
# mean is large beside their spread. There is no error and no warning.
#
# The guess before it was run: what leaves a normalisation in training has mean 0 and standard deviation 1, in float32 with an error of
# a few per cent as long as float32 resolves the spread, which it does: it steps by 0.00006 at 1,000.
#
# The reason: the variance is the mean of the squares less the square of the mean, of which float32 leaves nothing here. flax calls it
# use_fast_variance, has it on by default, says that it is numerically less stable, and takes 0 where it is negative; haiku's batch
# norm always computes so, and takes the root of the negative number.
#
# What follows for users: the bias before a normalisation has no effect on its output, so nothing holds it near 0; heights, times and
# raw 16-bit levels are such numbers as well. Pass use_fast_variance=False.
#
# What was seen, as the standard deviation of the output, for normal numbers of
#                                          mean 0, std 1   mean 100, std 0.1   mean 1,000, std 0.1   mean 3,000, std 1
#   flax linen and nnx, BatchNorm          1               1.04                22                    220
#   linen and nnx, GroupNorm               1               1.04                63                    700
#   linen, InstanceNorm                    1               0.99                82                    550
#   linen, LayerNorm of 4 channels         1               4.8                 68                    440
#   the same four, use_fast_variance=False 1               1                   1                     1
#   haiku, BatchNorm                       1               1.04                NaN                   NaN
#   haiku, GroupNorm and InstanceNorm      1               1                   1                     1
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 180 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile flax==0.12.8 dm-haiku==0.0.17 jax==0.10.2 \
  numpy==2.4.6

cat >"$folder/offset.py" <<'PYTHON'
import sys

import haiku
import jax
import numpy
from flax import linen, nnx

normal = numpy.random.default_rng(0).standard_normal((16, 8, 8, 4))


def by_linen(name, **options):
    layer = getattr(linen, name)(**options)
    return lambda x: layer.init_with_output(jax.random.key(0), x)[0]


def by_nnx(name, **options):
    return lambda x: getattr(nnx, name)(4, rngs=nnx.Rngs(0), **options)(x)


def by_haiku(call):
    layer = haiku.transform_with_state(call)
    return lambda x: layer.apply(*layer.init(None, x), None, x)[0]


def spreads(name, layer):
    """The standard deviations of the output for four pairs of mean and standard deviation."""
    found = []
    for mean, deviation in ((0, 1), (100, 0.1), (1000, 0.1), (3000, 1)):
        output = layer((normal * deviation + mean).astype(numpy.float32))
        found.append(float(numpy.asarray(output, numpy.float64).std()))
    print(f'{name:35}', *(f'{value:8.2f}' for value in found))
    return found


fast = {'linen BatchNorm': by_linen('BatchNorm', use_running_average=False), 'nnx BatchNorm': by_nnx('BatchNorm'),
        'linen GroupNorm': by_linen('GroupNorm', num_groups=2), 'nnx GroupNorm': by_nnx('GroupNorm', num_groups=2),
        'linen InstanceNorm': by_linen('InstanceNorm'), 'linen LayerNorm': by_linen('LayerNorm')}
exact = {'linen BatchNorm': by_linen('BatchNorm', use_running_average=False, use_fast_variance=False),
         'linen GroupNorm': by_linen('GroupNorm', num_groups=2, use_fast_variance=False),
         'linen InstanceNorm': by_linen('InstanceNorm', use_fast_variance=False),
         'linen LayerNorm': by_linen('LayerNorm', use_fast_variance=False),
         'haiku GroupNorm': by_haiku(lambda x: haiku.GroupNorm(2)(x)),
         'haiku InstanceNorm': by_haiku(lambda x: haiku.InstanceNorm(True, True)(x))}
right = True
for name, layer in fast.items():
    found = spreads(name, layer)
    right = right and abs(found[0] - 1) < 0.01 and found[2] > 5 and found[3] > 50
for name, layer in exact.items():
    right = all(abs(value - 1) < 0.02 for value in spreads(name + ', stable', layer)) and right
batch = spreads('haiku BatchNorm', by_haiku(lambda x: haiku.BatchNorm(True, True, 0.9)(x, True)))
sys.exit(0 if right and abs(batch[0] - 1) < 0.01 and numpy.isnan(batch[2:]).all() else 1)
PYTHON
JAX_PLATFORMS=cpu "$folder/venv/bin/python" -W ignore "$folder/offset.py"
