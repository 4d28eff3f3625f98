#!/usr/bin/env bash
# accelerate 1.15.0 with torch 2.11.0 (PyPI wheels, CPU): in a GAN with gradient_accumulation_steps=2 and one accumulate() for each
# network, the discriminator is updated once per epoch and the generator in every batch, without an error or a warning.
#
# The guess before it was run: accumulate(model) counts for the model that it is given, so each network is updated in every second
# batch.
#
# The reason: the Accelerator has one counter, and every accumulate() adds one to it, whatever it is given. With two per batch and
# an even number of steps the first one never meets the right count. It is updated only at the last batch of an epoch, where
# accelerate updates in any case, with the sum of all gradients since the last time.
#
# What follows for users: the losses look alive, and the discriminator hardly learns. With three steps each network is updated as
# often as one wants, though with gradients of other batches than the other. Enclose both parts in one
# accumulate(discriminator, generator).
#
# What was seen, as updates in an epoch of 12 batches:
#   gradient_accumulation_steps             1    2    3    4
#   discriminator, own accumulate()        12    1    5    1
#   generator, own accumulate()            12   12    4    6
#   discriminator, one accumulate()        12    6    4    3
#   generator, one accumulate()            12    6    4    3
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 numpy==2.2.6 accelerate==1.15.0

cat >"$folder/accumulate.py" <<'PYTHON'
import contextlib
import sys

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState

BATCHES = 12


def updates(steps, together):
    """How often the discriminator and the generator change in one epoch."""
    AcceleratorState._reset_state(True)
    GradientState._reset_state()
    accelerator = Accelerator(gradient_accumulation_steps=steps, cpu=True)
    generator, discriminator = torch.nn.Linear(2, 2), torch.nn.Linear(2, 1)
    network = [(discriminator, torch.optim.SGD(discriminator.parameters(), 0.1)),
               (generator, torch.optim.SGD(generator.parameters(), 0.1))]
    data = torch.utils.data.DataLoader(torch.randn(BATCHES, 2), batch_size=1)
    discriminator, generator, *optimizers, data = accelerator.prepare(discriminator, generator, network[0][1], network[1][1], data)
    changes = [0, 0]

    def part(number, loss, scope):
        model = (discriminator, generator)[number]
        before = model.weight.detach().clone()
        with scope:
            accelerator.backward(loss())
            optimizers[number].step()
            optimizers[number].zero_grad()
        changes[number] += not torch.equal(before, model.weight)

    for real in data:
        def scope(*models):
            return contextlib.nullcontext() if together else accelerator.accumulate(*models)
        with accelerator.accumulate(discriminator, generator) if together else contextlib.nullcontext():
            part(0, lambda: discriminator(generator(real).detach()).mean() - discriminator(real).mean(), scope(discriminator))
            part(1, lambda: -discriminator(generator(real)).mean(), scope(generator))
    return tuple(changes)


print('gradient_accumulation_steps:', *range(1, 5))
apart = [updates(steps, False) for steps in range(1, 5)]
together = [updates(steps, True) for steps in range(1, 5)]
for name, found in (('own accumulate()', apart), ('one accumulate()', together)):
    print('discriminator,', name, *(pair[0] for pair in found))
    print('generator,    ', name, *(pair[1] for pair in found))
sys.exit(0 if apart == [(12, 12), (1, 12), (5, 4), (1, 6)] and together == [(12, 12), (6, 6), (4, 4), (3, 3)] else 1)
PYTHON
OMP_NUM_THREADS=1 "$folder/venv/bin/python" -W ignore "$folder/accumulate.py"
