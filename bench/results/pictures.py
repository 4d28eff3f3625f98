#!/usr/bin/env python3
"""Draws the pictures of docs/results.md from the run folders that its commands made.

    .deps/venv/bin/python bench/results/pictures.py --acting runs/acting --without runs/without

Writes to docs/images: the images of the same latents over time in each run (one row per step, with the step on the
left), and the curves of each as gan-inspect plot draws them. Prints the measures in `stats.jsonl` as rows of a table.
"""
import argparse
import json
import os
import pathlib
import subprocess

import numpy as np
from PIL import Image, ImageDraw

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get('EQUIPOISE_BIN', ROOT / 'build/release/bin'))
GRID_COLUMNS, GAP, MARGIN = 8, 2, 40


def tiles(grid, count):
    """The first pictures of a grid that gan-train or gan-inspect dump drew."""
    pixels = np.asarray(Image.open(grid).convert('RGB'))
    side = (pixels.shape[1] - GAP) // GRID_COLUMNS - GAP
    at = lambda i: GAP + i * (side + GAP)
    return [pixels[at(i // GRID_COLUMNS):, at(i % GRID_COLUMNS):][:side, :side] for i in range(count)]


def through_time(run, steps, count):
    rows = [np.concatenate(tiles(run / f'fakes-{step:08d}.png', count), 1) for step in steps]
    strip = np.concatenate(rows)
    image = Image.new('RGB', (MARGIN + strip.shape[1], strip.shape[0]), 'white')
    image.paste(Image.fromarray(strip), (MARGIN, 0))
    draw = ImageDraw.Draw(image)
    for i, step in enumerate(steps):
        draw.text((4, (i + 0.5) * len(strip) / len(steps) - 6), str(step), fill='black')
    return image


def measures(run):
    return {line['quality_step']: line for line in map(json.loads, (run / 'stats.jsonl').read_text().splitlines())
            if 'quality_swd' in line}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--acting', required=True, type=pathlib.Path)
    parser.add_argument('--without', required=True, type=pathlib.Path)
    parser.add_argument('--steps', default='0,250,500,1000,2000,3000,4500',
                        help='steps to show, one row each; missing ones are left out')
    parser.add_argument('--count', type=int, default=10, help='number of latents to show')
    parser.add_argument('--out', type=pathlib.Path, default=ROOT / 'docs/images')
    options = parser.parse_args()
    for name in ('acting', 'without'):
        run = getattr(options, name)
        steps = [int(step) for step in options.steps.split(',')]
        strip = through_time(run, [step for step in steps if (run / f'fakes-{step:08d}.png').exists()], options.count)
        strip.quantize(256, dither=Image.Dither.NONE).save(options.out / f'result-{name}.png', optimize=True)
        curves = options.out / f'curves-{name}.png'
        subprocess.run([BIN / 'gan-inspect', 'plot', run, curves], check=True)
        Image.open(curves).quantize(64, dither=Image.Dither.NONE).save(curves, optimize=True)
    acting, without = measures(options.acting), measures(options.without)
    cells = lambda line: f'{line["quality_swd"]:.3f} | {line["quality_ms_ssim"]:.3f}' if line else ' | '
    for step in sorted(set(acting) | set(without)):
        print(f'| {step:,} | {cells(acting.get(step))} | {cells(without.get(step))} |')


if __name__ == '__main__':
    main()
