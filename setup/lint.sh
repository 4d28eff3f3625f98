#!/usr/bin/env bash
# clang-tidy over the layers that don't include LibTorch, whose headers take a minute per file. It reads the groups of
# files that the build of ./check compiles, because most of its time goes into headers, and the files of a group share
# them. One check, misc-unused-using-decls, does not look into the files of a group. Clang calls double{x} of a float an
# implicit promotion; GCC, which does not, keeps that warning on.
set -euo pipefail
cd "$(dirname "$0")/.."
build=build/release
[ -f "$build/compile_commands.json" ] || { echo "setup/lint.sh: build first (./check fast): $build/compile_commands.json is missing" >&2; exit 1; }
cmake --build "$build" --target gan_onnx_schema gan_event_schema  # the headers that protoc makes
layers='storage|open_mpi|picture|shard|cli|monitoring|preprocess|inspect|checkpoint|generate|launcher|trainer/(balance|data|host|nearest|tensorboard)'
sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' "$build/compile_commands.json" | sort -u |
  grep -E "^$PWD/($build/)?($layers)/" | grep -v '\.pb\.cc$' |
  xargs -P "$(nproc)" -n 1 clang-tidy -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-double-promotion
