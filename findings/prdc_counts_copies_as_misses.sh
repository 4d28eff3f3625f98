#!/usr/bin/env bash
# prdc 0.2 (PyPI wheel; precision, recall, density and coverage of a generator): where the real set holds more than k copies of
# a picture, a generated picture that equals it counts as a miss. Without copies the same pictures have a precision of 1.
#
# The guess before it was run: a generated set that consists of the real pictures has precision and coverage 1, in each case.
#
# The reason: the distance to the k-th neighbour of such a picture is 0, and a generated picture counts where its distance is
# less than that, not where it is equal.
#
# What follows for users: copies arise where rare classes are repeated to balance a data set, or where it was not
# deduplicated. The four numbers then fall, and the generator is blamed. Remove copies before measuring.
#
# What was seen, with k of 5, for 40 real pictures of which each is generated exactly once:
#   each once in the real set        precision 1, coverage 1
#   each five times                  precision 1, coverage 1
#   each six times                   precision 0, coverage 0
#   half of them once, half six times   precision 0.5, coverage 0.14
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 65 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile prdc==0.2 numpy==2.2.6 \
  scikit-learn==1.9.1 scipy==1.17.1

cat >"$folder/measure.py" <<'PYTHON'
import sys

import numpy as np
from prdc import compute_prdc

# Whole numbers: the distances are exact, so rounding decides nothing.
pictures = np.random.default_rng(0).integers(0, 100, (40, 16)).astype(float)


def measure(name, counts):
    real = np.repeat(pictures, counts, axis=0)
    found = compute_prdc(real_features=real, fake_features=pictures, nearest_k=5)
    print(f'{name}: precision {found["precision"]:.2f}, coverage {found["coverage"]:.2f}, density {found["density"]:.2f}')
    return float(found['precision']), float(found['coverage'])


seen = [measure('each once', 1), measure('each five times', 5), measure('each six times', 6),
        measure('half once, half six times', [1] * 20 + [6] * 20)]
sys.exit(0 if seen[0] == seen[1] == (1, 1) and seen[2] == (0, 0) and seen[3][0] < 1 and seen[3][1] < 0.2 else 1)
PYTHON
"$folder/venv/bin/python" "$folder/measure.py"
