#!/usr/bin/env bash
# torch 2.11.0 (PyPI wheel, CPU): within one `with torch.autocast(...)` a layer computes with the weights of its first call,
# also after optimizer.step(), load_state_dict() or a change in place. Weights that are a hundred times as large are not
# noticed. There is no error and no warning. With cache_enabled=False, or a region for each call, all are right.
#
# The guess before it was run: the copy of a weight in half precision is made anew when the weight has changed, as autograd
# notices such changes by the version of a tensor.
#
# The documentation says that there is a weight cache, which cache_enabled turns off, and not that it outlives a change. It
# advises against backward passes within a region; generating without any, under torch.no_grad(), has the same fault. Under
# torch.inference_mode() all are right.
#
# What follows for users: where one region holds the step of a discriminator and the step of a generator, the generator is
# trained against the discriminator of before its step, and an average of weights that is loaded within the region generates
# with the weights before it. Close the region before each step, and open one for each set of weights.
#
# What was seen, for a layer whose two weights are 1, and the input 1 1:
#                                                within the region    outside
#   before                                       2                    2
#   after a step of 0.5 for each                 2                    1
#   after load_state_dict of 100                 2                    200
#   after load_state_dict, no_grad               2                    200
#   after load_state_dict, inference_mode        200                  200
#   after both, cache_enabled=False              1, 200               1, 200
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 numpy==2.2.6

cat >"$folder/region.py" <<'PYTHON'
import sys
import warnings

import torch

warnings.simplefilter('error')
ONES = torch.ones(1, 2)


def outputs(**options):
    """What a layer returns before and after its weights change within a region, and outside of it."""
    layer = torch.nn.Linear(2, 1, bias=False)
    torch.nn.init.ones_(layer.weight)
    optimizer = torch.optim.SGD(layer.parameters(), 0.5)
    found = []
    with torch.autocast('cpu', torch.bfloat16, **options):
        output = layer(ONES)
        output.sum().backward()
        optimizer.step()
        found += [output.item(), layer(ONES).item()]
        with torch.autocast('cpu', enabled=False):
            found.append(layer(ONES).item())
        layer.load_state_dict({'weight': torch.full((1, 2), 100.0)})
        found.append(layer(ONES).item())
    found.append(layer(ONES).item())
    print(options, found)
    return found


def generated(mode):
    """What a layer returns before and after its weights change within a region that trains nothing, and outside of it."""
    layer = torch.nn.Linear(2, 1, bias=False)
    torch.nn.init.ones_(layer.weight)
    with mode():
        with torch.autocast('cpu', torch.bfloat16):
            found = [layer(ONES).item()]
            layer.load_state_dict({'weight': torch.full((1, 2), 100.0)})
            found.append(layer(ONES).item())
        found.append(layer(ONES).item())
    print(mode.__name__, found)
    return found


trained = outputs() == [2, 2, 1, 2, 200] and outputs(cache_enabled=False) == [2, 1, 1, 200, 200]
sys.exit(0 if generated(torch.no_grad) == [2, 2, 200] and generated(torch.inference_mode) == [2, 200, 200] and trained else 1)
PYTHON
OMP_NUM_THREADS=1 CUDA_VISIBLE_DEVICES='' "$folder/venv/bin/python" "$folder/region.py"
