#!/usr/bin/env python3
"""Measures how far the gradients of new networks' first step in bfloat16 differ in direction in PyTorch, to compare
with bf16_gradients.py.

    .deps/python bench/train/bf16_pytorch.py --photos FOLDER [--batches 16,64] [--features 16]

Equal networks take one step in fp32 and one under autocast, on the same pictures and noise, on a CPU. Prints the cosine
between the two gradients for two draws. G learns from a D that has had its own update, as in gan-train: Adam's first
update moves each weight by the sign of its gradient, so a changed direction of D's gradient changes G's as well.
"""
import argparse
import copy
import pathlib
import random
import sys

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'tests' / 'peers'))
import dcgan  # noqa: E402


def initialise(module):
    """Initialises the weights as in the DCGAN paper."""
    if isinstance(module, (torch.nn.Conv2d, torch.nn.ConvTranspose2d)):
        torch.nn.init.normal_(module.weight, 0, 0.02)
    elif isinstance(module, torch.nn.BatchNorm2d):
        torch.nn.init.normal_(module.weight, 1, 0.02)


def picture(path):
    with Image.open(path) as image:
        return torch.from_numpy(np.array(image.convert('RGB').resize((128, 128)))).permute(2, 0, 1) / 127.5 - 1


def gradients(generator, discriminator, real, noise, bf16):
    """The gradients of D and of G, each with all parameters in one row."""
    g, d = copy.deepcopy(generator), copy.deepcopy(discriminator)
    update_of_d = torch.optim.Adam(d.parameters(), 2e-4, (0.5, 0.999))

    def towards(label, images):
        with torch.autocast('cpu', torch.bfloat16, enabled=bf16):
            logits = d(images)
        return F.binary_cross_entropy_with_logits(logits.float(), torch.full_like(logits, label, dtype=torch.float))

    with torch.autocast('cpu', torch.bfloat16, enabled=bf16):
        fake = g(noise)
    (towards(0.9, real) + towards(0.1, fake.detach())).backward()
    update_of_d.step()
    towards(1, fake).backward(inputs=list(g.parameters()))
    return [torch.cat([p.grad.flatten() for p in network.parameters()]).double() for network in (d, g)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--photos', required=True, type=pathlib.Path)
    parser.add_argument('--batches', default='16,64')
    parser.add_argument('--features', type=int, default=16)
    options = parser.parse_args()
    photos = sorted(path for path in options.photos.rglob('*') if path.suffix.lower() in ('.jpg', '.jpeg', '.png'))
    for batch in map(int, options.batches.split(',')):
        for seed in 1, 2:
            torch.manual_seed(seed)
            g = dcgan.generator(dcgan.generator_channels(options.features)).apply(initialise)
            d = dcgan.discriminator(dcgan.discriminator_channels(options.features)).apply(initialise)
            real = torch.stack([picture(path) for path in random.Random(seed).sample(photos, batch)])
            noise = torch.randn(batch, 100, 1, 1)
            plain, rounded = (gradients(g, d, real, noise, bf16) for bf16 in (False, True))
            of_d, of_g = (F.cosine_similarity(a, b, dim=0).item() for a, b in zip(plain, rounded))
            print(f'new networks, batch {batch}, draw {seed}: D {of_d:.4f}, G {of_g:.4f}', flush=True)


if __name__ == '__main__':
    main()
