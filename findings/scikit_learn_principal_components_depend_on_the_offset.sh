#!/usr/bin/env bash
# scikit-learn 1.9.1 (PyPI wheel), PCA with its defaults: for float32 that lies far from 0, such as pixels up to 255, the result depends
# on how many pictures there are. With 639 pictures of 64 numbers it is right. With 640 the small variances are wrong or 0, and
# whiten=True makes numbers with a deviation of more than a million instead of 1. There is no error and no warning.
#
# The guess before it was run: PCA subtracts the mean first, so an offset of 200 changes nothing to three digits.
#
# The reason, inferred from the source: where there are at least 10 times as many pictures as numbers, and at most 1,000 numbers, the
# default chooses the solver covariance_eigh. It multiplies the numbers as they are, in float32, and subtracts the mean from the product,
# which leaves rounding errors in place of small variances.
#
# What follows for users: projections and whitened features of real and generated pictures, and directions found in activations,
# are noise in the smaller components, and only once the sample is large. Convert to float64, subtract the mean before fit(), or pass
# svd_solver='full'.
#
# What was seen for 64 numbers per picture with deviations from 4 down to 0.1, as the largest relative error of a variance and the
# largest deviation after whitening:
#   offset of all numbers               0         100         200
#   639 pictures                   1e-6, 1     2e-6, 1     1e-6, 1
#   640 pictures                   4e-7, 1     1, 2e6      1, 3e6
#   640, svd_solver='full'         2e-6, 1     1e-6, 1     1e-6, 1
#   640, float64                   8e-15, 1    2e-9, 1     9e-9, 1
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 65 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1

cat >"$folder/components.py" <<'PYTHON'
import sys

import numpy
from sklearn.decomposition import PCA

numbers = numpy.random.default_rng(0).normal(size=(640, 64)) * numpy.geomspace(4, 0.1, 64)


def seen(count, offset, kind=numpy.float32, **options):
    """The largest relative error of a variance, against singular values in float64, and the largest deviation after whitening."""
    pictures = (numbers[:count] + offset).astype(kind)
    exact = pictures.astype(float)
    right = numpy.linalg.svd(exact - exact.mean(0), compute_uv=False) ** 2 / (count - 1)
    error = abs(PCA(**options).fit(pictures).explained_variance_ / right - 1).max()
    deviation = PCA(whiten=True, **options).fit_transform(pictures).std(0).max()
    print(f'{count} pictures, offset {offset:3}, {kind.__name__} {options}: error {error:.0e}, whitened deviation {deviation:.3g}')
    return error < 1e-3 and abs(deviation - 1) < 1e-2, deviation > 1e5


fine = [seen(639, offset) for offset in (0, 100, 200)] + [seen(640, 0)]
fine += [seen(640, offset, svd_solver='full') for offset in (0, 100, 200)] + [seen(640, offset, float) for offset in (0, 100, 200)]
spoilt = [seen(640, offset) for offset in (100, 200)]
sys.exit(0 if all(good for good, _ in fine) and all(huge for _, huge in spoilt) else 1)
PYTHON
cd "$folder"
OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 venv/bin/python -W error components.py
