#!/usr/bin/env bash
# safetensors 0.8.0 (PyPI wheel): saving the same tensors with the same metadata gives other bytes each time, as soon as
# the metadata has two entries. Within one process, too.
#
# The guess before it was run: the same call writes the same file, since the format sorts its tensors.
#
# What follows for users: a checksum over such a file says nothing about the weights. Caches, deduplication and
# reproducibility checks need a digest of the tensors, or metadata with at most one entry.
#
# What was seen, in 40 calls:
#   metadata of 0 entries: 1 different file
#   metadata of 1 entries: 1 different file
#   metadata of 2 entries: 2 different files
#   metadata of 4 entries: between 10 and 24 different files
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 20 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install safetensors==0.8.0 numpy==2.2.6

cat >"$folder/save.py" <<'PYTHON'
import sys

import numpy as np
import safetensors
from safetensors.numpy import save

print('safetensors', safetensors.__version__)
tensors = {'0.weight': np.zeros(4, np.float32)}
entries = {'format': 'pt', 'step': '1', 'network': 'generator', 'width': '64'}
counts = []
for number in (0, 1, 2, 4):
    metadata = dict(list(entries.items())[:number])
    counts.append(len({save(tensors, metadata=metadata) for _ in range(40)}))
    print(f'metadata of {number} entries: {counts[-1]} different file{"s" if counts[-1] > 1 else ""}')
sys.exit(0 if counts[:2] == [1, 1] and counts[2] == 2 and counts[3] > 2 else 1)
PYTHON
"$folder/venv/bin/python" "$folder/save.py"
