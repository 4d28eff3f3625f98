#!/usr/bin/env python3
"""Measures the cost of a save: gan-train's pauses against a memcpy of the same state and against
torch.distributed.checkpoint's async_save of it, and the speed of writing against dd on the same disk; in turns.

    .deps/python bench/checkpoint/bench.py --shards SHARDS [--saves 40] [--turns 5] [--folder WHERE_ON_WHICH_DISK]

The pauses are the ones that gan-train logs ("training paused for"), one rank, features 64, 128 px; the state is the one
that it saved: G, D, EMA and Adam's moments. In each turn gan-train makes some saves, then the others make as many.
There are enough steps between two saves to write the first one, so no pause includes a wait for an earlier save, on
either side.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import numpy as np
import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from safetensors.torch import load_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRAIN = pathlib.Path(os.environ.get('GAN_TRAIN', ROOT / 'build/release/bin/gan-train'))
BETWEEN = 8  # steps from save to save


def train(options, run, saves):
    """(pauses, speeds of writing) of `saves` saves during the training. The last save, for which the run waits, is left
    out."""
    done = subprocess.run([*map(str, [TRAIN, '--shards', options.shards, '--run', run, '--batch', 2, '--threads', 1,
                                      '--metrics-port', 'off', '--sample-every', 0, '--checkpoint-every', BETWEEN,
                                      '--steps', saves * BETWEEN + BETWEEN - 1])], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    found = re.findall(r'saved \S+ \(([\d.]+) MB in ([\d.]+) s, training paused for ([\d.]+) s\)', done.stderr)[:-1]
    return [float(pause) for _, _, pause in found], [float(mb) / float(seconds) for mb, seconds, _ in found]


def newest_state(run):
    folder = sorted((run / 'checkpoints').glob('step-*'))[-1]
    state = {}
    for file in folder.glob('*.safetensors'):
        state |= load_file(file)
    return state


def memcpy(state, buffers):
    start = time.perf_counter()
    for name, tensor in state.items():
        buffers[name].copy_(tensor)
    return time.perf_counter() - start


def torch_save(state, folder):
    start = time.perf_counter()
    future = dcp.async_save(state, checkpoint_id=str(folder))
    pause = time.perf_counter() - start
    future.result()
    return pause


def dd(folder, megabytes):
    start = time.perf_counter()
    subprocess.run(['dd', 'if=/dev/zero', f'of={folder}/dd', 'bs=1M', f'count={megabytes}', 'conv=fsync'], check=True,
                   stderr=subprocess.DEVNULL)
    return megabytes * 1.048576 / (time.perf_counter() - start)


def show(name, values, unit, scale=1.0):
    values = np.array(values) * scale
    print(f'{name:44} p50 {np.percentile(values, 50):8.1f}  p99 {np.percentile(values, 99):8.1f} {unit}')
    return np.percentile(values, 99)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--shards', required=True)
    parser.add_argument('--saves', type=int, default=40)
    parser.add_argument('--turns', type=int, default=5)
    parser.add_argument('--folder')
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        folder = pathlib.Path(temporary)
        dist.init_process_group('gloo', init_method=f'file://{folder}/store', rank=0, world_size=1)
        ours, writing, copies, theirs, disk = [], [], [], [], []
        each = options.saves // options.turns
        for turn in range(options.turns):
            run = folder / f'run-{turn}'
            pauses, speeds = train(options, run, each)
            ours += pauses
            writing += speeds
            state = newest_state(run)
            size = sum(t.numel() * t.element_size() for t in state.values())
            buffers = {name: torch.empty_like(tensor) for name, tensor in state.items()}
            memcpy(state, buffers)  # touch the pages
            copies += [memcpy(state, buffers) for _ in range(each)]
            for _ in range(each):
                theirs.append(torch_save(state, folder / 'dcp'))
                shutil.rmtree(folder / 'dcp')
            disk += [dd(folder, round(size / 1048576)) for _ in range(3)]
            shutil.rmtree(run)
        dist.destroy_process_group()
    print(f'state {size / 1e6:.1f} MB, {len(ours)} saves, load {os.getloadavg()[0]:.1f}')
    mine = show('pause of a save', ours, 'ms', 1000)
    copy = show('memcpy of the state', copies, 'ms', 1000)
    other = show('torch.distributed.checkpoint.async_save', theirs, 'ms', 1000)
    print(f'p99 of ours / memcpy {mine / copy:.2f}, / torch {mine / other:.2f}')
    show('writing and fsync, ours (with digests)', writing, 'MB/s')
    show('dd conv=fsync', disk, 'MB/s')
    print(f'median speed of ours / dd {np.median(writing) / np.median(disk):.2f}')


if __name__ == '__main__':
    main()
