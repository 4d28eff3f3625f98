#!/usr/bin/env python3
"""gan-preprocess against widely used programs, and against decoding alone, in turns on the same files.

    cmake --build build/release --target gan-preprocess decode_only
    python3 bench/preprocess/bench.py --python PYTHON --photos FOLDER [--big FOLDER] [--simd FOLDER] [--peers PEERS.py --names A,B]

PEERS.py, by default peers.py beside this file, runs one peer as `PYTHON PEERS.py NAME FOLDER WORKERS` and prints "... N
img/s (M images ...". PYTHON must have the packages of the peers. --photos is repeated by hard links up to --count
inputs. --big: a folder from which the files with a short side of at least 2,000 px are used, for --decode fast. --simd:
a folder with pillow-simd, put before Pillow for one more peer. Each figure is the sum over all turns; the figure of
gan-preprocess is that of the whole program with start, checksums and fsync (to memory, like the peers' output).
"""
import argparse
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get('EQUIPOISE_BIN', ROOT / 'build/release/bin'))


def repeated(source, target, count):
    """`count` hard links (or copies) to the pictures of `source`."""
    files = sorted(p for p in source.rglob('*') if p.is_file() and p.suffix.lower() in ('.jpg', '.jpeg', '.png', '.webp'))
    target.mkdir()
    for i in range(count):
        file = files[i % len(files)]
        link = target / f'{i:06d}{file.suffix.lower()}'
        try:
            os.link(file, link)
        except OSError:
            shutil.copyfile(file, link)
    return target


