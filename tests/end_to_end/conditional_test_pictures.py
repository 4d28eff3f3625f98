"""Pictures of three classes, for the tests of conditional runs."""
import subprocess

import numpy as np
from PIL import Image

from programs import BIN, ENVIRONMENT

CLASSES = ['dark', 'light', 'red']


def make_classes(folder, names=CLASSES, counts=(30, 30, 30)):
    """Kinds that anybody can tell apart: noise around a grey level or a colour."""
    levels = {'dark': (40, 40, 40), 'light': (210, 210, 210), 'red': (220, 30, 30), 'blue': (30, 30, 220)}
    rng = np.random.default_rng(5)
    for name, count in zip(names, counts):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            pixels = np.clip(rng.normal(levels[name], 25, (70, 70, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f'{i:03d}.png')
    return folder


def preprocess(photos, shards, *flags):
    size = () if '--size' in flags else ('--size', '64')
    subprocess.run([BIN / 'gan-preprocess', '--in', photos, '--out', shards, *size, *flags], check=True,
                   env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    return shards
