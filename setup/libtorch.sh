#!/usr/bin/env bash
# Puts LibTorch into .deps/ from the pinned PyPI wheel: its CPU half (545 MB) or, with --cuda, all CUDA libraries (4.7 GB).
# Usage: setup/libtorch.sh [--cuda]
set -euo pipefail
cd "$(dirname "$0")/.."

torch=torch==2.11.0
[ -x .deps/venv/bin/pip ] || python3 -m venv .deps/venv
pip() { .deps/venv/bin/pip --quiet --disable-pip-version-check "$@"; }

if [ "${1:-}" = --cuda ]; then
  [ -e .deps/cuda-complete ] || { echo "installing $torch with CUDA (4.7 GB)"; pip install "$torch"; touch .deps/cuda-complete; }
elif [ ! -e .deps/libtorch/lib/libtorch_cpu.so ]; then
  echo "installing $torch (545 MB)"
  # libtorch_cpu.so names these two libraries; the other CUDA packages are for GPUs alone.
  pip install --no-deps "$torch" nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85
fi
ln -sfn "$(cd .deps && ls -d venv/lib/python3*/site-packages/torch)" .deps/libtorch
