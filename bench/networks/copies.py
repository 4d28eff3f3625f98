#!/usr/bin/env python3
"""Is it reported when a generator has learnt its images by heart, and only then?

    .deps/python bench/networks/copies.py --photos FOLDER --out FOLDER [--seeds 1-10] [--runs RUN ...]

For each seed a generator like gan-train's is trained to copy: it learns by regression to show eight of the 200 images
of a data set; the signs of three numbers of the latent select the image. Three tenths of the data set count as held
out. Then gan-generate --nearest gives its verdict. The grids of generated images of finished runs (--runs) are judged
as well, beside a random twentieth of the images of their shards.
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'tests/peers'), str(ROOT / 'bench/results')]
from dcgan import generator, generator_channels  # noqa: E402
from pictures import tiles  # noqa: E402

BIN = pathlib.Path(os.environ.get('EQUIPOISE_BIN', ROOT / 'build/release/bin'))
IMAGES, FEATURES, LATENT, BITS, GRIDS = 200, 4, 100, 3, 4


def run(*command):
    return subprocess.run([*map(str, command)], check=True, capture_output=True, text=True).stdout


def records(shards):
    """All images at 64 px, uint8 [N, 64, 64, 3]."""
    counts = [shard['records'] for shard in json.loads((shards / 'manifest.json').read_text())['shards']]
    files = sorted(shards.glob('shard-*.gan'))
    pixels = np.concatenate([np.memmap(f, np.uint8, 'r', 4096, (n, 128, 128, 3)) for f, n in zip(files, counts)])
    return np.floor(pixels.reshape(-1, 64, 2, 64, 2, 3).astype(np.uint16).sum((2, 4)) / 4 + 0.5).astype(np.uint8)


def teach(weights, images, seed, steps):
    """Trains the generator in the file to show images[number in the signs of the latent]."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    network = generator(generator_channels(FEATURES, 64, LATENT))
    network.load_state_dict(load_file(weights))
    wanted = torch.tensor(images).permute(0, 3, 1, 2).float() / 127.5 - 1
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(steps):
        latents = torch.randn(32, LATENT, 1, 1)
        numbers = ((latents[:, :BITS, 0, 0] > 0) * 2 ** torch.arange(BITS)).sum(1)
        loss = (network(latents) - wanted[numbers]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items() if 'num_batches' not in name}, weights)
    return loss.item()


def copying(photos, folder, seed, steps):
    folder.mkdir(parents=True, exist_ok=True)
    names, shards, exported = folder / 'photos.txt', folder / 'shards', folder / 'exported'
    names.write_text(''.join(f'{path}\n' for path in random.Random(seed).sample(photos, IMAGES)))
    run(BIN / 'gan-preprocess', '--in', names, '--out', shards)
    run(BIN / 'gan-train', '--shards', shards, '--run', folder / 'run', '--resolution', 64, '--features', FEATURES, '--batch', 4, '--steps', 1,
        '--holdout', 0.3, '--threads', 1, '--metrics-port', 'off', '--ema', 0)
    shutil.rmtree(exported, ignore_errors=True)
    run(BIN / 'gan-generate', '--checkpoint', folder / 'run', '--export', exported)
    loss = teach(exported / 'generator.safetensors', records(shards)[:2 ** BITS], seed, steps)
    words = run(BIN / 'gan-generate', '--checkpoint', exported, '--nearest', shards, '--out', folder / 'nearest.png')
    return f'loss {loss:.4f}: ' + ' '.join(words.splitlines()[:2])


def judged(run_folder):
    """The verdict on the images of a run's last grids."""
    shards = json.loads((run_folder / 'options.json').read_text())['options']['shards']
    images = records(pathlib.Path(shards))
    order = np.random.default_rng(0).permutation(len(images))
    held_out, training = images[order[:len(order) // 20]], images[order[len(order) // 20:]]
    fakes = np.concatenate([tiles(grid, 64) for grid in sorted(run_folder.glob('fakes-????????.png'))[1:][-GRIDS:]])
    with tempfile.TemporaryDirectory() as folder:
        files = [pathlib.Path(folder) / name for name in 'thg']
        for file, pixels in zip(files, (training, held_out, fakes)):
            file.write_bytes(np.asarray(pixels, np.uint8).tobytes())
        found = json.loads(run(BIN / 'nearest_dump', 64, 0, *files))
    told = 'has learnt by heart' if found['learnt_by_heart'] else 'not told'
    return f'{100 * found["rate"]:.0f} % of {len(fakes)} images are copies, {100 * found["floor"]:.0f} % of {len(held_out)} held out: {told}'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--photos', type=pathlib.Path)
    parser.add_argument('--out', type=pathlib.Path)
    parser.add_argument('--seeds', default='1-10')
    parser.add_argument('--steps', type=int, default=1000)
    parser.add_argument('--runs', nargs='*', default=[], type=pathlib.Path,
                        help='finished runs at 64 px, on shards of 128 px, without classes')
    options = parser.parse_args()
    for run_folder in options.runs:
        print(f'{run_folder.name}: {judged(run_folder)}', flush=True)
    if options.photos is None:
        return
    photos = sorted(path for path in options.photos.rglob('*') if path.suffix in ('.jpg', '.png'))
    first, last = map(int, options.seeds.split('-'))
    for seed in range(first, last + 1):
        print(f'seed {seed}: {copying(photos, options.out / str(seed), seed, options.steps)}', flush=True)


if __name__ == '__main__':
    main()
