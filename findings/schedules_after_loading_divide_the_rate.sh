#!/usr/bin/env bash
# PyTorch 2.11.0 (PyPI wheel, CPU): a resumed training whose schedule has a warm-up goes on with a tenth of its learning rate, or
# less, to its end, although the states of optimizer and schedule were saved and loaded. It happens where the schedule is made
# after the optimizer's state was loaded. There is no error and no warning.
#
# The guess before it was run: load_state_dict of both puts everything back, in whatever order; a wrong rate would be put right
# in the next step, as a schedule computes the rate from its count of steps.
#
# The reason: making a schedule sets the optimizer's rate to that of step 0, here to a tenth of the one that was loaded. The
# schedule's load_state_dict does not touch the optimizer, and LinearLR, ConstantLR and most others multiply the rate that
# they find. LambdaLR, OneCycleLR and CosineAnnealingWarmRestarts compute it anew and recover. The documentation of
# Optimizer.load_state_dict warns that a schedule that is made later overwrites the rate.
#
# What follows for users: the loss goes on smoothly, so nobody looks. In a GAN in which only one network has a warm-up, the balance
# shifts with the resume. Make optimizers and schedules first and load all states afterwards, and compare
# param_groups[0]['lr'] before and after.
#
# What was seen, for a rate of 0.001, resumed after 50 steps, as the rate of step 51 by that of the uninterrupted training:
#                                    made before   made after   optimizer's state not loaded
#   LinearLR from a tenth, 10 steps       1            0.1          0.1
#   ConstantLR of a tenth, 10 steps       1            0.1          0.1
#   warm-up, then cosine (SequentialLR)   1            0.17         0.17
#   warm-up and decay (ChainedScheduler)  1            0.1          0.17
#   CosineAnnealingLR                     1            1            2
#   StepLR                                1            1            32
#   LambdaLR                              1            1            1
#   OneCycleLR                            1            1            1
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
from torch.optim import lr_scheduler as lr

STEPS = 50


def warm_up(optimizer):
    return lr.LinearLR(optimizer, 0.1, 1.0, total_iters=10)


SCHEDULES = {
    'LinearLR': warm_up,
    'ConstantLR': lambda optimizer: lr.ConstantLR(optimizer, 0.1, total_iters=10),
    'SequentialLR': lambda optimizer: lr.SequentialLR(optimizer, [warm_up(optimizer), lr.CosineAnnealingLR(optimizer, 90)], [10]),
    'ChainedScheduler': lambda optimizer: lr.ChainedScheduler([warm_up(optimizer), lr.ExponentialLR(optimizer, 0.99)]),
    'CosineAnnealingLR': lambda optimizer: lr.CosineAnnealingLR(optimizer, 100),
    'StepLR': lambda optimizer: lr.StepLR(optimizer, 10, 0.5),
    'LambdaLR': lambda optimizer: lr.LambdaLR(optimizer, lambda step: 1 - step / 100),
    'OneCycleLR': lambda optimizer: lr.OneCycleLR(optimizer, 1e-2, total_steps=100),
}


def adam():
    return torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], 1e-3)


def rate_after(steps, optimizer, schedule):
    for _ in range(steps):
        optimizer.step()
        schedule.step()
    return optimizer.param_groups[0]['lr']


def resumed(make, states, when):
    optimizer_state, schedule_state = copy.deepcopy(states)
    optimizer = adam()
    if when == 'after':
        optimizer.load_state_dict(optimizer_state)
    schedule = make(optimizer)
    if when == 'before':
        optimizer.load_state_dict(optimizer_state)
    schedule.load_state_dict(schedule_state)
    return rate_after(1, optimizer, schedule)


def compare(name, make):
    optimizer = adam()
    schedule = make(optimizer)
    rate_after(STEPS, optimizer, schedule)
    states = copy.deepcopy((optimizer.state_dict(), schedule.state_dict()))
    right = rate_after(1, optimizer, schedule)
    found = [float(f'{resumed(make, states, when) / right:.2g}') for when in ('before', 'after', 'not loaded')]
    print(f'{name:18} made before {found[0]:4g}   after {found[1]:4g}   not loaded {found[2]:4g}')
    return found


seen = [compare(name, make) for name, make in SCHEDULES.items()]
sys.exit(0 if seen == [[1, 0.1, 0.1], [1, 0.1, 0.1], [1, 0.17, 0.17], [1, 0.1, 0.17], [1, 1, 2], [1, 1, 32], [1, 1, 1],
                       [1, 1, 1]] else 1)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/resume.py"
