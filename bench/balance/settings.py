#!/usr/bin/env python3
"""Trains random settings in pairs and reports whether the acting controller helped, and where it did harm.

    .deps/venv/bin/python bench/balance/settings.py --data clothing=SHARDS,24 --data icons=SHARDS,12 --out FOLDER

The settings are drawn from --draw, a text that should be written down before the run: both learning rates log-uniform
in 5e-5 to 2e-3, beta1 0, 0.5 or 0.9, features 8 or 12, batch 8, 16 or 32, the loss bce or hinge; 64 px, 12,800 images,
all else the defaults. Each setting is trained once per arm with the same seed. One finished run is one line of
FOLDER/results.jsonl, so an interrupted study continues where it was. Two runs with one thread each train at the same
time.

Arms: off (never acting), again (off with another seed, to show the influence of chance), act (the default), and
published methods: losses (the network whose loss is the lower one learns slower), accuracies (a D that is right more
often than 0.8 has its rate lowered by 5 %), r1 (R1 alone), ada (adaptive augmentation alone), rpgan (relativistic pairs
with R1 and R2).
"""
import argparse
import concurrent.futures
import json
import math
import os
import pathlib
import random
import shutil
import subprocess
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRAIN = pathlib.Path(os.environ.get('GAN_TRAIN', ROOT / 'build/release/bin/gan-train'))
IMAGES = 12800
DIVERGED = 4  # exit code
LOST_DIVERSITY, LOST_COVERAGE = 0.4, 0.1  # below either, a run has collapsed
HARM = 1.15
ARMS = {
    'off': ['--balance', 'off'],
    'again': ['--balance', 'off'],
    'act': [],
    'losses': ['--balance-rule', 'losses'],
    'accuracies': ['--balance-rule', 'accuracies'],
    'r1': ['--balance', 'off', '--r1', 'GAMMA'],
    'ada': ['--balance', 'off', '--augment', 'ada'],
    'rpgan': ['--balance', 'off', '--loss', 'rpgan', '--r1', 'GAMMA', '--r2', 'GAMMA', '--d-norm', 'none'],
}


def draw(text, count):
    source = random.Random(text)
    rate = lambda: float(f'{math.exp(source.uniform(math.log(5e-5), math.log(2e-3))):.3g}')
    return [{'lr-g': rate(), 'lr-d': rate(), 'beta1': source.choice([0, 0.5, 0.9]), 'features': source.choice([8, 12]),
             'batch': source.choice([8, 16, 32]), 'loss': source.choice(['bce', 'hinge'])} for _ in range(count)]


def flags_of(setting, arm):
    gamma = f'{0.0002 * 64 ** 2 / setting["batch"]:.3g}'  # StyleGAN2-ADA's rule of thumb
    own = [gamma if word == 'GAMMA' else word for word in ARMS[arm]]
    flags = {f'--{name}': str(value) for name, value in setting.items()}
    if '--loss' in own:
        flags.pop('--loss')
    return [word for pair in flags.items() for word in pair] + own


def last_mean(lines, name):
    values = [line[name] for line in lines[-50:] if line.get(name) is not None]
    return sum(values) / len(values) if values else math.nan


def measure(run):
    lines = [json.loads(line) for line in (run / 'stats.jsonl').read_text().splitlines()]
    quality = [line for line in lines if line.get('quality_swd') is not None]
    late = [line for line in lines if line['step'] > 50]
    result = {'diversity': last_mean(lines, 'diversity') / last_mean(lines, 'diversity_reference'),
              'perfect': sum((line['d_auc'] or 0) >= 0.995 for line in late) / len(late),
              'interventions': sum(len(line['actions']) for line in lines)}
    for name in ('swd', 'frechet', 'coverage', 'swd_floor', 'frechet_floor'):
        result[name] = quality[-1].get(f'quality_{name}') if quality else None
    return result


def run_two_ranks(program, shards, run, flags, prefix=()):
    """Trains two ranks of one thread in a new run folder and returns the exit code, 0 or DIVERGED."""
    shutil.rmtree(run, ignore_errors=True)
    command = [*prefix, 'mpirun', '-np', '2', '--oversubscribe', '--mca', 'btl', '^tcp', program, '--shards', shards, '--run', run,
               '--threads', '1', '--metrics-port', 'off', *flags]
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT='1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM='1')
    done = subprocess.run([str(word) for word in command], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True, check=False)
    if done.returncode not in (0, DIVERGED):
        raise SystemExit(f'{run}: exit code {done.returncode}: {done.stderr[-500:]}')
    return done.returncode


def train_two_ranks(shards, run, flags, prefix=()):
    """As run_two_ranks(), but returns the exit code and the measures, and keeps no checkpoint."""
    exit_code = run_two_ranks(TRAIN, shards, run, flags, prefix)
    shutil.rmtree(run / 'checkpoints', ignore_errors=True)
    return {'exit_code': exit_code, **measure(run)}


