"""The data set, the trainings and the generated images that the programs of this folder share."""
import argparse
import json
import os
import pathlib
import subprocess
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / 'python'), str(ROOT / 'bench')]
from equipoise.shards import Shards  # noqa: E402
from measured_images import pixels  # noqa: E402

BIN = pathlib.Path(os.environ.get('EQUIPOISE_BIN', ROOT / 'build/release/bin'))


def parser(words, images, features, seeds):
    """The flags of each program, with its defaults."""
    made = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument('--photos', required=True, type=pathlib.Path)
    made.add_argument('--out', required=True, type=pathlib.Path)
    made.add_argument('--images', type=int, default=images)
    made.add_argument('--features', type=int, default=features)
    made.add_argument('--seeds', default=seeds)
    return made


def reals(options):
    """All real pictures, uint8 [N, 64, 64, 3], their labels and the names of the classes. Makes the shards if there are none."""
    shards = options.out / 'shards'
    options.out.mkdir(parents=True, exist_ok=True)
    if not (shards / 'manifest.json').exists():
        subprocess.run([BIN / 'gan-preprocess', '--in', options.photos, '--out', shards, '--labels', 'folder', '--size', '64'],
                       check=True)
    data = Shards(shards)
    pictures, labels = zip(*(data[i] for i in range(len(data))))
    return np.stack(pictures), np.array(labels), data.labels


def train(options, name, seed, *flags):
    """The folder of a finished run."""
    run = options.out / f'{name}-{seed}'
    status = run / 'status.json'
    if not status.exists() or json.loads(status.read_text())['state'] != 'finished':
        subprocess.run([BIN / 'gan-train', '--shards', options.out / 'shards', '--run', run, '--resolution', '64', '--features',
                        str(options.features), '--batch', '16', '--threads', '1', '--images', str(options.images), '--seed',
                        str(seed), '--metrics-port', 'off', '--sample-every', '0', *flags], check=True, stdout=subprocess.DEVNULL)
    return run


def generate(options, run, count, *flags, classes=()):
    """uint8 [N, 64, 64, 3]: N is `count`, for a conditional run `count` of each of the `classes`, one class after another.
    `flags` are further flags of gan-generate, which shows 32 classes at most unless they are named."""
    flags = [*flags, '--class', ','.join(classes)] if classes else flags
    array = options.out / 'fakes.npy'
    subprocess.run([BIN / 'gan-generate', '--checkpoint', run, '--count', str(count), '--seed', '1000', '--out', array, *flags],
                   check=True)
    return pixels(np.load(array))
