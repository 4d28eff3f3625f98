#!/usr/bin/env python3
"""Measures the cost of quality measurements: the same training with and without them, in turns.

    .deps/venv/bin/python bench/train/measuring.py --shards shards/ --out /tmp/measuring --turns 3

Two ranks train for --steps steps. The only checkpoints are those of measured states, and they are part of the cost. The
line of each training has the time of all its steps but the first ten, the time of the whole run, the median time of a
step, and the times of the five longest steps as multiples of the median. The last two lines have the cost, which is
computed from the medians over the turns. The longest steps without measuring show how much other programs on the
machine disturb the steps.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get('EQUIPOISE_BIN', ROOT / 'build/release/bin'))
WARM = 10  # steps


def train(options, name, *flags):
    run = options.out / name
    shutil.rmtree(run, ignore_errors=True)
    command = ['mpirun', '-np', '2', BIN / 'gan-train', '--shards', options.shards, '--run', run, '--resolution', '64',
               '--features', options.features, '--batch', '16', '--steps', options.steps, '--checkpoint-every', '0', '--sample-every', '0',
               '--metrics-port', 'off', '--holdout', options.holdout, *flags]
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT='1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM='1')
    subprocess.run([str(word) for word in command], env=environment, check=True, capture_output=True)
    lines = [json.loads(line) for line in (run / 'stats.jsonl').read_text().splitlines()]
    return [line['step_seconds'] for line in lines[WARM:]], wall_of(run)


def wall_of(run):
    """Seconds from the writing of options.json, at the start, to the last status; saves count here."""
    return json.loads((run / 'status.json').read_text())['unix_seconds'] - (run / 'options.json').stat().st_mtime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--shards', required=True, type=pathlib.Path)
    parser.add_argument('--out', required=True, type=pathlib.Path)
    parser.add_argument('--turns', type=int, default=3)
    parser.add_argument('--steps', default='1300')
    parser.add_argument('--features', default='16')
    parser.add_argument('--holdout', default='0.05')
    parser.add_argument('--quality-every', default='312', help='in steps; 312 steps of 32 images are 10,000 images')
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    sums = {'without': [], 'with': []}
    walls = {'without': [], 'with': []}
    for turn in range(options.turns):
        for kind, every in (('without', '0'), ('with', options.quality_every)):
            steps, wall = train(options, f'{kind}-{turn}', '--quality-every', every)
            sums[kind].append(sum(steps))
            walls[kind].append(wall)
            median = statistics.median(steps)
            worst = ' '.join(f'{one / median:.2f}' for one in sorted(steps)[:-6:-1])
            print(f'turn {turn} {kind:7}: steps {sum(steps):.2f} s, run {wall:.2f} s, median {1000 * median:.1f} ms, '
                  f'longest {worst} medians, load {os.getloadavg()[0]:.2f}', flush=True)
    for name, found in (('steps', sums), ('run', walls)):
        before, after = (statistics.median(found[kind]) for kind in ('without', 'with'))
        print(f'cost in {name}: {100 * (after / before - 1):.2f} %')


if __name__ == '__main__':
    sys.exit(main())
