#!/usr/bin/env bash
# Three libraries for data sets take a numpy array in big-endian order (MNIST's IDX files, FITS and many TIFFs are read as
# such), keep its shape and exchange the bytes of every number, without an error or a warning:
#   mosaicml-streaming 0.13.0: the encoding `ndarray` of MDS
#   webdataset 1.0.2: the extension .ten (tenbin)
#   pyarrow 26.0.1: Tensor.from_numpy
#
# The guess before it was run: the numbers come back, as from numpy.save; or the array is refused, as pyarrow.array,
# torch.from_numpy and mpi4py do.
#
# The reason: all three write the name of the type without its order beside the bytes as they lie in memory.
#
# What follows for users: 16-bit pictures become noise. Call array.astype(array.dtype.newbyteorder('=')) before storing.
#
# What was seen, for 1 2 3 as numbers of 16 bits:
#   numpy.save             1 2 3
#   MDS, ndarray           256 512 768
#   webdataset, .ten       256 512 768
#   pyarrow.Tensor         256 512 768
#   pyarrow.array          refused: byte-swapped arrays are not supported
#
# Needs a little-endian machine. Exits 0 while this is so, 1 when the behaviour changed. Downloads about 3 GB (torch).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile mosaicml-streaming==0.13.0 webdataset==1.0.2 \
  pyarrow==26.0.1 numpy==2.1.3

cat >"$folder/swap.py" <<'PYTHON'
import io
import sys

import numpy as np
import pyarrow
import webdataset
from streaming import MDSWriter, StreamingDataset

folder = sys.argv[1]
numbers = np.array([1, 2, 3]).astype('>u2')


def of_numpy():
    file = io.BytesIO()
    np.save(file, numbers)
    file.seek(0)
    return np.load(file)


def of_mds():
    with MDSWriter(out=f'{folder}/mds', columns={'x': 'ndarray'}) as writer:
        writer.write({'x': numbers})
    return StreamingDataset(local=f'{folder}/mds', batch_size=1)[0]['x']


def of_webdataset():
    with webdataset.TarWriter(f'{folder}/x.tar') as writer:
        writer.write({'__key__': '0', 'ten': [numbers]})
    return next(iter(webdataset.WebDataset(f'{folder}/x.tar', shardshuffle=False).decode()))['ten'][0]


def of_tensor():
    return pyarrow.Tensor.from_numpy(numbers).to_numpy()


def refused():
    try:
        pyarrow.array(numbers)
    except pyarrow.ArrowNotImplementedError as error:
        return str(error)


found = {name: of().tolist() for name, of in (
    ('numpy.save', of_numpy), ('MDS', of_mds), ('webdataset', of_webdataset), ('pyarrow.Tensor', of_tensor))}
print(found, 'pyarrow.array:', refused())
swapped = [256, 512, 768]
sys.exit(0 if list(found.values()) == [[1, 2, 3], swapped, swapped, swapped] and refused() else 1)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/swap.py" "$folder"
