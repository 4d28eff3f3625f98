#!/usr/bin/env bash
# mpi4py 4.1.2 with MPICH 5.0.2 (PyPI wheels): Allreduce, Gather, Send and their kin take a transposed array, and send its
# numbers in the order in which they lie in memory. A sum over ranks then adds a matrix to its transpose, without an error.
#
# The guess before it was run: a transposed array is refused, as a strided one is; or it arrives with its numbers in place.
#
# The reason: mpi4py takes every buffer without gaps, and an array in Fortran order has none.
#
# What follows for users: gradients or statistics that some ranks hold transposed are averaged wrongly, and one that is
# received into an ordinary array is scrambled. Send numpy.ascontiguousarray(x).
#
# What was seen, for [[0 1 2] [3 4 5]]:
#   Allreduce of one rank, array in Fortran order    [[0 3 1] [4 2 5]]
#   strided array                                    BufferError
#   lower-case allreduce, which pickles              [[0 1 2] [3 4 5]]
#   sum over two ranks, the second in Fortran order  [[0 4 3] [7 6 10]], where twice the array is right
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 40 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile mpi4py==4.1.2 mpich==5.0.2 numpy==2.2.6

cat >"$folder/sum.py" <<'PYTHON'
import sys

import numpy as np
from mpi4py import MPI

world = MPI.COMM_WORLD
array = np.arange(6.0).reshape(2, 3)
fortran = np.asfortranarray(array)
both = np.zeros((2, 3))
world.Allreduce(fortran if world.rank == 1 else array, both)
if world.rank == 0:
    alone = np.zeros((2, 3))
    MPI.COMM_SELF.Allreduce(fortran, alone)
    try:
        MPI.COMM_SELF.Allreduce(np.arange(12.0).reshape(2, 6)[:, ::2], np.zeros((2, 3)))
        strided = 'taken'
    except BufferError as error:
        strided = 'BufferError'
    pickled = MPI.COMM_SELF.allreduce(fortran)
    print(MPI.Get_library_version().split('\n')[0])
    print('one rank, Fortran order   ', alone.tolist())
    print('strided                   ', strided)
    print('lower-case allreduce      ', pickled.tolist())
    print('two ranks                 ', both.tolist())
    expected = [[0, 3, 1], [4, 2, 5]]
    right = np.array_equal(pickled, array) and strided == 'BufferError'
    changed = not (right and alone.tolist() == expected and both.tolist() == (array + expected).tolist())
    sys.exit(1 if changed else 0)
PYTHON
timeout 120 "$folder/venv/bin/mpiexec" -n 2 "$folder/venv/bin/python" "$folder/sum.py"
