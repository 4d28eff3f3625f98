#!/usr/bin/env python3
"""Does a conditional generator make the class that it is asked for, and is each class as diverse as the real one?

    .deps/venv/bin/python bench/classes/conditional.py --photos PHOTOS --out FOLDER [--images 100000] [--seeds 1-3]
        [--class-sampling uniform] [--truncation 1,0.7]

PHOTOS has a folder per class. A classifier is trained on four fifths of the real pictures and tested on the rest; the
generator is trained on all pictures that gan-train does not hold out. Then 100 pictures of each class are classified, for
every factor of gan-generate's --truncation that is listed: shorter latents give more typical and less diverse pictures.
Aims: the classifier recognises the requested class at least 0.9 times as often as on unseen real pictures, and the
pairs of each class are at least 0.7 times as far apart as real ones. Finished runs are kept.
"""
import numpy as np

from classifier import Classifier, diversity
from runs import generate, parser, reals, train
from seeds import seeds_of

PER_CLASS = 100


def split(count, seed=0):
    order = np.random.default_rng(seed).permutation(count)
    return order[count // 5:], order[:count // 5]


def main():
    flags = parser(__doc__, images=100_000, features=16, seeds='1-3')
    flags.add_argument('--augment', default='none')
    flags.add_argument('--class-sampling', default='data')
    flags.add_argument('--truncation', default='1,0.7', help='factors of the latents, separated by commas')
    options = flags.parse_args()
    pictures, labels, names = reals(options)
    learnt, tried = split(len(labels))
    classify = Classifier(pictures[learnt], labels[learnt])
    accuracy = (classify(pictures[tried]) == labels[tried]).mean()
    print(f'{len(labels)} pictures of {len(names)} classes; the classifier is right on {accuracy:.3f} of {len(tried)} real ones')
    for seed in seeds_of(options.seeds):
        run = train(options, 'run', seed, '--conditional', '--augment', options.augment, '--class-sampling', options.class_sampling)
        for factor in options.truncation.split(','):
            fakes = generate(options, run, PER_CLASS, '--truncation', factor, classes=names)
            fakes = fakes.reshape(len(names), PER_CLASS, 64, 64, 3)
            right = np.array([(classify(of_class) == c).mean() for c, of_class in enumerate(fakes)])
            ratio = np.array([diversity(of_class) / diversity(pictures[labels == c]) for c, of_class in enumerate(fakes)])
            print(f'seed {seed}, truncation {factor}: the asked class is named for {right.mean():.3f} of the generated ones, '
                  f'{right.mean() / accuracy:.2f} of the accuracy on real ones (aim 0.9); least diverse class {ratio.min():.2f} '
                  f'of its real ones (aim 0.7)', flush=True)
            for c, name in enumerate(names):
                print(f'  {name:20} named {right[c]:.2f}  diversity {ratio[c]:.2f}', flush=True)


if __name__ == '__main__':
    main()
