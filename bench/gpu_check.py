"""The checks of bench/gpu_check. Each prints a line, the worst of them decides the exit code."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

BIN = pathlib.Path(sys.argv[1])
REPORT = pathlib.Path(__file__).parent / 'gpu_report.txt'
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT='1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM='1')
GPUS = len(subprocess.run(['nvidia-smi', '-L'], capture_output=True, text=True, check=True).stdout.splitlines())
# Ranks that share a GPU must look like different hosts to NCCL, which otherwise refuses them.
SHARED = 'export NCCL_HOSTID=rank$OMPI_COMM_WORLD_RANK NCCL_P2P_DISABLE=1 NCCL_SHM_DISABLE=1; exec "$@"'
lines, failures = [], 0


def say(text):
    print(text, flush=True)
    lines.append(text)


def check(name, good, detail):
    global failures
    failures += not good
    say(f'{"ok  " if good else "FAIL"}  {name:44} {detail}')


def train(ranks, shards, run, *flags):
    command = [BIN / 'gan-train', '--shards', shards, '--run', run, '--metrics-port', 'off', '--sample-every', '0',
               '--checkpoint-every', '0', '--balance', 'watch', *flags]
    if ranks > 1:
        wrapper = ['sh', '-c', SHARED, 'sh'] if ranks > GPUS else []
        command = ['mpirun', '--oversubscribe', '--bind-to', 'none', '-np', str(ranks), *wrapper, *command]
    return subprocess.run([str(part) for part in command], env=ENVIRONMENT, capture_output=True, text=True, timeout=500)


def stats(run):
    return [json.loads(line) for line in (run / 'stats.jsonl').read_text().splitlines()]


def difference(a, b, names=('loss_d_real', 'loss_d_fake', 'loss_g'), steps=None):
    return max(abs(x[n] - y[n]) / max(abs(x[n]), 1e-6) for x, y in list(zip(a, b))[:steps] for n in names)


def make_shards(folder):
    photos = folder / 'photos'
    photos.mkdir()
    rng = np.random.default_rng(0)
    for i in range(200):
        Image.fromarray(np.kron(rng.integers(0, 255, (5, 5, 3), np.uint8), np.ones((32, 32, 1), np.uint8))).save(
            photos / f'{i:03d}.png')
    subprocess.run([BIN / 'gan-preprocess', '--in', photos, '--out', folder / 'shards'], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder / 'shards'


def compared(folder, shards, name, reference, tolerance, ranks, *flags):
    run = folder / name.replace(' ', '-')
    done = train(ranks, shards, run, '--device', 'cuda', *SMALL, *flags)
    if done.returncode != 0:
        check(name, False, done.stderr.strip().splitlines()[-1][:200])
        return None
    found = stats(run)
    worst = difference(reference, found, steps=3)
    check(name, worst <= tolerance, f'losses of the first 3 steps within {worst:.1e} (at most {tolerance:.0e})')
    return found


SMALL = ('--features', '16', '--batch', '8', '--steps', '20', '--check-every', '1')


def main():
    global failures
    say(subprocess.run(['nvidia-smi', '--query-gpu=name,driver_version,memory.total', '--format=csv,noheader'],
                       capture_output=True, text=True).stdout.strip())
    say(subprocess.run([BIN / 'gan-train', '--version'], capture_output=True, text=True).stdout.strip())
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        shards = make_shards(folder)
        train(1, shards, folder / 'cpu', '--device', 'cpu', *SMALL)
        cpu = stats(folder / 'cpu')
        train(2, shards, folder / 'cpu2', '--device', 'cpu', *SMALL)
        cpu2 = stats(folder / 'cpu2')
        compared(folder, shards, 'one rank', cpu, 1e-3, 1)
        compared(folder, shards, 'two ranks bucketed', cpu2, 1e-3, 2, '--gradient-sync', 'bucketed')
        compared(folder, shards, 'two ranks flat', cpu2, 1e-3, 2, '--gradient-sync', 'flat')
        compared(folder, shards, 'two ranks synchronised batch norm', cpu2, 5e-1, 2, '--sync-bn')
        compared(folder, shards, 'bfloat16', cpu, 5e-2, 1, '--precision', 'bf16')
        compared(folder, shards, 'channels-last', cpu, 1e-3, 1, '--channels-last')
        resumed(folder, shards)
        for flags in ((), ('--channels-last',), ('--precision', 'bf16'), ('--precision', 'bf16', '--channels-last')):
            speed(folder, shards, flags)
    say(f'{failures} of the checks failed' if failures else 'all checks passed')
    REPORT.write_text('\n'.join(lines) + '\n')
    return 1 if failures else 0


def resumed(folder, shards):
    whole, parts = folder / 'whole', folder / 'parts'
    flags = ('--device', 'cuda', '--features', '16', '--batch', '8', '--deterministic')
    train(1, shards, whole, *flags, '--steps', '20')
    train(1, shards, parts, *flags, '--steps', '10')
    train(1, shards, parts, *flags, '--steps', '20')
    worst = difference(stats(whole), stats(parts))
    check('stop and resume', worst == 0, f'losses of 20 steps differ by {worst:.1e}')


def speed(folder, shards, flags):
    run = folder / ('speed' + ''.join(flags))
    done = train(min(GPUS, 8), shards, run, '--device', 'cuda', '--features', '64', '--batch', '64', '--steps', '60', *flags)
    if done.returncode != 0:
        check('speed ' + ' '.join(flags), False, done.stderr.strip().splitlines()[-1][:200])
        return
    timed = stats(run)[20:]
    images = sum(b['images'] - a['images'] for a, b in zip(timed, timed[1:]))
    say(f'      features 64, batch 64, {min(GPUS, 8)} rank(s) {" ".join(flags):28} '
        f'{images / sum(line["step_seconds"] for line in timed[1:]):9.1f} images/s')


sys.exit(main())
