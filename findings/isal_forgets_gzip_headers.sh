#!/usr/bin/env bash
# ISA-L, as in isal 1.7.2 (PyPI wheel), refuses valid gzip data when a member's header is given in two calls and holds a
# header checksum, or an extra field followed by a name or a comment. zlib reads all of them.
#
# The guess before it was run: isal_zlib.decompressobj(31) takes its data in pieces of any length, as zlib's does.
#
# What follows for users: whoever reads gzip in blocks (ISA-L's isal_inflate in C, decompressobj and IgzipDecompressor in
# Python) cannot read some files of several members, depending on where the blocks end. Give the first call of each
# member its whole header, or read such a member with zlib. Between two calls isal_inflate keeps its position in the
# header, and neither the header's flags nor the checksum so far. The same code stands in version 2.32.1 of the library.
#
# What was seen, of the places inside a header where the data may be cut in two:
#   header with                zlib fails at   ISA-L fails at
#   nothing more               0 of  9         0 of  9
#   name                       0 of 14         0 of 14
#   extra field                0 of 15         0 of 15
#   header checksum            0 of 11         11 of 11
#   extra field and name       0 of 20         6 of 20
#   all of them, and comment   0 of 30         30 of 30
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 3 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile isal==1.7.2

cat >"$folder/headers.py" <<'PYTHON'
import struct
import sys
import zlib

from isal import isal_zlib

TEXT = b'words ' * 50
PARTS = (('nothing more', 0), ('name', 8), ('extra field', 4), ('header checksum', 2), ('extra field and name', 12), ('all of them, and comment', 30))


def member(flags):
    """The header and the rest of a member, as RFC 1952 says."""
    header = struct.pack('<BBBBIBB', 0x1F, 0x8B, 8, flags, 0, 0, 3)
    header += struct.pack('<H', 4) + b'abcd' if flags & 4 else b''
    header += b'name\0' if flags & 8 else b''
    header += b'comment\0' if flags & 16 else b''
    header += struct.pack('<H', zlib.crc32(header) & 0xFFFF) if flags & 2 else b''
    coder = zlib.compressobj(wbits=-15)
    return header, coder.compress(TEXT) + coder.flush() + struct.pack('<II', zlib.crc32(TEXT), len(TEXT))


def failures(library, header, rest):
    count = 0
    for cut in range(1, len(header)):
        reader = library.decompressobj(31)
        try:
            count += reader.decompress(header[:cut]) + reader.decompress(header[cut:] + rest) != TEXT
        except library.error:
            count += 1
    return count


seen = {}
print('header with                zlib fails at   ISA-L fails at')
for name, flags in PARTS:
    header, rest = member(flags)
    places = len(header) - 1
    seen[name] = [failures(library, header, rest) for library in (zlib, isal_zlib)]
    print(f'{name:24}   {seen[name][0]} of {places:2}         {seen[name][1]} of {places:2}')
sys.exit(0 if all(by_zlib == 0 and (by_isal > 0) == bool(flags & 2 or flags == 12) for (by_zlib, by_isal), (_, flags) in zip(seen.values(), PARTS)) else 1)
PYTHON
"$folder/venv/bin/python" "$folder/headers.py"
