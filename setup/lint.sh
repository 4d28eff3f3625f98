#!/usr/bin/env bash
# clang-tidy over the layers that don't include LibTorch, whose headers take a minute a file. Clang calls double{x} of a float
# an implicit promotion; GCC, which does not, keeps that warning on.
set -euo pipefail
cd "$(dirname "$0")/.."
# A build of its own: clang-tidy needs the command of each file, and the other build compiles files in groups.
cmake --preset release -B build/lint -DEQUIPOISE_UNITY=OFF -DEQUIPOISE_TESTS=OFF >/dev/null
cmake --build build/lint --target gan_onnx_schema gan_event_schema  # the headers that protoc makes
git ls-files 'storage/*.cpp' 'open_mpi/*.cpp' 'picture/*.cpp' 'shard/*.cpp' 'cli/*.cpp' 'monitoring/*.cpp' 'preprocess/*.cpp' 'inspect/*.cpp' \
  'trainer/balance/*.cpp' 'trainer/data/*.cpp' 'checkpoint/*.cpp' 'generate/*.cpp' 'trainer/tensorboard/*.cpp' \
  'generate/export/*.cpp' 'launcher/*.cpp' |
  xargs -P "$(nproc)" -n 4 clang-tidy -p build/lint --quiet --extra-arg=-Wno-unknown-warning-option \
    --extra-arg=-Wno-double-promotion
