#!/usr/bin/env bash
# Puts Arrow's C++ headers and libraries into .deps/ from the pinned Python package, for reading Parquet (150 MB on disk).
# Usage: setup/arrow.sh
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x .deps/venv/bin/pip ] || python3 -m venv .deps/venv
source setup/patience.sh
retry .deps/venv/bin/pip --quiet --disable-pip-version-check install --no-deps pyarrow==26.0.1
