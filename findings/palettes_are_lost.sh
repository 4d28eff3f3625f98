#!/usr/bin/env bash
# Two libraries for data sets lose the palette of a picture (mode P: most GIFs, many PNGs) and keep its indices, without an
# error or a warning:
#   mosaicml-streaming 0.13.0: the encoding `pil` of MDS
#   Hugging Face datasets 5.2.0: the feature Image with with_format('numpy')
#
# The guess before it was run: what goes in as a coloured picture comes out as that picture; where a library gives arrays,
# it converts a palette to RGB first, as its file may hold pictures of both kinds.
#
# What follows for users: such pictures become nearly black and grey, because the first indices are the commonest ones. Call
# image.convert('RGB') before storing; with datasets, cast the column to Image(mode='RGB').
#
# What was seen, for a picture that is red above and green below, as the colours of the two halves:
#   written                           200 30 90    10 220 60
#   MDS, pil                          at most 1 in every channel, mode P
#   MDS, png                          200 30 90    10 220 60
#   datasets, numpy                   one channel, at most 1
#   datasets, numpy, mode='RGB'       200 30 90    10 220 60
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 110 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install datasets==5.2.0 pyarrow==26.0.1 pillow==12.0.0 numpy==2.2.6 \
  typing_extensions
# Only the module of MDS's encodings is run; its package would want torch and the clients of five clouds.
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-deps mosaicml-streaming==0.13.0

cat >"$folder/store.py" <<'PYTHON'
import importlib.util
import pathlib
import sys
import sysconfig

import datasets
import numpy as np
from PIL import Image

source = pathlib.Path(sysconfig.get_path('purelib'), 'streaming/base/format/mds/encodings.py')
spec = importlib.util.spec_from_file_location('encodings_of_mds', source)
mds = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mds)
colours = np.zeros((8, 8, 3), np.uint8)
colours[:4], colours[4:] = (200, 30, 90), (10, 220, 60)
picture = Image.fromarray(colours).convert('P', palette=Image.Palette.ADAPTIVE)


def halves(array):
    return array[[0, 7], 0].tolist()


def through_mds(kind):
    return mds.mds_decode(kind, mds.mds_encode(kind, picture))


stored = datasets.Dataset.from_dict({'image': [picture]}, features=datasets.Features({'image': datasets.Image()}))
rgb = stored.cast_column('image', datasets.Image(mode='RGB'))
written = halves(np.asarray(picture.convert('RGB')))
pil, png = through_mds('pil'), through_mds('png')
raw, cast = (np.asarray(data.with_format('numpy')[0]['image']) for data in (stored, rgb))
print('written                      ', written)
print('MDS, pil                     ', halves(np.asarray(pil.convert('RGB'))), pil.mode)
print('MDS, png                     ', halves(np.asarray(png.convert('RGB'))))
print('datasets, numpy              ', halves(raw), raw.shape)
print("datasets, numpy, mode='RGB'  ", halves(cast))
lost = np.asarray(pil.convert('RGB')).max() <= 1 and raw.shape == (8, 8) and raw.max() <= 1
sys.exit(0 if lost and written == halves(colours) == halves(np.asarray(png.convert('RGB'))) == halves(cast) else 1)
PYTHON
HF_HUB_OFFLINE=1 HF_DATASETS_CACHE="$folder/cache" "$folder/venv/bin/python" -W ignore "$folder/store.py"
