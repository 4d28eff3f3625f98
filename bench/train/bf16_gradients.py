#!/usr/bin/env python3
"""Measures how far a step's gradients in bfloat16 differ in direction from those in single precision, from equal states
of a training.

    .deps/venv/bin/python bench/train/bf16_gradients.py --shards SHARDS [--steps 25,50,100] [--batches 16,64] [--device cuda]

Trains once in single precision and saves at those steps; from each the networks take one step in fp32 and one in bf16,
on the same pictures. Prints the cosine between the two gradients, all parameters of a network together, for two random
selections of pictures. On a GPU too fp32 is full single precision, without TF32.
"""
import argparse
import math
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'bench'))
from first_gradients import cosine  # noqa: E402

TRAIN = pathlib.Path(os.environ.get('EQUIPOISE_BIN', ROOT / 'build/release/bin')) / 'gan-train'


def train(options, run, *flags):
    subprocess.run([TRAIN, '--shards', options.shards, '--run', run, '--features', str(options.features),
                    '--device', options.device, '--metrics-port', 'off', '--sample-every', '0', '--balance', 'watch',
                    *map(str, flags)],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env=os.environ | {'NVIDIA_TF32_OVERRIDE': '0'})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--shards', required=True)
    parser.add_argument('--steps', default='25,50,100,200,300,400')
    parser.add_argument('--batches', default='16,64')
    parser.add_argument('--features', type=int, default=16)
    parser.add_argument('--device', default='cpu', choices=('cpu', 'cuda'))
    options = parser.parse_args()
    steps = [int(step) for step in options.steps.split(',')]
    every = math.gcd(*steps)
    with tempfile.TemporaryDirectory() as folder:
        base = pathlib.Path(folder) / 'base'
        train(options, base, '--batch', 16, '--steps', max(steps), '--checkpoint-every', every,
              '--keep', max(steps) // every + 1)
        for step in steps:
            for batch in options.batches.split(','):
                for seed in 1, 2:
                    runs = []
                    for precision in 'fp32', 'bf16':
                        runs.append(pathlib.Path(folder) / f'{precision}-{step}-{batch}-{seed}')
                        train(options, runs[-1], '--batch', batch, '--steps', 1, '--seed', seed, '--precision', precision,
                              '--init-from', base / 'checkpoints' / f'step-{step:08d}')
                    told = ', '.join(f'{network[0].upper()} {cosine(*runs, network):.4f}'
                                     for network in ('discriminator', 'generator'))
                    print(f'step {step}, batch {batch}, draw {seed}: {told}', flush=True)


if __name__ == '__main__':
    main()
