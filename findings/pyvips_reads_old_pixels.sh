#!/usr/bin/env bash
# pyvips 3.2.0 with libvips 8.18.7 (PyPI wheels): a file that was written again under its name is read with its old pixels,
# also where pyvips itself wrote it. And a grey array of 16 bits is saved as a PNG of 8 bits in which everything above 255 is
# white.
#
# The guess before it was run: new_from_file() reads the file; a uint16 array makes a 16-bit PNG, as an RGB one does.
#
# The reason: libvips keeps the results of its operations, and opening a path is an operation. numpy arrays of one channel
# get the interpretation `b-w`, which the PNG writer takes for 8 bits; the TIFF writer keeps 16 bits.
#
# What follows for users: pass revalidate=True when a file such as the newest samples of a run is read repeatedly, and
# interpretation='grey16' to new_from_array.
#
# What was seen:
#   written 10, read 10; written 200, read 10, with revalidate=True 200
#   0 1000 32768 65535 in grey: PNG uint8 0 255 255 255, TIFF uint16 0 1000 32768 65535
#   the same in RGB: PNG uint16 0 1000 32768 65535
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 60 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.2.6 pyvips==3.2.0 \
  pyvips-binary==8.18.7 imagecodecs==2025.8.2

cat >"$folder/read.py" <<'PYTHON'
import sys

import imagecodecs
import numpy as np
import pyvips

top = sys.argv[1]
print('pyvips', pyvips.__version__, 'libvips', '.'.join(str(pyvips.version(part)) for part in range(3)))
read = []
for level in (10, 200):
    pyvips.Image.new_from_array(np.full((4, 4), level, np.uint8)).write_to_file(f'{top}/new.png')
    read.append(pyvips.Image.new_from_file(f'{top}/new.png').avg())
read.append(pyvips.Image.new_from_file(f'{top}/new.png', revalidate=True).avg())
print('written 10, read %g; written 200, read %g, with revalidate=True %g' % tuple(read))

levels = np.array([[0, 1000, 32768, 65535]], np.uint16)
stored = {}
for name, array in (('grey.png', levels), ('grey.tif', levels), ('rgb.png', np.dstack([levels] * 3))):
    pyvips.Image.new_from_array(array).write_to_file(f'{top}/{name}')
    found = imagecodecs.imread(f'{top}/{name}')
    stored[name] = found.dtype.name, found.reshape(4, -1)[:, 0].tolist()
    print(name, *stored[name])
kept = 'uint16', levels[0].tolist()
sys.exit(0 if read == [10, 10, 200] and stored['grey.png'] == ('uint8', [0, 255, 255, 255]) and
         stored['grey.tif'] == kept and stored['rgb.png'] == kept else 1)
PYTHON
"$folder/venv/bin/python" "$folder/read.py" "$folder"
