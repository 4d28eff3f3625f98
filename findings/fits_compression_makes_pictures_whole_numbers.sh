#!/usr/bin/env bash
# astropy 8.0.2 (PyPI wheel), which writes FITS, the format of pictures of the sky: CompImageHDU changes floating-point pictures.
# With compression_type='RICE_1', the default, and quantize_level=0, which stands for no rounding, a picture between 0 and 1 is
# read as black. There is no error and no warning.
#   - By default each number is rounded, with GZIP too: of the labels 0, 1 and 2 the 1 is read as 0.98 and the 2 as 2.03.
#   - With quantize_level=0, RICE_1 and HCOMPRESS_1 store whole numbers, so 0.9996 is 0. GZIP_1 and GZIP_2 keep each number.
#
# The guess before it was run: Rice coding and gzip are lossless, as they are for 8 bits here, or floating-point numbers are
# refused; quantize_level=0 keeps each number or is refused for an algorithm that cannot.
#
# The reason, inferred from what was seen: Rice coding is for integers. Floating-point numbers are rounded to a fraction of the noise that each row
# seems to have, and without this step they are converted to integers as they are.
#
# What follows for users: maps of labels, masks and generated pictures are others after a round trip, and there are 47 levels in a row
# of 64 random numbers. For floating-point numbers pass compression_type='GZIP_2', quantize_level=0. Integers are kept by
# default.
#
# What was seen, for float32, 64 x 64, as the largest error and the numbers of 4,096 that came back equal:
#                                     default           quantize_level=0
#   random between 0 and 1, RICE_1    0.012, 0          0.9996, 0 (all are read as 0)
#   the same, GZIP_2                  0.012, 0          0, 4096
#   the same, HCOMPRESS_1             0.010, 0          0.9996, 0 (all are read as 0)
#   labels 0, 1, 2, RICE_1            0.03, 1344        0, 4096
#   uint8, RICE_1                     0, 4096           0, 4096
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 30 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 astropy==8.0.2

cat >"$folder/fits.py" <<'PYTHON'
import sys

import numpy
from astropy.io import fits

random = numpy.random.default_rng(0)
pictures = random.random((64, 64)).astype(numpy.float32)
labels = numpy.zeros((64, 64), numpy.float32)
labels[:, ::3], labels[:, 1::3] = 1, 2
levels = random.integers(0, 256, (64, 64), numpy.uint8)


def seen(name, data, kind, **options):
    """The largest error, how many numbers are equal, and the largest number after a round trip."""
    fits.CompImageHDU(data, compression_type=kind, **options).writeto('picture.fits', overwrite=True)
    with fits.open('picture.fits') as file:
        back = numpy.array(file[1].data)
    row = float(abs(back - data.astype(float)).max()), int((back == data).sum()), float(back.max())
    print(f'{name:9} {kind:12} {options} largest error {row[0]:.4f}, equal {row[1]}, largest number {row[2]:.4f}')
    return row


exact, none = {}, {}
default = {kind: seen('pictures', pictures, kind) for kind in ('RICE_1', 'GZIP_1', 'GZIP_2', 'HCOMPRESS_1')}
for kind in default:
    none[kind] = seen('pictures', pictures, kind, quantize_level=0)
for options in ({}, {'quantize_level': 0}):
    exact[len(options)] = seen('uint8', levels, 'RICE_1', **options)[0]
rounded, whole = seen('labels', labels, 'RICE_1'), seen('labels', labels, 'RICE_1', quantize_level=0)
right = all(0.005 < error < 0.05 and equal < 100 for error, equal, _ in default.values())
right = right and all(none[kind][2] == 0 and none[kind][0] > 0.99 for kind in ('RICE_1', 'HCOMPRESS_1'))
right = right and none['GZIP_1'][0] == none['GZIP_2'][0] == exact[0] == exact[1] == whole[0] == 0 and rounded[1] < 2000
sys.exit(0 if right and 0.01 < rounded[0] < 0.1 else 1)
PYTHON
cd "$folder"
venv/bin/python -W error fits.py
