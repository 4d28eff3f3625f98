#!/usr/bin/env bash
# Lightning 2.6.6 (PyPI wheel), callback EMAWeightAveraging: in a GAN with two optimizers the average of the weights is never updated if
# update_every_n_steps is even, and after training the model holds the weights from before training. There is no error and no warning.
#
# The guess before it was run: update_every_n_steps=10 updates the average in every tenth step, so the averaged model is near the
# trained one.
#
# The reason: the callback updates after a batch if (global_step - 1) is a multiple of the number. Each call of an optimizer's step()
# adds one to global_step, so with two optimizers it is even after every batch, and no even number divides an odd one. When
# training ends, the callback copies its average into the model.
#
# What follows for users: the generator that is saved, sampled or measured after training is an untrained one. Take an odd number,
# such as 1 or 11, or a callback of your own that counts batches.
#
# What was seen after 100 batches, as the mean change of the generator's weights since the start (1.059 without the callback):
#   update_every_n_steps           1      2      5      10     50
#   one network, one optimizer     1.059  1.059  1.059  1.057  0.636
#   two networks, two optimizers   1.059  0      1.059  0      0
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile lightning==2.6.6 torch==2.11.0 numpy==2.4.6

cat >"$folder/average.py" <<'PYTHON'
import logging
import sys
import warnings

import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import EMAWeightAveraging

warnings.filterwarnings('ignore', message='.*(num_workers|GPU|TPU|dataloader).*')
logging.getLogger('lightning.pytorch').setLevel(logging.ERROR)


class Gan(LightningModule):
    """Each network makes or judges one number; both are updated in every batch, as in Lightning's documentation of GANs."""

    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.generator, self.discriminator = torch.nn.Linear(4, 1), torch.nn.Linear(1, 1)

    def configure_optimizers(self):
        return [torch.optim.SGD(network.parameters(), 0.02) for network in (self.generator, self.discriminator)]

    def training_step(self, batch, _):
        of_generator, of_discriminator = self.optimizers()
        fake = self.generator(torch.ones(len(batch[0]), 4))
        for optimizer, loss in ((of_discriminator, self.discriminator(fake.detach()).mean() - self.discriminator(batch[0]).mean()),
                                (of_generator, (fake - 5).square().mean())):
            optimizer.zero_grad()
            self.manual_backward(loss)
            optimizer.step()


class OneNetwork(Gan):
    """The generator alone, with one optimizer."""

    def configure_optimizers(self):
        return torch.optim.SGD(self.generator.parameters(), 0.02)

    def training_step(self, batch, _):
        optimizer = self.optimizers()
        optimizer.zero_grad()
        self.manual_backward((self.generator(torch.ones(len(batch[0]), 4)) - 5).square().mean())
        optimizer.step()


def change(kind, every):
    seed_everything(1, verbose=False)
    model = kind()
    before = model.generator.weight.detach().clone()
    callbacks = [] if every is None else [EMAWeightAveraging(decay=0.5, update_every_n_steps=every)]
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(400, 1)), batch_size=4)
    Trainer(max_epochs=1, accelerator='cpu', logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, callbacks=callbacks).fit(model, data)
    return float((model.generator.weight.detach() - before).abs().mean())


seen = {}
for kind in (OneNetwork, Gan):
    for every in (None, 1, 2, 5, 10, 50):
        seen[kind, every] = change(kind, every)
        print(f'{kind.__name__:10}  update_every_n_steps={every!s:4}  change {seen[kind, every]:.3f}')
right = all(seen[OneNetwork, every] > 0.1 for every in (None, 1, 2, 5, 10, 50))
right = right and all(seen[Gan, every] > 0.1 for every in (None, 1, 5)) and all(seen[Gan, every] == 0 for every in (2, 10, 50))
sys.exit(0 if right else 1)
PYTHON
cd "$folder"
venv/bin/python -W error::UserWarning:lightning.pytorch.callbacks average.py
