#!/usr/bin/env bash
# Hugging Face datasets 5.2.0 (PyPI wheel): with_format('numpy') changes numbers in batches and slices, and not in single rows,
# without an error or a warning. float64 becomes float32, and every integer int64, so uint64 beyond 2**63 becomes negative. Where
# one integer of a batch is missing, the whole batch becomes float32, which holds whole numbers up to 16,777,216 only.
#
# The guess before it was run: the column type that the data set declares is the type of the array, as with the formats pandas,
# polars and arrow; a missing integer makes the batch float64, as in pandas.
#
# The reason: the formatter asks numpy for int64 or float32 unless it is given a type. Numbers of single rows pass it as they are.
#
# What follows for users: perceptual hashes, digests and seeds of 64 bits, record numbers, times in seconds since 1970 and
# latents in double precision are other numbers in a batch than in a row, and a record number depends on its neighbours.
# with_format('numpy', dtype=None) keeps the types, and a batch with missing integers is float64.
#
# What was seen:
#                                          a row                  the batch                dtype=None
#   uint64    18446744073709551615          18446744073709551615   -1                       18446744073709551615
#   float64   1700000000.5                  1700000000.5           1700000000               1700000000.5
#   int64     16777217, beside 2            16777217               16777217                 16777217
#   int64     16777217, beside a missing    16777217               16777216                 16777217
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
from datasets import Dataset


def compare(kind, numbers):
    data = Dataset(pa.table({'x': pa.array(numbers, kind)}))
    assert data.features['x'].dtype == kind
    columns = data.with_format('numpy')[0]['x'], data.with_format('numpy')[:]['x'][0], \
        data.with_format('numpy', dtype=None)[:]['x'][0]
    assert data[0]['x'] == data[:]['x'][0] == numbers[0]
    found = [number.item() for number in columns]
    print(f'{kind:8} {str(numbers):26}', *(f'{name} {number:20} ({column.dtype})   ' for name, number, column in
                                          zip(('row', 'batch', 'dtype=None'), found, columns)))
    return found


seen = [compare('uint64', [2**64 - 1, 3]), compare('float64', [1700000000.5, 1.0]), compare('int64', [16777217, 2]),
        compare('int64', [16777217, None])]
sys.exit(0 if seen == [[2**64 - 1, -1, 2**64 - 1], [1700000000.5, 1700000000, 1700000000.5], [16777217] * 3,
                       [16777217, 16777216, 16777217]] else 1)
PYTHON
HF_HOME="$folder/home" HF_HUB_OFFLINE=1 "$folder/venv/bin/python" -W ignore "$folder/read.py"
