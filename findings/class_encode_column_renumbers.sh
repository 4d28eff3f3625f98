#!/usr/bin/env bash
# Hugging Face datasets 5.2.0: class_encode_column() changes the numbers of classes, without a warning. Labels that are
# integers are sorted as text, so with twelve classes the class 2 gets the number 4. In a DatasetDict each split gets numbers
# of its own, so a class that one split lacks shifts all the later ones.
#
# The guess before it was run: integers keep their values, and the splits of one DatasetDict agree.
#
# What follows for users: a classifier, an inception score per class or a generator with classes is asked for the wrong ones.
# Give the names yourself: data.cast_column('label', ClassLabel(names=[...])), which keeps integers, on each split.
#
# What was seen:
#   integers 0 to 11        0 1 4 5 6 7 8 9 10 11 2 3
#   with cast_column        0 1 2 3 4 5 6 7 8 9 10 11
#   train bag coat dress    bag 0, coat 1, dress 2
#   test coat dress         coat 0, dress 1
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 100 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install datasets==5.2.0 pyarrow==26.0.1

cat >"$folder/encode.py" <<'PYTHON'
import sys

import datasets

datasets.disable_progress_bars()
numbers = datasets.Dataset.from_dict({'label': list(range(12))})
encoded = numbers.class_encode_column('label')['label'][:]
cast = numbers.cast_column('label', datasets.ClassLabel(names=[str(i) for i in range(12)]))['label'][:]
print('integers 0 to 11   ', *encoded)
print('with cast_column   ', *cast)
parts = {'train': ['bag', 'coat', 'dress'], 'test': ['coat', 'dress']}
splits = datasets.DatasetDict({name: datasets.Dataset.from_dict({'label': part}) for name, part in parts.items()})
found = {name: dict(zip(parts[name], split['label'][:])) for name, split in splits.class_encode_column('label').items()}
print(found)
sys.exit(0 if encoded == [0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 2, 3] and cast == list(range(12)) and
         found == {'train': {'bag': 0, 'coat': 1, 'dress': 2}, 'test': {'coat': 0, 'dress': 1}} else 1)
PYTHON
HF_HUB_OFFLINE=1 HF_DATASETS_CACHE="$folder/cache" "$folder/venv/bin/python" "$folder/encode.py"
