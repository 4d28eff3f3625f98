#!/usr/bin/env bash
# prometheus_client 0.26.0 (PyPI wheel), several processes with PROMETHEUS_MULTIPROC_DIR: a Gauge in the modes max and min is
# NaN or an ordinary number, depending on which process set NaN. Where the file of that process is read first, NaN hides all
# others, and where it is read later, the others hide NaN. There is no error and no warning.
#
# The guess before it was run: NaN among the values makes the result NaN, or is left out, whatever its process.
#
# The reason: files are merged one after the other with "less than" and "greater than", which are false for NaN, so the first
# value stays. Their order is that of the folder's listing, so neither the number of the process nor its age decides.
#
# What follows for users: the largest loss of several ranks or workers looks healthy while one of them is at NaN, on one machine
# and not on the next. Use the mode all and aggregate in Prometheus (which has rules of its own, see
# prometheus_maxima_hide_nan), or export a count of values that are not finite. The mode sum is NaN in each order.
#
# What was seen, for the values of three processes, in the order in which their files are read:
#                max    min    sum
#   NaN 1 3      NaN    NaN    NaN
#   1 NaN 3      3      1      NaN
#   1 3 NaN      3      1      NaN
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads less than 1 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile prometheus_client==0.26.0

cat >"$folder/process.py" <<'PYTHON'
import sys

from prometheus_client import Gauge

for mode in ('max', 'min', 'livemax', 'livemin', 'sum'):
    Gauge('loss_' + mode, 'a loss', multiprocess_mode=mode).set(float(sys.argv[1]))
PYTHON
cat >"$folder/merge.py" <<'PYTHON'
import math
import os
import pathlib
import subprocess
import sys

from prometheus_client.multiprocess import MultiProcessCollector


def merged(order):
    """The gauges of processes that set these values, with the files of an earlier one read before those of a later one."""
    files = []
    for value in order:
        folder = pathlib.Path('files')
        before = set(folder.glob('*.db'))
        subprocess.run([sys.executable, 'process.py', value], check=True)
        files += sorted(set(folder.glob('*.db')) - before)
    found = {metric.name[5:]: metric.samples[0].value for metric in MultiProcessCollector.merge(map(str, files))}
    for path in files:
        path.unlink()
    print(*order, found)
    return {mode: None if math.isnan(value) else value for mode, value in found.items()}


os.mkdir('files')
os.environ['PROMETHEUS_MULTIPROC_DIR'] = 'files'
nan = dict.fromkeys(('max', 'min', 'livemax', 'livemin', 'sum'))
hidden = {'max': 3, 'min': 1, 'livemax': 3, 'livemin': 1, 'sum': None}
sys.exit(0 if [merged(order.split()) for order in ('nan 1 3', '1 nan 3', '1 3 nan')] == [nan, hidden, hidden] else 1)
PYTHON
cd "$folder"
venv/bin/python merge.py
