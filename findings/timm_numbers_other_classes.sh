#!/usr/bin/env bash
# timm 1.0.31 with torch 2.11.0 (PyPI wheels, CPU): create_dataset('', root) gives the classes of a folder other numbers than torchvision's
# ImageFolder and Hugging Face datasets do, as soon as names hold numbers or capitals, and puts the pictures of a/large and b/large into
# one class. There is no error and no warning.
#
# The guess before it was run: folders of classes are torchvision's format, so each reader sorts the names in the same way, and folders
# inside of folders are all of one class, or are kept apart.
#
# The reason: timm sorts as people do, 2 before 10 and without regard to capitals, and calls a class as the innermost folder, while
# torchvision sorts characters by their codes, and takes the outermost folder.
#
# What follows for users: a classifier that timm trained and a generator whose pictures torchvision read mean different classes by the same
# number, and a measure of how well the classes are met is low without a cause. Compare class_to_idx of both, or pass
# class_map= with torchvision's numbers to timm.
#
# What was seen, as the classes in the order of their numbers:
#   folders                     timm                          torchvision, datasets 5.2.0
#   1 2 10                      1 2 10                        1 10 2
#   apple Banana cherry         apple Banana cherry           Banana apple cherry
#   class_2 class_10            class_2 class_10              class_10 class_2
#   a/large a/small b/large     large small                   torchvision: a b, datasets: large small
# With class_map=ImageFolder(root).class_to_idx timm has torchvision's numbers for the first three.
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 torchvision==0.26.0 numpy==2.2.6 \
  pillow==12.0.0 timm==1.0.31 datasets==5.2.0

cat >"$folder/classes.py" <<'PYTHON'
import os
import pathlib
import sys
import tempfile

from datasets import disable_progress_bars, load_dataset
from PIL import Image
from timm.data import create_dataset
from torchvision.datasets import ImageFolder

disable_progress_bars()


def tree(*classes):
    root = tempfile.mkdtemp(dir=os.getcwd())
    for name in classes:
        pathlib.Path(root, name).mkdir(parents=True)
        Image.new('RGB', (8, 8)).save(pathlib.Path(root, name, 'picture.png'))
    return root


def by_number(class_to_idx):
    return sorted(class_to_idx, key=class_to_idx.get)


def numbered(*classes):
    """The classes in the order of their numbers: by timm, torchvision and datasets, and by timm with torchvision's map."""
    root = tree(*classes)
    peer = ImageFolder(root).class_to_idx
    timm = create_dataset('', root=root).reader.class_to_idx
    hub = load_dataset('imagefolder', data_dir=root, cache_dir=tempfile.mkdtemp(dir=os.getcwd()))['train'].features['label'].names
    mapped = create_dataset('', root=root, class_map=peer) if set(timm) == set(peer) else None
    found = by_number(timm), by_number(peer), hub, mapped and by_number(mapped.reader.class_to_idx)
    print(*classes, ': timm', found[0], 'torchvision', found[1], 'datasets', found[2], 'timm with class_map', found[3])
    return found


right = True
for classes, by_codes in ((['1', '2', '10'], ['1', '10', '2']), (['apple', 'Banana', 'cherry'], ['Banana', 'apple', 'cherry']),
                          (['class_2', 'class_10'], ['class_10', 'class_2'])):
    right = numbered(*classes) == (classes, by_codes, by_codes, by_codes) and right
nested = numbered('a/large', 'a/small', 'b/large')
sys.exit(0 if right and nested == (['large', 'small'], ['a', 'b'], ['large', 'small'], None) else 1)
PYTHON
cd "$folder"
OMP_NUM_THREADS=1 HF_HOME="$folder/hub" venv/bin/python -W ignore classes.py
