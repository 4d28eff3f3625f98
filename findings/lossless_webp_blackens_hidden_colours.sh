#!/usr/bin/env bash
# Pillow 13.0.0 with libwebp 1.6.0 (PyPI wheel) and cwebp 1.2.4 (Debian 12's package): lossless WebP does not keep the colours of
# pixels whose alpha is 0. They become black, without an error or a warning. imagecodecs 2026.3.6 (PyPI wheel) keeps them.
#
# The guess before it was run: a lossless picture is equal to what was saved, in all four channels.
#
# What follows for users: many loaders drop alpha, as convert('RGB') does. The background of cut-out pictures is then black in the
# WebP files and has its colours in the PNG files of the same set, which a discriminator can tell apart. Pass exact=True to save() and
# -exact to cwebp, or paste each picture onto a background before it is stored.
#
# What was seen, as the largest differences of a channel where alpha is 0 and elsewhere, and the first pixel without alpha (8, 200, 128
# in the original):
#   Pillow, lossless=True                 200, 0     0, 0, 0
#   Pillow, lossless=True, exact=True     0, 0       8, 200, 128
#   cwebp -lossless                       200, 0     0, 0, 0
#   cwebp -lossless -exact                0, 0       8, 200, 128
#   imagecodecs, lossless=True            0, 0       8, 200, 128
#   Pillow, PNG                           0, 0       8, 200, 128
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 50 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get --quiet --quiet download webp=1.2.4-0.2+deb12u1 libwebp7=1.2.4-0.2+deb12u1 2>/dev/null
for package in *.deb; do dpkg-deb --extract "$package" programs; done
python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install --no-compile pillow==13.0.0 imagecodecs==2026.3.6 numpy==2.4.6

cat >hidden.py <<'PYTHON'
import os
import pathlib
import subprocess
import sys

import imagecodecs
import numpy
from PIL import Image

pixels = numpy.full((64, 64, 4), (8, 200, 128, 0), numpy.uint8)
pixels[:, 32:] = (90, 40, 10, 255)
picture = Image.fromarray(pixels)
picture.save('picture.png')
libraries = next(str(path) for path in pathlib.Path('programs/usr/lib').iterdir() if list(path.glob('libwebp*')))


def cwebp(path, *options):
    subprocess.run(['programs/usr/bin/cwebp', '-quiet', '-lossless', *options, 'picture.png', '-o', path], check=True,
                   env={**os.environ, 'LD_LIBRARY_PATH': libraries})


ways = {'Pillow, lossless=True': lambda path: picture.save(path, 'WEBP', lossless=True),
        'Pillow, lossless=True, exact=True': lambda path: picture.save(path, 'WEBP', lossless=True, exact=True),
        'cwebp -lossless': cwebp,
        'cwebp -lossless -exact': lambda path: cwebp(path, '-exact'),
        'imagecodecs, lossless=True': lambda path: pathlib.Path(path).write_bytes(imagecodecs.webp_encode(pixels, lossless=True)),
        'Pillow, PNG': lambda path: picture.save(path, 'PNG')}
right = True
for way, save in ways.items():
    save('saved')
    with Image.open('saved') as back:
        difference = abs(numpy.array(back).astype(int) - pixels)
        first = back.convert('RGB').getpixel((0, 0))
    hidden, shown = int(difference[:, :32].max()), int(difference[:, 32:].max())
    print(f'{way:34} {hidden}, {shown}, first pixel {first}')
    lost = way in ('Pillow, lossless=True', 'cwebp -lossless')
    right = right and (hidden, shown, first) == ((200, 0, (0, 0, 0)) if lost else (0, 0, (8, 200, 128)))
sys.exit(0 if right else 1)
PYTHON
venv/bin/python -W error hidden.py
