#!/usr/bin/env python3
"""Measures gan-train with more ranks on this machine.

    .deps/venv/bin/python bench/train/ranks.py --shards SHARDS_OF_128_PX weak     # one pinned rank and two, in turns
    .deps/venv/bin/python bench/train/ranks.py --shards SHARDS_OF_128_PX many     # 2 to 64 ranks, oversubscribed
    .deps/venv/bin/python bench/train/ranks.py --shards SHARDS_OF_128_PX paths    # both ways of synchronising, in turns

weak: images/s of two ranks against twice those of one, each on its own core. For comparison, two independent trainings
at the same time, which show the speed of two busy cores; and the same two in lockstep, each step as long as that of the
slower core. The latter is the limit of two ranks. It is lower where cores change their speed by themselves, as on a
shared machine. Totals over all timed steps without the first three of a turn. many: seconds from the start to the first
step, and of a step, of a tiny network. paths: two ranks, as weak.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get('EQUIPOISE_BIN', ROOT / 'build/release/bin'))
WARMUP = 3
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT='1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM='1', OMP_NUM_THREADS='1')


def train(options, ranks, launcher, *flags):
    """(seconds of each step, seconds from the start to the first line of stats.jsonl)"""
    with tempfile.TemporaryDirectory() as folder:
        stats = pathlib.Path(folder) / 'run/stats.jsonl'
        command = ['mpirun', '-np', ranks, *launcher, '--mca', 'btl', '^tcp', BIN / 'gan-train', '--shards',
                   options.shards, '--run', stats.parent, '--sample-every', 0, '--checkpoint-every', 0, '--metrics-port',
                   'off', '--balance', 'watch', *flags]
        start = time.monotonic()
        process = subprocess.Popen([str(part) for part in command], env=ENVIRONMENT, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        first = None
        while process.poll() is None:
            if first is None and stats.exists() and stats.stat().st_size > 0:
                first = time.monotonic() - start
            time.sleep(0.05)
        if process.returncode != 0:
            raise SystemExit(f'{ranks} ranks: exit code {process.returncode}')
        return [json.loads(line)['step_seconds'] for line in stats.read_text().splitlines()], first


def pinned(options, ranks, flags):
    """Seconds of all timed steps of one rank or more, each on a core, divided by the number of ranks."""
    return sum(train(options, ranks, ('--bind-to', 'core'), *flags)[0][WARMUP:]) / ranks


def apart(options, flags):
    """Seconds of two trainings at once, each of one rank on a core: their mean, and in lockstep with the slower one."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(train, options, 1, ('--cpu-set', core, '--bind-to', 'core'), *flags) for core in range(2)]
        steps = [run.result()[0][WARMUP:] for run in runs]
    return {'apart': sum(map(sum, steps)) / 2 / 2, 'lockstep': sum(map(max, *steps)) / 2}


def in_turns(options, measure):
    """images/s of each case; measure(flags) returns the seconds of a turn divided by the number of ranks, by name"""
    seconds = collections.Counter()
    common = ('--features', options.features, '--batch', options.batch, '--steps', options.steps + WARMUP)
    for _ in range(options.turns):
        seconds.update(measure(common))
    print(f'features {options.features}, batch {options.batch}, {options.turns} turns of {options.steps} steps')
    images = options.batch * options.steps * options.turns
    return {name: images / total for name, total in seconds.items()}


def weak(options):
    speed = in_turns(options, lambda flags: {'one': pinned(options, 1, flags), 'two': pinned(options, 2, flags),
                                             **apart(options, flags)})
    print(f'one rank {speed["one"]:.1f} images/s, two {speed["two"]:.1f}: {speed["two"] / speed["one"] / 2:.3f} of twice one')
    for name in 'apart', 'lockstep':
        print(f'two {name} {speed[name]:.1f}: {speed[name] / speed["one"] / 2:.3f}; two ranks are '
              f'{speed["two"] / speed[name]:.3f} of that')


def paths(options):
    def both(flags):
        return {path: pinned(options, 2, (*flags, '--gradient-sync', path)) for path in ('flat', 'bucketed')}

    for name, speed in in_turns(options, both).items():
        print(f'{name}: {speed:.1f} images/s')


def many(options):
    for ranks in (2, 4, 8, 16, 32, 64):
        steps, first = train(options, ranks, ('--oversubscribe', '--bind-to', 'none'), '--resolution', 64, '--features', 4,
                             '--batch', 2, '--threads', 1, '--steps', 5)
        print(f'{ranks:3} ranks: first step after {first:5.1f} s, then {sum(steps[1:]) / 4:.2f} s a step', flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('what', choices=('weak', 'many', 'paths'))
    parser.add_argument('--shards', required=True)
    parser.add_argument('--features', type=int, default=16)
    parser.add_argument('--batch', type=int, default=16)
    parser.add_argument('--steps', type=int, default=20)
    parser.add_argument('--turns', type=int, default=5)
    options = parser.parse_args()
    {'weak': weak, 'many': many, 'paths': paths}[options.what](options)


if __name__ == '__main__':
    main()
