#!/usr/bin/env bash
# Exponential moving averages of weights (what GANs and diffusion models generate with) of the same decay differ widely
# between libraries, with the default arguments:
#   torch 2.15.0, AveragedModel with get_ema_multi_avg_fn(0.999), and timm 1.0.31, ModelEmaV3: the average itself
#   ema-pytorch 0.8.3, EMA: averages in every tenth update only, and copies the weights in the first hundred
#   torch-ema 0.3 and diffusers 0.42.1, EMAModel: the decay of update n is at most (1 + n) / (10 + n), although diffusers'
#   use_ema_warmup is False
#
# The guess before it was run: the same decay gives the same average, but for the first value; a warm-up is what an
# argument of that name switches on.
#
# What follows for users: a decay that is copied from a paper or from another program averages over another number of
# updates. Below, 632, 499 and 100 of them. The last two behave like the average itself only after about 9,000 updates at a
# decay of 0.999, and after 90,000 at 0.9999, which many GAN trainings do not reach.
#
# What was seen, for one weight that is n after update n, after 1,000 updates with a decay of 0.999:
#   by hand                368.3
#   torch AveragedModel    368.7
#   timm ModelEmaV3        368.3
#   ema-pytorch            501.4
#   torch-ema              899.9
#   diffusers              900.0
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 3 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.15.0 numpy==2.4.6 ema-pytorch==0.8.3 \
  torch-ema==0.3 timm==1.0.31 diffusers==0.42.1

cat >"$folder/average.py" <<'PYTHON'
import sys

import torch
from diffusers.training_utils import EMAModel
from ema_pytorch import EMA
from timm.utils import ModelEmaV3
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch_ema import ExponentialMovingAverage

UPDATES, DECAY = 1000, 0.999


def weight():
    model = torch.nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(0)
    return model


def after(model, update):
    for n in range(1, UPDATES + 1):
        model.weight.data.fill_(n)
        update()


def by_torch(model):
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(DECAY))
    after(model, lambda: average.update_parameters(model))
    return average.module.weight.item()


def by_timm(model):
    average = ModelEmaV3(model, decay=DECAY)
    after(model, lambda: average.update(model))
    return average.module.weight.item()


def by_ema_pytorch(model):
    average = EMA(model, beta=DECAY)
    after(model, average.update)
    return average.ema_model.weight.item()


def by_torch_ema(model):
    average = ExponentialMovingAverage(model.parameters(), decay=DECAY)
    after(model, average.update)
    average.copy_to()
    return model.weight.item()


def by_diffusers(model):
    average = EMAModel(model.parameters(), decay=DECAY)
    after(model, lambda: average.step(model.parameters()))
    average.copy_to(model.parameters())
    return model.weight.item()


by_hand = 0.0
for n in range(1, UPDATES + 1):
    by_hand += (1 - DECAY) * (n - by_hand)
found = {'by hand': by_hand, 'torch': by_torch(weight()), 'timm': by_timm(weight()), 'ema-pytorch': by_ema_pytorch(weight()),
         'torch-ema': by_torch_ema(weight()), 'diffusers': by_diffusers(weight())}
found = {name: round(value, 1) for name, value in found.items()}
print(found)
sys.exit(0 if list(found.values()) == [368.3, 368.7, 368.3, 501.4, 899.9, 900.0] else 1)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/average.py" 2>/dev/null
