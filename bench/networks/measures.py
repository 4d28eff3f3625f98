#!/usr/bin/env python3
"""Do the measures agree with the eye? Computes each for the images that one run's generator made from the same 64
latents after more and more steps, against 64 photographs, beside white noise.

    .deps/python bench/networks/measures.py --run runs/without --shards shards/ [--steps 0,250,500,1000,2000]

The run needs --sample-every; fid and kid use a small random network instead of Inception.
"""
import argparse
import json
import pathlib
import sys
import tempfile

import numpy as np
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'tests/peers'), str(ROOT / 'bench/results'), str(ROOT / 'bench')]
from measured_images import measured  # noqa: E402
from pictures import tiles  # noqa: E402
from quality_test import Inception  # noqa: E402

COUNT, SIDE = 64, 128


def photographs(shards, side):
    """Photographs spread over the first shard, averaged down to the run's side."""
    records = json.loads((shards / 'manifest.json').read_text())['shards'][0]['records']
    pixels = np.memmap(shards / 'shard-00000.gan', np.uint8, 'r', 4096, (records, SIDE, SIDE, 3))
    picked = pixels[np.linspace(0, len(pixels) - 1, COUNT).astype(int)].astype(np.float32)
    step = SIDE // side
    return picked.reshape(COUNT, side, step, side, step, 3).mean((2, 4)).transpose(0, 3, 1, 2) / 127.5 - 1


def fakes(run, step):
    return np.stack(tiles(run / f'fakes-{step:08d}.png', COUNT)).astype(np.float32).transpose(0, 3, 1, 2) / 127.5 - 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--run', required=True, type=pathlib.Path)
    parser.add_argument('--shards', required=True, type=pathlib.Path)
    parser.add_argument('--steps', default='0,250,500,1000,2000')
    options = parser.parse_args()
    sets = {f'{int(step):06d}': fakes(options.run, int(step)) for step in options.steps.split(',')}
    side = next(iter(sets.values())).shape[2]
    sets |= dict(real=photographs(options.shards, side), noise=np.random.default_rng(0).uniform(-1, 1, (COUNT, 3, side, side)))
    with tempfile.TemporaryDirectory() as folder:
        torch.manual_seed(1)
        torch.jit.script(Inception().eval()).save(f'{folder}/inception.pt')
        values = measured(sets, folder, f'{folder}/inception.pt')
    for name, of in values.items():
        print(f'{name:9}', *(f'{kind}: {of[kind]:.4f} ' for kind in of))


if __name__ == '__main__':
    main()
