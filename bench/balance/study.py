#!/usr/bin/env python3
"""Causes faults, trains with and without an acting controller, and prints what the controller recognised and the
outcome.

    .deps/venv/bin/python bench/balance/study.py --shards SHARDS --out FOLDER [--seeds 11-20] [--features 12]

One rank and one thread per run, two runs at a time; existing runs are not repeated. --balance watch trains as off does
and also gives verdicts, so it is used for off. The figures of docs/balance.md come from here; plot.py draws the runs.
"""
import argparse
import concurrent.futures
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / 'bench'))
from seeds import seeds_of  # noqa: E402

TRAIN = pathlib.Path(os.environ.get('GAN_TRAIN', ROOT / 'build/release/bin/gan-train'))
BASE = ['--resolution', '64', '--batch', '16', '--threads', '1', '--metrics-port', 'off',
        '--d-norm', 'instance', '--checkpoint-every', '50', '--sample-every', '300', '--quality-every', '200']
ONSET = 300  # step of the passing faults
WARM_UP = 50
DIVERGED = 4  # exit code
ACTIONS = 'd-rate,d-every,g-rate,d-steps,freeze-g,rollback,rollback-collapse'
# name -> (flags, the verdict that names it, flags of the acting run). A passing fault ends by itself.
LASTING = {
    'd_rate_x10': (['--lr-d', '2e-3'], 'discriminator_ahead', []),
    'd_steps_4': (['--d-steps', '4'], 'discriminator_ahead', []),
    'd_quarter_g_rate_x10': (['--features-d', 'QUARTER', '--lr-g', '2e-3'], 'generator_ahead', []),
}
PASSING = {
    'few_latents': (['--inject', f'latents:4@{ONSET}+150'], 'mode_collapse', ['--balance-actions', ACTIONS]),
    'weights_blown_up': (['--inject', f'weights:100@{ONSET}'], 'diverged', []),
    'loss_blown_up': (['--inject', f'loss:1000@{ONSET}'], 'diverged', []),
}
FAULTS = {'none': ([], 'balanced', []), **LASTING, **PASSING}


def folder_of(out, fault, mode, seed):
    return out / f'{fault}-{mode}-{seed}'


