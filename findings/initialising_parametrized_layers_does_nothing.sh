#!/usr/bin/env bash
# torch 2.11.0 (PyPI wheel, CPU): torch.nn.init of the weight of a layer with spectral_norm or weight_norm of
# torch.nn.utils.parametrizations does nothing, in the usual `network.apply(init)` too. With the older
# torch.nn.utils.spectral_norm the same line sets the weight. There is no error and no warning.
#
# The guess before it was run: init.normal_(layer.weight, 0, 0.02) sets the weight that layer.weight shows, or is refused, since
# assigning to layer.weight does set it.
#
# The reason: layer.weight is computed at each access, so the new numbers are written into a tensor that nobody keeps. The
# documentation says that a weight may be initialised by assigning to it, and not that writing into it is lost.
#
# What follows for users: networks that a paper initialises with a deviation of 0.02 start with PyTorch's default, after a
# change from the older spectral_norm, as PyTorch asks for. Initialise before the normalisation is added, or assign the new
# numbers to layer.weight. The older weight_norm loses them as well.
#
# What was seen, as the deviation of the stored weight of a Conv2d(3, 64, 4) after apply() of init.normal_(layer.weight, 0,
# 0.02):
#   no normalisation, older spectral_norm                                     0.02
#   parametrizations.spectral_norm and weight_norm, older weight_norm         0.08, the default
#   parametrizations.spectral_norm, where init assigns to layer.weight        0.02
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 numpy==2.2.6

cat >"$folder/init.py" <<'PYTHON'
import sys

import torch
from torch.nn.utils import parametrizations, spectral_norm, weight_norm


def write(module):
    if 'Conv' in type(module).__name__:
        torch.nn.init.normal_(module.weight, 0, 0.02)


def assign(module):
    if 'Conv' in type(module).__name__:
        module.weight = torch.randn(module.weight.shape) * 0.02


def deviation(name, add, read, init=write):
    torch.manual_seed(0)
    layer = add(torch.nn.Conv2d(3, 64, 4))
    before = read(layer).clone()
    torch.nn.Sequential(layer).apply(init)
    found = round(read(layer).std().item(), 2), torch.equal(before, read(layer))
    print(f'{name:35} deviation {found[0]}', 'unchanged' if found[1] else 'changed')
    return found


def spectral(layer):
    return layer.parametrizations.weight.original


SET, KEPT = (0.02, False), (0.08, True)
sys.exit(0 if deviation('none', lambda layer: layer, lambda layer: layer.weight) == SET
         and deviation('spectral_norm', spectral_norm, lambda layer: layer.weight_orig) == SET
         and deviation('parametrizations.spectral_norm', parametrizations.spectral_norm, spectral) == KEPT
         and deviation('parametrizations.weight_norm', parametrizations.weight_norm,
                       lambda layer: layer.parametrizations.weight.original1) == KEPT
         and deviation('weight_norm', weight_norm, lambda layer: layer.weight_v) == KEPT
         and deviation('assigned', parametrizations.spectral_norm, spectral, assign) == SET else 1)
PYTHON
OMP_NUM_THREADS=1 CUDA_VISIBLE_DEVICES='' "$folder/venv/bin/python" -W ignore "$folder/init.py"
