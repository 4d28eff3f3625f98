#!/usr/bin/env bash
# Where there is no GPU bench/gpu_check must not pass. Usage: gpu_check_test.sh SOURCE_DIR
set -euo pipefail
# A PATH without nvidia-smi: the same answer on a machine that has a GPU.
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
for tool in bash dirname env; do ln -s "$(command -v $tool)" "$tools/$tool"; done
if message=$(PATH=$tools "$1/bench/gpu_check" 2>&1); then
  echo "gpu_check passed without a GPU" >&2
  exit 1
fi
grep -q 'no GPU here' <<<"$message"