def train(options, fault, mode, seed):
    run = folder_of(options.out, fault, mode, seed)
    status = run / 'status.json'
    if status.exists() and json.loads(status.read_text())['state'] in ('finished', 'diverged'):
        return
    flags, _, when_acting = FAULTS[fault]
    flags = ['--features', str(options.features)] + [str(options.features // 4) if f == 'QUARTER' else f for f in flags]
    done = subprocess.run([*options.prefix.split(), TRAIN, '--shards', options.shards, '--run', run, *BASE,
                           '--steps', str(options.steps), '--seed', str(seed), '--balance', mode, *flags,
                           *(when_acting if mode == 'act' else []), *options.extra.split()],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, DIVERGED):
        raise SystemExit(f'{run}: exit code {done.returncode}: {done.stderr[-500:]}')
    shutil.rmtree(run / 'checkpoints', ignore_errors=True)  # hundreds of runs fill a disk


def stats(run):
    return [json.loads(line) for line in (run / 'stats.jsonl').read_text().splitlines()]


def rolled_back(run):
    """Causes of the rollbacks, because stats.jsonl has no lines of the discarded steps."""
    file = run / 'rollbacks.json'
    return json.loads(file.read_text())['rollbacks'] if file.exists() else []


def recognised(run, fault):
    """Steps from the fault's beginning to the right verdict; None when it never came."""
    begin = ONSET if fault in PASSING else 0
    verdict = FAULTS[fault][1]
    word = 'mode collapse' if verdict == 'mode_collapse' else 'blown up'
    found = [back['from_step'] - begin for back in rolled_back(run) if word in back['cause']]
    if not found:
        found = [line['step'] - begin for line in stats(run) if line['step'] >= begin and line['verdict'] == verdict]
    return found[0] if found else None


def swd(run):
    found = [line['quality_swd'] for line in stats(run) if 'quality_swd' in line]
    return found[-1] if found else math.nan


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def mean(lines, name, first, last):
    values = [line[name] for line in lines if first < line['step'] <= last and line[name] is not None]
    return sum(values) / len(values) if values else math.nan


def back_in_band(run, healthy, first):
    """Steps after step `first` until 50 consecutive steps have an AUC between 0.6 and 0.98 and at least half the
    diversity that the run without the fault has then; None when that never came. AUC and diversity are means over those
    50 steps."""
    lines, reference = stats(run), stats(healthy)
    for begin in range(first, lines[-1]['step'] - 49, 10):
        auc = mean(lines, 'd_auc', begin, begin + 50)
        diverse = mean(lines, 'diversity', begin, begin + 50) >= 0.5 * mean(reference, 'diversity', begin, begin + 50)
        if 0.6 <= auc <= 0.98 and diverse:
            return begin + 50 - first
    return None



def told(values):
    return ' '.join('-' if value is None else str(value) for value in values)


def tell_fault(options, fault, seeds):
    where = lambda kind, mode, seed: folder_of(options.out, kind, mode, seed)
    acting = [where(fault, 'act', seed) for seed in seeds]
    delays = [recognised(run, fault) for run in acting]
    print(f'{fault}: right verdict within 200 steps in {sum(d is not None and d <= 200 for d in delays)} of {len(seeds)} '
          f'(after {told(delays)})')
    if fault in LASTING:
        ratios = [swd(run) / swd(where(fault, 'watch', seed)) for run, seed in zip(acting, seeds)]
        after = [back_in_band(run, where('none', 'watch', seed), delay or WARM_UP)
                 for run, seed, delay in zip(acting, seeds, delays)]
        print(f'  back in the band within 400 steps of the verdict in {sum(a is not None and a <= 400 for a in after)} of '
              f'{len(seeds)} (after {told(after)})')
        print(f'  SWD, act / off: {geometric_mean(ratios):.3f}   ({" ".join(f"{r:.2f}" for r in ratios)})')
    else:
        ratios = [swd(run) / swd(where('none', 'act', seed)) for run, seed in zip(acting, seeds)]
        print(f'  SWD, with rollback / without the fault: within 1.1 in {sum(r <= 1.1 for r in ratios)} of {len(seeds)}   '
              f'({" ".join(f"{r:.2f}" for r in ratios)})')


def tell_balanced(options, seeds):
    runs = [folder_of(options.out, 'none', 'act', seed) for seed in seeds]
    after = [line['verdict'] for run in runs for line in stats(run) if line['step'] > WARM_UP]
    acts = sum(len(line['actions']) for run in runs for line in stats(run))
    ratios = [swd(run) / swd(folder_of(options.out, 'none', 'watch', seed)) for run, seed in zip(runs, seeds)]
    print(f'none: balanced in {100 * after.count("balanced") / len(after):.1f} % of the steps, {acts} interventions; '
          f'SWD, act / off: {geometric_mean(ratios):.3f}   ({" ".join(f"{r:.2f}" for r in ratios)})')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--shards', required=True)
    parser.add_argument('--out', required=True, type=pathlib.Path)
    parser.add_argument('--seeds', default='11-20')
    parser.add_argument('--faults', default=','.join(FAULTS),
                        help='faults to study; the setting without a fault always runs')
    parser.add_argument('--steps', type=int, default=600)
    parser.add_argument('--features', type=int, default=8)
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('--prefix', default='', help='command in front of each program, such as "nice -n 5"')
    parser.add_argument('--extra', default='', help='further flags of gan-train')
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if unknown := set(options.faults.split(',')) - set(FAULTS):
        parser.error(f'--faults: {", ".join(sorted(unknown))} is none of {", ".join(FAULTS)}')
    seeds, faults = seeds_of(options.seeds), [name for name in options.faults.split(',') if name != 'none']
    todo = [(fault, mode, seed) for seed in seeds for fault in ['none', *faults]
            for mode in (['act'] if fault in PASSING else ['watch', 'act'])]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done, _ in enumerate(pool.map(lambda job: train(options, *job), todo), 1):
            print(f'\r{done} of {len(todo)} runs', end='', flush=True)
    print()
    tell_balanced(options, seeds)
    for fault in faults:
        tell_fault(options, fault, seeds)


if __name__ == '__main__':
    main()
