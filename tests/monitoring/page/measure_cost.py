#!/usr/bin/env python3
"""Measures what an open page costs a run: measure_cost.py SHARDS [PAIRS]     (EQUIPOISE_BIN names the programs' folder)

One rank trains on core 0. A browser on the other cores opens its page, closes it, opens it again, ... and the images
per second of the steps in between are compared. Not a test of ./check: it needs a quiet machine.
"""
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from browser import Browser

SECONDS = 12  # per turn


def step_seconds(run, first):
    lines = [json.loads(line) for line in (run / 'stats.jsonl').read_text().splitlines()]
    return [line['step_seconds'] for line in lines[first + 2:]], len(lines)


def main():
    shards, pairs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 6
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / 'run'
        program = pathlib.Path(os.environ['EQUIPOISE_BIN']) / 'gan-train'
        training = subprocess.Popen(['taskset', '-c', '0', program, '--shards', shards, '--run', run, '--resolution', '64',
                                     '--features', '8', '--batch', '8', '--threads', '1', '--metrics-port', '0',
                                     '--steps', '1000000', '--checkpoint-every', '0', '--sample-every', '200'],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.sched_setaffinity(0, set(range(1, os.cpu_count())))  # this and the browser
        while not (run / 'status.json').exists():
            time.sleep(0.1)
        url = f'http://{json.loads((run / "status.json").read_text())["metrics"]}/'
        time.sleep(5)
        medians, means = [], []
        with Browser() as browser:
            for _ in range(pairs):
                turns = []
                for is_open in (True, False):
                    tab = browser.tab()
                    if is_open:
                        tab.open(url)
                    first = step_seconds(run, 0)[1]
                    time.sleep(SECONDS)
                    turns.append(step_seconds(run, first)[0])
                    tab.call('Page.close')
                medians.append(statistics.median(turns[1]) / statistics.median(turns[0]))
                means.append(statistics.fmean(turns[1]) / statistics.fmean(turns[0]))
                print(f'{len(turns[0])} steps open, {len(turns[1])} closed: images/s {medians[-1]:.4f} (medians), '
                      f'{means[-1]:.4f} (means)', flush=True)
        training.send_signal(signal.SIGUSR1)
        training.wait()
        print(f'images/s with the page open over closed, median of {pairs} pairs: {statistics.median(medians):.4f} by median '
              f'steps, {statistics.median(means):.4f} by mean steps')


if __name__ == '__main__':
    main()
