#!/usr/bin/env bash
# MPICH 5.0.2 (PyPI wheel, with mpi4py 4.1.2): MPI_Allreduce with MPI_MAX or MPI_MIN, where one rank gives NaN, returns
# different values on different ranks. Some ranks get NaN, some the largest number, and some another rank's smaller number.
#
# The guess before it was run: all ranks get the same value, be it NaN or the largest number.
#
# The reason: the operation keeps one of two values by a comparison, which is false for NaN, so it is not commutative; and
# each rank combines short messages in its own order. Open MPI 4.1.4 of Debian 12 and gloo in torch 2.11.0 give all ranks
# the same value in the same experiment, but they too lose numbers: 1 for the values 0, 1, NaN, 3.
#
# What follows for users: ranks that decide by such a maximum, for example whether a gradient norm is finite or whether to
# stop, decide differently, and the next collective hangs. Reduce the count of values that are not finite with MPI_SUM.
#
# What was seen, with four ranks that give their own number and one that gives NaN:
#   NaN from rank 0: 3, 3, 3, nan
#   NaN from rank 1: 3, 3, nan, 3
#   NaN from rank 2: 3, nan, 3, 1
#   NaN from rank 3: nan, 2, 1, 2
#
# Exits 0 while ranks disagree, 1 when they agree. Downloads about 40 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install mpich==5.0.2 mpi4py==4.1.2 numpy==2.2.6

cat >"$folder/maximum.py" <<'PYTHON'
import math
import sys

import numpy as np
from mpi4py import MPI

ranks = MPI.COMM_WORLD
disagreements = 0
for source in range(ranks.size):
    value = np.array([math.nan if ranks.rank == source else float(ranks.rank)])
    result = np.empty_like(value)
    ranks.Allreduce(value, result, MPI.MAX)
    results = ranks.gather(f'{result[0]:g}')
    if ranks.rank == 0:
        print(f'NaN from rank {source}: {", ".join(results)}')
        disagreements += len(set(results)) > 1
if ranks.rank == 0:
    print(MPI.Get_library_version().split('\n')[0])
    sys.exit(0 if disagreements else 1)
PYTHON
"$folder/venv/bin/mpiexec" -n 4 "$folder/venv/bin/python" "$folder/maximum.py"
