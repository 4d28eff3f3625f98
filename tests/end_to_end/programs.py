"""The programs under test, and small data sets for them."""
import json
import os
import pathlib
import shlex
import subprocess
import tempfile
import unittest

import numpy as np
from PIL import Image

BIN = pathlib.Path(os.environ['EQUIPOISE_BIN'])
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT='1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM='1', NO_COLOR='1',
                   OMP_NUM_THREADS='1')
# Small enough for seconds, large enough for every layer.
SMALL = ['--resolution', '64', '--features', '4', '--batch', '4', '--metrics-port', 'off', '--deterministic',
         '--threads', '1', '--holdout', '0.1']


def make_photos(folder, count=40, seed=0):
    """Smooth random colour fields with a disc: enough structure for a GAN to learn something."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:160, 0:140]
    for i in range(count):
        colour = rng.uniform(0, 255, (2, 3))
        disc = ((x - rng.uniform(30, 110)) ** 2 + (y - rng.uniform(30, 130)) ** 2 < rng.uniform(15, 50) ** 2)[..., None]
        Image.fromarray(np.where(disc, colour[0], colour[1]).astype(np.uint8)).save(folder / f'{i:03d}.png')


def make_shards(folder, **kwargs):
    make_photos(folder / 'photos', **kwargs)
    shards = folder / 'shards'
    subprocess.run([BIN / 'gan-preprocess', '--in', folder / 'photos', '--out', shards, '--images-per-shard', '16'],
                   check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    return shards


class WithShards(unittest.TestCase):
    """A folder for the tests of a class, with shards of `photos` pictures in it."""

    photos = 40

    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        cls.shards = make_shards(cls.folder, count=cls.photos)

    def assert_code(self, code, done):
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)


def mpirun(ranks):
    return ['mpirun', '--oversubscribe', '--bind-to', 'none', '--mca', 'btl', '^tcp', '-np', str(ranks)]


def mpirun_unlike(*commands):
    """One rank per command. A shell chooses, because Debian 13's mpirun cannot start several commands in one job."""
    cases = ' '.join(f'{rank}) exec {shlex.join(map(str, command))};;' for rank, command in enumerate(commands))
    return [*mpirun(len(commands)), 'sh', '-c', f'case $OMPI_COMM_WORLD_RANK in {cases} esac']


def train_command(ranks, shards, run, *flags, resolution=64):
    launcher = [] if ranks == 1 else mpirun(ranks)
    small = [str(resolution) if flag == '64' else flag for flag in SMALL]
    return [*map(str, [*launcher, BIN / 'gan-train', '--shards', shards, '--run', run, *small, *flags])]


def train(ranks, shards, run, *flags, resolution=64):
    return subprocess.run(train_command(ranks, shards, run, *flags, resolution=resolution), env=ENVIRONMENT, capture_output=True, text=True,
                          timeout=300)


TIMES = ('step_seconds', 'images_per_second')


def stats(run):
    """The lines of stats.jsonl without the fields of time."""
    lines = [json.loads(line) for line in (run / 'stats.jsonl').read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in TIMES} for line in lines]


def newest_checkpoint(run):
    return sorted((run / 'checkpoints').glob('step-????????'))[-1]


def digests(checkpoint):
    """The digests of a checkpoint's parts: equal exactly when all weights, statistics and moments are."""
    return [part['digest'] for part in json.loads((checkpoint / 'manifest.json').read_text())['parts']]
