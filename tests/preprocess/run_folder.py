"""gan-preprocess as users start it, and what a shard folder holds."""
import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import numpy as np
from PIL import Image

BIN = pathlib.Path(os.environ['EQUIPOISE_BIN'])
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT='1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM='1', NO_COLOR='1')
INDEX = [('crc32c', '<u4'), ('label', '<u4'), ('input', '<u8'), ('name_offset', '<u8'), ('name_bytes', '<u4'), ('zero', '<u4')]


def make_pictures(folder, names, seed=0, side=40):
    for i, name in enumerate(names):
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(1000 * seed + i).integers(0, 256, (side // 4, side // 4 + i % 3, 3), np.uint8)
        Image.fromarray(pixels).resize((side, side), Image.BICUBIC).save(path)


def command(out, *flags, ranks=1, size=32):
    launcher = [] if ranks == 1 else ['mpirun', '--oversubscribe', '--bind-to', 'none', '--mca', 'btl', '^tcp',
                                      '-np', ranks]
    return [*map(str, [*launcher, BIN / 'gan-preprocess', '--out', out, '--size', size, *flags])]


def run(out, *flags, ranks=1, size=32, **kwargs):
    kwargs = {'env': ENVIRONMENT, 'capture_output': True, 'timeout': 120} | kwargs
    return subprocess.run(command(out, *flags, ranks=ranks, size=size), **kwargs)


def records(out):
    """(name, label's name, input, pixels) of every record, in order."""
    manifest = json.loads((out / 'manifest.json').read_text())
    found = []
    for shard in manifest['shards']:
        raw = (out / f'shard-{shard["number"]:05}.gan').read_bytes()
        size, count = int.from_bytes(raw[16:20], 'little'), int.from_bytes(raw[24:32], 'little')
        footer = int.from_bytes(raw[32:40], 'little')
        index = np.frombuffer(raw, INDEX, count, footer)
        names = raw[footer + 32 * count:]
        for i, entry in enumerate(index):
            name = names[entry['name_offset']:][:entry['name_bytes']].decode()
            label = manifest['labels'][entry['label']] if manifest['labels'] else None
            at = 4096 + i * 3 * size * size
            found.append((name, label, int(entry['input']), raw[at:at + 3 * size * size]))
    return found


def names(out):
    return [name for name, _, _, _ in records(out)]


def quarantine(out):
    lines = [json.loads(line) for line in (out / 'quarantine.jsonl').read_text().splitlines()]
    return {line['path']: line['reason'] for line in lines}


def digest(out):
    """A digest of all files of the folder with their names, except the empty lock file."""
    total = hashlib.sha256()
    for path in sorted(p for p in out.rglob('*') if p.is_file() and p.name != '.lock'):
        contents = path.read_bytes()
        total.update(f'{path.relative_to(out)} {len(contents)}\n'.encode() + contents)
    return total.hexdigest()


class FolderCase(unittest.TestCase):
    """A temporary folder `top`, and in it one shard folder per run of gan-preprocess."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.top = pathlib.Path(temporary.name)
        self.photos = self.top / 'photos'

    def out(self, *flags, code=0, **kwargs):
        """Makes the next shard folder; what the program printed is in self.stdout and self.stderr."""
        out = self.top / f'out-{len(list(self.top.glob("out-*")))}'
        done = run(out, *flags, **kwargs)
        self.assertEqual(code, done.returncode, done.stderr)
        self.stdout, self.stderr = done.stdout.decode(), done.stderr.decode()
        return out
