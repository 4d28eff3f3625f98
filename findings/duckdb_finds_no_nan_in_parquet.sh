#!/usr/bin/env bash
# DuckDB 2.0.1 (PyPI wheel) does not find NaN in Parquet files that pyarrow 26.0.1 or polars 2.1.0 wrote: isnan() is false for every
# row, and the largest number of a column with a NaN is an ordinary one. The same rows in a table, in a Parquet file that DuckDB
# wrote, or in a file without statistics are found. There is no error and no warning.
#
# The guess before it was run: a query returns the same rows whether they lie in a table or in a Parquet file, and whoever wrote
# it; NaN counts as the largest number of all, as DuckDB's documentation says.
#
# The reason: the Parquet format leaves NaN out of the smallest and the largest value that each part of a file stores. DuckDB
# takes these two for the bounds of all values and concludes that there is no NaN.
#
# What follows for users: a search for diverged runs finds none. What a comparison finds depends on the size of the row
# groups. Write the files without statistics (write_statistics=False in pyarrow, statistics=False in polars), load them into a
# table by way of pyarrow, or search with polars.
#
# What was seen, for steps 0 to 999 in row groups of 100, of which step 150 has NaN and step 950 has 200, the others less than 50:
#                                      isnan(fid)   fid > 100     max(fid)
#   a table                            150          150 and 950   NaN
#   Parquet, by DuckDB                 150          150 and 950   NaN
#   Parquet, by pyarrow                none         950           200
#   the same, one row group            none         150 and 950   200
#   the same, without statistics       150          150 and 950   NaN
#   Parquet, by polars                 none         950           NaN
#   polars reads that of pyarrow       150          150 and 950
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 150 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 duckdb==2.0.1 pyarrow==26.0.1 \
  polars==2.1.0

cat >"$folder/search.py" <<'PYTHON'
import math
import sys

import duckdb
import polars
import pyarrow
from pyarrow import parquet

fid = [step % 50 * 0.9 for step in range(1000)]
fid[150], fid[950] = math.nan, 200.0
rows = pyarrow.table({'step': range(1000), 'fid': fid})
parquet.write_table(rows, 'pyarrow.parquet', row_group_size=100)
parquet.write_table(rows, 'one_group.parquet')
parquet.write_table(rows, 'no_statistics.parquet', row_group_size=100, write_statistics=False)
polars.from_arrow(rows).write_parquet('polars.parquet', row_group_size=100)
base = duckdb.connect()
base.execute('CREATE TABLE runs AS SELECT * FROM rows')
base.execute("COPY runs TO 'duckdb.parquet' (ROW_GROUP_SIZE 100)")


def search(source):
    """The steps whose number is NaN, the steps above 100, and the largest number."""
    def steps(condition):
        return [row[0] for row in base.execute(f'SELECT step FROM {source} WHERE {condition} ORDER BY step').fetchall()]
    found = steps('isnan(fid)'), steps('fid > 100'), str(base.execute(f'SELECT max(fid) FROM {source}').fetchone()[0])
    print(f'{source:24}', *found)
    return found


right = [150], [150, 950], 'nan'
same = [search(source) for source in ('runs', "'duckdb.parquet'", "'no_statistics.parquet'")]
others = [search(source) for source in ("'pyarrow.parquet'", "'one_group.parquet'", "'polars.parquet'")]
lazy = polars.scan_parquet('pyarrow.parquet')
peers = [lazy.filter(condition).collect()['step'].to_list()
         for condition in (polars.col('fid').is_nan(), polars.col('fid') > 100)]
print('polars, pyarrow.parquet ', *peers)
sys.exit(0 if same == [right] * 3 and peers == [[150], [150, 950]]
         and others == [([], [950], '200.0'), ([], [150, 950], '200.0'), ([], [950], 'nan')] else 1)
PYTHON
cd "$folder"
venv/bin/python -W ignore search.py
