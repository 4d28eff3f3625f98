# Does what a user does first with installed programs. Usage: use_the_programs.sh PHOTOS OUT   (gan-* in PATH)
set -euo pipefail
photos=$1 out=$2
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
small=(--resolution 64 --features 4 --batch 4 --threads 1 --metrics-port off)
gan-preprocess --in "$photos" --out "$out/shards" --preview "$out/preview.png" >/dev/null
gan-inspect "$out/shards" >/dev/null
mpirun --oversubscribe --bind-to none -np 2 gan-train --shards "$out/shards" --run "$out/run" "${small[@]}" --steps 4 \
  --expect-world-size 2 >"$out/train.log" 2>&1 || { cat "$out/train.log" >&2; exit 1; }
gan-launch -np 2 --oversubscribe --bind-to none -- gan-train --shards "$out/shards" --run "$out/run" "${small[@]}" --steps 6 2>/dev/null
gan-generate --checkpoint "$out/run" --out "$out/grid.png" >/dev/null
gan-inspect plot "$out/run" "$out/curves.png" >/dev/null
gan-inspect report "$out/run" "$out/report.html" >/dev/null
[ "$(wc -l <"$out/run/stats.jsonl")" = 6 ]
for file in preview.png grid.png curves.png report.html; do [ -s "$out/$file" ]; done
