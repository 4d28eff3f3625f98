#!/usr/bin/env python3
"""Runs the first steps of the training commands in docs/results.md again and compares their digests with the published
ones.

    .deps/venv/bin/python bench/results/first_steps.py --photos ../shared/data/clothing

A digest covers every number of stats.jsonl (fields of time aside) and every weight, statistic and moment after the last
of these steps. Equal digests are promised for one model of processor (docs/checkpoint-format.md). The exit code is 1
when one differs.
"""
import argparse
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs/results.md'
BIN = pathlib.Path(os.environ.get('EQUIPOISE_BIN', ROOT / 'build/release/bin'))
STEPS = 200
TIMES = ('step_seconds', 'images_per_second')
# Keys that were added after the digests had been published. They follow from the numbers of the other keys.
LATER = ('collapse_foretold',)


def training_commands(text):
    """{run folder: flags} of the gan-train lines in the page's sh blocks."""
    found = {}
    for block in re.findall(r'```sh\n(.*?)```', text, re.S):
        for line in block.replace('\\\n', ' ').splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ['gan-train']:
                found[words[words.index('--run') + 1]] = words[1:]
    return found


def published(text):
    """{run folder: digest} of the page's table."""
    return dict(re.findall(r'^\| `(runs/\S+)` \| `([0-9a-f]{64})` \|$', text, re.M))


def with_digest(text, run, digest):
    """The page with this digest in its table."""
    return re.sub(rf'^\| `{re.escape(run)}` \| [^|]* \|$', f'| `{run}` | `{digest}` |', text, flags=re.M)


def replaced(flags, **values):
    flags = list(flags)
    for name, value in values.items():
        flags[flags.index('--' + name) + 1] = str(value)
    return flags


def digest_of(run, steps):
    digest = hashlib.sha256()
    for line in (run / 'stats.jsonl').read_text().splitlines():
        digest.update(json.dumps({k: v for k, v in json.loads(line).items() if k not in TIMES + LATER}, sort_keys=True).encode())
    manifest = json.loads((run / 'checkpoints' / f'step-{steps:08d}' / 'manifest.json').read_text())
    for part in manifest['parts']:
        digest.update(part['digest'].encode())
    return digest.hexdigest()


def first_steps(flags, shards, folder, steps=STEPS, more=()):
    """The digest of a run of `flags` for that many steps."""
    subprocess.run([BIN / 'gan-train', *replaced(flags, shards=shards, run=folder, steps=steps), *map(str, more)], check=True,
                   stdout=subprocess.DEVNULL)
    return digest_of(folder, steps)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--photos', type=pathlib.Path, help='folder of the pictures that the page names')
    parser.add_argument('--shards', type=pathlib.Path, help='shards of these pictures, instead of --photos')
    parser.add_argument('--write', action='store_true', help='write the digests into the page')
    options = parser.parse_args()
    if not options.photos and not options.shards:
        parser.error('name --photos or --shards')
    text, same = PAGE.read_text(), True
    with tempfile.TemporaryDirectory() as temporary:
        shards = options.shards or pathlib.Path(temporary, 'shards')
        if not options.shards:
            subprocess.run([BIN / 'gan-preprocess', '--in', options.photos, '--out', shards], check=True)
        for run, flags in training_commands(text).items():
            digest = first_steps(flags, shards, pathlib.Path(temporary, pathlib.Path(run).name))
            expected = published(text).get(run, 'not published')
            same = same and digest == expected
            if options.write:
                PAGE.write_text(with_digest(PAGE.read_text(), run, digest))
            print(f'{run}: {digest} {"as published" if digest == expected else "where the page has " + expected}', flush=True)
    sys.exit(not same and not options.write)


if __name__ == '__main__':
    main()
