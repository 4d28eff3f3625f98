#!/usr/bin/env python3
"""Brings faults about, trains with --balance off, watch and act, and says what the controller saw and did.

    .deps/venv/bin/python bench/balance/study.py --shards SHARDS --out FOLDER [--seeds 11-20] [--extra '--features 12']

Runs that are there already are not repeated. The figures of docs/balance.md come from here; plot.py draws them.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRAIN = pathlib.Path(os.environ.get('GAN_TRAIN', ROOT / 'build/release/bin/gan-train'))
BASE = ['--resolution', '64', '--features', '8', '--batch', '16', '--threads', '1', '--metrics-port', 'off',
        '--d-norm', 'none', '--r1', '1', '--checkpoint-every', '50', '--sample-every', '0', '--quality-every', '600']
ONSET = 200  # step of the passing faults
# name -> (flags, the verdict that names it). Passing faults end by themselves; lasting ones do not.
LASTING = {
    'd_rate_x10': (['--lr-d', '2e-3'], 'discriminator_ahead'),
    'd_steps_4': (['--d-steps', '4'], 'discriminator_ahead'),
    'd_quarter_g_rate_x10': (['--features-d', '2', '--lr-g', '2e-3'], 'generator_ahead'),
}
PASSING = {
    'few_latents': (['--inject', f'latents:4@{ONSET}+150'], 'mode_collapse'),
    'weights_blown_up': (['--inject', f'weights:100@{ONSET}'], 'diverged'),
    'loss_blown_up': (['--inject', f'loss:1000@{ONSET}'], 'diverged'),
}
FAULTS = {'none': ([], 'balanced'), **LASTING, **PASSING}


def seeds_of(text):
    first, _, last = text.partition('-')
    return range(int(first), int(last or first) + 1)


def run_folder(out, fault, mode, seed):
    return out / f'{fault}-{mode}-{seed}'


def train(out, shards, fault, mode, seed, steps, extra):
    run = run_folder(out, fault, mode, seed)
    status = run / 'status.json'
    if status.exists() and json.loads(status.read_text())['state'] in ('finished', 'diverged'):
        return
    subprocess.run([TRAIN, '--shards', shards, '--run', run, *BASE, '--steps', str(steps), '--seed', str(seed),
                    '--balance', mode, *FAULTS[fault][0], *extra], stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=False)


def stats(run):
    return [json.loads(line) for line in (run / 'stats.jsonl').read_text().splitlines()]


def recognised(lines, fault):
    """Steps from the fault's beginning to the first step with the right verdict; None when it never came."""
    begin = ONSET if fault in PASSING else 0
    for line in lines:
        if line['step'] > begin and line['verdict'] == FAULTS[fault][1]:
            return line['step'] - begin
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--shards', required=True)
    parser.add_argument('--out', required=True, type=pathlib.Path)
    parser.add_argument('--seeds', default='11-20')
    parser.add_argument('--faults', default=','.join(FAULTS))
    parser.add_argument('--modes', default='off,watch,act')
    parser.add_argument('--steps', type=int, default=600)
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('--extra', default='', help='further flags of gan-train')
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    todo = [(fault, mode, seed) for seed in seeds_of(options.seeds) for fault in options.faults.split(',')
            for mode in options.modes.split(',')]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done, _ in enumerate(pool.map(lambda job: train(options.out, options.shards, *job, options.steps,
                                                            options.extra.split()), todo), 1):
            print(f'\r{done} of {len(todo)} runs', end='', flush=True)
    print()
    for fault in options.faults.split(','):
        for mode in options.modes.split(','):
            runs = [stats(run_folder(options.out, fault, mode, seed)) for seed in seeds_of(options.seeds)]
            delays = [recognised(lines, fault) for lines in runs]
            right = sum(delay is not None and delay <= 200 for delay in delays)
            after = [line['verdict'] for lines in runs for line in lines if line['step'] > 50]
            acts = sum(len(line['actions']) for lines in runs for line in lines)
            print(f'{fault:22} {mode:6} right verdict within 200 steps: {right} of {len(runs)}   delays {delays}   '
                  f'balanced {100 * after.count("balanced") / len(after):.1f} %   interventions {acts}')


if __name__ == '__main__':
    main()
