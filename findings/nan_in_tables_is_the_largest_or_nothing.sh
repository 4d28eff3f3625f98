#!/usr/bin/env bash
# polars 2.1.0, DuckDB 2.0.1, pandas 3.1.1 (PyPI wheels) and SQLite each treat a NaN in a column of measurements in another way, and
# polars in two ways at once. There is no error and no warning.
#   - polars and DuckDB: a NaN is greater than 100, so a search for large numbers finds it. DuckDB's max() is NaN. polars' max() and
#     arg_max() leave it out, its top_k() and sort() have it on top, and rolling_max() spreads it.
#   - pandas: no comparison is true, and max() and mean() leave it out.
#   - SQLite, through Python's sqlite3: a NaN is stored as NULL, so it is lost.
#
# The guess before it was run: comparisons with NaN are false, as IEEE 754 has it and numpy and pandas do; and within one
# library max(), arg_max(), top_k() and sort() name the same row.
#
# What follows for users: NaN stands for "not measured in this step" in many tables, among them those that come from numpy and
# pandas. `distance > 100` then returns all steps that were not measured, mean() is NaN, and the best and the worst step depend on
# the function. Turn NaN into null first: polars.DataFrame(columns, nan_to_null=True), or fill_nan(None); NULLIF(x, 'NaN') in DuckDB.
#
# What was seen, for the distances 50, NaN, 20 and 90 of steps 1 to 4:
#                             > 100     max      mean   largest by sorting
#   polars                    step 2    90       NaN    NaN, step 2; arg_max: step 4
#   DuckDB                    step 2    NaN      NaN    NaN, step 2
#   pandas                    none      90       53.3   90, step 4
#   SQLite                    none      90       53.3   90, step 4
#   polars, nan_to_null       none      90       53.3   90, step 4
#   DuckDB, NULLIF            none      90       53.3   90, step 4
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 130 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 polars==2.1.0 duckdb==2.0.1 \
  pandas==3.1.1

cat >"$folder/tables.py" <<'PYTHON'
import math
import sqlite3
import sys

import duckdb
import numpy
import pandas
import polars

COLUMNS = {'step': numpy.array([1, 2, 3, 4]), 'distance': numpy.array([50.0, math.nan, 20.0, 90.0])}


def of_polars(**options):
    frame = polars.DataFrame(COLUMNS, **options)
    column = frame['distance']
    largest = frame.sort('distance', descending=True, nulls_last=True)['step'][0]
    assert largest == frame.top_k(1, by='distance')['step'][0] and frame['step'][column.arg_max()] == 4
    return frame.filter(polars.col('distance') > 100)['step'].to_list(), column.max(), column.mean(), largest


def of_sql(execute, distance='distance'):
    above = [row[0] for row in execute(f'SELECT step FROM runs WHERE {distance} > 100').fetchall()]
    largest = execute(f'SELECT step FROM runs ORDER BY {distance} DESC NULLS LAST LIMIT 1').fetchone()[0]
    return above, *execute(f'SELECT max({distance}), avg({distance}) FROM runs').fetchone(), largest


def of_pandas():
    frame = pandas.DataFrame(COLUMNS)
    largest = int(frame.sort_values('distance', ascending=False)['step'].iloc[0])
    return frame[frame['distance'] > 100]['step'].tolist(), float(frame['distance'].max()), float(frame['distance'].mean()), largest


rows = list(zip(COLUMNS['step'].tolist(), COLUMNS['distance'].tolist()))
duck, lite = duckdb.connect(), sqlite3.connect(':memory:')
for base, kind in ((duck, 'DOUBLE'), (lite, 'REAL')):
    base.execute(f'CREATE TABLE runs (step INTEGER, distance {kind})')
    base.executemany('INSERT INTO runs VALUES (?, ?)', rows)
FOUND = {'polars': of_polars(), 'DuckDB': of_sql(duck.execute), 'pandas': of_pandas(), 'SQLite': of_sql(lite.execute),
         'polars, nan_to_null': of_polars(nan_to_null=True), 'DuckDB, NULLIF': of_sql(duck.execute, "NULLIF(distance, 'NaN')")}
for name, (above, largest, mean, step) in FOUND.items():
    print(f'{name:20} above 100: steps {above}, max {largest}, mean {mean:.1f}, first of the sorted: step {step}')
rolling = polars.Series(COLUMNS['distance']).rolling_max(2).to_list()
print('polars, rolling_max(2):', rolling)
plain = ([], '90.0', '53.3', 4)
seen = [(above, str(largest), f'{mean:.1f}', step) for above, largest, mean, step in FOUND.values()]
sys.exit(0 if seen == [([2], '90.0', 'nan', 2), ([2], 'nan', 'nan', 2)] + [plain] * 4
         and [str(value) for value in rolling] == ['None', 'nan', 'nan', '90.0'] else 1)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/tables.py"
