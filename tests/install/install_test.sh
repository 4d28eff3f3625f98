#!/usr/bin/env bash
# The installed tree works away from the build tree: the programs start, and a stranger's program finds, compiles and
# links gan::distributed and trains on two ranks. Usage: install_test.sh SOURCE_DIR BUILD_DIR MPIEXEC
set -euo pipefail
source=$1 build=$2 mpiexec=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/moved"  # relocatable

for program in gan-preprocess gan-train gan-generate gan-inspect; do
  "$work/moved/bin/$program" --version >/dev/null
done

python3 - "$work/moved/share/equipoise/python" <<'PYTHON'
import ast, pathlib, sys
names = {node.name for node in ast.parse(pathlib.Path(sys.argv[1], 'equipoise/shards.py').read_text()).body if hasattr(node, 'name')}
assert {'Shard', 'Shards', 'to_tensor'} <= names, names
PYTHON

generator=()
if command -v ninja >/dev/null; then generator=(-G Ninja); fi
cmake -S "$source/examples/data_parallel" -B "$work/example" "${generator[@]}" -DCMAKE_PREFIX_PATH="$work/moved" \
  -DCMAKE_BUILD_TYPE=Release >"$work/configure.log" 2>&1 || { cat "$work/configure.log" >&2; exit 1; }
cmake --build "$work/example" >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; exit 1; }
"$mpiexec" --oversubscribe --bind-to none --mca btl ^tcp -np 2 "$work/example/data_parallel" | grep -q '^2 ranks, loss'

if cmake -S "$source/examples/data_parallel" -B "$work/none" "${generator[@]}" -DCMAKE_PREFIX_PATH=/nowhere >/dev/null 2>&1; then
  echo "the example was configured without Equipoise: this test proves nothing" >&2
  exit 1
fi
