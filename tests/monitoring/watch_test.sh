#!/bin/sh
# monitoring/watch.sh on a copy of itself: new runs appear, gone ones go, a missing folder is named.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/monitoring/prometheus" "$work/my runs/0001" "$work/my runs/0002" "$work/my runs/0003"
cp "$1" "$work/monitoring/watch.sh"
echo '[{"targets": ["127.0.0.1:9400"]}]' > "$work/my runs/0001/prometheus-targets.json"
echo '[]' > "$work/my runs/0002/prometheus-targets.json"
watch() { sh "$work/monitoring/watch.sh" "$@"; }
expect() {
  if [ "$1" != "$2" ]; then
    echo "expected '$2', got '$1'" >&2
    exit 1
  fi
}
expect "$(watch "$work/my runs")" "2 runs below $work/my runs are watched"
expect "$(cat "$work/monitoring/prometheus/targets/0001.json")" '[{"targets": ["127.0.0.1:9400"]}]'
rm -r "$work/my runs/0001"
watch "$work/my runs" > /dev/null
expect "$(ls "$work/monitoring/prometheus/targets")" "0002.json"
status=0
message=$(watch "$work/nowhere" 2>&1) || status=$?
expect "$status" 2
expect "$message" "watch.sh: no folder $work/nowhere"
