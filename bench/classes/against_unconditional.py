#!/usr/bin/env python3
"""Does --conditional cost quality, and does it find classes that a run without it leaves out?

    .deps/venv/bin/python bench/classes/against_unconditional.py --photos PHOTOS --out FOLDER [--images 20000] [--seeds 1-8]

PHOTOS has a folder per class; digits.py --pairs makes one hundred. For each seed two runs see equally many images, with and
without --conditional. SWD is that of all held-out images, and its excess is over quality_swd_floor. The interval is that of
the mean logarithm of the ratio (Student). Then a classifier that knows all real pictures counts the classes among 1,000
generated ones of each run. Bars: the interval reaches 1 or below; all classes are found in 5 of 6 runs. Finished runs are kept.
"""
import argparse
import json
import math
import pathlib
import statistics
import subprocess

import numpy as np

from classifier import Classifier
from conditional import BIN, reals, seeds_of, to_pixels

FAKES = 1000
# Student's t for a two-sided interval of 90 % by the number of seeds.
T = {2: 6.314, 3: 2.920, 4: 2.353, 5: 2.132, 6: 2.015, 7: 1.943, 8: 1.895, 9: 1.860, 10: 1.833}


def run_of(options, conditional, seed):
    run = options.out / f'{"conditional" if conditional else "unconditional"}-{seed}'
    status = run / 'status.json'
    if not status.exists() or json.loads(status.read_text())['state'] != 'finished':
        # The runs end with the images, and the balance may use several real batches per step: the end is always measured.
        subprocess.run([BIN / 'gan-train', '--shards', options.out / 'shards', '--run', run, '--resolution', '64', '--features',
                        str(options.features), '--batch', '16', '--threads', '1', '--images', str(options.images), '--seed',
                        str(seed), '--metrics-port', 'off', '--sample-every', '0', '--quality-every', '100',
                        *(['--conditional'] if conditional else [])], check=True, stdout=subprocess.DEVNULL)
    return run


def excess(run):
    lines = [json.loads(line) for line in (run / 'stats.jsonl').read_text().splitlines()]
    last = [line for line in lines if line.get('quality_swd') is not None][-1]
    return last['quality_swd'] - last['quality_swd_floor'], last['images']


def classes_found(run, classify, out, count):
    """The number of different classes that the classifier names among FAKES images of all classes together."""
    subprocess.run([BIN / 'gan-generate', '--checkpoint', run, '--count', str(count), '--seed', '1000', '--out', out / 'fakes.npy'],
                   check=True)
    return len(set(classify(to_pixels(np.load(out / 'fakes.npy')))))


def interval(logs):
    """The mean of a logarithm and the ends of its interval, as ratios."""
    mean, half = statistics.mean(logs), T[len(logs)] * statistics.stdev(logs) / math.sqrt(len(logs))
    return [math.exp(value) for value in (mean, mean - half, mean + half)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--photos', required=True, type=pathlib.Path)
    parser.add_argument('--out', required=True, type=pathlib.Path)
    parser.add_argument('--images', type=int, default=20_000)
    parser.add_argument('--features', type=int, default=8)
    parser.add_argument('--seeds', default='1-8')
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    shards = options.out / 'shards'
    if not (shards / 'manifest.json').exists():
        subprocess.run([BIN / 'gan-preprocess', '--in', options.photos, '--out', shards, '--labels', 'folder', '--size', '64'],
                       check=True)
    pictures, labels, names = reals(shards)
    classify = Classifier(pictures, labels)
    logs = []
    for seed in seeds_of(options.seeds):
        said = []
        for conditional in (True, False):
            run = run_of(options, conditional, seed)
            # A conditional generator makes every latent with every class.
            found = classes_found(run, classify, options.out, FAKES // len(names) if conditional else FAKES)
            said.append((*excess(run), found))
        (ours, ours_images, ours_found), (plain, plain_images, plain_found) = said
        logs.append(math.log(ours / plain))
        print(f'seed {seed}: SWD excess {ours:.4f} after {ours_images} images with classes, {plain:.4f} after {plain_images} without, '
              f'ratio {ours / plain:.2f}; classes found {ours_found} and {plain_found} of {len(names)}', flush=True)
    if len(logs) > 1:
        print('mean ratio {:.2f}, 90 % interval {:.2f} to {:.2f}'.format(*interval(logs)))


if __name__ == '__main__':
    main()
