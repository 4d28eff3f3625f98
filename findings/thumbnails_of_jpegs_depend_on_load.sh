#!/usr/bin/env bash
# Pillow 13.0.0 (PyPI wheel): thumbnail() makes other pixels of a JPEG than of a PNG with the same pixels, by up to 24 levels. After
# load() the JPEG's thumbnail equals that of the PNG. There is no error and no warning.
#
# The guess before it was run: equal pixels have equal thumbnails, within one level, whatever file they came from and whatever was
# called before.
#
# The reason, as documented for draft(), which thumbnail() calls: a JPEG that is not loaded yet may be decoded at a fraction of its
# size. Only the rest of the way is resized with the filter.
#
# What follows for users: where the training pictures are JPEGs and the generated ones PNGs, the same function shrinks them in two ways,
# and a Fréchet distance measures that, too. One more line that touches the pixels, such as convert('RGB'), may change a data set. Call
# load() first, for each picture.
#
# What was seen for a picture of 512 x 512 pixels with random colours of some width, against the PNG's thumbnail, as the largest and
# the mean difference in levels:
#                                128 x 128    100 x 100    64 x 64
#   JPEG                         24, 4.91     17, 2.76     6, 1.06
#   JPEG, after load()           0, 0         0, 0         0, 0
#   JPEG, after convert('RGB')   0, 0         0, 0         0, 0
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 7 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile pillow==13.0.0

cat >"$folder/thumbnails.py" <<'PYTHON'
import random
import sys

from PIL import Image, ImageChops

colours = random.Random(0)
small = Image.frombytes('RGB', (128, 128), bytes(colours.randrange(256) for _ in range(128 * 128 * 3)))
small.resize((512, 512), Image.Resampling.BICUBIC).save('picture.jpg', quality=95)
with Image.open('picture.jpg') as picture:
    picture.save('picture.png')


def loaded(picture):
    picture.load()
    return picture


def thumbnail(name, side, prepare):
    with Image.open(name) as picture:
        picture = prepare(picture)
        picture.thumbnail((side, side))
        return picture


right = True
for way, prepare in (('', lambda picture: picture), ('load()', loaded), ("convert('RGB')", lambda picture: picture.convert('RGB'))):
    for side in (128, 100, 64):
        levels = ImageChops.difference(thumbnail('picture.jpg', side, prepare), thumbnail('picture.png', side, loaded)).tobytes()
        print(f'JPEG {way:15} {side:3}: largest difference {max(levels)}, mean {sum(levels) / len(levels):.2f}')
        right = right and (max(levels) > 3 if way == '' else max(levels) == 0)
sys.exit(0 if right else 1)
PYTHON
cd "$folder"
venv/bin/python -W error thumbnails.py
