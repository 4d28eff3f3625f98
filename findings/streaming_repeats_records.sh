#!/usr/bin/env bash
# mosaicml-streaming 0.13.0 with torch 2.11.0 (PyPI wheels, CPU): with shuffle_algo='py1s' or 'py2s', or with
# num_canonical_nodes=64, one epoch of StreamingDataset delivers some records twice, 28 of 100, in one process on one machine.
# There is no error and no warning.
#
# The guess before it was run: an epoch has each record once, in whatever order the shuffle makes, where one process reads it.
#
# The reason: the records are divided evenly among the canonical nodes, of which these two have 64 for each machine, and where the
# count is not a multiple of their number, records are repeated until it is. The documentation says that the records are divided
# evenly into paths that do not overlap, and that an epoch is as long as there are records.
#
# What follows for users: of a small data set some pictures weigh twice in an epoch, and an evaluation that reads all of the
# set counts them twice. len() of the data set and of its DataLoader do not say so. Keep the default, py1e, or pass
# num_canonical_nodes=1.
#
# What was seen, for batches of 8, without workers and with two of them:
#                                         records   len(dataset)   delivered   of them again
#   py1e, the default                     100       100            100         0
#   py1s, py2s                            100       100            128         28
#   py1s, py2s                            1,000     1,000          1,024       24
#   py1e, num_canonical_nodes=64          100       100            128         28
#   py1s, num_canonical_nodes=1           100       100            100         0
# A DataLoader of 100 records has a length of 13 batches and gives 16.
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 numpy==2.1.3 \
  mosaicml-streaming==0.13.0

cat >"$folder/epoch.py" <<'PYTHON'
import sys

from streaming import MDSWriter, StreamingDataset
from torch.utils.data import DataLoader


def written(count):
    folder = f'records-{count}'
    with MDSWriter(out=folder, columns={'number': 'int'}) as writer:
        for number in range(count):
            writer.write({'number': number})
    return folder


def epoch(folder, workers, **options):
    """The length of the data set and of the loader, the batches, the records, and how many of them came again."""
    dataset = StreamingDataset(local=folder, shuffle=True, batch_size=8, **options)
    loader = DataLoader(dataset, batch_size=8, num_workers=workers)
    batches = [batch['number'].tolist() for batch in loader]
    numbers = [number for batch in batches for number in batch]
    found = len(dataset), len(loader), len(batches), len(numbers), len(numbers) - len(set(numbers))
    print(folder, options, workers, 'workers: length %d and %d, %d batches, %d records, %d again' % found, flush=True)
    return found


if __name__ == '__main__':
    right = True
    small, large = written(100), written(1000)
    for workers in (0, 2):
        for options in ({}, {'shuffle_algo': 'py1s', 'num_canonical_nodes': 1}):
            found = epoch(small, workers, **options)
            right = right and found[0] == 100 and found[3:] == (100, 0)
        for options in ({'shuffle_algo': 'py1s'}, {'shuffle_algo': 'py2s'}, {'num_canonical_nodes': 64}):
            found = epoch(small, workers, **options)
            right = right and found[:2] == (100, 13) and found[3:] == (128, 28) and (workers or found[2] == 16)
            found = epoch(large, workers, **options)
            right = right and found[0] == 1000 and found[3:] == (1024, 24)
    sys.exit(0 if right else 1)
PYTHON
cd "$folder"
OMP_NUM_THREADS=1 CUDA_VISIBLE_DEVICES='' venv/bin/python -W ignore epoch.py
