#!/usr/bin/env python3
"""Checks that the memory, descriptors and threads of a long training do not grow.

    .deps/venv/bin/python bench/train/soak.py --minutes 60 --samples soak.csv

Two ranks train small networks on generated pictures, with all other work of a run: checkpoints that are pruned, grids,
measures of quality, comparisons of ranks, TensorBoard files, steering of the balance (no rollbacks: they could end the
run early). The page, its data, its newest picture and /metrics of both ranks are fetched about once per second. RSS,
open descriptors and threads of both ranks are sampled once per 5 seconds. Printed are the first and the last value, the
slope of a straight line through all but the first sixth of the time, and the time at which the highest value was first
seen. The first measure of quality takes its memory once; give the run time for it within that first sixth. Any failed
fetch or early end is an error.
"""
import argparse
import csv
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault('EQUIPOISE_BIN', str(ROOT / 'build/release/bin'))
sys.path.insert(0, str(ROOT / 'tests/end_to_end'))
from programs import ENVIRONMENT, make_shards, train_command  # noqa: E402: the path is only known now

EXIT_STOPPED = 75
EVERY = 200  # steps between two saves, grids and measures
MEMORY = ('VmRSS', 'RssAnon')  # KiB; the second without files and shared memory


def ranks_of(mpirun):
    """rank -> process id"""
    found = {}
    for pid in pathlib.Path(f'/proc/{mpirun}/task/{mpirun}/children').read_text().split():
        variables = pathlib.Path(f'/proc/{pid}/environ').read_bytes().split(b'\0')
        found.update({int(v.split(b'=')[1]): pid for v in variables if v.startswith(b'OMPI_COMM_WORLD_RANK=')})
    return found


def sample(pid):
    """The memory, descriptors and threads of a process."""
    status = dict(line.split(':', 1) for line in pathlib.Path(f'/proc/{pid}/status').read_text().splitlines())
    memory = {name: int(status[name].split()[0]) for name in MEMORY}
    return {**memory, 'descriptors': len(os.listdir(f'/proc/{pid}/fd')), 'threads': int(status['Threads'])}


class Poller(threading.Thread):
    """Fetches what a browser and Prometheus would, once per second, until it is stopped."""

    def __init__(self, run):
        super().__init__(daemon=True)
        self.run_folder, self.stopped, self.fetched, self.failed = run, threading.Event(), 0, []

    def addresses(self):
        entries = json.loads((self.run_folder / 'prometheus-targets.json').read_text())
        targets = [target for entry in entries for target in entry['targets']]
        grids = sorted(self.run_folder.glob('fakes-????????.png'))
        pictures = [f'pictures/{grids[-1].name}'] if grids else []
        return [f'http://{targets[0]}/{what}' for what in ('', 'run.json', *pictures)] + [f'http://{t}/metrics' for t in targets]

    def run(self):
        while not self.stopped.wait(1):
            for address in self.addresses():
                try:
                    urllib.request.urlopen(address, timeout=60).read()
                    self.fetched += 1
                except OSError as error:
                    self.failed.append(f'{address}: {error}')


def wait_for_first_step(process, run):
    stats = run / 'stats.jsonl'
    while not (stats.exists() and stats.stat().st_size):
        if process.poll() is not None:
            raise SystemExit(f'ended before its first step with exit code {process.returncode}')
        time.sleep(0.1)


def watch(options, process, pids):
    """Rows of (seconds, rank, name, value)."""
    rows, start = [], time.monotonic()
    while (now := time.monotonic() - start) < 60 * options.minutes:
        if process.poll() is not None:
            raise SystemExit(f'ended after {now:.0f} s with exit code {process.returncode}')
        for rank, pid in pids.items():
            rows += [(round(now, 1), rank, name, value) for name, value in sample(pid).items()]
        time.sleep(options.every)
    return rows


def report(rows, minutes):
    print(f'rank what         at {minutes / 6:4.1f} min       last   slope per hour   last rise at')
    for rank, name in sorted({row[1:3] for row in rows}):
        seconds, values = np.array([(row[0], row[3]) for row in rows if row[1:3] == (rank, name)]).T
        later = seconds >= 10 * minutes
        slope = np.polyfit(seconds[later] / 3600, values[later], 1)[0]
        rise = seconds[values.argmax()] / 60
        what = f'{name}, KiB' if name in MEMORY else name
        print(f'{rank:4} {what:12} {values[later][0]:11.0f} {values[-1]:10.0f} {round(slope, 1) + 0.0:16.1f} {rise:10.1f} min')


def soak(options, folder):
    run = folder / 'run'
    command = train_command(2, make_shards(folder, count=200), run, '--steps', 10 ** 9, '--metrics-port', 0, '--tensorboard',
                            '--checkpoint-every', EVERY, '--sample-every', EVERY, '--quality-every', EVERY,
                            '--quality-images', 20, '--balance-actions', 'augment,g-rate,d-rate,d-every')
    off = command.index('off')
    del command[off - 1:off + 1]  # the metrics that the small settings have switched off
    log = folder / 'output'
    with log.open('wb') as output:
        process = subprocess.Popen(command, env=ENVIRONMENT, stdout=output, stderr=output)
    poller = Poller(run)
    try:
        wait_for_first_step(process, run)
        poller.start()
        rows = watch(options, process, ranks_of(process.pid))
        poller.stopped.set()
        poller.join()
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGUSR1)
        code = process.wait(120)
        print(f'exit code {code}', *log.read_text().splitlines()[-3:], sep='\n', file=sys.stderr)
    steps = (run / 'stats.jsonl').read_bytes().count(b'\n')
    print(f'{steps} steps in {options.minutes:g} min, {steps // EVERY} saves, grids and measures of quality; '
          f'{poller.fetched} answers fetched')
    if options.samples:
        with open(options.samples, 'w', newline='') as out:
            csv.writer(out).writerows([('seconds', 'rank', 'what', 'value'), *rows])
    report(rows, options.minutes)
    if code != EXIT_STOPPED or poller.failed:
        raise SystemExit(f'exit code {code}; {len(poller.failed)} fetches failed {poller.failed[:3]}')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--minutes', type=float, default=60)
    parser.add_argument('--every', type=float, default=5, help='seconds between two samples')
    parser.add_argument('--samples', help='CSV file for all samples')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        soak(options, pathlib.Path(folder))


if __name__ == '__main__':
    main()
