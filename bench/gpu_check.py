"""The checks of bench/gpu_check. Each prints a line. The worst result determines the exit code.

    python gpu_check.py FOLDER_OF_THE_PROGRAMS [--part proof|speed] [--only NAME_PART]
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np
from PIL import Image

from first_gradients import cosine

HERE = pathlib.Path(__file__).resolve().parent
REPORT = HERE / 'gpu_report.txt'
# Comparisons in single precision run without TF32. Users get TF32, and speed is measured with it.
AS_A_USER = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT='1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM='1')
EXACT = dict(AS_A_USER, NVIDIA_TF32_OVERRIDE='0')
# Ranks that share a GPU must look like different hosts to NCCL, which otherwise refuses them.
SHARED = 'export NCCL_HOSTID=rank$OMPI_COMM_WORLD_RANK NCCL_P2P_DISABLE=1 NCCL_SHM_DISABLE=1; exec "$@"'
SMALL = ('--features', '16', '--batch', '8', '--check-every', '1')
LOSSES = ('loss_d_real', 'loss_d_fake', 'loss_g', 'penalty_d')


class Report:
    def __init__(self):
        self.lines, self.failures = [], 0

    def say(self, text):
        print(text, flush=True)
        self.lines.append(text)

    def result(self, name, good, detail, seconds):
        self.failures += not good
        self.say(f'{"ok  " if good else "FAIL"}  {name:40} {detail}   ({seconds:.0f} s)')


class Machine:
    """The programs, the GPUs and a folder of shards."""

    def __init__(self, programs, folder):
        self.programs, self.folder = programs, folder
        listed = subprocess.run(['nvidia-smi', '-L'], capture_output=True, text=True, check=True)
        self.gpus = len(listed.stdout.splitlines())
        self.shards = folder / 'shards'
        photos = folder / 'photos'
        photos.mkdir()
        rng = np.random.default_rng(0)
        for i in range(300):
            Image.fromarray(np.kron(rng.integers(0, 255, (5, 5, 3), np.uint8), np.ones((32, 32, 1), np.uint8))).save(
                photos / f'{i:03d}.png')
        subprocess.run([programs / 'gan-preprocess', '--in', photos, '--out', self.shards], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self, ranks, run, *flags, device='cuda', environment=EXACT, timeout=300):
        command = [self.programs / 'gan-train', '--shards', self.shards, '--run', self.folder / run, '--device', device,
                   '--metrics-port', 'off', '--sample-every', '0', '--checkpoint-every', '0', '--balance', 'watch',
                   *flags]
        if ranks > 1:
            wrapper = ['sh', '-c', SHARED, 'sh'] if device == 'cuda' and ranks > self.gpus else []
            command = ['mpirun', '--oversubscribe', '--bind-to', 'none', '-np', str(ranks), *wrapper, *command]
        return subprocess.run([str(part) for part in command], env=environment, capture_output=True, text=True,
                              timeout=timeout)

    def train(self, ranks, run, *flags, **more):
        """Lines of stats.jsonl. Raises when the training ends with an error."""
        done = self.start(ranks, run, *flags, **more)
        if done.returncode != 0:
            raise RuntimeError(f'exit code {done.returncode}: {(done.stderr + done.stdout)[-1500:]}')
        return [json.loads(line) for line in (self.folder / run / 'stats.jsonl').read_text().splitlines()]


def difference(a, b, steps=None):
    pairs = list(zip(a, b, strict=True))[:steps]
    return max(abs(x[name] - y[name]) / max(abs(x[name]), 1) for x, y in pairs for name in LOSSES)


def within(a, b, tolerance, steps):
    worst = difference(a, b, steps)
    return worst <= tolerance, f'losses of {steps} steps within {worst:.1e} of the CPU (at most {tolerance:.0e})'


def same_as_cpu(machine, ranks, name, *flags, gpu_flags=(), tolerance=1e-8):
    """Trains in double precision unless `flags` say otherwise: there only a different formula causes so large a
    difference."""
    steps = ('--steps', '6', *(() if '--precision' in flags else ('--precision', 'fp64')))
    return within(machine.train(ranks, f'{name}-cpu', *SMALL, *steps, *flags, device='cpu'),
                  machine.train(ranks, f'{name}-gpu', *SMALL, *steps, *flags, *gpu_flags), tolerance, steps=6)


def gradients(machine, name, least, *flags, batch=16, after=0, environment=EXACT):
    """Compares the gradients of one step from equal networks: new ones, or those of a training of `after` steps in full
    single precision."""
    size = (*SMALL[:2], '--batch', str(batch))
    start = ()
    if after:
        machine.train(1, f'{name}-before', *size, '--steps', str(after))
        start = ('--init-from', machine.folder / f'{name}-before' / 'checkpoints' / f'step-{after:08d}', '--seed', '2')
    machine.train(1, f'{name}-fp32', *size, '--steps', '1', *start)
    machine.train(1, name, *size, '--steps', '1', *start, *flags, environment=environment)
    plain, rounded = machine.folder / f'{name}-fp32', machine.folder / name
    of_d, of_g = cosine(plain, rounded, 'discriminator'), cosine(plain, rounded, 'generator')
    told = f'cosine to fp32, step {after + 1}, batch {batch}: D {of_d:.5f}, G {of_g:.5f} (at least {least})'
    return min(of_d, of_g) >= least, told


def resumed(machine, ranks):
    flags = ('--features', '16', '--batch', '8', '--deterministic')
    whole = machine.train(ranks, f'whole{ranks}', *flags, '--steps', '20')
    machine.train(ranks, f'parts{ranks}', *flags, '--steps', '10')
    worst = difference(whole, machine.train(ranks, f'parts{ranks}', *flags, '--steps', '20'))
    return worst == 0, f'losses of 20 steps differ by {worst:.1e} from the uninterrupted run'


# Keys of stats.jsonl that depend on time, not on training.
TIMES = ('step_seconds', 'images_per_second')


def untimed(stats):
    return [{name: value for name, value in line.items() if name not in TIMES} for line in stats]


def recorded(machine, ranks):
    """Steps that CUDA graphs repeat beside steps that the host queues, with a controller that acts, lazy penalties and
    augmentation that adapts, two faults that call for actions, and a stop in the middle."""
    flags = (*SMALL, '--deterministic', '--gradient-sync', 'flat', '--balance', 'act', '--balance-actions', 'all',
             '--augment', 'ada', '--r1', '1', '--r1-every', '4', '--checkpoint-every', '25', '--quality-every', '50',
             '--inject', 'latents:2@40+60,weights:1000@130')
    def in_two_parts(run, *more):  # both stop there, because a run measures its quality once more in its last step
        machine.train(ranks, run, *flags, *more, '--steps', '110')
        return machine.train(ranks, run, *flags, *more, '--steps', '200')
    queued = in_two_parts(f'queued{ranks}')
    repeated = in_two_parts(f'recorded{ranks}', '--cuda-graphs', 'auto')
    pairs = list(zip(untimed(queued), untimed(repeated), strict=True))
    different = [a['step'] for a, b in pairs if a != b]
    actions = sorted({action for line in queued for action in line['actions']})
    return not different, (f'{len(pairs)} steps, {len(different)} differ{f", first {different[0]}" if different else ""}; '
                           f'actions taken: {", ".join(actions) or "none"}')


def everything_else(machine):
    """Grids, quality, checkpoints, the balance acting, a rollback, feature matching and ADA: all in one run."""
    stats = machine.train(1, 'all', *SMALL, '--steps', '40', '--sample-every', '20', '--checkpoint-every', '10',
                          '--quality-every', '20', '--balance', 'act', '--feature-matching', '1', '--augment', 'ada',
                          '--inject', 'weights:1000@25', '--r1', '1', '--r1-every', '4')
    pictures = sorted(path.name for path in (machine.folder / 'all').glob('fakes-*.png'))
    measured = [line['quality_swd'] for line in stats if 'quality_swd' in line]
    actions = [f'{line["step"]}: {action}' for line in stats for action in line['actions']]
    return (len(pictures) >= 2 and len(measured) >= 1 and np.isfinite(measured).all(),
            f'{len(pictures)} grids, SWD {measured}, actions {actions}')


def a_rank_that_hangs(machine):
    start = time.monotonic()
    done = machine.start(2, 'hang', *SMALL, '--steps', '1000', '--inject', 'rank:200@5', '--step-timeout', '10',
                         environment=AS_A_USER)
    seconds = time.monotonic() - start
    told = re.findall(r'no sign of life for .* in section \w+', done.stderr)
    return (done.returncode != 0 and seconds < 60 and len(told) > 0,
            f'ended with {done.returncode} after {seconds:.0f} s: {told[:1]}')


class PeakMemory:
    """The most memory of the first GPU that was in use while the object was entered, in MB."""

    def __enter__(self):
        self.most, self.ended = 0, threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.ended.wait(0.2):
            asked = subprocess.run(['nvidia-smi', '-i', '0', '--query-gpu=memory.used', '--format=csv,noheader,nounits'],
                                   capture_output=True, text=True)
            self.most = max(self.most, *(int(word) for word in asked.stdout.split() if word.isdigit()), 0)

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def our_speed(machine, run, size, flags, ranks, batch):
    """images/s and one line about the time of a step and the memory."""
    with PeakMemory() as memory:
        timed = machine.train(ranks, run, *size, '--steps', '80', '--checkpoint-every', '70', *flags,
                              environment=AS_A_USER)[30:70]
    seconds = sum(line['step_seconds'] for line in timed)
    phases = json.loads((machine.folder / run / 'status.json').read_text())['ranks'][0]
    told = ', '.join(f'{phase} {1000 * phases[phase]:.2f}' for phase in ('data', 'discriminator', 'generator'))
    return ranks * batch * len(timed) / seconds, (f'{1000 * seconds / len(timed):.2f} ms per step ({told}), '
                                                  f'{memory.most} MB')


def speed(machine, report, batch, settings, compiled=()):
    """gan-train beside PyTorch, setting by setting. fp32 means TF32 in both, as is PyTorch's default. compiled:
    settings in which PyTorch also runs torch.compile with its own CUDA graphs."""
    ranks = min(machine.gpus, 8)
    size = ('--features', '64', '--batch', str(batch))
    asked = [*settings, *(f'compile-{name}' for name in compiled)]
    peer = json.loads(subprocess.run([sys.executable, HERE / 'gpu_peer.py', *size, '--settings', ','.join(asked)],
                                     capture_output=True, text=True, check=True, env=AS_A_USER).stdout)
    gemm = peer.pop('gemm_tflops')
    report.say(f'features 64, batch {batch}, {ranks} rank(s), PyTorch on one GPU; a matrix product of 8192: '
               f'{gemm["tf32"]:.0f} TFLOP/s in TF32, {gemm["bf16"]:.0f} in bfloat16')
    for name in settings:
        flags = (*(('--precision', 'bf16') if 'bf16' in name else ()),
                 *(() if 'channels-last' in name else ('--convolutions', 'torch')))
        report.say(f'      {name:20} PyTorch {peer[name]:8.1f} images/s'
                   + (f', compiled {peer[f"compile-{name}"]:8.1f}' if name in compiled else ''))
        for how in 'off', 'auto':
            ours, told = our_speed(machine, f'speed-{batch}-{name}-{how}', size, (*flags, '--cuda-graphs', how), ranks,
                                   batch)
            report.say(f'        --cuda-graphs {how:5} ours {ours:8.1f} images/s: {ours / peer[name] / ranks:.2f} x; {told}')


CHECKS = {
    'single precision': lambda m: same_as_cpu(m, 1, 'single', '--precision', 'fp32', tolerance=1e-2),
    'one rank': lambda m: same_as_cpu(m, 1, 'one'),
    'one rank, as PyTorch has it (NCHW)': lambda m: same_as_cpu(m, 1, 'nchw', gpu_flags=('--convolutions', 'torch')),
    'two ranks, bucketed': lambda m: same_as_cpu(m, 2, 'bucketed', gpu_flags=('--gradient-sync', 'bucketed')),
    'two ranks, flat': lambda m: same_as_cpu(m, 2, 'flat', gpu_flags=('--gradient-sync', 'flat')),
    'two ranks, synchronised batch norm': lambda m: same_as_cpu(m, 2, 'syncbn', '--sync-bn'),
    'two ranks, WGAN-GP': lambda m: same_as_cpu(m, 2, 'gp', '--loss', 'wgan-gp', '--d-norm', 'layer'),
    'accumulated gradients': lambda m: same_as_cpu(m, 1, 'accumulate', '--global-batch', '16'),
    'TF32, gradients': lambda m: gradients(m, 'tf32', 0.95, environment=AS_A_USER),
    'bfloat16, gradients': lambda m: gradients(m, 'bfloat16', 0.8, '--precision', 'bf16'),
    # The values 0.990 and 0.997 have occurred, because cuDNN's sums, and with them the training before, vary from run
    # to run.
    'bfloat16, gradients later': lambda m: gradients(m, 'later', 0.98, '--precision', 'bf16', batch=64, after=400),
    'stop and resume, one rank': lambda m: resumed(m, 1),
    'stop and resume, two ranks': lambda m: resumed(m, 2),
    'CUDA graphs, one rank': lambda m: recorded(m, 1),
    'CUDA graphs, two ranks': lambda m: recorded(m, 2),
    'everything else in one run': everything_else,
    'a rank that hangs': a_rank_that_hangs,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('programs', type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument('--only', default='', help='run only the checks whose name contains this text')
    parser.add_argument('--part', choices=('proof', 'speed', 'all'), default='all')
    options = parser.parse_args()
    report = Report()
    report.say(subprocess.run(['nvidia-smi', '--query-gpu=name,driver_version,memory.total', '--format=csv,noheader'],
                              capture_output=True, text=True).stdout.strip())
    report.say(subprocess.run([options.programs / 'gan-train', '--version'], capture_output=True,
                              text=True).stdout.strip())
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(options.programs, pathlib.Path(folder))
        for name, run in CHECKS.items():
            if options.part == 'speed' or options.only not in name:
                continue
            start = time.monotonic()
            try:
                good, detail = run(machine)
            except (RuntimeError, subprocess.TimeoutExpired, OSError, KeyError) as error:
                good, detail = False, str(error)
            report.result(name, good, detail, time.monotonic() - start)
        if options.part != 'proof':
            both = ('fp32-channels-last', 'bf16-channels-last')
            for batch in 16, 64, 256:
                speed(machine, report, batch, both, compiled=both if batch == 64 else ())
    report.say(f'{report.failures} of the checks failed' if report.failures else 'all checks passed')
    REPORT.write_text('\n'.join(report.lines) + '\n')
    return 1 if report.failures else 0


sys.exit(main())
