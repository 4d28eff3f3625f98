#!/usr/bin/env bash
# Two readers of data sets cut zero bytes off the end of binary values, without an error:
#   Hugging Face datasets 5.2.0: a column of bytes with with_format('numpy')
#   tfrecord 1.14.6: a feature that holds more than one byte string
#
# The guess before it was run: bytes come back as they were written.
#
# The reason: both put the values into a numpy array of fixed-width bytes (dtype S), which ends each value at its last
# byte that is not zero.
#
# What follows for users: raw pixels that end in black, compressed arrays and many audio or tensor blobs come back shorter.
# They then fail to reshape for some records only. Read the column without a format, and write one byte string per feature.
#
# What was seen, for the value 01 02 00 00:
#   datasets, no format        4 bytes
#   datasets, numpy            2 bytes
#   tfrecord, one value        4 bytes
#   tfrecord, two values       2 bytes
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 100 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install datasets==5.2.0 pyarrow==26.0.1 numpy==2.2.6 tfrecord==1.14.6

cat >"$folder/read.py" <<'PYTHON'
import sys

import datasets
import tfrecord

value = bytes([1, 2, 0, 0])
data = datasets.Dataset.from_dict({'pixels': [value, value]})
path = sys.argv[1] + '/two.tfrecord'
writer = tfrecord.TFRecordWriter(path)
writer.write({'one': (value, 'byte'), 'two': ([value, value], 'byte')})
writer.close()
record = next(iter(tfrecord.tfrecord_loader(path, None)))
seen = {'datasets, no format': len(data[0]['pixels']), 'datasets, numpy': len(data.with_format('numpy')[0]['pixels']),
        'tfrecord, one value': len(bytes(record['one'])), 'tfrecord, two values': len(bytes(record['two'][0]))}
for name, length in seen.items():
    print(f'{name:24} {length} bytes')
sys.exit(0 if list(seen.values()) == [4, 2, 4, 2] else 1)
PYTHON
HF_HUB_OFFLINE=1 HF_DATASETS_CACHE="$folder/cache" "$folder/venv/bin/python" "$folder/read.py" "$folder"
