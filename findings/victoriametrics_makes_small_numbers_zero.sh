#!/usr/bin/env bash
# VictoriaMetrics 1.79.5 (Debian 12's package), which stores the metrics of Prometheus and its kin: one huge number makes its
# neighbours 0. Of 100 losses between 0 and 1, with one of 1.234e18 among them, the 99 others are read as 0. There is no error and no
# warning. Without a huge number they keep 12 digits of their 16.
#
# The guess before it was run: numbers are stored as float64, as Prometheus does, and come back as they were sent.
#
# The reason, inferred from what was seen: the numbers of a series are kept in blocks, as whole numbers with one common power of ten per block. The largest number
# sets the power, and 18 digits are left for all.
#
# What follows for users: after the one step in which a loss or a gradient's norm explodes, the curve of the ordinary steps before and
# after it is a line at 0, in each query. A norm of 1e15 leaves three digits. The file of the run has the numbers; limit what is
# exported, for example to 1e6, and export the explosion as a counter of its own.
#
# What was seen, for 100 numbers of a series, as how many are 0 and how the first two came back:
#   sent                             0     first two sent    first two read
#   between 0 and 1                   0    0.8444 0.9560     the same to 12 digits
#   one of 1.5e15 among them          0    0.8444 0.9560     0.844 0.956
#   one of 1.234e18 among them       99    0.8444 0.9560     0 0
#   one of 1.5e30 among them         99    0.8444 0.9560     0 0
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 30 MB; the server listens on 127.0.0.1 only.
set -euo pipefail
folder=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server"; wait "$server" || true; fi; rm -rf "$folder"' EXIT
cd "$folder"
apt-get --quiet --quiet download victoria-metrics=1.79.5+ds1-2+b5 2>/dev/null
dpkg-deb --extract victoria-metrics_*.deb package
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
package/usr/bin/victoria-metrics -storageDataPath="$folder/data" -httpListenAddr="127.0.0.1:$port" -memory.allowedBytes=128MB \
  -loggerLevel=ERROR &
server=$!

cat >series.py <<'PYTHON'
import json
import random
import sys
import time
import urllib.request

SERVER = f'http://127.0.0.1:{sys.argv[1]}'


def call(path, data=None):
    with urllib.request.urlopen(SERVER + path, data, timeout=60) as answer:
        return answer.read().decode()


def wait_for_the_server():
    for _ in range(600):
        try:
            return call('/health')
        except OSError:
            time.sleep(0.2)
    sys.exit('the server did not start')


ordinary = [random.Random(0).random()] + [random.Random(seed).random() for seed in range(2, 101)]
series = {'ordinary': ordinary, 'among_e15': ordinary[:], 'among_e18': ordinary[:], 'among_e30': ordinary[:]}
for name, huge in (('among_e15', 1.5e15), ('among_e18', 1.234e18), ('among_e30', 1.5e30)):
    series[name][50] = huge
wait_for_the_server()
start = (int(time.time()) - 7200) * 1000
lines = [f'{name} {value!r} {start + 15000 * step}\n' for name, values in series.items() for step, value in enumerate(values)]
call('/api/v1/import/prometheus', ''.join(lines).encode())
call('/internal/force_flush')

zeros, error = {}, {}
for name, values in series.items():
    for _ in range(300):
        answer = [json.loads(line)['values'] for line in call(f'/api/v1/export?match[]={name}').splitlines()]
        if [len(found) for found in answer] == [100]:
            break
        time.sleep(0.2)
    back = answer[0]
    zeros[name] = sum(value == 0 for value in back)
    error[name] = max(abs(found - value) for found, value in zip(back, values) if value < 1000)
    print(f'{name:10} zeros {zeros[name]:3}, largest error of the others {error[name]:.3g}, sent', values[:2], 'read', back[:2])
right = list(zeros.values()) == [0, 0, 99, 99] and 0 < error['ordinary'] < 1e-11 and 1e-4 < error['among_e15'] < 2e-3
sys.exit(0 if right else 1)
PYTHON
python3 series.py "$port"
