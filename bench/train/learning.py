#!/usr/bin/env python3
"""Finds out whether two builds learn equally well. Both run the same trainings, which differ in the order of their
sums.

    .deps/venv/bin/python bench/train/learning.py OLD NEW --shards SHARDS --out FOLDER [--seeds 1-20] [--images 9600] [--features 8]

OLD and NEW are folders with the programs. For each seed both train at 64 px with a batch of 16, and SWD of all held-out
images is measured at the end. Its excess is over quality_swd_floor. Printed are the ratios NEW / OLD, their geometric
mean and the 90 % interval of the mean logarithm (Student). Two runs with one thread each train at the same time;
finished ones are kept.
"""
import argparse
import concurrent.futures
import json
import math
import os
import pathlib
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from seeds import interval, seeds_of  # noqa: E402

BATCH = 16


def excess(options, build, programs, seed):
    run = options.out / f'{build}-{seed}'
    steps = options.images // BATCH
    if not (run / 'status.json').exists() or json.loads((run / 'status.json').read_text())['state'] != 'finished':
        command = [programs / 'gan-train', '--shards', options.shards, '--run', run, '--resolution', '64', '--features',
                   options.features, '--batch', BATCH, '--steps', steps, '--quality-every', steps, '--seed', seed, '--threads', '1',
                   '--metrics-port', 'off', '--sample-every', '0', '--checkpoint-every', '0']
        subprocess.run([str(word) for word in command], check=True, capture_output=True, env=dict(os.environ, OMP_NUM_THREADS='1'))
    last = [line for line in map(json.loads, (run / 'stats.jsonl').read_text().splitlines()) if 'quality_swd' in line][-1]
    return last['quality_swd'] - last['quality_swd_floor']


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('old', type=pathlib.Path)
    parser.add_argument('new', type=pathlib.Path)
    parser.add_argument('--shards', required=True, type=pathlib.Path)
    parser.add_argument('--out', required=True, type=pathlib.Path)
    parser.add_argument('--seeds', default='1-20')
    parser.add_argument('--images', type=int, default=9600)
    parser.add_argument('--features', type=int, default=8)
    options = parser.parse_args()
    seeds = seeds_of(options.seeds)
    if len(seeds) < 2:
        parser.error('--seeds: at least two')
    options.out.mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [(pool.submit(excess, options, 'old', options.old, seed), pool.submit(excess, options, 'new', options.new, seed))
                for seed in seeds]
        pairs = [(old.result(), new.result()) for old, new in jobs]
    logs = [math.log(new / old) for old, new in pairs]
    print(' '.join(f'{math.exp(one):.2f}' for one in logs))
    middle, low, high = interval(logs)
    print(f'SWD excess, new / old, {len(seeds)} seeds: {middle:.3f}, 90 % interval {low:.3f} to {high:.3f}')


if __name__ == '__main__':
    main()
