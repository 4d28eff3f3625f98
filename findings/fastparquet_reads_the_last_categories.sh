#!/usr/bin/env bash
# fastparquet 2026.9.0 (PyPI wheel) with pandas 3.1.1: where the parts of a Parquet file, or several files that are read as one, have other
# categories, all rows get the names of the last part. Cats and dogs become foxes. There is no error and no warning. pyarrow 26.0.1 reads
# the same file rightly.
#
# The guess before it was run: each part is read with its own names, as pyarrow does, or write(append=True) refuses a column whose
# categories differ, as it refuses other columns.
#
# The reason: a part stores the numbers of its categories and a list of names. The numbers are read one after the other into one
# column, whose list of names is replaced with each part.
#
# What follows for users: labels of a data set that grew by append=True, or of one file for each class, are wrong in the older parts, and
# counts of classes are wrong too. So are texts that are read with categories=['label']. Where the last part has fewer names, the
# result is an IndexError while a loop over iter_row_groups() works. Give each part all the names, with pandas.Categorical(labels,
# categories=names), or pass categories=[] to to_pandas().
#
# What was seen, for cat dog cat in the first part and fox ant fox in the second:
#   write, then write(append=True)             ant fox ant   fox ant fox
#   two files                                  ant fox ant   fox ant fox
#   numbers 3 1 3 and 7 9 7 as categories      9 7 9         7 9 7
#   texts of pyarrow, categories=['label']     fox ant fox   fox ant fox
#   the appended file, categories=[]           cat dog cat   fox ant fox
#   all four names given to each part          cat dog cat   fox ant fox
#   the appended file in pyarrow               cat dog cat   fox ant fox
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 80 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile fastparquet==2026.9.0 pandas==3.1.1 \
  numpy==2.4.6 pyarrow==26.0.1

cat >"$folder/labels.py" <<'PYTHON'
import sys

import pandas
import pyarrow
from fastparquet import ParquetFile, write
from pyarrow import parquet

FIRST, SECOND = ['cat', 'dog', 'cat'], ['fox', 'ant', 'fox']


def table(labels, categories=None):
    return pandas.DataFrame({'label': pandas.Categorical(labels, categories=categories)})


def appended(path, first, second, categories=None):
    write(path, table(first, categories))
    write(path, table(second, categories), append=True)
    return path


def read(paths, **options):
    return ParquetFile(paths).to_pandas(**options)['label'].tolist()


mixed = appended('appended.parquet', FIRST, SECOND)
numbers = appended('numbers.parquet', [3, 1, 3], [7, 9, 7])
for name, labels in (('first', FIRST), ('second', SECOND)):
    write(f'{name}.parquet', table(labels))
    parquet.write_table(pyarrow.table({'label': labels}), f'{name}-texts.parquet')
seen = {'appended': read(mixed),
        'two files': read(['first.parquet', 'second.parquet']),
        'numbers': read(numbers),
        'texts, categories': read(['first-texts.parquet', 'second-texts.parquet'], categories=['label']),
        'categories=[]': read(mixed, categories=[]),
        'all names': read(appended('named.parquet', FIRST, SECOND, ['ant', 'cat', 'dog', 'fox'])),
        'pyarrow': parquet.read_table(mixed)['label'].to_pylist()}
for name, labels in seen.items():
    print(f'{name:20}', *labels)
right = FIRST + SECOND
wrong = {'appended': ['ant', 'fox', 'ant', 'fox', 'ant', 'fox'], 'numbers': [9, 7, 9, 7, 9, 7],
         'texts, categories': ['fox', 'ant', 'fox', 'fox', 'ant', 'fox']}
wrong['two files'] = wrong['appended']
shorter = appended('shorter.parquet', ['cat', 'dog', 'owl'], ['fox'])
try:
    fewer = read(shorter)
except IndexError as error:
    fewer = type(error).__name__
parts = [part['label'].tolist() for part in ParquetFile(shorter).iter_row_groups()]
print('fewer names in the last part:', fewer, parts)
sys.exit(0 if seen == {name: wrong.get(name, right) for name in seen} and fewer == 'IndexError' and
         parts == [['cat', 'dog', 'owl'], ['fox']] else 1)
PYTHON
cd "$folder"
venv/bin/python labels.py
