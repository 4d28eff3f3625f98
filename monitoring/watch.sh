#!/bin/sh
# Tells Prometheus about runs: monitoring/watch.sh [RUN_ROOT]   (default: runs)
# Copies RUN_ROOT/*/prometheus-targets.json to monitoring/prometheus/targets/RUN.json; Prometheus sees them within
# 10 seconds. Runs that are gone are taken out. Harmless to repeat.
set -eu
runs=${1:-runs}
targets=$(dirname "$0")/prometheus/targets
if [ ! -d "$runs" ]; then
  echo "watch.sh: no folder $runs" >&2
  exit 2
fi
mkdir -p "$targets"
rm -f "$targets"/*.json
found=0
for file in "$runs"/*/prometheus-targets.json; do
  [ -f "$file" ] || continue
  run=$(basename "$(dirname "$file")")
  cp "$file" "$targets/.$run.tmp"
  mv "$targets/.$run.tmp" "$targets/$run.json"
  found=$((found + 1))
done
echo "$found runs below $runs are watched"
