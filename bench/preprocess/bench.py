#!/usr/bin/env python3
"""gan-preprocess against the programs that people use, and against decoding alone, in turns on the same files.

    cmake --build build/release --target gan-preprocess decode_only
    python3 bench/preprocess/bench.py --peers PEERS.py --python PYTHON --photos FOLDER [--big FOLDER] [--simd FOLDER]

PEERS.py runs one peer as `PYTHON PEERS.py NAME FOLDER WORKERS` and prints "... N img/s (M images ...". --photos is repeated
by hard links up to --count inputs. --big: a folder in which the files with a short side of 2,000 px and more are taken, for
--decode fast. --simd: a folder with pillow-simd, put before Pillow for one more peer. Each figure is the sum over all turns;
ours is the whole program with its start, checksums and fsync (to memory, as the peers' output).
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
    subprocess.run([BIN / 'gan-inspect', out, '--dump', '10000', '--out', out / 'all.png'], check=True,
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--peers', required=True)
    parser.add_argument('--python', default=sys.executable)
    parser.add_argument('--photos', required=True, type=pathlib.Path)
    parser.add_argument('--big', type=pathlib.Path)
    parser.add_argument('--simd')
    parser.add_argument('--names', default='torchvision,pil,cv2_area,dali')
    parser.add_argument('--count', type=int, default=10000)
    parser.add_argument('--turns', type=int, default=5)
    parser.add_argument('--threads', type=int, default=os.cpu_count())
    options = parser.parse_args()
    names = options.names.split(',') + (['pillow_simd'] if options.simd else [])
    with tempfile.TemporaryDirectory(dir=options.photos.parent if os.access(options.photos.parent, os.W_OK) else None) as work, \
            tempfile.TemporaryDirectory(dir='/dev/shm') as memory:
        out, threads = pathlib.Path(memory) / 'out', options.threads
        photos = repeated(options.photos, pathlib.Path(work) / 'photos', options.count)
        peaks = []

        def ours(folder, count, used_threads, *flags):
            def job():
                seconds, peak = preprocess(folder, out, used_threads, *flags)
                peaks.append(peak)
                return seconds, count
            return job

        ours(photos, options.count, threads)()  # warm cache
        jobs = {'gan-preprocess': ours(photos, options.count, threads), 'decode_only': lambda: decode_only(photos, threads)}
        jobs |= {name: lambda name=name: peer(options, name, photos, threads) for name in names}
        turns(f'{options.count} photos, {threads} threads, exact', jobs, options.turns, 'gan-preprocess')
        print(f'  peak RSS {max(peaks):.0f} MB')
        counts = [1, 2, *([threads] if threads > 2 else [])]
        scaling = turns('scaling', {f'{n} threads': ours(photos, options.count, n) for n in counts}, options.turns, '2 threads')
        print(f'  2 threads / 1 thread: {scaling.rate("2 threads") / scaling.rate("1 threads"):.3f}')
        if options.big:
            large = [p for p in options.big.rglob('*.jpg') if jpeg_short_side(p) >= 2000]
            sources = pathlib.Path(work) / 'large'
            sources.mkdir()
            for i, path in enumerate(sorted(large)):
                shutil.copyfile(path, sources / f'{i:03d}.jpg')
            big = repeated(sources, pathlib.Path(work) / 'big', 60)
            peaks.clear()
            jobs = {'fast': ours(big, 60, threads, '--decode', 'fast'), 'exact': ours(big, 60, threads)}
            jobs |= {name: lambda name=name: peer(options, name, big, threads) for name in [*names, 'pil_draft']}
            turns(f'{len(large)} large pictures, 60 inputs', jobs, options.turns, 'fast')
            print(f'  peak RSS {max(peaks):.0f} MB')
            folders = [pathlib.Path(memory) / mode for mode in ('exact', 'fast')]
            for folder in folders:
                preprocess(sources, folder, threads, '--decode', folder.name)
            found = quality(*folders)
            print(f'  PSNR of fast against exact: mean {sum(found) / len(found):.1f} dB, worst {min(found):.1f} dB, '
                  f'{len(found)} pictures')


if __name__ == '__main__':
    main()
