#!/usr/bin/env bash
# pandas 3.1.1 (PyPI wheel): read_json(lines=True) returns other values than the JSON text holds, without an error or a warning:
#   - strings that look like numbers become numbers: "0012" is 12 and "1e5" is 100000
#   - numbers above 31,536,000 become points in time where their name ends in _at or _time, starts with timestamp, or is date
#     or modified
#   - fractions lose their last digits, nine of ten of them
# polars 2.1.0 and Python's json keep all of them.
#
# The guess before it was run: JSON says itself what is a string and what is a number, so there is nothing to guess; and a
# 64-bit fraction comes back as it was written.
#
# The reason: dtype=True and convert_dates=True are the defaults, and precise_float=False is a faster and rougher parser.
#
# What follows for users: file names, class names and digests such as 0012 and 1e5 do not match any more, and a column of times in
# nanoseconds is a column of dates in the seventies. A log cannot be compared bit by bit with the numbers in memory. Pass
# dtype=False, convert_dates=False, precise_float=True.
#
# What was seen:
#                                        by default            with the three options
#   "name": "0012"                       12                    0012
#   "name": "1e5"                        100000                1e5
#   "step_time": 40000000                1971-04-08 23:06:40   40000000
#   "time_step": 40000000                40000000              40000000
#   10,000 random fractions              9,217 differ          0 differ
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 90 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile pandas==3.1.1 numpy==2.4.6 polars==2.1.0

cat >"$folder/read.py" <<'PYTHON'
import io
import json
import random
import sys

import pandas
import polars

OPTIONS = {'dtype': False, 'convert_dates': False, 'precise_float': True}


def lines(name, values):
    return '\n'.join(json.dumps({name: value}) for value in values)


def by_pandas(name, values, **options):
    return pandas.read_json(io.StringIO(lines(name, values)), lines=True, **options)[name].tolist()


def by_polars(name, values):
    return polars.read_ndjson(io.StringIO(lines(name, values)))[name].to_list()


def kept(name, values):
    """Whether the default, the options, polars and the json module give back what was written."""
    wanted = [json.loads(line)[name] for line in lines(name, values).splitlines()]
    default, exact = by_pandas(name, values), by_pandas(name, values, **OPTIONS)
    differ = sum(value != other for value, other in zip(wanted, default))
    print(f'{name}: {wanted[0]!r} is {default[0]!s}, with options {exact[0]!r}; {differ} of {len(values)} differ')
    return default == wanted, exact == wanted, by_polars(name, values) == wanted, values == wanted


draw = random.Random(0)
seen = [kept('name', ['0012', '0013']), kept('name', ['1e5']), kept('step_time', [40000000]), kept('started_at', [40000000]),
        kept('timestamp_ms', [40000000]), kept('x', [draw.random() for _ in range(10000)])]
unchanged = [kept('name', ['0012', 'coat']), kept('time_step', [40000000]), kept('step_time', [30000000])]
sys.exit(0 if set(seen) == {(False, True, True, True)} and set(unchanged) == {(True, True, True, True)} else 1)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/read.py"