def preprocess(folder, out, threads, *flags):
    """(seconds, peak RSS in MB) of one run into an empty folder."""
    shutil.rmtree(out, ignore_errors=True)
    start = time.perf_counter()
    process = subprocess.Popen([BIN / 'gan-preprocess', '--in', folder, '--out', out, '--threads', str(threads), *flags],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        raise SystemExit(f'gan-preprocess ended with {status}')
    return seconds, usage.ru_maxrss / 1024


def peer(options, name, folder, threads):
    environment = dict(os.environ)
    if name == 'pillow_simd':
        environment['PYTHONPATH'] = f'{options.simd}:{os.environ.get("PYTHONPATH", "")}'
    done = subprocess.run([options.python, options.peers, {'pillow_simd': 'pil'}.get(name, name), folder, str(threads)],
                          env=environment, capture_output=True, text=True)
    found = re.search(r'([\d.]+) img/s\s+\((\d+) images', done.stdout)
    if not found:
        raise SystemExit(f'{name}: {done.stdout}{done.stderr}')
    return int(found[2]) / float(found[1]), int(found[2])


def decode_only(folder, threads):
    done = subprocess.run([BIN / 'decode_only', folder, str(threads)], capture_output=True, text=True, check=True)
    count, seconds = re.match(r'(\d+) pictures ([\d.]+) s', done.stdout).groups()
    return float(seconds), int(count)


class Table:
    def __init__(self):
        self.rows = {}

    def add(self, name, seconds, images):
        row = self.rows.setdefault(name, [0.0, 0])
        row[0] += seconds
        row[1] += images

    def rate(self, name):
        seconds, images = self.rows[name]
        return images / seconds

    def show(self, ours):
        for name in self.rows:
            print(f'  {name:24} {self.rate(name):9.1f} images/s   ours / it {self.rate(ours) / self.rate(name):5.2f}')


def turns(title, jobs, count, ours):
    table = Table()
    for turn in range(count):
        for name, job in jobs.items():
            table.add(name, *job())
            print(f'\r{title}: turn {turn + 1} of {count}, {name}{" " * 20}', end='', file=sys.stderr, flush=True)
    print(f'\r{title}, sums over {count} turns, load {os.getloadavg()[0]:.1f}{" " * 30}')
    table.show(ours)
    return table


def jpeg_short_side(path):
    with path.open('rb') as file:
        file.seek(2)
        while True:
            marker, size = struct.unpack('>HH', file.read(4))
            if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
                return min(struct.unpack('>xHH', file.read(5)))
            file.seek(size - 2, 1)


def pixels(out):
    import numpy as np
    subprocess.run([BIN / 'gan-inspect', 'dump', out, out / 'all.png', '--count', '10000'], check=True,
                   stdout=subprocess.DEVNULL)
    from PIL import Image
    return np.asarray(Image.open(out / 'all.png').convert('RGB'), float)


def quality(exact, fast):
    """PSNR of each picture of two data sets, by the grids that gan-inspect draws (8 columns, 2 pixels between)."""
    import numpy as np
    a, b = pixels(exact), pixels(fast)
    found = []
    for top in range(2, a.shape[0] - 128 + 1, 130):
        for left in range(2, a.shape[1] - 128 + 1, 130):
            x, y = (image[top:top + 128, left:left + 128] for image in (a, b))
            if x.std() > 0:
                found.append(10 * np.log10(255 ** 2 / max(((x - y) ** 2).mean(), 1e-9)))
    return found


class Bench:
    """Runs the three parts of the benchmark. `memory`: a folder in memory for the results."""

    def __init__(self, options, work, memory):
        self.options, self.work, self.memory = options, work, memory
        self.names = options.names.split(',') + (['pillow_simd'] if options.simd else [])
        self.peaks = []

    def ours(self, folder, count, threads, *flags):
        def job():
            seconds, peak = preprocess(folder, self.memory / 'out', threads, *flags)
            self.peaks.append(peak)
            return seconds, count
        return job

    def peers(self, folder, names):
        return {name: lambda name=name: peer(self.options, name, folder, self.options.threads) for name in names}

    def photos(self):
        options, threads = self.options, self.options.threads
        folder = repeated(options.photos, self.work / 'photos', options.count)
        self.ours(folder, options.count, threads)()  # warm cache
        self.peaks.clear()
        jobs = {'gan-preprocess': self.ours(folder, options.count, threads),
                'decode_only': lambda: decode_only(folder, threads), **self.peers(folder, self.names)}
        turns(f'{options.count} photos, {threads} threads, exact', jobs, options.turns, 'gan-preprocess')
        print(f'  peak RSS {max(self.peaks):.0f} MB')

    def scaling(self):
        """Measures up to twice as many threads as processors. Saturated where one step more gives less than 5 %."""
        count = self.options.count
        folder = repeated(self.options.photos, self.work / 'scaling', count)
        numbers = [1]
        while numbers[-1] < 2 * os.cpu_count():
            numbers.append(2 * numbers[-1])
        jobs = {f'{n} threads': self.ours(folder, count, n) for n in numbers}
        self.ours(folder, count, 1)()
        table = turns('scaling', jobs, self.options.turns, '1 threads')
        rates = [table.rate(f'{n} threads') for n in numbers]
        print('  ' + ', '.join(f'{n} threads: {rate / rates[0]:.2f}x' for n, rate in zip(numbers, rates)))
        full = next((n for n, rate, after in zip(numbers, rates, rates[1:]) if after < 1.05 * rate), None)
        print(f'  saturated at {full} threads ({os.cpu_count()} processors)' if full else '  not saturated')

    def large(self):
        threads = self.options.threads
        pictures = sorted(p for p in self.options.big.rglob('*.jpg') if jpeg_short_side(p) >= 2000)
        sources = self.work / 'large'
        sources.mkdir()
        for i, path in enumerate(pictures):
            shutil.copyfile(path, sources / f'{i:03d}.jpg')
        count = self.options.large
        folder = repeated(sources, self.work / 'big', count)
        self.peaks.clear()
        jobs = {'fast': self.ours(folder, count, threads, '--decode', 'fast'), 'exact': self.ours(folder, count, threads),
                **self.peers(folder, [*self.names, 'pil_draft'])}
        turns(f'{len(pictures)} large pictures, {count} inputs', jobs, self.options.turns, 'fast')
        print(f'  peak RSS {max(self.peaks):.0f} MB')
        folders = [self.memory / mode for mode in ('exact', 'fast')]
        for out in folders:
            preprocess(sources, out, threads, '--decode', out.name)
        found = quality(*folders)
        print(f'  PSNR of fast against exact: mean {sum(found) / len(found):.1f} dB, worst {min(found):.1f} dB, '
              f'{len(found)} pictures')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--peers', default=pathlib.Path(__file__).with_name('peers.py'))
    parser.add_argument('--python', default=sys.executable)
    parser.add_argument('--photos', required=True, type=pathlib.Path)
    parser.add_argument('--big', type=pathlib.Path)
    parser.add_argument('--simd')
    parser.add_argument('--names', default='pil,torchcodec,spdl,vips,dali')
    parser.add_argument('--count', type=int, default=10000)
    parser.add_argument('--large', type=int, default=60, help='number of inputs from --big')
    parser.add_argument('--turns', type=int, default=5)
    parser.add_argument('--threads', type=int, default=os.cpu_count())
    parser.add_argument('--parts', default='photos,scaling,large')
    options = parser.parse_args()
    beside = options.photos.parent if os.access(options.photos.parent, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=beside) as work, tempfile.TemporaryDirectory(dir='/dev/shm') as memory:
        bench = Bench(options, pathlib.Path(work), pathlib.Path(memory))
        for part in options.parts.split(','):
            if part != 'large' or options.big:
                getattr(bench, part)()


if __name__ == '__main__':
    main()
