#!/usr/bin/env bash
# safetensors 0.8.0 (PyPI wheel): safetensors.numpy.save_file() of a transposed or strided array writes the right shape and
# wrong numbers, without an error or a warning.
#
# The guess before it was run: the array is copied into C order, as numpy.save and tobytes() do; or it is refused, as
# safetensors.torch refuses a tensor that is not contiguous.
#
# What follows for users: weights that are transposed on the way from another framework load without complaint and make
# noise. Save numpy.ascontiguousarray(x), and compare one tensor after loading.
#
# What was seen, for [[0 1 2] [3 4 5]] and its kin:
#   C order         written and read again: right
#   transposed      [[0, 3], [1, 4], [2, 5]] is read as [[0, 1], [2, 3], [4, 5]]
#   every other     [[0, 2], [4, 6]] is read as [[0, 1], [2, 3]]
#   numpy.save of the transposed one: right
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 20 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install safetensors==0.8.0 numpy==2.2.6

cat >"$folder/save.py" <<'PYTHON'
import io
import sys

import numpy as np
import safetensors
from safetensors.numpy import load, save

print('safetensors', safetensors.__version__, 'numpy', np.__version__)


def again(array):
    return load(save({'weight': array}))['weight']


plain = np.arange(6, dtype=np.float32).reshape(2, 3)
views = {'transposed': plain.T, 'every other': np.arange(8, dtype=np.float32).reshape(2, 4)[:, ::2]}
wrong = 0
print('C order        ', 'right' if np.array_equal(again(plain), plain) else 'wrong')
for name, view in views.items():
    found = again(view)
    wrong += found.shape == view.shape and not np.array_equal(found, view)
    print(f'{name:15} {view.astype(int).tolist()} is read as {found.astype(int).tolist()}')
file = io.BytesIO()
np.save(file, plain.T)
file.seek(0)
kept = np.array_equal(np.load(file), plain.T)
print('numpy.save of the transposed one:', 'right' if kept else 'wrong')
sys.exit(0 if wrong == 2 and kept and np.array_equal(again(plain), plain) else 1)
PYTHON
"$folder/venv/bin/python" "$folder/save.py"
