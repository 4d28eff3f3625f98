"""Measures how long an answer of the metrics server takes while other connections are idle: `idle_connections.py URL
[CONNECTIONS]`, URL being the page of `gan-inspect serve RUN` or /metrics of a run. Measured without and with idle
connections, in turns."""
import socket
import statistics
import sys
import time
import urllib.parse
import urllib.request

TURNS, ANSWERS = 10, 20


def seconds(url):
    start = time.perf_counter()
    urllib.request.urlopen(url, timeout=120).read()
    return time.perf_counter() - start


def main(url, count=200):
    at = urllib.parse.urlsplit(url)
    ratios, without = [], []
    for _ in range(TURNS):
        alone = statistics.median(seconds(url) for _ in range(ANSWERS))
        idle = [socket.create_connection((at.hostname, at.port)) for _ in range(int(count))]
        for connection in idle[::2]:
            connection.send(b'GET / HTTP/1.1\r\nHo')  # half of a request
        ratios.append(statistics.median(seconds(url) for _ in range(ANSWERS)) / alone)
        without.append(alone)
        for connection in idle:
            connection.close()
    print(f'{count} idle connections: {statistics.median(ratios):.2f} of the time without ({1e3 * statistics.median(without):.2f} ms); '
          f'turns {min(ratios):.2f} to {max(ratios):.2f}')


if __name__ == '__main__':
    main(*sys.argv[1:])
