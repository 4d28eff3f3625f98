#!/usr/bin/env python3
"""How far bfloat16 turns a step's gradients from those in single precision, from equal states on the way of a training.

    .deps/venv/bin/python bench/train/bf16_gradients.py --shards SHARDS [--steps 25,50,100,200,300,400] [--batches 16,64]

Trains once in single precision and saves at those steps; from each the networks take one step in fp32 and one in bf16, on
the same pictures. Adam's first moment is then a fixed part of the step's gradient. Prints the cosine between the two, all
parameters of a network together, for two draws of pictures. On CPUs; bench/gpu_check has the first step on a GPU.
"""
import argparse
import os
import pathlib
import subprocess
import tempfile

import numpy as np
from safetensors.numpy import load_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRAIN = pathlib.Path(os.environ.get('EQUIPOISE_BIN', ROOT / 'build/release/bin')) / 'gan-train'


def train(options, run, *flags):
    subprocess.run([TRAIN, '--shards', options.shards, '--run', run, '--features', str(options.features), '--device', 'cpu',
                    '--metrics-port', 'off', '--sample-every', '0', '--balance', 'watch', *map(str, flags)],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def checkpoint(run, step):
    return run / 'checkpoints' / f'step-{step:08d}'


def gradient(run, network):
    tensors = {}
    for part in checkpoint(run, 1).glob('part-*'):
        tensors |= load_file(part)
    prefix = f'{network}_adam.exp_avg.'
    return np.concatenate([tensors[name].ravel() for name in sorted(tensors) if name.startswith(prefix)]).astype(float)


def cosine(a, b):
    return a @ b / np.sqrt((a @ a) * (b @ b))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--shards', required=True)
    parser.add_argument('--steps', default='25,50,100,200,300,400')
    parser.add_argument('--batches', default='16,64')
    parser.add_argument('--features', type=int, default=16)
    options = parser.parse_args()
    steps = [int(step) for step in options.steps.split(',')]
    every = int(np.gcd.reduce(steps))
    with tempfile.TemporaryDirectory() as folder:
        base = pathlib.Path(folder) / 'base'
        train(options, base, '--batch', 16, '--steps', max(steps), '--checkpoint-every', every,
              '--keep', max(steps) // every + 1)
        for step in steps:
            for batch in options.batches.split(','):
                for seed in 1, 2:
                    runs = {}
                    for precision in 'fp32', 'bf16':
                        runs[precision] = pathlib.Path(folder) / f'{precision}-{step}-{batch}-{seed}'
                        train(options, runs[precision], '--batch', batch, '--steps', 1, '--seed', seed,
                              '--init-from', checkpoint(base, step), '--precision', precision)
                    told = ', '.join(f'{network[0].upper()} {cosine(*(gradient(run, network) for run in runs.values())):.4f}'
                                     for network in ('discriminator', 'generator'))
                    print(f'step {step}, batch {batch}, draw {seed}: {told}', flush=True)


if __name__ == '__main__':
    main()
