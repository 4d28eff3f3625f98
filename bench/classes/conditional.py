#!/usr/bin/env python3
"""Does a conditional generator make the class that it is asked for, and is each class as diverse as the real one?

    .deps/venv/bin/python bench/classes/conditional.py --photos PHOTOS --out FOLDER [--images 100000] [--seeds 1-3]
        [--class-sampling uniform]

PHOTOS has a folder per class. A classifier learns four fifths of the real pictures and is tried on the rest; the generator
is trained on all that gan-train does not hold out. Then 100 pictures of each class are classified. Bars: the classifier names
the asked class as often as 0.9 of its accuracy on the real pictures that it has not seen, and the pairs of each class are at
least 0.7 as far apart as the real ones. Finished runs are kept.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / 'python'))
from classifier import Classifier, diversity  # noqa: E402
from equipoise.shards import Shards  # noqa: E402

BIN = pathlib.Path(os.environ.get('EQUIPOISE_BIN', ROOT / 'build/release/bin'))
PER_CLASS = 100


def reals(shards):
    data = Shards(shards)
    pictures, labels = zip(*(data[i] for i in range(len(data))))
    return np.stack(pictures), np.array(labels), data.labels


def split(count, seed=0):
    order = np.random.default_rng(seed).permutation(count)
    return order[count // 5:], order[:count // 5]


def seeds_of(text):
    first, _, last = text.partition('-')
    return range(int(first), int(last or first) + 1)


def to_pixels(images):
    """float [N, 3, 64, 64] in [-1, 1] -> uint8 [N, 64, 64, 3]"""
    return np.clip((images.transpose(0, 2, 3, 1) + 1) * 127.5 + 0.5, 0, 255).astype(np.uint8)


def run_of(options, seed):
    run = options.out / f'run-{seed}'
    status = run / 'status.json'
    if not status.exists() or json.loads(status.read_text())['state'] != 'finished':
        subprocess.run([BIN / 'gan-train', '--shards', options.out / 'shards', '--run', run, '--conditional', '--resolution', '64',
                        '--features', str(options.features), '--batch', '16', '--threads', '1', '--images', str(options.images),
                        '--seed', str(seed), '--metrics-port', 'off', '--sample-every', '0', '--augment', options.augment,
                        '--class-sampling', options.class_sampling], check=True, stdout=subprocess.DEVNULL)
    return run


def fakes_of(run, names, out):
    """uint8 [classes, PER_CLASS, 64, 64, 3]"""
    array = out / 'fakes.npy'
    subprocess.run([BIN / 'gan-generate', '--checkpoint', run, '--count', str(PER_CLASS), '--seed', '1000', '--out', array],
                   check=True)
    return to_pixels(np.load(array)).reshape(len(names), PER_CLASS, 64, 64, 3)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--photos', required=True, type=pathlib.Path)
    parser.add_argument('--out', required=True, type=pathlib.Path)
    parser.add_argument('--images', type=int, default=100_000)
    parser.add_argument('--features', type=int, default=16)
    parser.add_argument('--augment', default='none')
    parser.add_argument('--class-sampling', default='data')
    parser.add_argument('--seeds', default='1-3')
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    shards = options.out / 'shards'
    if not (shards / 'manifest.json').exists():
        subprocess.run([BIN / 'gan-preprocess', '--in', options.photos, '--out', shards, '--labels', 'folder', '--size', '64'],
                       check=True)
    pictures, labels, names = reals(shards)
    learnt, tried = split(len(labels))
    classify = Classifier(pictures[learnt], labels[learnt])
    accuracy = (classify(pictures[tried]) == labels[tried]).mean()
    print(f'{len(labels)} pictures of {len(names)} classes; the classifier is right on {accuracy:.3f} of {len(tried)} real ones')
    for seed in seeds_of(options.seeds):
        fakes = fakes_of(run_of(options, seed), names, options.out)
        right = np.array([(classify(of_class) == c).mean() for c, of_class in enumerate(fakes)])
        ratio = np.array([diversity(of_class) / diversity(pictures[labels == c]) for c, of_class in enumerate(fakes)])
        print(f'seed {seed}: the asked class is named for {right.mean():.3f} of the generated ones, {right.mean() / accuracy:.2f} '
              f'of the accuracy on real ones (bar 0.9); least diverse class {ratio.min():.2f} of its real ones (bar 0.7)')
        for c, name in enumerate(names):
            print(f'  {name:20} named {right[c]:.2f}  diversity {ratio[c]:.2f}')


if __name__ == '__main__':
    main()
