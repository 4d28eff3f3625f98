#!/usr/bin/env python3
"""Whether two builds learn equally well: the same trainings by both, which differ in the order of their sums.

    bench/train/learning.py OLD NEW --shards SHARDS --out FOLDER [--seeds 1-20] [--images 9600] [--features 8]

OLD and NEW are folders with the programs. For each seed both train at 64 px with a batch of 16, and SWD of all held-out images
is measured at the end. Its excess is over quality_swd_floor. Printed are the ratios NEW / OLD, their geometric mean and the 90 %
interval of the mean logarithm (Student). Two runs with one thread each stand side by side; finished ones are kept.
"""
import argparse
import concurrent.futures
import json
import math
import os
import pathlib
import statistics
import subprocess

# Student's t for a two-sided interval of 90 %, by the number of seeds.
T = {2: 6.314, 3: 2.920, 4: 2.353, 5: 2.132, 8: 1.895, 10: 1.833, 16: 1.753, 20: 1.729, 24: 1.714, 30: 1.699}
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
    first, _, last = options.seeds.partition('-')
    seeds = range(int(first), int(last or first) + 1)
    if len(seeds) not in T:
        parser.error(f'--seeds: as many as {", ".join(map(str, T))}')
    options.out.mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [(pool.submit(excess, options, 'old', options.old, seed), pool.submit(excess, options, 'new', options.new, seed))
                for seed in seeds]
        pairs = [(old.result(), new.result()) for old, new in jobs]
    logs = [math.log(new / old) for old, new in pairs]
    print(' '.join(f'{math.exp(one):.2f}' for one in logs))
    mean, half = statistics.mean(logs), T[len(seeds)] * statistics.stdev(logs) / math.sqrt(len(seeds))
    low, middle, high = (math.exp(value) for value in (mean - half, mean, mean + half))
    print(f'SWD excess, new / old, {len(seeds)} seeds: {middle:.3f}, 90 % interval {low:.3f} to {high:.3f}')


if __name__ == '__main__':
    main()
