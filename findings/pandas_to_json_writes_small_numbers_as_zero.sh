#!/usr/bin/env bash
# pandas 3.1.1 (PyPI wheel): DataFrame.to_json() writes ten digits after the decimal point, so 1e-11 becomes 0.0 and 1.23456e-8
# becomes 0.0000000123. Numbers below 1e-15 are kept, with ten digits of their own. to_csv(), polars 2.1.0 and DuckDB 2.0.1 keep
# each number. There is no error and no warning.
#
# The guess before it was run: numbers are written with the digits that are needed to read them back, or with ten significant
# ones; where small numbers become zero, smaller ones do, too.
#
# What follows for users: gradient norms, variances, p-values and late learning rates between 1e-15 and 5e-11 are zero in a
# table that was read and saved again, and their logarithm is infinite. Write with to_csv, with Python's json, or with polars.
# double_precision=15, the largest that is allowed, keeps 1e-11 and rounds 1.23456e-12.
#
# What was seen, for a table that was written and read with Python's json:
#                  pandas          double_precision=15      polars, DuckDB, pandas' to_csv
#   1/3            0.3333333333    0.333333333333333        0.3333333333333333
#   1.23456e-08    1.23e-08        1.23456e-08              1.23456e-08
#   1e-11          0.0             1e-11                    1e-11
#   1.23456e-12    0.0             1.235e-12                1.23456e-12
#   1.23456e-16    1.23456e-16     1.23456e-16              1.23456e-16
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 100 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile pandas==3.1.1 numpy==2.4.6 \
  polars==2.1.0 duckdb==2.0.1

cat >"$folder/write.py" <<'PYTHON'
import json
import pathlib
import sys
import warnings

import duckdb
import pandas
import polars

warnings.simplefilter('error')
NUMBERS = [1 / 3, 1.23456e-8, 1e-11, 1.23456e-12, 1.23456e-16]
table = pandas.DataFrame({'x': NUMBERS})


def lines(text):
    return [json.loads(line)['x'] for line in text.splitlines()]


def by_duckdb():
    values = ', '.join(f'({number!r}::DOUBLE)' for number in NUMBERS)
    duckdb.sql(f"copy (select * from (values {values}) as t(x)) to 'd.json'")
    return lines(pathlib.Path('d.json').read_text())


table.to_csv('x.csv', index=False)
found = {'pandas': lines(table.to_json(orient='records', lines=True)),
         'whole': [row['x'] for row in json.loads(table.to_json(orient='records'))],
         '15 digits': lines(table.to_json(orient='records', lines=True, double_precision=15)),
         'csv': [float(line) for line in pathlib.Path('x.csv').read_text().split()[1:]],
         'polars': lines(polars.DataFrame({'x': NUMBERS}).write_ndjson()), 'DuckDB': by_duckdb()}
for name, numbers in found.items():
    print(f'{name:10}', *numbers)
short, longer = [0.3333333333, 1.23e-8, 0.0, 0.0, 1.23456e-16], [0.333333333333333, 1.23456e-8, 1e-11, 1.235e-12, 1.23456e-16]
sys.exit(0 if found['pandas'] == found['whole'] == short and found['15 digits'] == longer
         and found['csv'] == found['polars'] == found['DuckDB'] == NUMBERS else 1)
PYTHON
cd "$folder"
venv/bin/python write.py
