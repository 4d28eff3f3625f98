#!/usr/bin/env bash
# zstandard 0.25.0 and lz4 4.4.5 (PyPI wheels): of data that consists of several frames, as `cat a.zst b.zst`, pzstd and
# appending to a file make it, decompress() returns the first frame, without an error or a warning. Where the first one is
# empty, the result is empty.
#   zstandard: decompress(), decompressobj() and read_to_iter(), not stream_reader(), copy_stream(), stream_writer() and open()
#   lz4: frame.decompress(), not frame.open()
# gzip, bz2 and lzma of Python 3.11, cramjam 2.14.0 and numcodecs 0.16.6 return all frames.
#
# The guess before it was run: decompress() returns what the reader of the same library returns, as it does in Python's own
# modules, or it refuses the rest, as Arrow does for LZ4.
#
# What follows for users: both formats define that joined frames are the joined data, and the command-line tools read them so. A
# log or a shard to which a restarted run appended ends where the first run ended. Pass allow_extra_data=False to zstandard's
# decompress(), which then raises, and read with open() in both.
#
# What was seen, as bytes, for two frames of 1,000 bytes each:
#   zstandard: decompress, decompressobj, read_to_iter              1000
#              stream_reader, copy_stream, stream_writer, open      2000
#   lz4:       frame.decompress                                     1000
#              frame.open                                           2000
#   gzip, bz2, lzma, cramjam's zstd and lz4, numcodecs' Zstd        2000
#   after an empty frame: zstandard's and lz4's decompress             0
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 40 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile zstandard==0.25.0 lz4==4.4.5 cramjam==2.14.0 \
  numcodecs==0.16.6 numpy==2.4.6

cat >"$folder/join.py" <<'PYTHON'
import bz2
import gzip
import io
import lzma
import sys
import warnings

import cramjam
import lz4.frame
import numcodecs
import zstandard

warnings.simplefilter('error')
PARTS = b'a' * 1000, b'b' * 1000


def joined(compress, parts=PARTS):
    return b''.join(map(compress, parts))


def copied(data):
    out = io.BytesIO()
    zstandard.ZstdDecompressor().copy_stream(io.BytesIO(data), out)
    return out.getvalue()


def written(data):
    out = io.BytesIO()
    with zstandard.ZstdDecompressor().stream_writer(out, closefd=False) as writer:
        writer.write(data)
    return out.getvalue()


zstd, lz4_frames = joined(zstandard.compress), joined(lz4.frame.compress)
FIRST = {'decompress': zstandard.decompress(zstd), 'decompressor': zstandard.ZstdDecompressor().decompress(zstd),
         'decompressobj': zstandard.ZstdDecompressor().decompressobj().decompress(zstd),
         'read_to_iter': b''.join(zstandard.ZstdDecompressor().read_to_iter(io.BytesIO(zstd))),
         'lz4.frame.decompress': lz4.frame.decompress(lz4_frames)}
ALL = {'stream_reader': zstandard.ZstdDecompressor().stream_reader(io.BytesIO(zstd)).read(), 'copy_stream': copied(zstd),
       'stream_writer': written(zstd), 'open': zstandard.open(io.BytesIO(zstd)).read(),
       'lz4.frame.open': lz4.frame.open(io.BytesIO(lz4_frames)).read(), 'cramjam zstd': bytes(cramjam.zstd.decompress(zstd)),
       'cramjam lz4': bytes(cramjam.lz4.decompress(lz4_frames)), 'numcodecs': bytes(numcodecs.Zstd().decode(zstd)),
       'gzip': gzip.decompress(joined(gzip.compress)), 'bz2': bz2.decompress(joined(bz2.compress)),
       'lzma': lzma.decompress(joined(lzma.compress))}
empty = [len(zstandard.decompress(joined(zstandard.compress, (b'', PARTS[1])))),
         len(lz4.frame.decompress(joined(lz4.frame.compress, (b'', PARTS[1]))))]
for name, data in (FIRST | ALL).items():
    print(f'{name:22}', len(data))
print('after an empty frame  ', *empty)
try:
    zstandard.ZstdDecompressor().decompress(zstd, allow_extra_data=False)
    refused = False
except zstandard.ZstdError as error:
    print(error)
    refused = True
sys.exit(0 if refused and empty == [0, 0] and all(data == PARTS[0] for data in FIRST.values())
         and all(data == b''.join(PARTS) for data in ALL.values()) else 1)
PYTHON
"$folder/venv/bin/python" "$folder/join.py"
