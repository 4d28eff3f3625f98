#!/usr/bin/env bash
# Lightning 2.6.6 (PyPI wheel, torch 2.11.0, CPU): in a GAN with two optimizers, max_steps=100 ends after 50 batches. The numbers in
# the names of checkpoints count the updates of both networks, and the steps of the logged numbers count batches.
#
# The guess before it was run: a step is a batch, as in the log; or at least one number means the same everywhere.
#
# The reason: trainer.global_step counts the calls of step() of all optimizers, and max_steps and ModelCheckpoint use it. The
# loggers are given the count of batches. The documentation of global_step says so, that of max_steps does not.
#
# What follows for users: a GAN trains half as long as a paper with the same number of steps, or a sixth with five updates of the
# discriminator per update of the generator. Whoever reads in the log that the distance was best at step 49 and loads the
# checkpoint of step 50 gets the weights after batch 25; those of step 49 are in the one of step 100. Multiply max_steps and
# every_n_train_steps by the updates per batch, and put the count of batches into the name of a checkpoint by logging it.
#
# What was seen, with max_steps=100 and every_n_train_steps=50, where the loss of batch n, from 1, is n:
#                                    one optimizer          two optimizers
#   batches                          100                    50
#   checkpoints, with their batch    step=50: 50            step=50: 25
#                                    step=100: 100          step=100: 50
#   log, step: loss                  49: 50, 99: 100        49: 50
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 numpy==2.2.6 lightning==2.6.6

cat >"$folder/train.py" <<'PYTHON'
import csv
import logging
import pathlib
import sys

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger

logging.getLogger('lightning.pytorch').setLevel(logging.ERROR)


class Gan(lightning.LightningModule):
    """Networks of one number each, and the count of batches as a part of the weights."""

    def __init__(self, networks):
        super().__init__()
        self.automatic_optimization = False
        self.networks = torch.nn.ModuleList(torch.nn.Linear(1, 1) for _ in range(networks))
        self.register_buffer('batches', torch.zeros(()))

    def configure_optimizers(self):
        return [torch.optim.SGD(network.parameters(), 0.1) for network in self.networks], []

    def training_step(self, batch, index):
        self.batches += 1
        optimizers = self.optimizers() if len(self.networks) > 1 else [self.optimizers()]
        for optimizer, network in zip(optimizers, self.networks):
            optimizer.zero_grad()
            self.manual_backward(network(batch).mean())
            optimizer.step()
        self.log('loss', self.batches.clone())


def train(networks):
    gan, folder = Gan(networks), pathlib.Path(f'run{networks}')
    trainer = lightning.Trainer(
        max_steps=100, log_every_n_steps=50, accelerator='cpu', enable_progress_bar=False, enable_model_summary=False,
        logger=CSVLogger(folder, name='', version=''),
        callbacks=[ModelCheckpoint(folder, '{step}', every_n_train_steps=50, save_top_k=-1)])
    trainer.fit(gan, torch.utils.data.DataLoader(torch.randn(1000, 1), batch_size=1))
    saved = {path.stem: int(torch.load(path, weights_only=True)['state_dict']['batches'])
             for path in sorted(folder.glob('*.ckpt'))}
    logged = {int(row['step']): float(row['loss']) for row in csv.DictReader(open(folder / 'metrics.csv'))}
    found = int(gan.batches), saved, logged
    print(f'{networks} optimizers: {found[0]} batches, checkpoints {saved}, log {logged}')
    return found


seen = [train(1), train(2)]
sys.exit(0 if seen == [(100, {'step=50': 50, 'step=100': 100}, {49: 50, 99: 100}),
                       (50, {'step=50': 25, 'step=100': 50}, {49: 50})] else 1)
PYTHON
cd "$folder"
venv/bin/python -W ignore train.py 2>/dev/null
