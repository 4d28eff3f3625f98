#!/usr/bin/env bash
# webdataset 1.0.2 (PyPI wheel): WebDataset(shards, shardshuffle=100) reads the shards in the same order in every epoch of a process,
# also without a seed. with_epoch(n) starts at the first shard of that order each time. Of a set that is longer than n samples the
# rest is never read, however long the training, without an error or a warning.
#
# The guess before it was run: the shards are shuffled anew in each epoch, as a shuffle without a seed does; and with_epoch
# cuts a stream into pieces, so the next one goes on where the last one ended, at least behind repeat().
#
# The reason: where no seed is given, the constructor draws one, and the stage that shuffles shards starts a generator from it in
# every epoch. Only detshuffle=True adds the number of the epoch. with_epoch makes a new iterator of everything before it.
#
# What follows for users: shuffle(n) mixes neighbouring shards only, so the same pictures meet in the same part of every epoch. With
# the usual recipe for distributed training, with_epoch(samples per rank), a part of the data is missing without notice
# where there are more samples than expected. Pass detshuffle=True, in a DataLoader with workers together with
# persistent_workers=True, because new workers count epochs from the start again (issue 172 of webdataset); or resampled=True
# with with_epoch. A correction has been proposed (pull request 502).
#
# What was seen, for 20 shards of 10 samples, 20 epochs, and a buffer of 20 samples in shuffle:
#                                            orders of shards   samples ever read, of 200
#   shardshuffle=100                                1           200
#   the same, detshuffle=True                      20           200
#   shardshuffle=100, with_epoch(100)               1           100
#   with shuffle(20), with_epoch(100)                           about 118
#   with shuffle(20), repeat(), with_epoch(100)                 about 118
#   detshuffle=True, shuffle(20), with_epoch(100)               200
#   resampled=True, shuffle(20), with_epoch(100)                200
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 20 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile webdataset==1.0.2 braceexpand==0.1.7 \
  numpy==2.4.6 pyyaml==6.0.4

cat >"$folder/read.py" <<'PYTHON'
import io
import sys
import tarfile

from webdataset import WebDataset

SHARDS, IN_EACH, EPOCHS = 20, 10, 20
URLS = [f'{shard:02}.tar' for shard in range(SHARDS)]

for shard, path in enumerate(URLS):
    with tarfile.open(path, 'w') as tar:
        for number in range(shard * IN_EACH, (shard + 1) * IN_EACH):
            data = str(number).encode()
            entry = tarfile.TarInfo(f'{number:04}.cls')
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))


def read(name, data):
    """The count of different orders of the shards, and of samples that any epoch delivered."""
    epochs = [[int(sample['cls']) for sample in data] for _ in range(EPOCHS)]
    orders = {tuple(dict.fromkeys(number // IN_EACH for number in epoch)) for epoch in epochs}
    found = len(orders), len(set(sum(epochs, [])))
    print(f'{name:45} orders of shards {found[0]:2}   samples ever read {found[1]:3} of {SHARDS * IN_EACH}')
    return found


def shuffled(**options):
    return WebDataset(URLS, shardshuffle=100, **options)


whole = [read('shardshuffle', shuffled()), read('shardshuffle, made again', shuffled()),
         read('shardshuffle, detshuffle', shuffled(detshuffle=True))]
half = [read('shardshuffle, with_epoch', shuffled().with_epoch(100)),
        read('shardshuffle, shuffle, with_epoch', shuffled().shuffle(20).with_epoch(100)),
        read('shardshuffle, shuffle, repeat, with_epoch', shuffled().shuffle(20).repeat().with_epoch(100)),
        read('detshuffle, shuffle, with_epoch', shuffled(detshuffle=True).shuffle(20).with_epoch(100)),
        read('resampled, shuffle, with_epoch',
             WebDataset(URLS, shardshuffle=False, resampled=True).shuffle(20).with_epoch(100))]
sys.exit(0 if whole == [(1, 200), (1, 200), (20, 200)] and half[0] == (1, 100) and max(half[1][1], half[2][1]) < 140
         and half[3][1] == half[4][1] == 200 else 1)
PYTHON
cd "$folder"
venv/bin/python -W ignore read.py
