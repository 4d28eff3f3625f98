#!/usr/bin/env bash
# numpy 2.4.6 and h5py 3.16.0 with ml_dtypes 0.6.0 (PyPI wheels): arrays of bfloat16 and float8, the types of JAX's and TensorFlow's
# weights, are written without an error and come back as bytes without a type, with which nothing can be computed.
#
# The guess before it was run: a type that the format does not know is refused when it is written, or comes back as it was, since
# these types are registered with numpy, and arithmetic, pickle and memmap know them.
#
# The reason: numpy's format stores a type's name in its own notation, which has none for types of other packages, so V2 and V1
# are stored, which say that an element is two bytes and one byte. HDF5's opaque type holds the same. Whether the bytes were
# bfloat16 or another type of two bytes can no longer be told.
#
# What follows for users: weights and moments of a training in bfloat16 that were saved with numpy.savez look whole until they are
# loaded. Save them with safetensors or as float32, or call view(ml_dtypes.bfloat16) on what was loaded.
#
# What was seen, for the numbers 0 to 5:
#                          bfloat16                     float8_e4m3fn
#   savez, load            V2, astype is refused        V1, astype is refused
#   save, load             V2                           V1
#   h5py                   V2                           V1
#   the same, as .view()   0 1 2 3 4 5                  0 1 2 3 4 5
#   pickle                 bfloat16                     float8_e4m3fn
#   zarr 3.1.6             refused when writing         refused when writing
#   safetensors.numpy      bfloat16                     -
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 40 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 ml_dtypes==0.6.0 h5py==3.16.0 \
  zarr==3.1.6 safetensors==0.8.0

cat >"$folder/forget.py" <<'PYTHON'
import pickle
import sys

import h5py
import ml_dtypes
import numpy
import safetensors.numpy
import zarr


def savez(weights):
    numpy.savez('weights.npz', weights=weights)
    return numpy.load('weights.npz')['weights']


def save(weights):
    numpy.save('weights.npy', weights)
    return numpy.load('weights.npy')


def hdf5(weights):
    with h5py.File('weights.h5', 'w') as file:
        file['weights'] = weights
    with h5py.File('weights.h5') as file:
        return file['weights'][...]


def tensors(weights):
    safetensors.numpy.save_file({'weights': weights}, 'weights.safetensors')
    return safetensors.numpy.load_file('weights.safetensors')['weights']


def refused(action, *arguments):
    try:
        action(*arguments)
    except (TypeError, ValueError):
        return True
    return False


def is_forgotten(writer, weights):
    """Whether a writer returns bytes without a type that cannot be converted, and that are the numbers after view()."""
    found = writer(weights)
    print(f'{writer.__name__:8} {weights.dtype} {found.dtype}')
    return (found.dtype == f'V{weights.itemsize}' and refused(found.astype, numpy.float32) and
            numpy.array_equal(found.view(weights.dtype), weights))


right = True
for kind in (ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn):
    weights = numpy.arange(6).astype(kind)
    right = all([is_forgotten(writer, weights) for writer in (savez, save, hdf5)]) and right
    right = right and pickle.loads(pickle.dumps(weights)).dtype == kind
    stored = not refused(zarr.save_array, f'{weights.dtype}.zarr', weights)
    print(f'zarr     {weights.dtype}', 'stored' if stored else 'refused')
    right = right and not stored
weights = numpy.arange(6).astype(ml_dtypes.bfloat16)
right = right and tensors(weights).dtype == ml_dtypes.bfloat16 and numpy.array_equal(tensors(weights), weights)
sys.exit(0 if right else 1)
PYTHON
cd "$folder"
venv/bin/python -W ignore forget.py
