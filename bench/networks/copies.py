#!/usr/bin/env python3
"""Is a generator told when it has learnt its images by heart, and only then?

    .deps/venv/bin/python bench/networks/copies.py --photos FOLDER --out FOLDER [--seeds 1-10]

Each seed trains twice at 64 px. `few`: on a few images of the folder, as many held out, until it copies or for --few-steps
steps. `many`: on all images for --many-steps steps. Both are measured every 100 steps; a run that is told once counts as told.
Finished runs are kept.
"""
import argparse
import json
import os
import pathlib
import random
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get('EQUIPOISE_BIN', ROOT / 'build/release/bin'))
BASE = ['--resolution', '64', '--threads', '1', '--metrics-port', 'off', '--sample-every', '0', '--checkpoint-every', '0',
        '--quality-images', '64', '--quality-every', '100']


def shards(photos, folder):
    if not (folder / 'manifest.json').exists():
        names = folder.with_suffix('.txt')
        names.write_text(''.join(f'{path}\n' for path in photos))
        subprocess.run([BIN / 'gan-preprocess', '--in', names, '--out', folder], check=True, stdout=subprocess.DEVNULL)
    return folder


def train(data, run, seed, steps, *flags):
    status = run / 'status.json'
    if not status.exists() or json.loads(status.read_text())['state'] != 'finished':
        subprocess.run([*map(str, [BIN / 'gan-train', '--shards', data, '--run', run, *BASE, '--seed', seed, '--steps', steps, *flags])],
                       check=True, capture_output=True)
    lines = map(json.loads, (run / 'stats.jsonl').read_text().splitlines())
    return [line for line in lines if 'quality_copies' in line]


def said(measured):
    told = next((line['step'] for line in measured if line['quality_copies_told']), None)
    rates = ' '.join(f'{100 * line["quality_copies"]:.0f}' for line in measured)
    return f'{"told at step " + str(told) if told else "not told":18} floor {100 * measured[-1]["quality_copies_floor"]:.0f} %, copies in %: {rates}'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--photos', required=True, type=pathlib.Path)
    parser.add_argument('--out', required=True, type=pathlib.Path)
    parser.add_argument('--seeds', default='1-10')
    parser.add_argument('--few', type=int, default=64, help='images of the small data set; half of them are held out')
    parser.add_argument('--few-steps', type=int, default=1000)
    parser.add_argument('--many-steps', type=int, default=400)
    parser.add_argument('--few-flags', default='--features 8 --batch 16 --balance off --holdout 0.5', help='of gan-train')
    parser.add_argument('--many-flags', default='--features 8 --batch 16', help='of gan-train')
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    first, last = map(int, options.seeds.split('-'))
    photos = sorted(path for path in options.photos.rglob('*') if path.is_file())
    everything = shards(photos, options.out / 'all')
    for seed in range(first, last + 1):
        some = shards(random.Random(seed).sample(photos, options.few), options.out / f'few-{seed}')
        few = train(some, options.out / f'run-few-{seed}', seed, options.few_steps, *options.few_flags.split())
        print(f'seed {seed:2}  few   {said(few)}', flush=True)
        many = train(everything, options.out / f'run-many-{seed}', seed, options.many_steps, *options.many_flags.split())
        print(f'seed {seed:2}  many  {said(many)}', flush=True)


if __name__ == '__main__':
    main()
