#!/usr/bin/env bash
# UCX 1.22.0 (PyPI: libucx-cu12) takes SIGHUP while it is loaded, also where it was ignored: nohup's protection is gone.
#
# The guess before it was run: a library of communication leaves a signal alone that its process ignores.
#
# What follows for users: Open MPI 5 of Debian 13 links UCX, so this happens in every program of MPI before `main`. A program
# that asks then whether SIGHUP is ignored, in order to respect nohup, is told that it is not, and stops when the terminal
# closes. A program that relies on SIGHUP to end is not ended any more: UCX takes the signal for the wish to be debugged.
# UCX_DEBUG_SIGNO=0 in the environment leaves the signal alone.
#
# What was seen in Python under nohup:
#   before UCX is loaded                     ignored
#   after it                                 caught
#   after it, with UCX_DEBUG_SIGNO=0         ignored
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 45 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile --no-deps libucx-cu12==1.22.0

cat >"$folder/hangup.py" <<'PYTHON'
import ctypes
import pathlib
import sys


def hangup():
    """What this process does with SIGHUP, which is signal 1."""
    fields = dict(line.split(':', 1) for line in pathlib.Path('/proc/self/status').read_text().splitlines())
    return 'ignored' if int(fields['SigIgn'], 16) & 1 else 'caught' if int(fields['SigCgt'], 16) & 1 else 'ends the process'


before = hangup()
[library] = pathlib.Path(sys.prefix).glob('lib/python3*/site-packages/libucx/lib/libucs.so')
ctypes.CDLL(str(library))
print(before, hangup())
PYTHON
seen=$(nohup "$folder/venv/bin/python" "$folder/hangup.py" 2>/dev/null)
told=$(UCX_DEBUG_SIGNO=0 nohup "$folder/venv/bin/python" "$folder/hangup.py" 2>/dev/null)
echo "before UCX is loaded                     ${seen% *}"
echo "after it                                 ${seen#* }"
echo "after it, with UCX_DEBUG_SIGNO=0         ${told#* }"
[ "$seen" = 'ignored caught' ] && [ "$told" = 'ignored ignored' ]
