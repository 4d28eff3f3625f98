#!/usr/bin/env bash
# Two readers of JSON Lines lose the numbers of a field whose first number comes late, without an error or a warning:
#   polars 2.1.0: where no line among the first 100 has the field, read_ndjson and scan_ndjson leave the column out. Where the
#     field is null in all of them, it is an error.
#   DuckDB 2.0.1: where the field is null in the first 20,480 lines, SELECT from the file and read_json read every number in it
#     as NULL. Where no line has the field, it is an error.
# pandas 3.1.1, pyarrow 26.0.1 and Hugging Face datasets 5.2.0 keep all numbers.
#
# The guess before it was run: the first lines decide about types at most. A number that comes later is read, or the file is
# refused, and both libraries treat an absent field and a field that is null alike.
#
# What follows for users: logs of trainings have such fields. A distance that is measured every 500 steps has no column in polars;
# the minimum of one that starts after step 20,480 is NULL in DuckDB, and a shorter run of the same program is read rightly. Pass
# infer_schema_length=None to polars and sample_size=-1 to DuckDB.
#
# What was seen, for 30,000 lines of which one holds a number in the field `fid`:
#   number is in line              100       101         20,480      20,481
#   polars, no `fid` elsewhere     read      no column   no column   no column
#   polars, null elsewhere         read      error       error       error
#   DuckDB, no `fid` elsewhere     read      read        read        error
#   DuckDB, null elsewhere         read      read        read        NULL
#   with the options               read      read        read        read
#   the three others               read      read        read        read
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 210 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile polars==2.1.0 duckdb==2.0.1 pandas==3.1.1 \
  numpy==2.4.6 pyarrow==26.0.1 datasets==5.2.0

cat >"$folder/read.py" <<'PYTHON'
import json
import sys

import datasets
import duckdb
import pandas
import polars
import pyarrow.json

datasets.disable_progress_bars()
READERS = {
    'polars': lambda path: polars.read_ndjson(path).to_dicts(),
    'polars scan': lambda path: polars.scan_ndjson(path).collect().to_dicts(),
    'DuckDB': lambda path: duckdb.sql(f"select * from '{path}'").to_arrow_table().to_pylist(),
    'polars, all lines': lambda path: polars.read_ndjson(path, infer_schema_length=None).to_dicts(),
    'DuckDB, all lines': lambda path: duckdb.sql(f"select * from read_json('{path}', sample_size=-1)").to_arrow_table().to_pylist(),
    'pandas': lambda path: pandas.read_json(path, lines=True).to_dict('records'),
    'pyarrow': lambda path: pyarrow.json.read_json(path).to_pylist(),
    'datasets': lambda path: datasets.load_dataset('json', data_files=path, split='train', cache_dir='cache').to_list(),
}
PLACES = [100, 101, 20480, 20481]


def write(place, elsewhere):
    path = f'{place}-{len(elsewhere)}.jsonl'
    with open(path, 'w') as file:
        for step in range(1, 30001):
            print(json.dumps({'step': step, 'loss': 0.5 * step} | ({'fid': 12.5} if step == place else elsewhere)), file=file)
    return path


def outcome(read, place, elsewhere):
    try:
        row = read(write(place, elsewhere))[place - 1]
    except (polars.exceptions.ComputeError, duckdb.InvalidInputException):
        return 'error'
    return 'read' if row.get('fid') == 12.5 else 'NULL' if 'fid' in row else 'no column'


def table(elsewhere):
    found = {name: [outcome(read, place, elsewhere) for place in PLACES] for name, read in READERS.items()}
    for name, outcomes in found.items():
        print(f'{name:20}', *(f'{one:10}' for one in outcomes))
    return found


READ = ['read'] * 4
print('number is in line   ', *(f'{place:<10}' for place in PLACES), '\nno fid elsewhere')
absent = table({})
print('fid is null elsewhere')
null = table({'fid': None})
expected = {name: READ for name in READERS}
late = {'polars': ['read'] + ['no column'] * 3, 'DuckDB': ['read'] * 3 + ['error']}
unread = {'polars': ['read'] + ['error'] * 3, 'DuckDB': ['read'] * 3 + ['NULL']}
sys.exit(0 if absent == expected | late | {'polars scan': late['polars']}
         and null == expected | unread | {'polars scan': unread['polars']} else 1)
PYTHON
cd "$folder"
HF_HOME="$folder/home" HF_HUB_OFFLINE=1 venv/bin/python -W ignore read.py 2>/dev/null
