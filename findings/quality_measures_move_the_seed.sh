#!/usr/bin/env bash
# Some measures of quality draw from the global random state, so measuring changes what is trained afterwards: a run that is
# measured every 100 steps and one that is measured every 200 steps have other latents and other weights.
#   torchmetrics 1.9.0: KernelInceptionDistance and InceptionScore (PyTorch's state), not FrechetInceptionDistance
#   piq 0.8.0: KID (PyTorch's state) and MSID (numpy's state), not FID, IS and PR
#   clean-fid 0.1.35: kernel_distance (numpy's state)
#
# The guess before it was run: a measure reads images and changes nothing; what it draws comes from a generator of its own.
#
# What follows for users: two runs with one seed are comparable only if they are measured at the same steps, and the measure
# itself is not repeatable. Wrap it: with torch.random.fork_rng(): for PyTorch's; save numpy.random.get_state() for numpy's.
#
# What was seen:
#   torchmetrics FID   torch kept      numpy kept
#   torchmetrics KID   torch changed   numpy kept
#   torchmetrics IS    torch changed   numpy kept
#   piq FID, IS, PR    torch kept      numpy kept
#   piq KID            torch changed   numpy kept
#   piq MSID           torch kept      numpy changed
#   clean-fid KID      torch kept      numpy changed
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 torchvision==0.26.0 \
  numpy==2.2.6 torchmetrics==1.9.0 piq==0.8.0 clean-fid==0.1.35

cat >"$folder/measure.py" <<'PYTHON'
import sys

import numpy as np
import piq
import torch
from cleanfid.fid import kernel_distance
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance


class Pixels(torch.nn.Module):
    """Eight pixels as features; the inception network would have to be downloaded."""
    num_features = 8

    def forward(self, images):
        return images.float().flatten(1)[:, :8] / 255


torch.manual_seed(0)
images = torch.randint(0, 256, (40, 3, 8, 8), dtype=torch.uint8)
features = torch.rand(40, 8)


def distance(kind, **options):
    def measure():
        metric = kind(feature=Pixels(), **options)
        metric.update(images, real=True)
        metric.update(images.flip(0), real=False)
        metric.compute()
    return measure


def score():
    metric = InceptionScore(feature=Pixels())
    metric.update(images)
    metric.compute()


def moved(name, measure):
    before, numpys = torch.random.get_rng_state(), np.random.get_state()
    measure()
    after = np.random.get_state()
    found = (not torch.equal(before, torch.random.get_rng_state()),
             not (np.array_equal(numpys[1], after[1]) and numpys[2] == after[2]))
    print(f'{name:20}', *(f'{state} {"changed" if changed else "kept":8}' for state, changed in zip(('torch', 'numpy'), found)))
    return found


array = features.numpy()
seen = [moved('torchmetrics FID', distance(FrechetInceptionDistance, input_img_size=(3, 8, 8))),
        moved('torchmetrics KID', distance(KernelInceptionDistance, subset_size=10, subsets=3)),
        moved('torchmetrics IS', score),
        moved('piq FID', lambda: piq.FID()(features, features.flip(0))),
        moved('piq IS', lambda: piq.IS()(features, features.flip(0))),
        moved('piq PR', lambda: piq.PR()(features, features.flip(0))),
        moved('piq KID', lambda: piq.KID()(features, features.flip(0))),
        moved('piq MSID', lambda: piq.MSID()(features, features.flip(0))),
        moved('clean-fid KID', lambda: kernel_distance(array, array[::-1]))]
kept, torchs, numpys = (False, False), (True, False), (False, True)
sys.exit(0 if seen == [kept, torchs, torchs, kept, kept, kept, torchs, numpys, numpys] else 1)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/measure.py"
