#!/usr/bin/env bash
# Prometheus 2.42.0 (promtool of Debian 12's package): `promtool test rules` passes where a test names an alert that no rule has, and where
# rule_files names files that are not there, as long as no alert is expected. The exit code is 0 and the output says SUCCESS.
#
# The guess before it was run: a test of an alert that does not exist is an error, whatever it expects, and so is a file of
# rules that does not exist. `promtool check rules` refuses such a file.
#
# The reason: the alerts of a name are looked up among those that fire, and none is found. An entry of rule_files is a pattern, and one
# that matches nothing is worth a line on the standard error output. A missing exp_alerts means that none is expected.
#
# What follows for users: after an alert was renamed, or a folder moved, the tests that it must not fire in a healthy run still pass and
# hold nothing. Beside each test that expects none have one, with the same name, that expects the alert, and let CI
# compare the names of the tests with those of the rules.
#
# What was seen, where the rule is `Falling`, which fires in the tests:
#   alertname: Falling, exp_alerts: []                  FAILED, exit code 1
#   alertname: Falling, without exp_alerts              FAILED, exit code 1
#   alertname: Faling, exp_alerts: []                   SUCCESS, exit code 0
#   alertname: Falling, rule_files: [moved/*.yml]       SUCCESS and a warning, exit code 0
#   the same with rule_files: [moved.yml]               SUCCESS and a warning, exit code 0
#   alertname: Faling, an alert expected                FAILED, exit code 1
#   promtool check rules moved.yml                      exit code 1
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 20 MB, from Debian's archive, and needs Debian 12 on x86-64.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get --quiet --quiet download prometheus=2.42.0+ds-5+deb12u1
dpkg-deb --extract prometheus_*.deb package

cat >rules.yml <<'YAML'
groups:
  - name: training
    rules:
      - {alert: Falling, expr: loss > 5}
YAML
# passes RULE_FILES ALERTNAME EXPECTED: whether promtool passes a test of that alert, where the loss is 9 throughout.
passes() {
  cat >test.yml <<YAML
rule_files: ["$1"]
tests:
  - interval: 1m
    input_series: [{series: loss, values: '9x10'}]
    alert_rule_test: [{eval_time: 5m, alertname: $2$3}]
YAML
  package/usr/bin/promtool test rules test.yml >output 2>&1
}
holds=yes
# expect yes|no RULE_FILES ALERTNAME EXPECTED
expect() {
  passed=no
  if passes "$2" "$3" "$4"; then passed=yes; fi
  echo "rules $2, alert $3$4: passes $passed"
  [[ $passed == "$1" ]] || holds=no
}
none=', exp_alerts: []'
one=', exp_alerts: [{}]'
expect yes rules.yml Falling "$one"
expect no rules.yml Falling "$none"
expect no rules.yml Falling ''
expect no rules.yml Faling "$one"
expect yes rules.yml Faling "$none"
for rules in moved.yml 'moved/*.yml'; do
  expect yes "$rules" Falling "$none"
  grep --quiet 'WARNING: no file match pattern' output || holds=no
done
if package/usr/bin/promtool check rules moved.yml >output 2>&1; then holds=no; fi
[[ $holds == yes ]]
