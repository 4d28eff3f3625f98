"""Bytes per second of equipoise.Shards in a DataLoader with two workers, beside numpy loops over the same files, in turns.

Usage: .deps/python bench/python/shards.py [--turns 9] [--records 40000]      (PYTHONPATH=python)
The files are in the page cache. One loop copies each record, as a program without batches does; the other also makes batches.
Each is an epoch: "loader" has workers that an earlier epoch started, "tensors" too, with to_tensor; "started" starts them.
"""
import argparse
import json
import pathlib
import statistics
import tempfile
import time

import numpy as np
import torch

from equipoise import Shards, to_tensor
from equipoise.shards import INDEX

SIDE, BATCH, SHARDS = 128, 64, 4


def make(folder, records):
    each = records // SHARDS
    for number in range(SHARDS):
        footer = 4096 + 3 * SIDE ** 2 * each
        header = b'GANSHARD' + np.array([1, number, SIDE, 4096], '<u4').tobytes() + np.array(
            [each, footer, INDEX.itemsize * each], '<u8').tobytes()
        with open(folder / f'shard-{number:05}.gan', 'wb') as file:
            file.write(header.ljust(4096, b'\0'))
            np.random.default_rng(number).integers(0, 256, 3 * SIDE ** 2 * each, np.uint8).tofile(file)
            np.zeros(each, INDEX).tofile(file)
    (folder / 'manifest.json').write_text(json.dumps({'format_version': 1, 'image_size': SIDE, 'labels': [], 'shards': [
        {'number': n, 'records': each} for n in range(SHARDS)]}))


def copies(folder):
    return sum(np.array(picture).nbytes for pictures, _ in Shards(folder).arrays() for picture in pictures)


def batches(folder):
    return sum(np.stack(pictures[i:i + BATCH]).nbytes for pictures, _ in Shards(folder).arrays() for i in range(0, len(pictures), BATCH))


def started(folder):
    return epoch(torch.utils.data.DataLoader(Shards(folder), batch_size=BATCH, num_workers=2))


def epoch(loader):
    return sum(pictures.numel() for pictures, _ in loader)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--turns', type=int, default=9)
    parser.add_argument('--records', type=int, default=40000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        make(folder, options.records)
        loader, tensors = (torch.utils.data.DataLoader(data, batch_size=BATCH, num_workers=2, persistent_workers=True)
                           for data in (Shards(folder), Shards(folder, to_tensor)))
        epoch(loader), epoch(tensors)
        ways = {'copies': copies, 'batches': batches, 'started': started, 'tensors': lambda _: epoch(tensors),
                'loader': lambda _: epoch(loader)}
        speeds = {name: [] for name in ways}
        for _ in range(options.turns):
            for name, way in ways.items():
                start = time.perf_counter()
                speeds[name].append(way(folder) / (time.perf_counter() - start) / 1e9)
    for name, values in speeds.items():
        ratio = statistics.median(a / b for a, b in zip(speeds['loader'], values))
        print(f'{name:8} {statistics.median(values):.2f} GB/s   loader relative to it {ratio:.2f}')


main()
