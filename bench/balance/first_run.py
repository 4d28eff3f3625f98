#!/usr/bin/env python3
"""Repeats quickstart's training with several seeds and compares the results with what a first run should give.

    .deps/venv/bin/python bench/balance/first_run.py --shards SHARDS --out FOLDER [--seeds 1-24]

SHARDS are the icons that quickstart preprocesses. The flags are those of quickstart and --holdout 0.25, so that quality
is measured on more held-out images. Each run has two ranks of one thread, and one run follows the other. One finished run
is one line of FOLDER/results.jsonl, so an interrupted bench continues where it was. ATEN_CPU_CAPABILITY=default in front
of the command gives the results of a processor without AVX2.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / 'bench'), str(ROOT / 'bench/balance')]
from seeds import seeds_of  # noqa: E402
from settings import excess, is_collapsed, train_two_ranks  # noqa: E402

QUICKSTART = (ROOT / 'quickstart').read_text()
NETWORKS = re.search(r'^networks=\((.*)\)$', QUICKSTART, re.M)[1].split()
STEPS = re.search(r'^steps=(\d+)', QUICKSTART, re.M)[1]
FLAGS = [*NETWORKS, '--steps', STEPS, '--sample-every', '300', '--checkpoint-every', '300', '--holdout', '0.25']
KERNELS = os.environ.get('ATEN_CPU_CAPABILITY', 'best')


def train(shards, run, seed):
    """Trains one seed and returns its line of results.jsonl."""
    measured = train_two_ranks(shards, run, [*FLAGS, '--seed', seed])
    steps = [json.loads(line) for line in (run / 'stats.jsonl').read_text().splitlines()]
    verdicts = [step['verdict'] for step in steps]
    return {'seed': seed, 'kernels': KERNELS, 'mode_collapse': verdicts.count('mode_collapse') / len(verdicts),
            'balanced': verdicts.count('balanced') / len(verdicts), 'seconds': sum(step['step_seconds'] for step in steps),
            **measured}


def tell(runs):
    """Prints one line per measure: the median and the worst run, and the aim."""
    swd, frechet = ([excess(run, name) for run in runs] for name in ('swd', 'frechet'))
    coverage = [run['coverage'] or 0 for run in runs]  # a run that diverged may have none
    perfect = [100 * run['perfect'] for run in runs]
    collapse = [100 * run['mode_collapse'] for run in runs]
    seconds = [run['seconds'] for run in runs]
    print(f'{len(runs)} runs')
    print(f'collapsed                {sum(map(is_collapsed, runs))}  (aim 0)')
    print(f'verdict mode_collapse    worst {max(collapse):.1f} % of the steps  (aim 2 %)')
    print(f'a perfect D              median {statistics.median(perfect):.0f} %, worst {max(perfect):.0f} % of the steps after the '
          f'first 50  (aim 15 %)')
    print(f'coverage                 median {statistics.median(coverage):.2f}, worst {min(coverage):.2f}  (aim 0.6, 0.4)')
    print(f'SWD above its floor      median {statistics.median(swd):.3f}, worst {max(swd):.3f}  (aim 0.04, 0.07)')
    print(f'Frechet distance         median {statistics.median(frechet):.2f}, worst {max(frechet):.2f}')
    print(f'training phase           median {statistics.median(seconds):.0f} s  (aim 240 s on two cores)')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--shards', required=True)
    parser.add_argument('--out', required=True, type=pathlib.Path)
    parser.add_argument('--seeds', default='1-24', help='range of seeds, or one seed')
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    results = options.out / 'results.jsonl'
    runs = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    done = {(run['seed'], run['kernels']) for run in runs}
    for seed in seeds_of(options.seeds):
        if (seed, KERNELS) in done:
            continue
        runs.append(train(options.shards, options.out / f'{KERNELS}-{seed}', seed))
        with results.open('a') as file:
            file.write(json.dumps(runs[-1]) + '\n')
        print(f'seed {seed}, {KERNELS}: {json.dumps(runs[-1])}', flush=True)
    tell(runs)


if __name__ == '__main__':
    main()
