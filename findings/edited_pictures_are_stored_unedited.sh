#!/usr/bin/env bash
# Three libraries store the file that a Pillow image was opened from, not the image that they are given. What was changed
# in place before (thumbnail, paste, ImageDraw, putpixel) is lost, without an error:
#   Hugging Face datasets 5.2.0: the feature Image, in from_dict, from_generator and map
#   pillow-jxl-plugin 1.3.8: save() to .jxl of an image that was opened from a JPEG (it warns of the transcoding only)
#   mosaicml-streaming 0.13.0: the encoding `jpeg` of MDS
#
# The guess before it was run: a library that takes a PIL.Image stores its pixels.
#
# The reason: all of them look at the attribute `filename` of the image. Methods that return a new image (resize, crop,
# convert) drop it, so the same pipeline works with resize() and does nothing with thumbnail().
#
# What follows for users: pass image.copy(), or only what a method returned.
#
# What was seen, for a picture of 96 x 96 that was reduced to 32 x 32 in place:
#   datasets, from_dict        96 x 96       after copy(): 32 x 32
#   datasets, map              96 x 96
#   pillow-jxl-plugin          96 x 96       after copy(): 32 x 32
#   MDS, jpeg                  96 x 96       after copy(): 32 x 32
#   Pillow itself, to PNG      32 x 32
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 110 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install datasets==5.2.0 pyarrow==26.0.1 pillow==12.0.0 numpy==2.2.6 \
  pillow-jxl-plugin==1.3.8 typing_extensions
# Only the module of MDS's encodings is run; its package would want torch and the clients of five clouds.
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-deps mosaicml-streaming==0.13.0

cat >"$folder/store.py" <<'PYTHON'
import importlib.util
import io
import pathlib
import sys
import sysconfig

import datasets
import numpy as np
import pillow_jxl  # noqa: F401
from PIL import Image

datasets.disable_progress_bars()
top = pathlib.Path(sys.argv[1])
source = pathlib.Path(sysconfig.get_path('purelib'), 'streaming/base/format/mds/encodings.py')
spec = importlib.util.spec_from_file_location('encodings_of_mds', source)
mds = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mds)
path = str(top / 'photo.jpg')
Image.fromarray(np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)).save(path)
features = datasets.Features({'image': datasets.Image()})


def reduced():
    image = Image.open(path)
    image.thumbnail((32, 32))
    return image


def reduce(row):
    row['image'].thumbnail((32, 32))
    return row


def through_pillow(image, kind):
    image.save(top / f'out.{kind}')
    return Image.open(top / f'out.{kind}').size


def through_datasets(image):
    return datasets.Dataset.from_dict({'image': [image]}, features=features)[0]['image'].size


def through_mds(image):
    return mds.mds_decode('jpeg', mds.mds_encode('jpeg', image)).size


seen = []
for name, store in (('datasets, from_dict', through_datasets), ('pillow-jxl-plugin', lambda i: through_pillow(i, 'jxl')),
                    ('MDS, jpeg', through_mds), ('Pillow itself, to PNG', lambda i: through_pillow(i, 'png'))):
    seen += [store(reduced()), store(reduced().copy())]
    print(f'{name:24} {seen[-2]}   after copy(): {seen[-1]}')
seen.append(datasets.Dataset.from_dict({'image': [path]}, features=features).map(reduce)[0]['image'].size)
print(f'datasets, map            {seen[-1]}')
sys.exit(0 if seen == [(96, 96), (32, 32)] * 3 + [(32, 32)] * 2 + [(96, 96)] else 1)
PYTHON
HF_HUB_OFFLINE=1 HF_DATASETS_CACHE="$folder/cache" "$folder/venv/bin/python" -W ignore "$folder/store.py" "$folder"
