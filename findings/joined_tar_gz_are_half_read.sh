#!/usr/bin/env bash
# Python's tarfile (3.11), webdataset 1.0.2 and Hugging Face datasets 5.2.0 (PyPI wheels) read the first archive only of
# several .tar.gz that were joined with `cat`, without an error or a warning. GNU tar does the same unless it is given
# --ignore-zeros. gzip itself joins its files that way: `cat a.gz b.gz | gunzip` is both texts, and the whole file passes
# `gzip --test`.
#
# The guess before it was run: joined .tar.gz are read to their end as joined .gz are, or the rest is an error.
#
# What follows for users: of shards that were joined to fewer ones, all samples but those of the first shard disappear.
# Join tars with `tar --concatenate` (uncompressed), or keep them apart and list them.
#
# What was seen, for two tars of three samples of two files each:
#   gzip --test            no error
#   tarfile                6 of 12 members
#   webdataset             3 of 6 samples
#   datasets, webdataset   3 of 6 rows
#   tar --ignore-zeros     12 of 12 members
#
# Needs GNU tar and gzip. Exits 0 while this is so, 1 when the behaviour changed. Downloads about 100 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.2.6 webdataset==1.0.2 datasets==5.2.0 \
  pyarrow==26.0.1 pillow==12.0.0

cat >"$folder/read.py" <<'PYTHON'
import io
import subprocess
import sys
import tarfile

import datasets
import webdataset
from PIL import Image

top = sys.argv[1]
for part in (0, 1):
    with webdataset.TarWriter(f'{top}/{part}.tar.gz') as writer:
        for i in range(3 * part, 3 * part + 3):
            data = io.BytesIO()
            Image.new('L', (8, 8), 20 * i).save(data, 'PNG')
            writer.write({'__key__': f'{i:06}', 'png': data.getvalue(), 'cls': i})
joined = f'{top}/joined.tar.gz'
with open(joined, 'wb') as file:
    for part in (0, 1):
        file.write(open(f'{top}/{part}.tar.gz', 'rb').read())

subprocess.run(['gzip', '--test', joined], check=True)
with tarfile.open(joined) as archive:
    members = len(archive.getnames())
samples = sum(1 for _ in webdataset.WebDataset(joined, shardshuffle=False))
rows = len(datasets.load_dataset('webdataset', data_files=joined, split='train', cache_dir=f'{top}/cache'))
everything = subprocess.run(['tar', '--ignore-zeros', '-tf', joined], check=True, capture_output=True, text=True).stdout
whole = len(everything.splitlines())
print(f'tarfile {members} of 12 members, webdataset {samples} of 6 samples, datasets {rows} of 6 rows, '
      f'tar --ignore-zeros {whole} of 12 members')
sys.exit(0 if (members, samples, rows, whole) == (6, 3, 3, 12) else 1)
PYTHON
HF_HUB_OFFLINE=1 HF_HOME="$folder/home" "$folder/venv/bin/python" -W ignore "$folder/read.py" "$folder"
