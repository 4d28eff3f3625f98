#!/usr/bin/env bash
# tensorboardX 2.6.5 (PyPI wheel), read by TensorBoard 2.21.0: SummaryWriter.add_image() shows a picture whose levels are integers of any type but
# uint8 as its negative: 4 becomes 252, and 252 becomes 4. There is no error and no warning.
#
# The guess before it was run: whole numbers from 0 to 255 are levels whatever their type, or everything but uint8 is multiplied by 255
# and clipped, so that the picture is white.
#
# The reason: everything but uint8 is multiplied by 255 and then converted to uint8, which keeps the remainder by 256, and 255 times a
# level has the remainder 256 less the level.
#
# What follows for users: integers are int64 in PyTorch and numpy unless one asks for another type. Nothing looks broken in the negative of
# a drawing or of generated noise. Pass uint8. A float32 of 1.004 or more, an overshooting white, becomes black in the same way.
#
# What was seen, for a grey picture of the levels 0, 4, 8 to 252:
#   uint8, float32 between 0 and 1      the same levels
#   int64, int32, uint16                0 252 248 to 4
#   float32, 1.006 for white            0, black
#   NaN                                 0, with a line in the log
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 40 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile tensorboardX==2.6.5 tensorboard==2.21.0 numpy==2.2.6 \
  pillow==12.0.0 'setuptools<81'

cat >"$folder/show.py" <<'PYTHON'
import io
import sys
import tempfile

import numpy
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboardX import SummaryWriter

levels = numpy.arange(0, 256, 4, dtype=numpy.uint8).reshape(1, 8, 8)


def shown(picture):
    """The levels that TensorBoard gets of what was written."""
    folder = tempfile.mkdtemp(dir='.')
    with SummaryWriter(folder) as log:
        log.add_image('picture', picture, 0)
    image = EventAccumulator(folder, size_guidance={'images': 0}).Reload().Images('picture')[0]
    return numpy.asarray(Image.open(io.BytesIO(image.encoded_image_string)).convert('L'))


negative = (256 - levels[0].astype(int)) % 256
facts = {'uint8 is the same': numpy.array_equal(shown(levels), levels[0]),
         'float32 between 0 and 1 is the same': abs(shown(levels / numpy.float32(255)).astype(int) - levels[0]).max() <= 1,
         'NaN is black': not shown(numpy.full((1, 8, 8), numpy.nan, numpy.float32)).any(),
         '1.006 is black': not shown(numpy.full((1, 8, 8), 1.006, numpy.float32)).any(),
         '1 is white': (shown(numpy.ones((1, 8, 8), numpy.float32)) == 255).all()}
for kind in ('int64', 'int32', 'uint16'):
    facts[kind + ' is the negative'] = numpy.array_equal(shown(levels.astype(kind)), negative)
for fact, holds in facts.items():
    print(f'{fact:40}', 'yes' if holds else 'no')
sys.exit(0 if all(facts.values()) else 1)
PYTHON
cd "$folder"
venv/bin/python -W ignore show.py
