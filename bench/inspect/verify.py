#!/usr/bin/env python3
"""Compares the speed at which gan-inspect verifies a shard folder with that of `cat` of the same shards. Both take
turns, and the files are in the cache.

verify.py [--bin build/release/bin] [--gigabytes 1] [--turns 7] [--least RATIO]
"""
import argparse
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy as np
from PIL import Image


def seconds(command):
    begin = time.perf_counter()
    subprocess.run(command, check=True, shell=isinstance(command, str), stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--bin', type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2] / 'build/release/bin')
    parser.add_argument('--gigabytes', type=float, default=1)
    parser.add_argument('--turns', type=int, default=7)
    parser.add_argument('--least', type=float, help='minimum ratio of the medians; the exit code is 1 when it is lower')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as top:
        top = pathlib.Path(top)
        picture = top / 'noise.png'
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)).save(picture)
        count = int(args.gigabytes * 1e9 / (128 * 128 * 3))
        (top / 'list').write_text(f'{picture}\n' * count)
        out = top / 'shards'
        subprocess.run([args.bin / 'gan-preprocess', '--list', top / 'list', '--out', out], check=True, stdout=subprocess.DEVNULL)
        shards = sorted(out.glob('*.gan'))
        total = sum(shard.stat().st_size for shard in shards)
        names = ' '.join(map(str, shards))
        ours, plain, piped = [], [], []
        for _ in range(args.turns):
            plain.append(seconds(f'cat {names} >/dev/null'))
            ours.append(seconds([args.bin / 'gan-inspect', out]))
            piped.append(seconds(f'cat {names} | cat >/dev/null'))
    rate = lambda times: total / statistics.median(times) / 1e9
    ratio = statistics.median(plain) / statistics.median(ours)
    print(f'{total / 1e9:.2f} GB in {len(shards)} shards, medians of {args.turns} turns')
    print(f'cat >/dev/null              {rate(plain):6.2f} GB/s')
    print(f'cat | cat >/dev/null        {rate(piped):6.2f} GB/s')
    print(f'gan-inspect                 {rate(ours):6.2f} GB/s   {ratio:.2f} of cat (paired: '
          f'{statistics.median(p / o for p, o in zip(plain, ours)):.2f})')
    raise SystemExit(args.least is not None and ratio < args.least)


if __name__ == '__main__':
    main()
