#!/usr/bin/env bash
# orjson 3.13.0 and jq 1.13.0 (PyPI wheels) read integers above 64 bits as rounded ones, without an error or a warning. The state of
# numpy's generators consists of such integers. numpy 2.4.6 takes the rounded state, and draws other numbers than before it was saved.
#
# The guess before it was run: JSON sets no limit to integers, so they come back as Python's json reads them, or are refused, as
# orjson refuses to write them; and numpy refuses a state of floating-point numbers.
#
# The reason: in reading, what does not fit into 64 bits becomes a floating-point number of double precision, in orjson and in jq.
# numpy does not refuse such numbers as the entries of a state.
#
# What follows for users: a training that saves its generators in a JSON file and is resumed by a program that reads it with orjson, or
# whose file went through jq once, goes on with other latents and another order of pictures. The fingerprints of 128 bits that name
# pictures or runs change as well. Read with json, msgspec, ujson or simplejson, or write such integers as text.
#
# What was seen, for the state of numpy.random.default_rng(42) after ten draws, written by json:
#                    the state is read as        next draws
#   json             int, equal                  equal
#   orjson           float, rounded              differ
#   jq               int, rounded                differ
#   ujson            int, equal                  equal
#   simplejson       int, equal                  equal
#   msgspec          int, equal                  equal
#   orjson also reads 18446744073709551616 as a float, and 18446744073709551615 as an int.
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 20 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 orjson==3.13.0 jq==1.13.0 ujson==6.1.0 \
  simplejson==4.3.0 msgspec==0.23.0

cat >"$folder/states.py" <<'PYTHON'
import json
import sys

import jq
import msgspec
import numpy
import orjson
import simplejson
import ujson

READERS = {'json': json.loads, 'orjson': orjson.loads, 'jq': lambda text: jq.compile('.').input_text(text).first(),
           'ujson': ujson.loads, 'simplejson': simplejson.loads, 'msgspec': msgspec.json.decode}

generator = numpy.random.default_rng(42)
generator.random(10)
text = json.dumps(generator.bit_generator.state)
state = json.loads(text)['state']['state']
draws = generator.random(8)
found = {}
for name, read in READERS.items():
    other = numpy.random.default_rng(1)
    other.bit_generator.state = read(text)
    value = read(text)['state']['state']
    found[name] = type(value) is int, value == state, bool((other.random(8) == draws).all())
    print(f'{name:11} {value!r:>40}  the next draws are equal: {found[name][2]}')
edge = [type(orjson.loads(number)).__name__ for number in ('18446744073709551615', '18446744073709551616')]
print('orjson, 18446744073709551615 and 18446744073709551616:', *edge)
try:
    orjson.dumps(state)
    writes = 'writes it'
except TypeError:
    writes = 'refuses to write it'
print('orjson', writes)
right = (True, True, True)
sys.exit(0 if found == {'json': right, 'orjson': (False, False, False), 'jq': (True, False, False), 'ujson': right,
                        'simplejson': right, 'msgspec': right} and edge == ['int', 'float'] and writes.startswith('refuses') else 1)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/states.py"
