#!/usr/bin/env bash
# Prometheus 2.42.0 (promtool of Debian 12's package): max_over_time(), min_over_time(), max() and min() pass over NaN, quantile_over_time()
# takes it for the smallest number, changes() does not see NaN after NaN, and avg, sum and stddev are NaN. There is no error and no warning.
#
# The guess before it was run: a range or a group with a NaN has NaN for each of these, as in the floating-point numbers that they are
# made of, or all of them pass over it.
#
# The reason: a maximum starts with the first value and is replaced where it is smaller or NaN. Quantiles sort NaN to the front.
#
# What follows for users: a loss that has been NaN for minutes has a maximum that looks healthy, and an alert on max_over_time(loss[5m]) >
# 10 or on max(loss) > 10 never fires; averages of the same loss show it. Ask for `loss != loss`, which only NaN fulfils, or count
# the steps that were not finite.
#
# What was seen, for a loss that is 1 2 NaN 4 5 6, one that is 1 2 3 4 5 6, and one that is 1 and then NaN five times:
#                                1 2 NaN 4 5 6    1 2 3 4 5 6    1 and NaN
#   max_over_time                6                6              1
#   min_over_time                1                1              1
#   quantile_over_time(0.5)      3                3.5            NaN
#   avg_, sum_, stddev_over_time NaN              3.5 21 1.7     NaN
#   changes                      5                5              1
# and across the first two, where one is NaN and one is 3:
#   max 3, min 3, topk(1) 3, avg NaN; `loss != 5` finds both, `loss > 10` and `loss <= 10` find no NaN.
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 20 MB, from Debian's archive, and needs Debian 12 on x86-64.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get --quiet --quiet download prometheus=2.42.0+ds-5+deb12u1
dpkg-deb --extract prometheus_*.deb package

# A NaN equals nothing, so that an expression is NaN is asked as count(x != x).
cat >test.yml <<'YAML'
tests:
  - interval: 1m
    input_series:
      - {series: 'loss{rank="0"}', values: '1 2 NaN 4 5 6'}
      - {series: 'loss{rank="1"}', values: '1 2 3 4 5 6'}
      - {series: 'stuck', values: '1 NaN NaN NaN NaN NaN'}
    promql_expr_test:
YAML
# expect MINUTE EXPRESSION [LABELS VALUE]...
expect() {
  printf '      - expr: %s\n        eval_time: %sm\n        exp_samples:\n' "$2" "$1" >>test.yml
  shift 2
  while (($#)); do
    printf "          - {labels: '%s', value: %s}\n" "$1" "$2" >>test.yml
    shift 2
  done
}
is_nan() { expect "$1" "count($2 != $2)" '{}' 1; }

expect 5 'max_over_time(loss[6m])' '{rank="0"}' 6 '{rank="1"}' 6
expect 5 'max_over_time(stuck[6m])' '{}' 1
expect 5 'min_over_time(loss[6m])' '{rank="0"}' 1 '{rank="1"}' 1
expect 5 'min_over_time(stuck[6m])' '{}' 1
expect 5 'quantile_over_time(0.5, loss[6m])' '{rank="0"}' 3 '{rank="1"}' 3.5
expect 5 'changes(loss[6m])' '{rank="0"}' 5 '{rank="1"}' 5
expect 5 'changes(stuck[6m])' '{}' 1
is_nan 5 'quantile_over_time(0.5, stuck[6m])'
for function in avg sum stddev; do
  is_nan 5 "${function}_over_time(loss[6m])" # one of the two, the first
  is_nan 5 "${function}_over_time(stuck[6m])"
done
expect 5 'avg_over_time(loss{rank="1"}[6m])' '{rank="1"}' 3.5
expect 2 'max(loss)' '{}' 3
expect 2 'min(loss)' '{}' 3
expect 2 'topk(1, loss)' '{__name__="loss", rank="1"}' 3
is_nan 2 'avg(loss)'
expect 2 'count(loss != 5)' '{}' 2
expect 2 'loss > 10'
expect 2 'loss <= 10' 'loss{rank="1"}' 3
is_nan 2 'loss'
package/usr/bin/promtool test rules test.yml
