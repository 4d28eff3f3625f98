#!/usr/bin/env python3
"""Is a grown 128-px network better than one from scratch after as many images? Prints the answer for each seed.

    .deps/venv/bin/python bench/networks/growth.py --shards SHARDS_128 --out FOLDER [--seeds 1-5]

Each seed trains 64 px once (--small-steps), then 128 px from there and 128 px from scratch (--steps each): the same
number of images at 128 px; those at 64 px are additional. One rank and one thread per run, two runs at a time; the
sliced Wasserstein distance to the holdout is compared. Finished runs are kept. GAN_TRAIN may be a whole command, such
as 'timeout --preserve-status -s USR1 110 gan-train': a run that saves and ends with 75 is started again and continues.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRAIN = shlex.split(os.environ.get('GAN_TRAIN', str(ROOT / 'build/release/bin/gan-train')))
SAVED_ON_REQUEST = 75
BASE = ['--features', '8', '--batch', '16', '--threads', '1', '--metrics-port', 'off', '--sample-every', '0',
        '--d-norm', 'instance']  # the balanced setting of bench/balance
AT_128 = ['--balance', 'watch']  # nothing but the start differs


def train(options, run, seed, resolution, steps, *flags):
    status = run / 'status.json'
    if status.exists() and json.loads(status.read_text())['state'] == 'finished':
        return
    command = [*map(str, [*TRAIN, '--shards', options.shards, '--run', run, *BASE, '--seed', seed, '--resolution', resolution,
                          '--steps', steps, '--quality-every', max(steps // 4, 1), *flags])]
    while (done := subprocess.run(command, capture_output=True, text=True)).returncode == SAVED_ON_REQUEST:
        pass
    if done.returncode != 0:
        raise RuntimeError(f'{run}: ended with {done.returncode}: {done.stderr}')


def distances(run):
    lines = map(json.loads, (run / 'stats.jsonl').read_text().splitlines())
    return [line['quality_swd'] for line in lines if 'quality_swd' in line]


def one_seed(options, seed):
    small, grown, scratch = (options.out / f'{name}-{seed}' for name in ('small', 'grown', 'scratch'))
    train(options, small, seed, 64, options.small_steps)
    (checkpoint,) = (small / 'checkpoints').glob(f'step-{options.small_steps:08d}')
    train(options, grown, seed, 128, options.steps, *AT_128, '--init-from', checkpoint)
    train(options, scratch, seed, 128, options.steps, *AT_128)
    return seed, distances(grown), distances(scratch)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--shards', required=True)
    parser.add_argument('--out', required=True, type=pathlib.Path)
    parser.add_argument('--seeds', default='1-5')
    parser.add_argument('--small-steps', type=int, default=1000)
    parser.add_argument('--steps', type=int, default=200)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    first, _, last = options.seeds.partition('-')
    better = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        seeds = range(int(first), int(last or first) + 1)
        for seed, grown, scratch in pool.map(lambda seed: one_seed(options, seed), seeds):
            better += grown[-1] < scratch[-1]
            print(f'seed {seed}: SWD at a quarter, half, three quarters, all of {options.steps * 16} images: grown '
                  + ' '.join(f'{d:.4f}' for d in grown) + '   scratch ' + ' '.join(f'{d:.4f}' for d in scratch), flush=True)
    print(f'grown is better after {options.steps * 16} images in {better} of {len(seeds)} seeds')


if __name__ == '__main__':
    main()
