#!/usr/bin/env bash
# scikit-learn 1.9.1 and polars 2.1.0 (PyPI wheels): of the errors and sums of 8-bit levels some are computed in 8 bits, where 200 + 100
# is 44 and 0 - 1 is 255. Their neighbours in the same library are exact. There is no error and no warning.
#   scikit-learn: max_error and median_absolute_error, not mean_absolute_error, mean_squared_error and r2_score
#   polars: sum_horizontal(), mean_horizontal() and dot(), not sum(), mean(), cum_sum(), rolling_sum(), product() and list.sum()
#
# The guess before it was run: a library whose mean_absolute_error converts to floating-point numbers does so in all measures of error,
# and one whose sum() of UInt8 is an Int64, and whose mean is a Float64, widens in all of them.
#
# The reason: the two measures of scikit-learn subtract what they were given, and horizontal sums of polars are additions of columns,
# which keep their type; the mean is such a sum, divided. dot() multiplies in 8 bits and then adds in 64.
#
# What follows for users: the largest error of pictures that agree to one level is 255, the mean of three channels that are columns is
# too dark, and no number looks impossible. Convert first: astype(float), or cast(polars.Int64).
#
# What was seen, as the results for 8 bits and for wider numbers:
#   levels that grow by 0 or 1:    max_error                   255       1
#                                  median_absolute_error         1       1
#   levels that fall by 0 or 1:    max_error                     1       1
#                                  median_absolute_error       255       1
#   200 and 100 in two columns:    sum_horizontal               44     300
#                                  mean_horizontal              22     150
#   [200, 100] and [100, 200]:     dot                          64   40000
# The other measures and sums above are equal.
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 120 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 \
  polars==2.1.0

cat >"$folder/wrap.py" <<'PYTHON'
import sys
import warnings

import numpy
import polars
from sklearn import metrics

warnings.simplefilter('error')
random = numpy.random.default_rng(0)
levels = random.integers(0, 255, 1000, dtype=numpy.uint8)
brighter = levels + random.integers(0, 2, 1000, dtype=numpy.uint8)
table = polars.DataFrame({'a': [200, 100], 'b': [100, 200]}, schema={'a': polars.UInt8, 'b': polars.UInt8})
a = polars.col('a')


def error(measure, before, after):
    return [float(measure(before.astype(kind), after.astype(kind))) for kind in (numpy.uint8, float)]


def of_columns(expression):
    return [other.select(expression.alias('x'))['x'].to_list() for other in (table, table.cast(polars.Int64))]


seen = {'max_error, brighter': error(metrics.max_error, levels, brighter),
        'median_absolute_error, brighter': error(metrics.median_absolute_error, levels, brighter),
        'max_error, darker': error(metrics.max_error, brighter, levels),
        'median_absolute_error, darker': error(metrics.median_absolute_error, brighter, levels),
        'sum_horizontal': of_columns(polars.sum_horizontal('a', 'b')),
        'mean_horizontal': of_columns(polars.mean_horizontal('a', 'b')), 'dot': of_columns(a.dot('b'))}
equal = {measure.__name__: error(measure, *pair) for measure in
         (metrics.mean_absolute_error, metrics.mean_squared_error, metrics.r2_score)
         for pair in ((levels, brighter), (brighter, levels))}
equal |= {'sum': of_columns(a.sum()), 'mean': of_columns(a.mean()), 'cum_sum': of_columns(a.cum_sum()),
          'rolling_sum': of_columns(a.rolling_sum(2)), 'product': of_columns(a.product()),
          'list.sum': of_columns(polars.concat_list('a', 'b').list.sum())}
for name, pair in (seen | equal).items():
    print(f'{name:34}', *pair)
expected = [[255, 1], [1, 1], [1, 1], [255, 1], [[44, 44], [300, 300]], [[22, 22], [150, 150]], [[64], [40000]]]
sys.exit(0 if list(seen.values()) == expected and all(narrow == wide for narrow, wide in equal.values()) else 1)
PYTHON
"$folder/venv/bin/python" "$folder/wrap.py"
