#!/usr/bin/env bash
# torch 2.11.0 (PyPI wheel, CPU): Adam, AdamW, SGD and Adagrad with fused=True give weights wrong updates, without an error or a
# warning, when a weight and its optimizer state or its gradient do not lie in memory in the same order. A usual way there: a run
# is resumed with the network in channels-last order, and its checkpoint was written without it.
#
# The guess before it was run: the memory format changes the speed and not the numbers, as everywhere else in PyTorch. On a GPU
# the fused kernels refuse strides that differ.
#
# The reason: the kernels on the CPU pair the numbers of weight, gradient and moments as they lie in memory and never look at the
# strides. load_state_dict() of an optimizer moves its state to the device and the type of the weight but not to its order. The
# kernels do make a contiguous copy of the gradient, and do not use it: in channels-last order that alone is a few per cent of a
# training step of a DCGAN.
#
# What follows for users: with fused=True on a CPU convert the network before the optimizer is made, and resume with the order of
# the first run, or convert the state as well: state['exp_avg'].contiguous(memory_format=torch.channels_last), and so on.
#
# What was seen: the largest error of a weight of the first convolution after two steps, a resume in channels-last order and three
# more steps, as a fraction of the longest way that one of them has gone since the beginning:
#   optimizer   fused=False   fused=True
#   Adam            1.7e-07         0.70
#   AdamW           3.4e-07         0.70
#   SGD             0.0e+00         0.14
#   Adagrad         5.7e-07         0.24
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 numpy==2.2.6

cat >"$folder/resume.py" <<'PYTHON'
import copy
import sys

import torch

LAST, FIRST = torch.channels_last, torch.contiguous_format


def network():
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Conv2d(3, 8, 4, stride=2, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(8, 8, 3, padding=1))


def steps(model, optimizer, count, order):
    for i in range(count):
        images = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(i)).contiguous(memory_format=order)
        optimizer.zero_grad()
        model(images).square().mean().backward()
        optimizer.step()


def resumed(make, order):
    """Weights of five steps, of which the last three follow a resume from a checkpoint, with the network in `order`."""
    model = network()
    optimizer = make(model.parameters())
    steps(model, optimizer, 2, FIRST)
    saved = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
    model = network().to(memory_format=order)
    optimizer = make(model.parameters())
    model.load_state_dict(saved[0])
    optimizer.load_state_dict(saved[1])
    steps(model, optimizer, 3, order)
    return model[0].weight.detach()


found = []
for name, options in (('Adam', {}), ('AdamW', {}), ('SGD', {'momentum': 0.9}), ('Adagrad', {})):
    make = lambda parameters, fused: getattr(torch.optim, name)(parameters, lr=0.01, fused=fused, **options)
    moved = (resumed(lambda p: make(p, False), FIRST) - network()[0].weight.detach()).abs().max()
    row = [((resumed(lambda p: make(p, fused), LAST) - resumed(lambda p: make(p, False), FIRST)).abs().max() / moved).item()
           for fused in (False, True)]
    found.append(row)
    print(f'{name:8} unfused {row[0]:.1e}  fused {row[1]:.2f}')
sys.exit(0 if all(plain < 1e-3 and fused > 0.1 for plain, fused in found) else 1)
PYTHON
OMP_NUM_THREADS=1 "$folder/venv/bin/python" -W ignore "$folder/resume.py"
