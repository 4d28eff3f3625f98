#!/usr/bin/env bash
# tbparse 0.0.9 and TensorBoard 2.21.0 (PyPI wheels) read the same event files of a resumed run differently. TensorBoard
# drops the points that the new start makes obsolete (SessionLog.START, `purge_step` of PyTorch's SummaryWriter); tbparse
# keeps them beside the new ones.
#
# The guess before it was run: tbparse, which reads through TensorBoard's own code, gives the points that TensorBoard shows.
#
# What follows for users: means, minima and plots of a resumed run contain steps twice. Keep the last row of each step:
#   frame.drop_duplicates(['tag', 'step'], keep='last')
#
# What was seen, for steps 0 to 9, then a start at step 5 and steps 5 to 7:
#   TensorBoard   0 1 2 3 4 5 6 7
#   tbparse       0 1 2 3 4 5 5 6 6 7 7 8 9
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 100 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.2.6 tensorboard==2.21.0 tbparse==0.0.9 \
  setuptools==80.9.0

cat >"$folder/resume.py" <<'PYTHON'
import pathlib
import sys

import tbparse
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

run = str(pathlib.Path(sys.argv[1]) / 'run')


def write(suffix, steps, start=None):
    """One part of the run; EventFileWriter puts the version of the format first."""
    writer = EventFileWriter(run, filename_suffix=suffix)
    if start is not None:
        writer.add_event(Event(wall_time=start, step=start, session_log=SessionLog(status=SessionLog.START)))
    for step in steps:
        value = Summary.Value(tag='loss', simple_value=step)
        writer.add_event(Event(wall_time=step, step=step, summary=Summary(value=[value])))
    writer.close()


write('.1', range(10))
write('.2', range(5, 8), start=5)
board = EventAccumulator(run)
board.Reload()
shown = [event.step for event in board.Scalars('loss')]
parsed = tbparse.SummaryReader(run).scalars['step'].tolist()
print('TensorBoard  ', *shown)
print('tbparse      ', *parsed)
sys.exit(0 if shown == list(range(8)) and sorted(parsed) == [0, 1, 2, 3, 4, 5, 5, 6, 6, 7, 7, 8, 9] else 1)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/resume.py" "$folder" 2>/dev/null
