#!/usr/bin/env python3
"""gan-preprocess on the same photos in every container, in turns: images/s beside the folder's.

    EQUIPOISE_BIN=build/release/bin EQUIPOISE_SHARED=SHARED .deps/venv/bin/python bench/preprocess/containers.py [--turns 5]

The sources are those of tests/preprocess/same_records_test.py. Each figure is the best of all turns, since other work
of the machine can only make a run slower. The median of the ratios to the folder's run of the same turn is printed
beside it.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'tests/preprocess'))
os.environ.setdefault('EQUIPOISE_PICTURES', '3781')

import same_records_test as same  # noqa: E402


def seconds(command, out):
    shutil.rmtree(out, ignore_errors=True)
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=same.ENVIRONMENT)
    return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--turns', type=int, default=5)
    parser.add_argument('--threads', type=int, default=os.cpu_count())
    parser.add_argument('--names', default=','.join(name for name in same.MAKERS if name != '7z'))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as top, tempfile.TemporaryDirectory(dir='/dev/shm') as memory:
        pictures, out = same.chosen(pathlib.Path(memory)), pathlib.Path(memory, 'out')
        names = options.names.split(',')
        sources = {name: same.MAKERS[name](pathlib.Path(top), pictures) for name in names}
        taken = {name: [] for name in names}
        for turn in range(options.turns + 1):  # the first one warms the cache
            for name, source in sources.items():
                taken[name].append(seconds(same.command(out, '--in', source, '--labels', 'auto', '--threads', options.threads, size=128), out))
            print('.', end='', file=sys.stderr, flush=True)
        taken = {name: times[1:] for name, times in taken.items()}
        print(f'\n{len(pictures)} pictures, {options.threads} threads, {options.turns} turns, load {os.getloadavg()[0]:.1f}')
        for name, times in taken.items():
            ratio = statistics.median(folder / time for folder, time in zip(taken[names[0]], times))
            print(f'{name:14} {len(pictures) / min(times):7.0f} images/s   {min(taken[names[0]]) / min(times):.2f} of the best of the folder, '
                  f'{ratio:.2f} in the median turn')


if __name__ == '__main__':
    main()
