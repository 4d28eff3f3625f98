#!/usr/bin/env bash
# prometheus_client 0.26.0 (PyPI wheel): after one NaN, the sum of a Histogram is NaN until the process ends, and the count
# does not contain the observation. A Summary counts it. A Counter that was given NaN stays NaN, although it refuses -1.
#
# The guess before it was run: a Histogram counts NaN in its last bucket, as its bound is infinite; a Counter refuses NaN,
# because it refuses everything that is not an increase.
#
# What follows for users: one step with a loss of NaN ends the curve of the mean loss, rate(loss_sum) / rate(loss_count), for
# the rest of the run, while the counts look healthy and do not show that a step is missing. Test with math.isfinite() first,
# and count the others in a Counter.
#
# What was seen, after 0.5, NaN and 1.5:
#   Histogram   bucket +Inf 2, count 2, sum NaN
#   Summary     count 3, sum NaN
#   Counter     inc(NaN) is taken, and the value is NaN after inc(1); inc(-1) is refused
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads less than 1 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install prometheus_client==0.26.0

cat >"$folder/observe.py" <<'PYTHON'
import math
import sys

from prometheus_client import CollectorRegistry, Counter, Histogram, Summary

registry = CollectorRegistry()
histogram = Histogram('loss', '', buckets=(1, 2), registry=registry)
summary = Summary('other', '', registry=registry)
for value in (0.5, math.nan, 1.5):
    histogram.observe(value)
    summary.observe(value)
counter = Counter('steps', '', registry=registry)
counter.inc(math.nan)
counter.inc(1)
try:
    counter.inc(-1)
    refused = False
except ValueError:
    refused = True


def sample(name, **labels):
    return registry.get_sample_value(name, labels)


seen = [sample('loss_bucket', le='+Inf'), sample('loss_count'), sample('loss_sum'), sample('other_count'), sample('other_sum'),
        sample('steps_total')]
print('Histogram   bucket +Inf %g, count %g, sum %g' % tuple(seen[:3]))
print('Summary     count %g, sum %g' % tuple(seen[3:5]))
print('Counter     %g, refused -1: %s' % (seen[5], refused))
numbers = [None if math.isnan(value) else value for value in seen]
sys.exit(0 if numbers == [2, 2, None, 3, None, None] and refused else 1)
PYTHON
"$folder/venv/bin/python" "$folder/observe.py"
