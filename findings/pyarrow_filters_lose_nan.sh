#!/usr/bin/env bash
# pyarrow 26.0.1 (PyPI wheel): a filter on a Parquet file leaves out rows with NaN that the same filter finds in the table in
# memory. is_nan() finds one of two, and `not x <= 1` none. pandas 3.1.1 hands its filters to pyarrow and loses the same rows.
# polars 2.1.0 loses none in either file. There is no error and no warning.
#
# The guess before it was run: a filter may skip row groups that cannot match, so it returns the rows that it returns of the
# whole table.
#
# The reason: a row group is skipped by its least and its largest number, which leave NaN out. A row group that holds 0.5 and
# NaN counts as 0.5 throughout.
#
# What follows for users: a search for the steps whose loss is NaN finds only those whose row groups hold several other values,
# and checking a table after a filter of "not above the limit" reports none. Read the column and filter in memory, or use
# polars. Writing with write_statistics=False helps, too.
#
# What was seen, for the steps 0 to 5 with the losses 0.5, 0.5, NaN and 0.25, 1, NaN, in two row groups, as the steps that
# match:
#                      in memory   read_table, dataset, pandas   polars
#   is_nan(loss)       2 5         5                             2 5
#   not is_finite      2 5         5                             2 5
#   loss != loss       2 5         5                             (NaN equals NaN there)
#   not loss <= 1      2 5         none                          2 5
#   not loss >= 0      2 5         none                          (NaN is the largest number there)
#   loss != 0.5        2 3 4 5     3 4 5                         2 3 4 5
#   is_nan, no statistics          2 5
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 140 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile pyarrow==26.0.1 pandas==3.1.1 numpy==2.4.6 \
  polars==2.1.0

cat >"$folder/filter.py" <<'PYTHON'
import sys
import warnings

import pandas
import polars
import pyarrow
import pyarrow.compute as compute
import pyarrow.dataset
import pyarrow.parquet as parquet

warnings.simplefilter('error')
table = pyarrow.table({'step': range(6), 'loss': [0.5, 0.5, float('nan'), 0.25, 1.0, float('nan')]})
parquet.write_table(table, 'a.parquet', row_group_size=3)
polars.from_arrow(table).write_parquet('b.parquet', row_group_size=3)
parquet.write_table(table, 'without.parquet', row_group_size=3, write_statistics=False)
loss, column = compute.field('loss'), polars.col('loss')
FILTERS = {'is_nan': (compute.is_nan(loss), [2, 5], [5]), 'not is_finite': (~compute.is_finite(loss), [2, 5], [5]),
           'loss != loss': (loss != loss, [2, 5], [5]), 'not loss <= 1': (~(loss <= 1), [2, 5], []),
           'not loss >= 0': (~(loss >= 0), [2, 5], []), 'loss != 0.5': (loss != 0.5, [2, 3, 4, 5], [3, 4, 5])}
POLARS = {'is_nan': column.is_nan(), 'not is_finite': ~column.is_finite(), 'not loss <= 1': ~(column <= 1),
          'loss != 0.5': column != 0.5}


def steps(rows):
    return list(rows['step'] if isinstance(rows, pandas.DataFrame) else rows['step'].to_pylist())


right = []
for path in ('a.parquet', 'b.parquet'):
    for name, (expression, whole, found) in FILTERS.items():
        seen = [steps(read) for read in (
            parquet.read_table(path).filter(expression), parquet.read_table(path, filters=expression),
            pyarrow.dataset.dataset(path).to_table(filter=expression), pandas.read_parquet(path, filters=expression))]
        print(path, f'{name:15}', *seen)
        right.append(seen == [whole, found, found, found])
    for name, expression in POLARS.items():
        seen = polars.scan_parquet(path).filter(expression).collect()['step'].to_list()
        print(path, f'{name:15} polars', seen)
        right.append(seen == FILTERS[name][1])
without = steps(parquet.read_table('without.parquet', filters=FILTERS['is_nan'][0]))
print('is_nan without statistics', without)
sys.exit(0 if all(right) and without == [2, 5] else 1)
PYTHON
cd "$folder"
venv/bin/python filter.py
