#!/usr/bin/env python3
"""Quality after equal time: gan-train --preset auto beside the recipe of PyTorch's DCGAN example, on two cores.

    .deps/venv/bin/python bench/results/against_example.py --photos TRAINING --held-out OTHERS --out FOLDER [--time 30m]

TRAINING and OTHERS are folders of photographs; neither program sees OTHERS. The two train one after the other: the
example with two threads (bench/results/pytorch_example.py), gan-train with two ranks of one thread. About once per
minute each leaves a generator, which makes as many images as there are held-out photographs, and one program measures
all of them in the same way: Frechet distance on the features of a random network, sliced Wasserstein distance and
coverage. The same measures of training photographs are the floor.

The time of gan-train contains its start, its own measurements and its checkpoints; the time of the example contains its
steps alone. gan-train holds back 5 % of TRAINING; the example trains on all. A finished measurement is one line of
FOLDER/results.jsonl, so an interrupted bench continues where it was. FOLDER/grids-SEED.png shows 64 images of both last
generators, the example's on the left. With --plot (pip install matplotlib) FOLDER/distance.png shows the distances over
time.

The aim: gan-train needs a third of the time to reach the best Frechet distance that the example has within all of it.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import time

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / folder) for folder in ('python', 'bench', 'bench/balance')]
from equipoise.shards import Shards  # noqa: E402
from measured_images import BIN, measured, pixels  # noqa: E402
from settings import run_two_ranks  # noqa: E402

SIDE, GAP = 64, 8
MEASURES = ('frechet', 'swd', 'coverage')
CHECKPOINT = re.compile(r'step-(\d+)')


def seconds_of(text):
    return sum(int(number) * {'h': 3600, 'm': 60, 's': 1}[unit] for number, unit in re.findall(r'(\d+)([hms])', text))


def shards_of(photos, folder):
    if not (folder / 'manifest.json').exists():
        subprocess.run([BIN / 'gan-preprocess', '--in', photos, '--out', folder, '--size', str(SIDE)], check=True)
    return folder


def photographs(shards, count):
    """`count` pictures spread evenly over the shards, float [N, 3, 64, 64] in [-1, 1]."""
    data = Shards(shards)
    places = np.linspace(0, len(data) - 1, count).astype(int)
    return np.stack([data[int(i)][0] for i in places]).transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1


def grid(images):
    """8 × 8 images [N, 3, 64, 64] in [-1, 1] as one picture."""
    return pixels(images[:64]).reshape(8, 8, SIDE, SIDE, 3).transpose(0, 2, 1, 3, 4).reshape(8 * SIDE, 8 * SIDE, 3)


class Bench:
    def __init__(self, options):
        self.options = options
        self.limit = seconds_of(options.time)
        self.results = options.out / 'results.jsonl'
        self.lines = [json.loads(line) for line in self.results.read_text().splitlines()] if self.results.exists() else []
        self.training = shards_of(options.photos, options.out / 'shards')
        held_out = shards_of(options.held_out, options.out / 'held-out')
        self.count = len(Shards(held_out)) // 2 * 2  # the measure of diversity compares pairs
        self.reals = photographs(held_out, self.count)

    def keep(self, side, seed, generators):
        """Measures each of [(seconds, images shown to D, generated images)] and adds a line for it."""
        new = []
        for seconds, images, pictures in generators:
            values = measured({'fakes': pictures, 'real': self.reals}, self.options.out)
            new.append({'side': side, 'seed': seed, 'seconds': round(seconds, 1), 'images': images,
                        **{kind: values[kind]['fakes'] for kind in MEASURES}})
        with self.results.open('a') as file:
            file.write(''.join(json.dumps(line) + '\n' for line in new))
        self.lines += new
        best = min(new, key=lambda line: line['frechet'])
        print(f'{side:9s} seed {seed}: best {json.dumps(best)}, last {json.dumps(new[-1])}', flush=True)

    def floor(self):
        if not self.of('floor', 0):
            self.keep('floor', 0, [(0, 0, photographs(self.training, self.count))])

    def generate(self, checkpoint):
        array = self.options.out / 'fakes.npy'
        subprocess.run([BIN / 'gan-generate', '--checkpoint', checkpoint, '--count', str(self.count), '--seed', '1000', '--out',
                        array], check=True, stdout=subprocess.DEVNULL)
        return np.load(array)

    def example(self, seed):
        folder = self.options.out / f'example-{seed}'
        command = [ROOT / '.deps/python', ROOT / 'bench/results/pytorch_example.py', '--shards', self.training, '--out', folder,
                   '--seconds', str(self.limit), '--count', str(self.count), '--seed', str(seed), '--every', str(self.options.every)]
        subprocess.run(command, check=True)
        times = [json.loads(line) for line in (folder / 'progress.jsonl').read_text().splitlines()]
        self.keep('example', seed, [(one['seconds'], one['images'], np.load(folder / f'{one["seconds"]:07.1f}.npy'))
                                    for one in times])

    def equipoise(self, seed):
        run = self.options.out / f'equipoise-{seed}'
        begun = time.time()
        run_two_ranks(BIN / 'gan-train', self.training, run,
                      ['--preset', 'auto', '--time', self.options.time, '--seed', seed, '--checkpoint-every', '200',
                       '--keep', '1000', *self.options.flags.split()], self.options.prefix.split())
        stats = [json.loads(line) for line in (run / 'stats.jsonl').read_text().splitlines()]
        images = {line['step']: line['images'] for line in stats}
        made, due = [], 0.0
        for checkpoint in sorted((run / 'checkpoints').iterdir()):
            match = CHECKPOINT.fullmatch(checkpoint.name)
            seconds = checkpoint.stat().st_mtime - begun
            if not match or seconds < due or seconds > self.limit:
                continue
            due = seconds + self.options.every * 0.9
            made.append((seconds, images[int(match[1])], self.generate(checkpoint)))
        if not made:
            raise SystemExit(f'{run}: no checkpoint was saved within {self.options.time}; give a longer --time')
        self.keep('equipoise', seed, made)

    def of(self, side, seed):
        return [line for line in self.lines if (line['side'], line['seed']) == (side, seed)]

    def plot(self):
        import matplotlib  # only this needs it
        matplotlib.use('Agg')
        import matplotlib.pyplot as plt
        figure, axes = plt.subplots(figsize=(7, 3.5), layout='constrained')
        for side, colour in (('example', 'tab:orange'), ('equipoise', 'tab:blue')):
            for seed in sorted({line['seed'] for line in self.lines if line['side'] == side}):
                lines = self.of(side, seed)
                axes.plot([line['seconds'] / 60 for line in lines], [line['frechet'] for line in lines], color=colour, label=
                          {'example': "PyTorch's DCGAN example", 'equipoise': 'gan-train --preset auto'}[side] + f', seed {seed}')
        axes.axhline(self.of('floor', 0)[0]['frechet'], color='grey', linestyle=':', label='training photographs')
        axes.set(xlabel='minutes on two cores', ylabel='Fréchet distance', yscale='log')
        axes.legend()
        figure.savefig(self.options.out / 'distance.png', dpi=110)

    def draw(self):
        for seed in sorted({line['seed'] for line in self.lines} - {0}):
            last = sorted((self.options.out / f'example-{seed}').glob('*.npy'))
            run = self.options.out / f'equipoise-{seed}'
            if last and run.exists():
                blank = np.full((8 * SIDE, GAP, 3), 255, np.uint8)
                both = np.concatenate([grid(np.load(last[-1])), blank, grid(self.generate(run))], 1)
                Image.fromarray(both).save(self.options.out / f'grids-{seed}.png')

    def tell(self):
        floor = self.of('floor', 0)[0]
        print('floor:', ', '.join(f'{kind} {floor[kind]:.4f}' for kind in MEASURES))
        for seed in sorted({line['seed'] for line in self.lines} - {0}):
            sides = {side: self.of(side, seed) for side in ('example', 'equipoise')}
            for side, lines in sides.items():
                for name, line in (('best', min(lines, key=lambda one: one['frechet'])), ('last', lines[-1])) if lines else ():
                    print(f'seed {seed} {side:9s} {name}: after {line["seconds"] / 60:4.1f} min and {line["images"]} images: '
                          + ', '.join(f'{kind} {line[kind]:.4f}' for kind in MEASURES))
            if not all(sides.values()):
                continue
            aim = min(line['frechet'] for line in sides['example'])
            reached = next((line for line in sides['equipoise'] if line['frechet'] <= aim), None)
            print(f'seed {seed}: the best Frechet distance of the example, {aim:.4f}, is ' +
                  (f'reached after {reached["seconds"] / 60:.1f} min' if reached else 'not reached') +
                  f'; the aim is {self.limit / 180:.1f} min')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--photos', required=True, type=pathlib.Path)
    parser.add_argument('--held-out', required=True, type=pathlib.Path)
    parser.add_argument('--out', required=True, type=pathlib.Path)
    parser.add_argument('--time', default='30m')
    parser.add_argument('--seeds', default='1,2,3')
    parser.add_argument('--sides', default='example,equipoise')
    parser.add_argument('--every', type=float, default=60, help='seconds between two measured generators')
    parser.add_argument('--plot', action='store_true')
    parser.add_argument('--flags', default='', help='more flags of gan-train')
    parser.add_argument('--prefix', default='', help='command in front of gan-train')
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    bench = Bench(options)
    bench.floor()
    for seed in map(int, options.seeds.split(',')):
        for side in options.sides.split(','):
            if not bench.of(side, seed):
                getattr(bench, side)(seed)
    bench.tell()
    bench.draw()
    if options.plot:
        bench.plot()


if __name__ == '__main__':
    main()
