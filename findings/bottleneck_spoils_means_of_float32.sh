#!/usr/bin/env bash
# bottleneck 1.6.0 (PyPI wheel), which pandas recommends to install beside it: nanmean, nanvar and nanstd of a million numbers of float32 are wrong
# without an error or a warning, with a mean of 1010 for numbers between 1000 and 1001. pandas 3.1.1 protects its mean from that and
# not its var() and std(): installing bottleneck changes a deviation of 0.289 to 9.5.
#
# The guess before it was run: sums of float32 are formed in float64 or in parts, as numpy does it, and pandas computes the same with and
# without bottleneck, but for the last digit.
#
# The reason: the numbers are added one after the other in float32, which rounds each sum to 24 bits. The deviation is formed
# around that mean.
#
# What follows for users: means and deviations of pictures, activations and distances drift as the set grows, and a table of the same numbers
# has another deviation on a machine where bottleneck came with another package. Convert with astype('float64'), or set
# pandas.set_option('compute.use_bottleneck', False).
#
# What was seen, each with the value that numpy computes in float64:
#   a million numbers between 1000 and 1001    nanmean 1009.998 (1000.500), nanvar 90.2 (0.0834)
#   the same in pandas                         mean() 1000.500, var() 90.2, std() 9.50
#   the same without bottleneck                mean() 1000.500, var() 0.0834, std() 0.289
#   thirty million numbers that are 0.1        nanmean 0.0699 (0.1)
#   levels of ten million pixels, 0 to 255     nanstd 73.55 (73.89)
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 35 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile bottleneck==1.6.0 pandas==3.1.1 numpy==2.4.6

cat >"$folder/means.py" <<'PYTHON'
import sys

import bottleneck
import numpy
import pandas

random = numpy.random.default_rng(0)
high = random.random(1_000_000).astype(numpy.float32) + numpy.float32(1000)
tenths = numpy.full(30_000_000, 0.1, numpy.float32)
levels = random.integers(0, 256, 10_000_000).astype(numpy.float32)


def measured(name, array):
    found = bottleneck.nanmean(array), bottleneck.nanvar(array), bottleneck.nanstd(array)
    exact = tuple(getattr(numpy, measure)(array, dtype=numpy.float64) for measure in ('mean', 'var', 'std'))
    print(f'{name:8} mean %.6g, variance %.4g, deviation %.4g' % found, '(numpy, float64: %.6g, %.4g, %.4g)' % exact)
    return found, exact


def tabled(use):
    """The same of a column of pandas, with bottleneck and without."""
    pandas.set_option('compute.use_bottleneck', use)
    column = pandas.Series(high)
    found = float(column.mean()), float(column.var()), float(column.std())
    print('pandas', 'with bottleneck' if use else 'without', 'mean %.6g, variance %.4g, deviation %.4g' % found)
    return found


wrong, exact = measured('high', high)
right = wrong[0] - exact[0] > 9 and wrong[1] > 80 and exact[1] < 0.1
tenth, exact_tenth = measured('tenths', tenths)
right = right and tenth[0] < 0.08 and abs(exact_tenth[0] - 0.1) < 1e-6
level, exact_level = measured('levels', levels)
right = right and exact_level[2] - level[2] > 0.2
narrow, wide = bottleneck.nanmean(high.astype(numpy.float64)), exact[0]
mixed, plain = tabled(True), tabled(False)
right = right and abs(narrow - wide) < 1e-6 and abs(mixed[0] - wide) < 0.01 and mixed[1] > 80 and mixed[2] > 9
sys.exit(0 if right and abs(plain[0] - wide) < 0.01 and plain[1] < 0.1 and plain[2] < 0.3 else 1)
PYTHON
"$folder/venv/bin/python" -W error "$folder/means.py"
