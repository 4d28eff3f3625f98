#!/usr/bin/env python3
"""Writes the 1,797 digits of scikit-learn (8x8 pixels, UCI) as photographs in a folder per digit, for conditional.py.

    python digits.py FOLDER            one digit per picture, 10 classes

Needs scikit-learn 1.9 in the environment of its own interpreter; the rest of the project does without it.
"""
import pathlib
import sys

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

SIDE = 64


def pictures():
    """uint8 [1797, 64, 64] and the digit of each."""
    data = load_digits()
    grey = np.clip(data.images * 255 / 16 + 0.5, 0, 255).astype(np.uint8)
    return np.stack([Image.fromarray(one).resize((SIDE, SIDE), Image.BICUBIC) for one in grey]), data.target


def main():
    out = pathlib.Path(sys.argv[1])
    for number, (picture, digit) in enumerate(zip(*pictures())):
        folder = out / str(digit)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f'{number:04}.png')


if __name__ == '__main__':
    main()
