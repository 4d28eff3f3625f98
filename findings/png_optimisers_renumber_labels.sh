#!/usr/bin/env bash
# zopflipng 1.0.3 (Debian 12's package) and pyoxipng 9.1.1 (PyPI wheel), which make PNG files smaller without loss, renumber
# the labels of pictures with a palette, differently in each picture. They and pngcrush 1.8.13 also make a 16-bit mask of 0 and 65535 one of
# 0 and 255, and optipng 0.7.7 one of 0 and 1. There is no error and no warning.
#
# The guess before it was run: the indices of a palette and the levels of 16 bits are what the file holds, so a program that calls
# itself lossless keeps them.
#
# The reason, inferred from what was seen: only the colours that are shown count. Unused colours leave the palette, the others move up or
# are sorted, and where the two bytes of each 16-bit level are equal, one of them is dropped. optipng goes on to one bit.
#
# What follows for users: many sets with a label for each pixel keep the numbers of the classes as palette indices. After such a
# program the same class has another number in each picture, so a GAN that is conditioned on the labels gets wrong ones. Pass
# palette_reduction=False, bit_depth_reduction=False and color_type_reduction=False to oxipng.optimize(), -nx to optipng and -noreduce to
# pngcrush, and keep zopflipng away from labels.
#
# What was seen, as Pillow 13.0.0 reads the files, for pictures with a palette of 21 classes of which each uses four:
#                           classes 0, 7, 15, 20   classes 0, 9, 12, 15   16-bit mask
#   zopflipng               0, 1, 2, 3             0, 1, 2, 3             0, 255
#   oxipng.optimize()       3, 1, 0, 2             3, 2, 1, 0             0, 255
#   the same, as above      0, 7, 15, 20           0, 9, 12, 15           0, 65535
#   optipng                 0, 7, 15, 20           0, 9, 12, 15           0, 1
#   pngcrush                0, 7, 15, 20           0, 9, 12, 15           0, 255
#   both, as above          0, 7, 15, 20           0, 9, 12, 15           0, 65535
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 9 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get --quiet --quiet download zopfli=1.0.3-1 optipng=0.7.7-2+b1 pngcrush=1.8.13-0.1 2>/dev/null
for package in *.deb; do dpkg-deb --extract "$package" programs; done
python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install --no-compile pillow==13.0.0 pyoxipng==9.1.1

cat >labels.py <<'PYTHON'
import subprocess
import sys

import oxipng
from PIL import Image

KEEP = {'palette_reduction': False, 'bit_depth_reduction': False, 'color_type_reduction': False}


def with_program(*command):
    return lambda source, target: subprocess.run([word.format(source=source, target=target) for word in command], check=True,
                                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def levels(path):
    """The levels in the places of the four classes, or of black and white, as Pillow reads them."""
    with Image.open(path) as picture:
        return [picture.getpixel((x, 0)) for x in range(0, 64, 16)]


palette = [component for label in range(21) for component in (label * 67 % 256, label * 29 % 256, label * 151 % 256)]
classes = {'first.png': [0, 7, 15, 20], 'second.png': [0, 9, 12, 15]}
for name, labels in classes.items():
    picture = Image.frombytes('P', (64, 64), bytes(label for label in labels for _ in range(16)) * 64)
    picture.putpalette(palette)
    picture.save(name)
mask = b''.join(level.to_bytes(2, 'little') for level in (0, 65535, 0, 65535) for _ in range(16)) * 64
Image.frombytes('I;16', (64, 64), mask).save('mask.png')

tools = {'as saved': lambda source, target: Image.open(source).save(target),
         'zopflipng': with_program('programs/usr/bin/zopflipng', '-y', '--iterations=1', '{source}', '{target}'),
         'oxipng': oxipng.optimize,
         'oxipng, no reduction': lambda source, target: oxipng.optimize(source, target, **KEEP),
         'optipng': with_program('programs/usr/bin/optipng', '-clobber', '-force', '{source}', '-out', '{target}'),
         'optipng -nx': with_program('programs/usr/bin/optipng', '-clobber', '-force', '-nx', '{source}', '-out', '{target}'),
         'pngcrush': with_program('programs/usr/bin/pngcrush', '-force', '{source}', '{target}'),
         'pngcrush -noreduce': with_program('programs/usr/bin/pngcrush', '-force', '-noreduce', '{source}', '{target}')}
right = True
for tool, run in tools.items():
    seen = []
    for name in (*classes, 'mask.png'):
        run(name, 'smaller.png')
        seen.append(levels('smaller.png'))
    print(f'{tool:21}', seen)
    kept = seen[:2] == list(classes.values())
    right = right and kept == (tool not in ('zopflipng', 'oxipng'))
    right = right and max(seen[2]) == {'zopflipng': 255, 'oxipng': 255, 'optipng': 1, 'pngcrush': 255}.get(tool, 65535)
sys.exit(0 if right else 1)
PYTHON
venv/bin/python labels.py
