#!/usr/bin/env bash
# influxdb-client 1.50.0 (PyPI wheel), the client of InfluxDB 2: a field of a Point that is NaN or infinite is left out, and a
# point without other fields is an empty line. Of a table of pandas 3.1.1, NaN is left out and infinity is sent as "inf", which
# the line protocol does not have. There is no error, no warning and no mark.
#
# The guess before it was run: the line protocol has no such numbers, so the client raises, as it does for types that it does
# not know, or sends them and the server refuses the line; and a row of a table gives the line that its numbers give as a Point.
#
# What follows for users: a loss that became NaN looks as if nothing was measured since. last() returns the number before it,
# and an alert on a mean or a maximum passes. Write a field of its own, such as finite=0, or alert on missing points.
#
# What was seen, as the line that is sent:
#                              as a Point             as a row of a table
#   loss=0.5, step=1           loss=0.5,step=1i       loss=0.5,step=1i
#   loss=NaN, step=1           step=1i                step=1i
#   loss=infinity, step=1      step=1i                loss=inf,step=1i
#   loss=NaN                   empty                  no line
#   numpy.bool_                ValueError: type ... is not supported
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 35 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile influxdb-client==1.50.0 pandas==3.1.1 numpy==2.4.6

cat >"$folder/lines.py" <<'PYTHON'
import sys
import warnings

import numpy
import pandas
from influxdb_client import Point
from influxdb_client.client.write.dataframe_serializer import data_frame_to_list_of_points
from influxdb_client.client.write_api import PointSettings

warnings.simplefilter('error')
NAN, INFINITY = float('nan'), float('inf')


def as_point(fields):
    point = Point('run')
    for name, value in fields.items():
        point.field(name, value)
    return point.to_line_protocol()


def as_row(fields):
    table = pandas.DataFrame([fields], index=pandas.to_datetime(['2026-01-01'], utc=True))
    lines = data_frame_to_list_of_points(table, PointSettings(), data_frame_measurement_name='run')
    return [line.rsplit(' ', 1)[0] for line in lines]


def both(fields):
    found = as_point(fields), as_row(fields)
    print(fields, *map(repr, found))
    return found


def refused(value):
    try:
        as_point({'x': value})
    except ValueError as error:
        print(error)
        return True
    return False


right = [both({'loss': 0.5, 'step': 1}) == ('run loss=0.5,step=1i', ['run loss=0.5,step=1i']),
         both({'loss': NAN, 'step': 1}) == ('run step=1i', ['run step=1i']),
         both({'loss': INFINITY, 'step': 1}) == ('run step=1i', ['run loss=inf,step=1i']),
         both({'loss': NAN}) == ('', []), both({'loss': INFINITY})[0] == '',
         as_point({'loss': numpy.float32(NAN)}) == '', refused(numpy.bool_(True))]
sys.exit(0 if all(right) else 1)
PYTHON
"$folder/venv/bin/python" "$folder/lines.py"
