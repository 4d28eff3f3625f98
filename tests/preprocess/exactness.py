"""Runs gan-preprocess on a folder of pictures and compares every record with Pillow."""
import json
import multiprocessing
import os
import pathlib
import subprocess
import tempfile
import warnings

import numpy as np

import pillow_oracle

BIN = pathlib.Path(os.environ['EQUIPOISE_BIN'])
SETTINGS = [(f, e) for f in pillow_oracle.FILTERS for e in ('apply', 'ignore')]
# The files that gan-preprocess looks for below a folder.
EXTENSIONS = {'.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.webp', '.bmp', '.dib', '.tif', '.tiff', '.gif', '.ppm', '.pgm',
              '.pnm'}


def read_shard(path, size):
    """{name: record}, by docs/shard-format.md."""
    data = path.read_bytes()
    count, footer = (int(n) for n in np.frombuffer(data, '<u8', 2, 24))
    index = np.frombuffer(data, '<u8', 4 * count, footer).reshape(count, 4)
    names = footer + 32 * count
    pixels = np.memmap(path, np.uint8, 'r', 4096, (count, size, size, 3)) if count else []
    place = lambda row: names + int(row[2])
    return {data[place(r):place(r) + (int(r[3]) & 0xFFFFFFFF)].decode(): pixels[i] for i, r in enumerate(index)}


def preprocess(inputs, out, *flags, size=128):
    """-> ({name: record}, {name: (reason, detail)}). Names are relative to the input folder."""
    run = subprocess.run([BIN / 'gan-preprocess', '--in', inputs, '--out', out, '--size', str(size),
                          '--images-per-shard', '100000', *flags], capture_output=True, text=True, timeout=600)
    if run.returncode != 0:
        raise AssertionError(f'exit code {run.returncode}: {run.stderr}')
    lines = [json.loads(line) for line in (out / 'quarantine.jsonl').read_text().splitlines()]
    return read_shard(out / 'shard-00000.gan', size), {e['path']: (e['reason'], e['detail']) for e in lines}


def _expected(argument):
    path, size, background = argument
    warnings.simplefilter('ignore')
    try:
        return pillow_oracle.records(path, size, background)
    except Exception as error:
        return f'{type(error).__name__}: {error}'


def compare(inputs, settings=SETTINGS, size=128, background=pillow_oracle.WHITE):
    """-> (number of equal records, {name: {fault: [settings]}})."""
    inputs = pathlib.Path(inputs)
    names = sorted(str(p.relative_to(inputs)) for p in inputs.rglob('*') if p.suffix.lower() in EXTENSIONS)
    equal, faults = 0, {}
    with tempfile.TemporaryDirectory() as scratch, multiprocessing.Pool(os.cpu_count()) as pool:
        expected = pool.imap(_expected, [(inputs / n, size, background) for n in names], chunksize=8)
        made = {}
        for filter_name, exif in settings:
            made[filter_name, exif] = preprocess(inputs, pathlib.Path(scratch) / f'{filter_name}-{exif}', '--filter',
                                                 filter_name, '--exif', exif, '--background',
                                                 ','.join(map(str, background)), size=size)
        for name, wanted in zip(names, expected):
            for setting, (records, rejected) in made.items():
                fault = _fault(name, wanted if isinstance(wanted, str) else wanted[setting], records, rejected)
                equal += fault is None and name in records
                if fault:
                    faults.setdefault(name, {}).setdefault(fault, []).append('/'.join(setting))
    return equal, faults


def _fault(name, wanted, records, rejected):
    if (name in records) == (name in rejected):
        return 'neither a record nor in quarantine.jsonl, or both'
    if isinstance(wanted, str):
        return f'accepted, but Pillow says {wanted}' if name in records else None
    if name in rejected:
        return f'rejected ({": ".join(rejected[name])}), but Pillow reads it'
    if wanted is None or np.array_equal(records[name], wanted):
        return None
    return f'differs from Pillow by up to {int(np.abs(records[name].astype(int) - wanted).max())}'
