#!/usr/bin/env bash
# Hugging Face datasets 5.2.0: load_dataset('imagefolder') reads words in file names as splits. One picture called
# dress-test-1.png among others is taken for the split `test`, and every picture without such a word is left out, without
# a warning.
#
# The guess before it was run: folders can name splits; names of files do not matter, and no picture is left out.
#
# What follows for users: count the rows. split='train' alone is refused here, but a loop over all splits is silently
# short. data_files={'train': '…/**'} takes every file.
#
# What was seen, for class folders `coat` and `dress` with five pictures each, of which one of `dress` is renamed:
#   1.png … 5.png                          train 10
#   5.png renamed to dress-test-1.png      test 1
#   5.png renamed to dress-contest-1.png   train 10
#   with data_files, after the renaming    train 10
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 100 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install datasets==5.2.0 pyarrow==26.0.1 pillow==12.0.0

cat >"$folder/count.py" <<'PYTHON'
import pathlib
import sys

import datasets
from PIL import Image

datasets.disable_progress_bars()
top = pathlib.Path(sys.argv[1])


def rows(number, last, **files):
    tree = top / f'tree{number}'
    for kind in ('coat', 'dress'):
        (tree / kind).mkdir(parents=True, exist_ok=True)
        for name in ('1.png', '2.png', '3.png', '4.png', last if kind == 'dress' else '5.png'):
            Image.new('RGB', (8, 8)).save(tree / kind / name)
    files = {split: str(tree / pattern) for split, pattern in files.items()}
    where = {'data_files': files} if files else {'data_dir': str(tree)}
    return {split: len(part) for split, part in datasets.load_dataset('imagefolder', **where).items()}


seen = [rows(0, '5.png'), rows(1, 'dress-test-1.png'), rows(2, 'dress-contest-1.png'),
        rows(3, 'dress-test-1.png', train='**/*.png')]
print('datasets', datasets.__version__)
for name, found in zip(('1.png … 5.png', 'dress-test-1.png', 'dress-contest-1.png', 'dress-test-1.png, data_files'), seen):
    print(f'{name:30} {found}')
sys.exit(0 if seen == [{'train': 10}, {'test': 1}, {'train': 10}, {'train': 10}] else 1)
PYTHON
HF_HUB_OFFLINE=1 HF_DATASETS_CACHE="$folder/cache" "$folder/venv/bin/python" "$folder/count.py" "$folder"
