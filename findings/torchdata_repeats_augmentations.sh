#!/usr/bin/env bash
# torchdata 0.11.0 with torch 2.11.0 (PyPI wheels, CPU): a StatefulDataLoader that is resumed in the middle of an epoch goes on with the
# right records, also in later epochs, and draws the augmentations of the epoch's first batches again. There is no error and no warning.
#
# The guess before it was run: what comes after load_state_dict() equals what an uninterrupted run would have got, since the state
# holds all of the loader, the random states of the shuffle and of the workers among it.
#
# The reason: the state has the generator of the shuffle. What a record draws comes from the state of the process, which is that of a new
# one: of the main process without workers, and of each worker, which is seeded when it starts.
#
# What follows for users: a training that is stopped and resumed every few hours sees some crops and flips more often than others, and
# a resumed run cannot be compared with one that was not stopped. Draw each augmentation from a generator that is seeded with the
# seed of the run, the epoch and the number of the record.
#
# What was seen, for an epoch of eight batches that was stopped after three, and resumed in a loader with the same seed:
#                                                      num_workers=0    num_workers=2
#   records of the rest of the epoch, and of the next   equal            equal
#   drawings of torch.rand in the rest of the epoch     differ           differ
#   they are those of earlier batches of the epoch      yes              yes
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 numpy==2.2.6 torchdata==0.11.0

cat >"$folder/resume.py" <<'PYTHON'
import sys

import torch
from torch.utils.data import Dataset
from torchdata.stateful_dataloader import StatefulDataLoader


class Pictures(Dataset):
    """Each record is its number and what its augmentation drew."""

    def __len__(self):
        return 32

    def __getitem__(self, number):
        return number, float(torch.rand(()))


def loader(workers):
    torch.manual_seed(0)
    return StatefulDataLoader(Pictures(), batch_size=4, shuffle=True, num_workers=workers)


def numbers(batches):
    return [number for batch in batches for number in batch[0].tolist()]


def drawings(batches):
    return [drawing for batch in batches for drawing in batch[1].tolist()]


def resumed(workers):
    """Whether the records are equal, whether the drawings are, and how many of those drawings the epoch had before it was stopped."""
    whole = loader(workers)
    epoch, following = list(whole), list(whole)
    stopped = loader(workers)
    batches = iter(stopped)
    before = [next(batches) for _ in range(3)]
    state = stopped.state_dict()
    again = loader(workers)
    again.load_state_dict(state)
    rest, after = list(again), list(again)
    records = numbers(before + rest) == numbers(epoch) and numbers(after) == numbers(following)
    repeated = len(set(drawings(rest)) & set(drawings(before)))
    print(f'workers {workers}: records equal {records}, drawings equal {drawings(rest) == drawings(epoch[3:])},',
          f'{repeated} of the first 12 drawings come again')
    assert drawings(before) == drawings(epoch[:3])
    return records, drawings(rest) == drawings(epoch[3:]), repeated == 12


sys.exit(0 if resumed(0) == resumed(2) == (True, False, True) else 1)
PYTHON
OMP_NUM_THREADS=1 "$folder/venv/bin/python" "$folder/resume.py"