class Study:
    def __init__(self, options):
        self.options = options
        self.results = options.out / 'results.jsonl'
        self.lock = threading.Lock()
        self.done = {}
        if self.results.exists():
            for line in self.results.read_text().splitlines():
                one = json.loads(line)
                self.done[one['data'], one['setting'], one['arm']] = one

    def train(self, data, shards, number, setting, arm):
        if (data, number, arm) in self.done:
            return
        run = self.options.out / f'{data}-{number}-{arm}'
        shutil.rmtree(run, ignore_errors=True)
        steps = IMAGES // setting['batch']
        seed = 1 + number + (1000 if arm == 'again' else 0)
        command = [*self.options.prefix.split(), TRAIN, '--shards', shards, '--run', run, '--resolution', '64',
                   '--steps', steps, '--seed', seed, '--threads', '1', '--metrics-port', 'off', '--sample-every', '0',
                   '--checkpoint-every', '100', '--quality-every', steps, *flags_of(setting, arm)]
        finished = subprocess.run([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                  text=True, check=False)
        if finished.returncode not in (0, DIVERGED):
            raise SystemExit(f'{run}: exit code {finished.returncode}: {finished.stderr[-500:]}')
        line = {'draw': self.options.draw, 'data': data, 'setting': number, 'arm': arm, 'seed': seed, **setting,
                'exit_code': finished.returncode, **measure(run)}
        shutil.rmtree(run / 'checkpoints', ignore_errors=True)
        with self.lock:
            self.done[data, number, arm] = line
            with self.results.open('a') as file:
                file.write(json.dumps(line) + '\n')


def is_collapsed(one):
    return (one['exit_code'] != 0 or not one['diversity'] >= LOST_DIVERSITY or one['coverage'] is None
            or one['coverage'] < LOST_COVERAGE)


def excess(one, name):
    """Returns how far a measure is above its floor. A run that ended without one counts as the worst run of all."""
    worst = {'swd': 0.5, 'frechet': 50.0}[name]
    if one[name] is None:
        return worst
    return max(one[name] - (one['swd_floor'] if name == 'swd' else 0), 1e-3)


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def sign_test(ratios):
    """One-sided: the probability of at least this many ratios below 1 by chance."""
    counted = [ratio for ratio in ratios if ratio != 1]
    wins, total = sum(ratio < 1 for ratio in counted), len(counted)
    return sum(math.comb(total, k) for k in range(wins, total + 1)) / 2 ** total


def tell(study, arm, against='off'):
    pairs = [(one, study.done[data, number, against]) for (data, number, name), one in sorted(study.done.items())
             if name == arm and (data, number, against) in study.done]
    if not pairs:
        return
    for measured in ('swd', 'frechet'):
        ratios = [excess(one, measured) / excess(other, measured) for one, other in pairs]
        words = ' '.join(f'{ratio:.2f}' for ratio in ratios)
        print(f'{arm}/{against} {measured:8s} geometric mean {geometric_mean(ratios):.2f}  median '
              f'{sorted(ratios)[len(ratios) // 2]:.2f}  worst {max(ratios):.2f}  harm (> {HARM}) in '
              f'{sum(ratio > HARM for ratio in ratios)} of {len(ratios)}  sign test p {sign_test(ratios):.3f}\n    {words}')
    print(f'    collapsed: {sum(map(is_collapsed, (one for one, _ in pairs)))} of {len(pairs)}, {against} '
          f'{sum(map(is_collapsed, (other for _, other in pairs)))}; perfect D in '
          f'{100 * sum(one["perfect"] for one, _ in pairs) / len(pairs):.0f} % of the steps, {against} '
          f'{100 * sum(other["perfect"] for _, other in pairs) / len(pairs):.0f} %; interventions per run '
          f'{sum(one["interventions"] for one, _ in pairs) / len(pairs):.1f}')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', required=True, action='append', metavar='NAME=SHARDS,COUNT')
    parser.add_argument('--out', required=True, type=pathlib.Path)
    parser.add_argument('--draw', default='judged', help='seed of the settings; any text')
    parser.add_argument('--arms', default='off,act,again')
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('--prefix', default='', help='command in front of each program, such as "nice -n 5"')
    options = parser.parse_args()
    if unknown := set(options.arms.split(',')) - set(ARMS):
        parser.error(f'--arms: {", ".join(sorted(unknown))} is none of {", ".join(ARMS)}')
    options.out.mkdir(parents=True, exist_ok=True)
    study = Study(options)
    todo = []
    for text in options.data:
        name, _, rest = text.partition('=')
        shards, _, count = rest.rpartition(',')
        for number, setting in enumerate(draw(f'{options.draw} {name}', int(count))):
            todo += [(name, shards, number, setting, arm) for arm in options.arms.split(',')]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for finished, _ in enumerate(pool.map(lambda job: study.train(*job), todo), 1):
            print(f'\r{finished} of {len(todo)} runs', end='', flush=True)
    print()
    for arm in options.arms.split(','):
        if arm != 'off':
            tell(study, arm)


if __name__ == '__main__':
    main()
