#!/usr/bin/env bash
# Puts LibTorch into .deps/ from the pinned PyPI wheel: its CPU half (545 MB) or, with --cuda, all CUDA libraries (4.7 GB).
# Usage: setup/libtorch.sh [--cuda | --into VENV]      (--into: the CPU half into another Python environment)
set -euo pipefail
cd "$(dirname "$0")/.."

source setup/patience.sh
torch=torch==2.11.0
venv=.deps/venv
if [ "${1:-}" = --into ]; then venv=${2:?usage: setup/libtorch.sh --into VENV}; fi
[ -x "$venv/bin/pip" ] || python3 -m venv "$venv"
pip() { pip_install "$venv" LibTorch "$@"; }
# libtorch_cpu.so is linked to these two libraries. The other CUDA packages are only for GPUs.
cpu_half=(--no-deps "$torch" nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85)

case ${1:-} in
  --into)
    [ -e "$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/torch/lib/libtorch_cpu.so" ] ||
      retry pip "${cpu_half[@]}"
    exit 0
    ;;
  --cuda)
    [ -e .deps/cuda-complete ] || { echo "installing $torch with CUDA (4.7 GB)"; retry pip "$torch"; touch .deps/cuda-complete; }
    ;;
  '')
    [ -e .deps/libtorch/lib/libtorch_cpu.so ] || { echo "installing $torch (545 MB)"; retry pip "${cpu_half[@]}"; }
    ;;
  *) echo "usage: setup/libtorch.sh [--cuda | --into VENV]" >&2; exit 2 ;;
esac
ln -sfn "$(cd .deps && ls -d venv/lib/python3*/site-packages/torch)" .deps/libtorch
