#!/usr/bin/env python3
"""The influence of batch-norm statistics on the averaged weights of G: pictures and sliced Wasserstein distance of one
checkpoint with the raw weights' running statistics (a mistake in many trainers) and with statistics measured anew
(which all programs of Equipoise use).

    .deps/python bench/networks/statistics.py --checkpoint RUN --shards SHARDS [--out docs/images/statistics.png]
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'tests/peers'), str(ROOT / 'bench/results')]
from pictures import tiles  # noqa: E402
from quality_test import sliced_wasserstein  # noqa: E402

BIN = pathlib.Path(os.environ.get('EQUIPOISE_BIN', ROOT / 'build/release/bin'))
COUNT = 144
SHOWN = 6


def generate(*arguments):
    subprocess.run([BIN / 'gan-generate', *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def pictures(source, folder, name):
    generate('--checkpoint', source, '--count', COUNT, '--out', folder / f'{name}.npy')
    return np.load(folder / f'{name}.npy').astype(float)


def reals(shards, side, folder):
    """The first pictures of the data set, averaged down to `side`."""
    subprocess.run([BIN / 'gan-inspect', 'dump', shards, folder / 'reals.png', '--count', str(COUNT)], check=True,
                   stdout=subprocess.DEVNULL)
    pixels = np.stack(tiles(folder / 'reals.png', COUNT)).astype(float)
    step = pixels.shape[1] // side
    small = pixels.reshape(COUNT, side, step, side, step, 3).mean((2, 4))
    return small.transpose(0, 3, 1, 2) / 127.5 - 1


def slices(side):
    """The positions of the patches and the directions of the projections; the same for every comparison."""
    rng, tensors, level = np.random.default_rng(0), {}, 0
    while True:
        tensors[f'corners.{level}'] = torch.from_numpy(rng.integers(0, side - 6, (COUNT, 64, 2)))
        directions = rng.normal(size=(147, 256))
        tensors[f'directions.{level}'] = torch.from_numpy(directions / np.linalg.norm(directions, axis=0))
        if side <= 16:
            return tensors
        side, level = side // 2, level + 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--checkpoint', required=True)
    parser.add_argument('--shards', required=True)
    parser.add_argument('--out', type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for kind in ('raw', 'ema'):
            generate('--checkpoint', options.checkpoint, '--weights', kind, '--export', folder / kind)
        raw, ema = (load_file(folder / kind / 'generator.safetensors') for kind in ('raw', 'ema'))
        trap = {name: raw[name] if 'running' in name else tensor for name, tensor in ema.items()}
        save_file(trap, folder / 'trap.safetensors')
        shown = {'running statistics of the raw weights': pictures(folder / 'trap.safetensors', folder, 'trap'),
                 'statistics measured anew': pictures(folder / 'ema', folder, 'ema')}
        side = next(iter(shown.values())).shape[2]
        data, tensors = reals(options.shards, side, folder), slices(side)
    for name, fakes in shown.items():
        print(f'{name:40} SWD {sliced_wasserstein(data, fakes, tensors):.4f}')
    if options.out:
        halves = []
        for fakes in shown.values():
            shades = ((fakes[:SHOWN * SHOWN] + 1) * 127.5).round().clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1)
            rows = shades.reshape(SHOWN, SHOWN, side, side, 3).transpose(0, 2, 1, 3, 4)
            halves.append(rows.reshape(SHOWN * side, SHOWN * side, 3))
        gap = np.full((SHOWN * side, 16, 3), 255, np.uint8)
        Image.fromarray(np.concatenate([halves[0], gap, halves[1]], 1)).save(options.out, optimize=True)


if __name__ == '__main__':
    main()
