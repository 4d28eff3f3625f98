"""Measures how much alerts and OTLP slow the steps of a run: push_cost.py SHARDS [TURNS]     (EQUIPOISE_BIN names the
programs' folder)

One rank trains on core 0, with an endpoint that works, hangs, refuses, redirects or floods on the other cores, and
without any, in turns. OTLP is pushed every second instead of every minute. Prints, for each endpoint, the median over
the turns of the images per second relative to the neighbouring run without one, which needs an idle machine, and the
processor time of the threads of alerts and OTLP, which does not: as a share of the run's, and for each request."""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / 'tests/end_to_end'))
from receiver import Receiver, accept  # noqa: E402

STEPS = 200
ENDPOINTS = ('works', 'hangs', 'refuses', 'redirects', 'floods')


def redirect(handler):
    handler.send_response(307)
    handler.send_header('Location', f'http://127.0.0.1:{handler.server.server_port}/again')
    handler.end_headers()


def flood(handler):
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.connection.sendall(b'x' * 65536)


def start(kind):
    receiver = Receiver(hang=kind == 'hangs', answer={'redirects': redirect, 'floods': flood}.get(kind, accept))
    if kind == 'refuses':
        receiver.close()
    return receiver


def processor_nanoseconds(process, spent):
    """Adds the processor time of each thread to `spent`: {thread: (niceness, nanoseconds)}."""
    for thread in pathlib.Path(f'/proc/{process}/task').glob('*'):
        try:
            niceness = int((thread / 'stat').read_text().rpartition(')')[2].split()[16])
            spent[thread.name] = niceness, int((thread / 'schedstat').read_text().split()[0])
        except OSError:
            pass  # it has just ended


def train(shards, run, **variables):
    """Seconds of the median step, and the processor time in seconds of threads of low priority and of all threads."""
    program = pathlib.Path(os.environ['EQUIPOISE_BIN']) / 'gan-train'
    process = subprocess.Popen(
        ['taskset', '-c', '0', program, '--shards', shards, '--run', run, '--resolution', '64', '--features', '4', '--batch', '4',
         '--threads', '1', '--metrics-port', 'off', '--steps', str(STEPS), '--checkpoint-every', '0', '--sample-every', '0', '--d-steps', '4'],
        env=os.environ | variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    spent = {}
    while process.poll() is None:
        processor_nanoseconds(process.pid, spent)
        time.sleep(0.02)
    assert process.returncode == 0
    low = 1e-9 * sum(used for niceness, used in spent.values() if niceness > os.nice(0))
    steps = [json.loads(line)['step_seconds'] for line in (run / 'stats.jsonl').read_text().splitlines()]
    return statistics.median(steps), low, 1e-9 * sum(used for _, used in spent.values())


def main(shards, turns=5):
    os.sched_setaffinity(0, set(range(1, os.cpu_count())))  # the endpoints; taskset moves the run
    ratios, spent = {kind: [] for kind in ENDPOINTS}, dict.fromkeys(ENDPOINTS, (0, 0))
    requests = dict.fromkeys(ENDPOINTS, 0)
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(int(turns)):
            for i, kind in enumerate(ENDPOINTS):
                endpoint = start(kind)
                pushing = {'EQUIPOISE_ALERT_WEBHOOK': endpoint.url, 'OTEL_EXPORTER_OTLP_ENDPOINT': endpoint.url, 'OTEL_METRIC_EXPORT_INTERVAL': '1000'}
                order = (True, False) if (turn + i) % 2 else (False, True)
                got = {on: train(shards, pathlib.Path(folder) / f'{turn}-{kind}-{on}', **(pushing if on else {})) for on in order}
                endpoint.close()
                ratios[kind].append(got[False][0] / got[True][0])
                spent[kind] = [before + more for before, more in zip(spent[kind], got[True][1:])]
                requests[kind] += len(endpoint.got)
                print(f'turn {turn}, {kind}: images/s {ratios[kind][-1]:.4f}, {got[True][1]:.4f} of {got[True][2]:.2f} s of processor time, without {got[False][1]:.4f}', flush=True)
    for kind in ENDPOINTS:
        low, all_of_it = spent[kind]
        print(f'an endpoint that {kind}: images/s {statistics.median(ratios[kind]):.4f} of those without, {low / all_of_it:.6f} of the processor '
              f'time; {requests[kind]} requests' + (f', {1e3 * low / requests[kind]:.2f} ms each' if requests[kind] else ''))


if __name__ == '__main__':
    main(*sys.argv[1:])
