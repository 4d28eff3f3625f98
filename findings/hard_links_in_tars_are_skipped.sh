#!/usr/bin/env bash
# webdataset 1.0.2 and Hugging Face datasets 5.2.0 (PyPI wheels) leave out hard links of a tar, without an error. GNU tar
# writes every further name of a file as a hard link, for example where a data set was deduplicated with links, or copied
# with `cp -l`.
#
# The guess before it was run: a reader of tars delivers every file that `tar -x` would unpack.
#
# What follows for users: pictures disappear, or a sample has a label and no picture. Write such tars with
# `tar --hard-dereference`.
#
# What was seen, for four pictures with labels, of which the fourth picture is another name of the first:
#   Python's tarfile, extractfile     pictures 0 1 2 3
#   webdataset                        pictures 0 1 2, labels 0 1 2 3
#   datasets, iter_archive            pictures 0 1 2
#   webdataset, --hard-dereference    pictures 0 1 2 3
#
# Needs GNU tar. Exits 0 while this is so, 1 when the behaviour changed. Downloads about 100 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.2.6 webdataset==1.0.2 datasets==5.2.0 \
  pyarrow==26.0.1

mkdir "$folder/set"
for number in 0 1 2 3; do
  printf 'picture %d' "$number" >"$folder/set/$number.jpg"
  printf '%d' "$number" >"$folder/set/$number.cls"
done
ln -f "$folder/set/0.jpg" "$folder/set/3.jpg"
tar -C "$folder/set" --sort=name -cf "$folder/links.tar" .
tar -C "$folder/set" --sort=name --hard-dereference -cf "$folder/files.tar" .

cat >"$folder/read.py" <<'PYTHON'
import pathlib
import sys
import tarfile

import datasets
import webdataset

top = sys.argv[1]


def keys(samples, kind):
    return ' '.join(pathlib.PurePath(sample['__key__']).name for sample in samples if kind in sample)


with tarfile.open(f'{top}/links.tar') as archive:
    whole = ' '.join(pathlib.PurePath(member.name).stem for member in archive
                     if member.name.endswith('.jpg') and archive.extractfile(member).read().startswith(b'picture'))
print('tarfile, extractfile  pictures', whole)
samples = list(webdataset.WebDataset(f'{top}/links.tar', shardshuffle=False))
pictures, labels = keys(samples, 'jpg'), keys(samples, 'cls')
print('webdataset            pictures', pictures, ' labels', labels)
paths = [pathlib.PurePath(path) for path, _ in datasets.DownloadManager().iter_archive(f'{top}/links.tar')]
members = ' '.join(path.stem for path in paths if path.suffix == '.jpg')
print('datasets.iter_archive pictures', members)
full = keys(webdataset.WebDataset(f'{top}/files.tar', shardshuffle=False), 'jpg')
print('webdataset, --hard-dereference', full)
sys.exit(0 if [whole, pictures, labels, members, full] == ['0 1 2 3', '0 1 2', '0 1 2 3', '0 1 2', '0 1 2 3'] else 1)
PYTHON
HF_HUB_OFFLINE=1 HF_HOME="$folder/home" "$folder/venv/bin/python" -W ignore "$folder/read.py" "$folder"
