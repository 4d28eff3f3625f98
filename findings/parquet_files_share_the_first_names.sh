#!/usr/bin/env bash
# Hugging Face datasets 5.2.0 and pyarrow 26.0.1 (PyPI wheels): several Parquet files that were written by `datasets` and whose
# classes have other names or another order are read as one, with the names of the first file. The numbers stay, so the labels
# of all the others are wrong. load_dataset does so for files of one split, for splits and for streams, without a warning.
#
# The guess before it was run: each file stores its names, so load_dataset translates the numbers, or it refuses the files, as
# concatenate_datasets and interleave_datasets refuse the same two data sets.
#
# The reason: the features come from the first file, and the others are cast to them; a cast of integers to ClassLabel keeps
# the integers. pyarrow.concat_tables keeps the metadata of the first table, in which `datasets` stores the names.
#
# What follows for users: whoever adds a file that was made from fewer class folders, or in another year, trains on wrong labels.
# A split that lacks a class is tested against wrong ones. Read each file on its own, call
# data.align_labels_with_mapping({name: number, ...}, 'label') on it, and then concatenate_datasets.
#
# What was seen, for a.parquet with the classes bag, coat, dress and b.parquet with coat, dress, as the names of each row:
#   in the files                       bag coat dress, coat dress
#   load_dataset, one split            bag coat dress  bag coat
#   the same, streaming                bag coat dress  bag coat
#   load_dataset, two splits           bag coat dress, bag coat
#   load_dataset, b.parquet first      coat dress, then numbers 0 1 2 of two classes
#   pyarrow.concat_tables              bag coat dress  bag coat
#   with align_labels_with_mapping     bag coat dress  coat dress
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 120 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile datasets==5.2.0 pyarrow==26.0.1 numpy==2.4.6 \
  pandas==3.1.1

cat >"$folder/read.py" <<'PYTHON'
import sys

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import (ClassLabel, Dataset, Features, Value, concatenate_datasets, disable_progress_bars, interleave_datasets,
                      load_dataset)

disable_progress_bars()
A, B = 'a.parquet', 'b.parquet'
NAMES = {A: ['bag', 'coat', 'dress'], B: ['coat', 'dress']}
for path, names in NAMES.items():
    features = Features({'truth': Value('string'), 'label': ClassLabel(names=names)})
    Dataset.from_dict({'truth': names, 'label': list(range(len(names)))}, features=features).to_parquet(path)


def rows(name, data):
    """The true name of each row, and the one that its number has in the data set that was read."""
    names = data.features['label'].names
    found = [(row['truth'], names[row['label']] if row['label'] < len(names) else None) for row in data]
    print(f'{name:32}', *(f'{truth}: {read}' for truth, read in found), sep='   ')
    return [truth == read for truth, read in found]


def refused(join, *data):
    try:
        join(list(data))
    except ValueError as error:
        print(f'{join.__name__:32}   refused: {str(error)[:40]}')
        return True
    return False


def load(files, **options):
    return load_dataset('parquet', data_files=files, cache_dir='cache', **options)


one = {path: load(path, split='train') for path in NAMES}
splits = load({'train': A, 'test': B})
mapping = {name: number for number, name in enumerate(NAMES[A])}
aligned = concatenate_datasets([one[A], one[B].align_labels_with_mapping(mapping, 'label').cast(one[A].features)])
seen = [rows('each file alone', one[A]) + rows('', one[B]),
        rows('load_dataset, one split', load([A, B], split='train')),
        rows('streaming', load([A, B], split='train', streaming=True)),
        rows('two splits', splits['train']) + rows('', splits['test']),
        rows('pyarrow.concat_tables', Dataset(pa.concat_tables([pq.read_table(A), pq.read_table(B)]))),
        rows('b.parquet first', load([B, A], split='train')),
        rows('align_labels_with_mapping', aligned)]
right, wrong = [True] * 5, [True] * 3 + [False] * 2
both = refused(concatenate_datasets, one[A], one[B]) and refused(interleave_datasets, one[A], one[B])
sys.exit(0 if both and seen == [right, wrong, wrong, wrong, wrong, [True] * 2 + [False] * 3, right] else 1)
PYTHON
cd "$folder"
HF_HOME="$folder/home" HF_HUB_OFFLINE=1 venv/bin/python -W ignore read.py 2>/dev/null
