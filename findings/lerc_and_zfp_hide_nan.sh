#!/usr/bin/env bash
# imagecodecs 2026.3.6 (PyPI wheel): pictures of floating-point numbers lose their NaN in two codecs, without an error or a warning.
#   - LERC, also where it is lossless and where tifffile 2026.3.3 writes and reads a TIFF with compression='lerc': NaN becomes 0.
#   - ZFP with an accuracy, a precision or a rate: NaN becomes a number between -1 and 1, and infinity about 2.
# JPEG XL, JPEG XR, SZ3, deflate, Zstandard and ZFP without a level keep NaN.
#
# The guess before it was run: lossless means that NaN is kept; and a codec with a bound for the error keeps NaN or refuses it.
#
# The reason: LERC stores which pixels are valid beside the numbers. lerc_decode() returns that mask only with masks=True, and tifffile
# does not ask for it. ZFP scales blocks of numbers to integers, for which its documentation demands finite numbers.
#
# What follows for users: depth, height and radar pictures mark missing pixels with NaN. With LERC they are at sea level, or at the
# camera, and a generator learns these holes as surfaces; what tests for NaN finds none. Use compression='zstd' or 'deflate', or call
# lerc_decode(data, masks=True).
#
# What was seen, for a smooth picture between 0 and 2 with a NaN and an infinity:
#                                      NaN         infinity   others differ by at most
#   LERC                               0           infinity   0
#   LERC, level=0.001                  0           infinity   0.001
#   tifffile, compression='lerc'       0           infinity   0
#   tifffile, compression='zstd'       NaN         infinity   0
#   ZFP, accuracy of 0.001             -1          2          0.001
#   ZFP, no level                      NaN         infinity   0
#   SZ3, error of 0.001                NaN         infinity   0.001
#   JPEG XL, lossless                  NaN         infinity   0
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 70 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 imagecodecs==2026.3.6 tifffile==2026.3.3

cat >"$folder/pictures.py" <<'PYTHON'
import math
import sys

import imagecodecs
import numpy
import tifffile

picture = numpy.add.outer(numpy.linspace(0, 1, 64), numpy.linspace(0, 1, 64)).astype(numpy.float32)
damaged = picture.copy()
damaged[10, 10], damaged[40, 40] = math.nan, math.inf
plain = numpy.ones(picture.shape, bool)
plain[10, 10] = plain[40, 40] = False


def tiff(compression):
    tifffile.imwrite('picture.tif', damaged, compression=compression)
    return tifffile.imread('picture.tif')


RUNS = {'LERC': lambda: imagecodecs.lerc_decode(imagecodecs.lerc_encode(damaged)),
        'LERC, level=0.001': lambda: imagecodecs.lerc_decode(imagecodecs.lerc_encode(damaged, level=0.001)),
        "tifffile, compression='lerc'": lambda: tiff('lerc'),
        "tifffile, compression='zstd'": lambda: tiff('zstd'),
        'ZFP, accuracy of 0.001': lambda: imagecodecs.zfp_decode(imagecodecs.zfp_encode(damaged, level=0.001, mode='a')),
        'ZFP, no level': lambda: imagecodecs.zfp_decode(imagecodecs.zfp_encode(damaged)),
        'SZ3, error of 0.001': lambda: imagecodecs.sz3_decode(imagecodecs.sz3_encode(damaged, mode='abs', abs=0.001),
                                                              shape=damaged.shape, dtype=damaged.dtype),
        'JPEG XL, lossless': lambda: imagecodecs.jpegxl_decode(imagecodecs.jpegxl_encode(damaged))}
HIDE = {'LERC', 'LERC, level=0.001', "tifffile, compression='lerc'"}
right = True
for name, run in RUNS.items():
    read = numpy.asarray(run()).reshape(picture.shape)
    error = float(abs(read - picture)[plain].max())
    print(f'{name:30} NaN: {read[10, 10]:8.5f}   infinity: {read[40, 40]:8.5f}   others differ by at most {error:.5f}')
    if name in HIDE:
        right = right and read[10, 10] == 0 and math.isinf(read[40, 40])
    elif name.startswith('ZFP, accuracy'):
        right = right and abs(read[10, 10]) <= 1.001 and abs(read[40, 40]) <= 2.001
    else:
        right = right and math.isnan(read[10, 10]) and math.isinf(read[40, 40])
    right = right and error <= 0.001
sys.exit(0 if right else 1)
PYTHON
cd "$folder"
venv/bin/python -W ignore pictures.py
