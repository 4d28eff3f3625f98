#!/usr/bin/env python3
"""images/s of gan-train beside the same mathematics in PyTorch with DistributedDataParallel, in turns on this machine.

    .deps/venv/bin/python bench/train/against_pytorch.py --shards SHARDS_OF_128_PX --peer train_dcgan_ddp.py

The peer runs in each of its settings (eager or compiled, channels-last or not); the best counts. `--same-allocator`
also uses it with our allocator's settings. Totals over all timed steps of all turns, as ratios; the first three steps
of a turn are warm-up on both sides. Stop everything else on the machine first.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get('EQUIPOISE_BIN', ROOT / 'build/release/bin'))
WARMUP = 3
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT='1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM='1', OMP_NUM_THREADS='1')
JEMALLOC = {'LD_PRELOAD': '/usr/lib/x86_64-linux-gnu/libjemalloc.so.2',
            'MALLOC_CONF': 'thp:always,dirty_decay_ms:-1,muzzy_decay_ms:-1,oversize_threshold:0'}


def ours(options, features, batch):
    """Seconds of the timed steps. Two ranks, as a user would start them."""
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / 'run'
        subprocess.run(['mpirun', '-np', '2', '--mca', 'btl', '^tcp', BIN / 'gan-train', '--shards',
                        options.shards, '--run', run, '--features', str(features), '--batch', str(batch), '--steps',
                        str(options.steps + WARMUP), '--sample-every', '0', '--checkpoint-every', '0',
                        '--metrics-port', 'off', '--balance', 'watch'],
                       check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lines = [json.loads(line) for line in (run / 'stats.jsonl').read_text().splitlines()]
        return sum(line['step_seconds'] for line in lines[WARMUP:])


def peer(options, features, batch, flags, environment):
    done = subprocess.run([ROOT / '.deps/python', '-m', 'torch.distributed.run', '--nproc-per-node', '2', options.peer,
                           '--features', str(features), '--batch', str(batch), '--steps', str(options.steps),
                           '--warmup', str(WARMUP), *flags], env=ENVIRONMENT | environment, capture_output=True, text=True)
    seconds = [float(value) for value in re.findall(r'([0-9.]+) s/step', done.stdout)]
    if not seconds:
        return None  # a setting that does not run here (no compiler for torch.compile, for example)
    return max(seconds) * options.steps


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--shards', required=True)
    parser.add_argument('--peer', required=True)
    parser.add_argument('--turns', type=int, default=5)
    parser.add_argument('--steps', type=int, default=10)
    parser.add_argument('--sizes', default='16x16,64x8', help='list of features x batch')
    parser.add_argument('--settings', default='eager,channels-last,compile')
    parser.add_argument('--same-allocator', action='store_true')
    options = parser.parse_args()
    flags = {'eager': [], 'channels-last': ['--channels-last'], 'compile': ['--compile'],
             'compile-channels-last': ['--compile', '--channels-last']}
    environments = {'as it comes': {}} | ({'our allocator': JEMALLOC} if options.same_allocator else {})
    for size in options.sizes.split(','):
        features, batch = map(int, size.split('x'))
        mine, theirs = 0.0, {}
        for turn in range(options.turns):
            mine += ours(options, features, batch)
            for name, environment in environments.items():
                for setting in options.settings.split(','):
                    key = f'{setting}, {name}'
                    if theirs.get(key, 0.0) is None:
                        continue
                    seconds = peer(options, features, batch, flags[setting], environment)
                    theirs[key] = None if seconds is None else theirs.get(key, 0.0) + seconds
            images = 2 * batch * options.steps * (turn + 1)
            print(f'features {features}, batch {batch}, {turn + 1} turn(s): ours {images / mine:.2f} images/s')
            for key, seconds in theirs.items():
                print(f'  PyTorch {key:34}', 'does not run here' if seconds is None else
                      f'{images / seconds:7.2f} images/s   ours is {seconds / mine:.2f} x', flush=True)


if __name__ == '__main__':
    main()
