#!/usr/bin/env bash
# Whisper 1.1.4 (Debian 12's python3-whisper), which stores the metrics of Graphite: a number that is measured every four minutes or
# more rarely is not in the coarser archive of a file with one number per minute for a day and one per ten minutes for a week, so
# a query for two days does not show it. Nor is the largest loss there, with aggregationMethod='max'. There is no error and no warning.
#
# The guess before it was run: the coarser archive has the mean, the last or the largest of the numbers that there are.
#
# The reason, as documented for xFilesFactor, of 0.5 by default: a coarser number needs half of the finer ones that it stands for. With
# fewer it is not written.
#
# What follows for users: losses of each minute stay in the graph and distances of each quarter of an hour leave it after a day, and
# look as if they had never been measured. Create the file with xFilesFactor=0.
#
# What was seen for two hours of numbers in archives of 60 s and 600 s, as how many are in the finer and in the coarser one:
#   measured every        average    last       max        max, xFilesFactor=0
#   60 s                  119, 12    119, 12    119, 12    119, 12
#   120 s                  59, 12     59, 12     59, 12     59, 12
#   240 s                  29, 0      29, 0      29, 0      29, 12
#   900 s                   7, 0       7, 0       7, 0       7, 8
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 30 kB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get --quiet --quiet download python3-whisper=1.1.4-2.2 2>/dev/null
dpkg-deb --extract python3-whisper_*.deb package

cat >rare.py <<'PYTHON'
import pathlib
import sys
import time

import whisper

DAY, HOURS = 86400, 7200
end = int(time.time()) // 3600 * 3600
right = True
for every in (60, 120, 240, 900):
    for method, factor in (('average', None), ('last', None), ('max', None), ('max', 0)):
        whisper.create('loss.wsp', [(60, DAY // 60), (600, 7 * DAY // 600)], xFilesFactor=factor, aggregationMethod=method)
        whisper.update_many('loss.wsp', [(end - HOURS + second, 5 + second / HOURS) for second in range(0, HOURS, every)])
        found = [sum(number is not None for number in whisper.fetch('loss.wsp', end - span, end)[1]) for span in (HOURS, 2 * DAY)]
        pathlib.Path('loss.wsp').unlink()
        print(f'every {every:3} s, {method:7}, xFilesFactor={factor}: finer {found[0]}, coarser {found[1]}')
        right = right and found[0] >= HOURS // every - 1 and (found[1] > 0) == (every < 240 or factor == 0)
sys.exit(0 if right else 1)
PYTHON
PYTHONPATH="$folder/package/usr/lib/python3/dist-packages" python3 rare.py
