#!/usr/bin/env bash
# Hugging Face datasets 5.2.0: Dataset.to_parquet() of a data set that load_dataset('imagefolder') made writes the absolute
# paths of the pictures and no picture, without a warning. On another machine the file is useless.
#
# The guess before it was run: a Parquet file that `datasets` writes from a column of the feature Image holds the pictures, as
# the files on the Hub do.
#
# What follows for users: share pictures with push_to_hub(), or embed them first:
#   data.with_format('arrow').map(datasets.table.embed_table_storage, batched=True).with_format(None).to_parquet(...)
#
# What was seen:
#   to_parquet: bytes None, path is absolute True
#   with embed_table_storage: bytes 69, path a.png
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 100 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install datasets==5.2.0 pyarrow==26.0.1 pillow==12.0.0

cat >"$folder/write.py" <<'PYTHON'
import os
import sys

import datasets
import pyarrow.parquet as parquet
from datasets.table import embed_table_storage
from PIL import Image

datasets.disable_progress_bars()
top = sys.argv[1]
for kind in 'ab':
    os.makedirs(f'{top}/tree/{kind}')
    Image.new('RGB', (8, 8)).save(f'{top}/tree/{kind}/{kind}.png')
data = datasets.load_dataset('imagefolder', data_dir=f'{top}/tree', cache_dir=f'{top}/cache', split='train')
data.to_parquet(f'{top}/plain.parquet')
plain = parquet.read_table(f'{top}/plain.parquet').to_pylist()[0]['image']
print(f'to_parquet: bytes {plain["bytes"]}, path is absolute {os.path.isabs(plain["path"])}')
embedded = data.with_format('arrow').map(embed_table_storage, batched=True).with_format(None)
embedded.to_parquet(f'{top}/embedded.parquet')
whole = parquet.read_table(f'{top}/embedded.parquet').to_pylist()[0]['image']
print(f'with embed_table_storage: bytes {len(whole["bytes"])}, path {whole["path"]}')
sys.exit(0 if plain['bytes'] is None and whole['bytes'] else 1)
PYTHON
HF_HUB_OFFLINE=1 "$folder/venv/bin/python" "$folder/write.py" "$folder"
