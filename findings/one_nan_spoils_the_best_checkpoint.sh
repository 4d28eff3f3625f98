#!/usr/bin/env bash
# Ignite 0.5.5 and timm 1.0.31 with torch 2.11.0 (PyPI wheels, CPU): where one score is NaN, the best checkpoint is not kept any
# more, without an error or a warning.
#   Ignite, Checkpoint: a NaN in the first measurement is kept for ever; where it keeps one, no later checkpoint is saved.
#   Ignite, EarlyStopping: a NaN counts as the best score. A training that only yields NaN is never stopped.
#   timm, CheckpointSaver: after a NaN in the first measurement model_best stays that of the first epoch. A later NaN can end all
#   saving, also of model_best, which depends on how many are kept.
#
# The guess before it was run: a NaN is the worst of all scores, so any number replaces it, and it never counts as progress.
#
# The reason: comparisons with NaN are false, and sorting with NaN leaves numbers in the wrong places. A score is saved where
# it is better than the worst one that is kept, and nothing is better than NaN.
#
# What follows for users: a distance is NaN where the covariance of few pictures is singular, often in the first measurement. The
# folder then holds the untrained network under the name of the best one. Give minus infinity as the score instead of NaN.
#
# What was seen, for a distance that falls from epoch to epoch, as the epochs that are kept; the last one is the best:
#                                     distances by epoch      kept
#   Ignite, n_saved=1                 50  40  30  20          4
#   Ignite, n_saved=1                 NaN 40  30  20          1
#   Ignite, n_saved=2                 NaN 40  30  20          1 2
#   Ignite, n_saved=2                 50  NaN 30  20  10      2 3
#   timm, max_history=2               50  40  30  20          3 4, model_best 4
#   timm, max_history=2               NaN 40  30  20          1 4, model_best 1
#   timm, max_history=2               50  NaN 30  20  10      1 2, model_best 1
#   timm, max_history=3               50  40  NaN 30  20  10  1 2 3, model_best 2
#   Ignite, EarlyStopping             50  60  70  80  ...     stops after epoch 3
#   the same, patience 2              50  NaN NaN NaN ...     does not stop in 100 epochs
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 torchvision==0.26.0 numpy==2.2.6 \
  pytorch-ignite==0.5.5 timm==1.0.31

cat >"$folder/keep.py" <<'PYTHON'
import math
import os
import sys
import tempfile

import torch
from ignite.engine import Engine
from ignite.handlers import Checkpoint, DiskSaver, EarlyStopping
from timm.utils import CheckpointSaver

NAN = math.nan


def ignite(kept, *distances):
    """The epochs whose checkpoints are in the folder at the end."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(lambda engine, batch: None)
        handler = Checkpoint({'generator': torch.nn.Linear(1, 1)}, DiskSaver(folder), n_saved=kept,
                             filename_pattern='{global_step}.{ext}',
                             score_function=lambda engine: -distances[engine.state.epoch - 1],
                             global_step_transform=lambda engine, event: engine.state.epoch)
        for epoch in range(1, len(distances) + 1):
            engine.state.epoch = epoch
            handler(engine)
        return sorted(int(name.split('.')[0]) for name in os.listdir(folder))


def timm(kept, *distances):
    """The epoch of model_best, and the epochs that are kept."""
    with tempfile.TemporaryDirectory() as folder:
        generator = torch.nn.Linear(1, 1)
        saver = CheckpointSaver(generator, torch.optim.SGD(generator.parameters(), 0.1), checkpoint_dir=folder, recovery_dir=folder,
                                decreasing=True, max_history=kept)
        for epoch, distance in enumerate(distances, 1):
            saver.save_checkpoint(epoch, distance)
        best = torch.load(os.path.join(folder, 'model_best.pth.tar'), weights_only=False)['epoch']
        kept_epochs = sorted(int(name.split('-')[1].split('.')[0]) for name in os.listdir(folder) if name.startswith('checkpoint-'))
        return best, kept_epochs


def stops_after(*distances):
    """The count of measurements after which EarlyStopping ends the training, or None."""
    trainer, now = Engine(lambda engine, batch: None), Engine(lambda engine, batch: None)
    handler = EarlyStopping(patience=2, score_function=lambda engine: -engine.state.metrics['distance'], trainer=trainer)
    for count, distance in enumerate(distances, 1):
        now.state.metrics['distance'] = distance
        handler(now)
        if trainer.should_terminate:
            return count
    return None


RUNS = [('Ignite, n_saved=1', ignite, (1, 50, 40, 30, 20), [4]),
        ('Ignite, n_saved=1', ignite, (1, NAN, 40, 30, 20), [1]),
        ('Ignite, n_saved=2', ignite, (2, NAN, 40, 30, 20), [1, 2]),
        ('Ignite, n_saved=2', ignite, (2, 50, NAN, 30, 20, 10), [2, 3]),
        ('timm, max_history=2', timm, (2, 50, 40, 30, 20), (4, [3, 4])),
        ('timm, max_history=2', timm, (2, NAN, 40, 30, 20), (1, [1, 4])),
        ('timm, max_history=2', timm, (2, 50, NAN, 30, 20, 10), (1, [1, 2])),
        ('timm, max_history=3', timm, (3, 50, 40, NAN, 30, 20, 10), (2, [1, 2, 3])),
        ('Ignite, EarlyStopping', stops_after, range(50, 1000, 10), 3),
        ('Ignite, EarlyStopping', stops_after, [50] + [NAN] * 99, None)]
right = True
for name, measure, given, expected in RUNS:
    found = measure(*given)
    print(f'{name:22} {" ".join(map(str, list(given)[-6:])):26} {found}')
    right = right and found == expected
sys.exit(0 if right else 1)
PYTHON
OMP_NUM_THREADS=1 "$folder/venv/bin/python" -W ignore "$folder/keep.py"
