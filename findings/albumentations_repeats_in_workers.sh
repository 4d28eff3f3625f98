#!/usr/bin/env bash
# albumentations 2.0.8 (PyPI wheel, the last release under this name) in a DataLoader of torch 2.11.0: with num_workers above 0
# every worker draws the same augmentations, and every epoch draws those of the first one again. Without workers all differ.
#
# The guess before it was run: without a seed each picture gets an augmentation of its own, as with torchvision's transforms.
# PyTorch seeds Python's, numpy's and its own random state in each worker, so the old trap of equal workers is gone.
#
# The reason: a Compose has a generator of its own. A worker is a copy of the process that made the data set, and its generator
# is a copy too. The process itself draws nothing, so the copies of the next epoch start from the same state.
#
# What follows for users: with eight workers and a hundred epochs there are 800 times fewer different augmentations than one
# counts on, and without shuffling each picture looks the same in every epoch. np.random.seed() in a worker_init_fn changes
# nothing; call the Compose's set_random_seed(torch.initial_seed() % 2**32) there. The successor AlbumentationsX repaired it
# (its issue 266).
#
# What was seen, for the brightness of 12 equal pictures, as the count of different ones:
#   no workers                               first epoch 12 of 12, three epochs 36 of 36
#   2 workers                                first epoch  6 of 12, three epochs  6 of 36
#   2 workers, numpy's seed set              first epoch  6 of 12, three epochs  6 of 36
#   2 workers, persistent                    first epoch  6 of 12, three epochs 18 of 36
#   2 workers, set_random_seed               first epoch 12 of 12, three epochs 36 of 36
#   2 workers, torchvision 0.26.0            first epoch 12 of 12, three epochs 36 of 36
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 torchvision==0.26.0 \
  albumentations==2.0.8 albucore==0.0.24 opencv-python-headless==5.0.0.93 numpy==2.2.6 scipy==1.17.1

cat >"$folder/augment.py" <<'PYTHON'
import sys

import albumentations
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, get_worker_info
from torchvision.transforms import v2

PICTURES = 12


class Bright:
    """Floating-point pictures, so that two drawings are equal only where they are the same drawing."""

    def __init__(self):
        self.compose = albumentations.Compose([
            albumentations.RandomBrightnessContrast(brightness_limit=(-0.4, 0.4), contrast_limit=0, p=1)])

    def __call__(self):
        return float(self.compose(image=np.full((2, 2, 3), 0.5, np.float32))['image'][0, 0, 0])


class BrightByTorchvision:
    def __init__(self):
        self.jitter = v2.ColorJitter(brightness=0.4)

    def __call__(self):
        return float(self.jitter(torch.full((3, 2, 2), 0.5))[0, 0, 0])


class Pictures(Dataset):
    def __init__(self, draw):
        self.draw = draw

    def __len__(self):
        return PICTURES

    def __getitem__(self, index):
        return self.draw()


def seed_numpy(worker):
    np.random.seed(torch.initial_seed() % 2**32)


def seed_compose(worker):
    get_worker_info().dataset.draw.compose.set_random_seed(torch.initial_seed() % 2**32)


def count(name, draw, **options):
    loader = DataLoader(Pictures(draw), batch_size=2, **options)
    epochs = [[value for batch in loader for value in batch.tolist()] for _ in range(3)]
    found = len(set(epochs[0])), len(set(sum(epochs, [])))
    print(f'{name:32} first epoch {found[0]:2} of {PICTURES}, three epochs {found[1]:2} of {3 * PICTURES}')
    return found


seen = [count('no workers', Bright()),
        count('2 workers', Bright(), num_workers=2),
        count("2 workers, numpy's seed set", Bright(), num_workers=2, worker_init_fn=seed_numpy),
        count('2 workers, persistent', Bright(), num_workers=2, persistent_workers=True),
        count('2 workers, set_random_seed', Bright(), num_workers=2, worker_init_fn=seed_compose),
        count('2 workers, torchvision', BrightByTorchvision(), num_workers=2)]
sys.exit(0 if seen == [(12, 36), (6, 6), (6, 6), (6, 18), (12, 36), (12, 36)] else 1)
PYTHON
NO_ALBUMENTATIONS_UPDATE=1 "$folder/venv/bin/python" -W ignore "$folder/augment.py"
