#!/usr/bin/env bash
# Builds the fuzz targets and runs each for so many seconds (10), as many at a time as there are cores, from the inputs
# in corpus/. A finding ends with exit code 1 and is kept in build/fuzz/findings: put it into corpus/ with the fix.
# Usage: tests/fuzz/run.sh [SECONDS [TARGET...]]
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-10}
shift || true
cmake --preset fuzz -DEQUIPOISE_WARNINGS_AS_ERRORS=ON >build-fuzz.log 2>&1 || { cat build-fuzz.log >&2; rm build-fuzz.log; exit 1; }
rm build-fuzz.log
cmake --build --preset fuzz
[ $# -gt 0 ] || set -- $(cd build/fuzz/bin && ls *_fuzz | sed 's/_fuzz$//')
mkdir -p build/fuzz/findings

one() {
  local target=$1 seconds=$2 log=build/fuzz/$1.log
  mkdir -p "build/fuzz/corpus/$target" "tests/fuzz/corpus/$target"
  [ ! -f "tests/fuzz/${target}_seeds.py" ] || .deps/venv/bin/python "tests/fuzz/${target}_seeds.py" "build/fuzz/corpus/$target"
  # No leak is looked for while ptrace may be forbidden, as in containers; ASan's other checks are all on.
  case $target in
    tiff | avif | jxl | heif | own_decoders)
      .deps/venv/bin/python tests/fuzz/decoder_seeds.py "$target" "build/fuzz/corpus/$target" 2>/dev/null ;;
  esac
  if ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 "build/fuzz/bin/${target}_fuzz" \
      -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="build/fuzz/findings/$target-" \
      "build/fuzz/corpus/$target" "tests/fuzz/corpus/$target" >"$log" 2>&1; then
    tail -n 1 "$log" | sed "s/^/$target: /"
  else
    echo "$target: FOUND SOMETHING" >&2
    tail -n 60 "$log" >&2
    return 1
  fi
}
export -f one
printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} bash -c 'one {} '"$seconds"
