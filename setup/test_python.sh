#!/usr/bin/env bash
# Python packages that only the tests need: other people's programs that our results are held against.
set -euo pipefail
cd "$(dirname "$0")/.."
packages=(numpy==2.2.6 pillow==12.0.0 safetensors==0.6.2)
installed=$(.deps/venv/bin/pip --disable-pip-version-check freeze)
for package in "${packages[@]}"; do
  grep -qix "$package" <<<"$installed" && continue
  .deps/venv/bin/pip --quiet --disable-pip-version-check install "${packages[@]}"
  break
done
