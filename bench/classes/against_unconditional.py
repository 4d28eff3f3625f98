#!/usr/bin/env python3
"""Does --conditional cost quality, and does it find classes that a run without it omits?

    .deps/venv/bin/python bench/classes/against_unconditional.py --photos PHOTOS --out FOLDER [--images 20000] [--seeds 1-8]

PHOTOS has a folder per class; digits.py --pairs makes one hundred. For each seed two runs see equally many images, with
and without --conditional. SWD is that of all held-out images, and its excess is over quality_swd_floor. The interval is
that of the mean logarithm of the ratio (Student). Then a classifier that was trained on all real pictures counts the
classes among 1,000 generated ones of each run. Aims: the interval reaches 1 or below; all classes are found in 5 of 6
runs. Finished runs are kept.
"""
import json
import math

from classifier import Classifier
from runs import generate, parser, reals, train
from seeds import interval, seeds_of

FAKES = 1000


def run_of(options, conditional, seed):
    # The length is in images, and the balance may use several real batches per step, so the last step is always
    # measured.
    name, *flags = ['conditional', '--conditional'] if conditional else ['unconditional']
    return train(options, name, seed, '--quality-every', '100', *flags)


def excess(run):
    lines = [json.loads(line) for line in (run / 'stats.jsonl').read_text().splitlines()]
    last = [line for line in lines if line.get('quality_swd') is not None][-1]
    return last['quality_swd'] - last['quality_swd_floor'], last['quality_images']


def main():
    options = parser(__doc__, images=20_000, features=8, seeds='1-8').parse_args()
    pictures, labels, names = reals(options)
    classify = Classifier(pictures, labels)
    logs = []
    for seed in seeds_of(options.seeds):
        said = []
        for conditional in (True, False):
            run = run_of(options, conditional, seed)
            # A conditional generator makes every latent with every class.
            if conditional:
                fakes = generate(options, run, FAKES // len(names), classes=names)
            else:
                fakes = generate(options, run, FAKES)
            said.append((*excess(run), len(set(classify(fakes)))))
        (ours, ours_images, ours_found), (plain, plain_images, plain_found) = said
        logs.append(math.log(ours / plain))
        print(f'seed {seed}: SWD excess {ours:.4f} after {ours_images} images with classes, {plain:.4f} after {plain_images} '
              f'without, ratio {ours / plain:.2f}; classes found {ours_found} and {plain_found} of {len(names)}', flush=True)
    if len(logs) > 1:
        print('mean ratio {:.2f}, 90 % interval {:.2f} to {:.2f}'.format(*interval(logs)))


if __name__ == '__main__':
    main()
