#!/usr/bin/env bash
# sort of GNU coreutils 9.1, jq 1.6 and datamash 1.7 (Debian 12's packages): a NaN among the distances of several checkpoints is the
# smallest of them, so the diverged checkpoint is named the best. There is no error and no warning.
#   - sort -g puts NaN first.
#   - jq: NaN and null are less than each number, for min_by() and for the comparison .fid < 10. It writes NaN as null.
#   - datamash: the minimum is NaN if the first number is, and the right one otherwise.
# mawk 1.3.4 and Miller 6.6.0 name the right checkpoint.
#
# The guess before it was run: sort has NaN last; jq refuses NaN, which is not JSON, and leaves null out; datamash refuses NaN or
# returns it wherever it stands; mawk and Miller name the right checkpoint.
#
# What follows for users: Python's json module writes NaN and many programs write null for a measurement that failed, and a script that
# picks the smallest Fréchet distance then samples from the checkpoint in which it failed. Leave such rows out first:
# select(.fid != null and (.fid | isnan | not)) in jq, where the first half alone keeps NaN, or grep -vi nan before sort.
#
# What was seen for the distances NaN, 31.5, 9.75 and 12.25 in steps 100, 200, 300 and 400, as the step of the best:
#   sort -g -k2 | head -1            100
#   jq, min_by(.fid)                 100, for NaN and for null
#   jq, select(.fid < 10)            100 and 300, for NaN and for null
#   datamash min                     nan, and 9.75 where the NaN comes last
#   mawk, $2 < best; Miller, top     300
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 7 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get --quiet --quiet download coreutils=9.1-1 jq=1.6-2.1+deb12u3 libjq1=1.6-2.1+deb12u3 libonig5=6.9.8-1 datamash=1.7-2 \
  mawk=1.3.4.20200120-3.1 miller=6.6.0-2+b3 2>/dev/null
for package in *.deb; do dpkg-deb --extract "$package" programs; done
LC_ALL=C
LD_LIBRARY_PATH=$(echo "$folder"/programs/usr/lib/*-linux-gnu)
export LC_ALL LD_LIBRARY_PATH
tools=$folder/programs/usr/bin

printf '100\tnan\n200\t31.5\n300\t9.75\n400\t12.25\n' >first.tsv
printf '200\t31.5\n300\t9.75\n400\t12.25\n100\tnan\n' >last.tsv
printf '{"step": %s, "fid": %s}\n' 100 NaN 200 31.5 300 9.75 400 12.25 >nan.jsonl
sed 's/NaN/null/' nan.jsonl >null.jsonl
changed=0

# Prints what a tool says and compares it with what was seen before.
expect() {
  local name=$1 before=$2 now=$3
  echo "$name: $now"
  [ "$now" = "$before" ] || changed=1
}

for file in first last; do
  expect "sort -g, NaN $file" 100 "$("$tools/sort" -g -k2 $file.tsv | head -n 1 | cut -f 1)"
  expect "mawk, NaN $file" 300 "$("$tools/mawk" 'best == "" || $2 < best { best = $2; step = $1 } END { print step }' $file.tsv)"
  expect "Miller, NaN $file" 300 \
    "$("$tools/mlr" --tsv --implicit-csv-header --headerless-csv-output top -f 2 --min -a $file.tsv | cut -f 1)"
done
for kind in nan null; do
  expect "jq min_by, $kind" 100 "$("$tools/jq" -s 'min_by(.fid).step' $kind.jsonl)"
  expect "jq .fid < 10, $kind" '100 300' "$("$tools/jq" 'select(.fid < 10).step' $kind.jsonl | paste -s -d ' ')"
  expect "jq without both, $kind" 300 \
    "$("$tools/jq" -s 'map(select(.fid != null and (.fid | isnan | not))) | min_by(.fid).step' $kind.jsonl)"
done
expect 'jq without null, nan' 100 "$("$tools/jq" -s 'map(select(.fid != null)) | min_by(.fid).step' nan.jsonl)"
expect 'datamash min, NaN first' nan "$("$tools/datamash" min 2 <first.tsv)"
expect 'datamash min, NaN last' 9.75 "$("$tools/datamash" min 2 <last.tsv)"
exit "$changed"
