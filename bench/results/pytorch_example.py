#!/usr/bin/env python3
"""The recipe of PyTorch's DCGAN example (github.com/pytorch/examples, dcgan), trained for a given time on shards.

The recipe: 64 px, 64 feature maps in both networks, latents of 100 numbers, weights from normal(0, 0.02), batch norm
scales from normal(1, 0.02), batch 64, cross-entropy with the targets 1 and 0, Adam with 2e-4 and betas 0.5 and 0.999 for
both networks; D learns from reals and fakes in separate batches, then G from the same fakes. Nothing is averaged.

    .deps/python bench/results/pytorch_example.py --shards SHARDS --out FOLDER --seconds 1800 --count 712 [--seed 1]

Writes FOLDER/SECONDS.npy, `--count` images float16 [N, 3, 64, 64] in [-1, 1], every `--every` seconds, and
FOLDER/progress.jsonl with the seconds and images of each. Making and writing them is outside the measured time. The
pictures are in memory before the time begins, so the example is not slowed down by reading files.
"""
import argparse
import json
import pathlib
import sys
import time

import numpy as np
import torch
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / 'python'))
from equipoise.shards import Shards  # noqa: E402

LATENT, WIDTH, BATCH = 100, 64, 64


def generator():
    channels = [LATENT, WIDTH * 8, WIDTH * 4, WIDTH * 2, WIDTH]
    layers = []
    for i, (take, give) in enumerate(zip(channels, channels[1:])):
        stride, padding = (2, 1) if i else (1, 0)
        layers += [nn.ConvTranspose2d(take, give, 4, stride, padding, bias=False), nn.BatchNorm2d(give), nn.ReLU(True)]
    return nn.Sequential(*layers, nn.ConvTranspose2d(WIDTH, 3, 4, 2, 1, bias=False), nn.Tanh())


def discriminator():
    layers = [nn.Conv2d(3, WIDTH, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
    for factor in (1, 2, 4):
        take, give = WIDTH * factor, WIDTH * factor * 2
        layers += [nn.Conv2d(take, give, 4, 2, 1, bias=False), nn.BatchNorm2d(give), nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.Conv2d(WIDTH * 8, 1, 4, 1, 0, bias=False), nn.Flatten(0), nn.Sigmoid())


def draw_weights(network):
    for layer in network:
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, 0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1, 0.02)


class Example:
    def __init__(self):
        self.generator, self.discriminator = generator(), discriminator()
        for network in (self.generator, self.discriminator):
            draw_weights(network)
        adam = lambda network: torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999))
        self.of_generator, self.of_discriminator = adam(self.generator), adam(self.discriminator)

    def loss(self, images, target):
        said = self.discriminator(images)
        return nn.functional.binary_cross_entropy(said, torch.full_like(said, target))

    def step(self, reals):
        self.of_discriminator.zero_grad()
        self.loss(reals, 1.0).backward()
        fakes = self.generator(torch.randn(len(reals), LATENT, 1, 1))
        self.loss(fakes.detach(), 0.0).backward()
        self.of_discriminator.step()
        self.of_generator.zero_grad()
        self.loss(fakes, 1.0).backward()
        self.of_generator.step()

    def images(self, count):
        """Images as the example makes them, with the statistics of each batch. They use random numbers of their own."""
        latents = torch.randn(count, LATENT, 1, 1, generator=torch.Generator().manual_seed(1000))
        with torch.no_grad():
            return torch.cat([self.generator(part) for part in latents.split(BATCH)])


def batches(pictures):
    """Endless batches of real pictures, in a new order in each epoch, as a shuffling DataLoader gives them."""
    while True:
        for places in torch.randperm(len(pictures)).split(BATCH):
            yield pictures[places]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--shards', required=True, type=pathlib.Path, help='shards of 64 px')
    parser.add_argument('--out', required=True, type=pathlib.Path)
    parser.add_argument('--seconds', required=True, type=float)
    parser.add_argument('--count', required=True, type=int)
    parser.add_argument('--every', type=float, default=60)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--threads', type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    data = Shards(options.shards)
    reals = np.stack([data[i][0] for i in range(len(data))])
    pictures = torch.from_numpy(reals).permute(0, 3, 1, 2).contiguous().float() / 127.5 - 1
    options.out.mkdir(parents=True, exist_ok=True)
    example, seconds, images, due = Example(), 0.0, 0, options.every
    with (options.out / 'progress.jsonl').open('w') as progress:
        for batch in batches(pictures):
            begun = time.perf_counter()
            example.step(batch)
            seconds += time.perf_counter() - begun
            images += len(batch)
            if seconds < due and seconds < options.seconds:
                continue
            due += options.every
            np.save(options.out / f'{seconds:07.1f}.npy', example.images(options.count).half().numpy())
            print(json.dumps({'seconds': round(seconds, 1), 'images': images}), file=progress, flush=True)
            if seconds >= options.seconds:
                return


if __name__ == '__main__':
    main()
