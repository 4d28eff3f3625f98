#!/usr/bin/env bash
# Exiv2 0.28.8 (in the PyPI wheel pyexiv2 2.16.0): an MP4 whose last box holds XMP is refused as "corrupted image metadata".
# With 28 bytes of free space behind the box it is read. ISO/IEC 14496-12 lets a `uuid` box stand anywhere at the top level.
#
# The guess before it was run: XMP is found wherever its box stands; a box at the end is the easiest place.
#
# What follows for users: programs built on Exiv2 show no metadata of such a film. Writers should put a `free` box behind.
#
# What was seen, for one MP4 with a box appended:
#   nothing                          read, no XMP
#   free                             read, no XMP
#   uuid with XMP                    corrupted image metadata
#   uuid with XMP, then free of 28   read, Xmp.dc.source
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 60 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile pyexiv2==2.16.0 imageio-ffmpeg==0.6.0

cat >"$folder/read.py" <<'PYTHON'
import struct
import subprocess
import sys

import imageio_ffmpeg
import pyexiv2

film = sys.argv[1] + '/film.mp4'
subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), '-loglevel', 'error', '-f', 'lavfi', '-i', 'color=red:size=64x64:duration=1',
                '-pix_fmt', 'yuv420p', film], check=True)
with open(film, 'rb') as file:
    plain = file.read()
XMP = b'''<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="a model"/></rdf:RDF></x:xmpmeta>'''
XMP_ID = bytes.fromhex('be7acfcb97a942e89c71999491e3afac')


def box(kind, content):
    return struct.pack('>I4s', 8 + len(content), kind) + content


def read(name, added):
    with open(film, 'wb') as file:
        file.write(plain + added)
    try:
        with pyexiv2.Image(film) as image:
            found = ' '.join(['read'] + sorted(image.read_xmp()))
    except RuntimeError as error:
        found = str(error)
    print(f'{name:32} {found}')
    return found


marked = box(b'uuid', XMP_ID + XMP)
print('pyexiv2', pyexiv2.__version__)
seen = [read('nothing', b''), read('free', box(b'free', bytes(20))), read('uuid with XMP', marked),
        read('uuid with XMP, then free of 28', marked + box(b'free', bytes(20)))]
sys.exit(0 if seen == ['read', 'read', 'corrupted image metadata', 'read Xmp.dc.source'] else 1)
PYTHON
"$folder/venv/bin/python" "$folder/read.py" "$folder"
