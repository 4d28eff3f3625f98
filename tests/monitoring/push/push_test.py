"""Alerts and OTLP against servers that work, hang, refuse, redirect, flood and fail now and then.

EQUIPOISE_POINTS=100000 python push_test.py Otlp    as many points (default 6000); prints what it counted"""
import collections
import json
import os
import socket
import subprocess
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

SUBJECT = os.environ['EQUIPOISE_PUSH_SUBJECT']
POINTS = int(os.environ.get('EQUIPOISE_POINTS', 6_000))


class Server:
    """Answers with answer(handler, body, n) -> None; keeps the bodies by path."""

    def __init__(self, answer):
        self.bodies, self.headers, self.requests = collections.defaultdict(list), [], 0
        lock, outer = threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                with lock:
                    outer.requests += 1
                    number = outer.requests
                    outer.headers.append(dict(self.headers))
                answer(self, body, number, outer)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.url = f'http://127.0.0.1:{self.server.server_port}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def reply(handler, status, body=b'{}', **headers):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace('_', '-'), value)
    handler.send_header('Content-Length', str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def accept(handler, body, number, server):
    server.bodies[handler.path].append(body)
    reply(handler, 200)


def run(mode, count, **variables):
    done = subprocess.run([SUBJECT, mode, str(count)], env=os.environ | variables, capture_output=True, text=True, timeout=250 + count)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


class Webhook(unittest.TestCase):
    def push(self, url, count=20):
        result, said = run('alerts', count, EQUIPOISE_ALERT_WEBHOOK=url)
        self.assertNotIn(url.removeprefix('http://'), said)
        self.assertNotIn('127.0.0.1', said)
        return result, said

    def test_every_alert_arrives_in_order(self):
        with Server(accept) as server:
            self.push(server.url + '/hook?token=geheim')
            messages = [json.loads(body) for body in server.bodies['/hook?token=geheim']]
        self.assertEqual(list(range(20)), [message['step'] for message in messages])
        self.assertEqual({'application/json'}, {header['Content-Type'] for header in server.headers})

    def test_a_failing_moment_loses_nothing(self):
        def answer(handler, body, number, server):
            if number % 2:
                return reply(handler, 503, Retry_After='0')
            accept(handler, body, number, server)
        with Server(answer) as server:
            result, said = self.push(server.url, count=3)
            self.assertEqual([0, 1, 2], [json.loads(body)['step'] for body in server.bodies['/']])
        self.assertIn('HTTP 503', said)

    def test_an_endpoint_that_refuses_is_told_once(self):
        with socket.socket() as unused:
            unused.bind(('127.0.0.1', 0))
            result, said = self.push(f'http://127.0.0.1:{unused.getsockname()[1]}/geheim')
        self.assertEqual(1, said.count('could not be delivered'))

    def test_an_endpoint_that_hangs_is_left_at_the_end(self):
        release = threading.Event()
        with Server(lambda *_: release.wait(200)) as server:
            result, said = self.push(server.url)
            release.set()
        self.assertGreaterEqual(result['flush_seconds'], 2.9)

    def test_a_redirect_is_not_followed(self):
        with Server(accept) as other, Server(lambda handler, *_: reply(handler, 307, Location=other.url + '/stolen')) as server:
            result, said = self.push(server.url, count=2)
            self.assertEqual(0, other.requests)
            self.assertEqual(2, server.requests, 'a redirect is no reason to try again')
        self.assertIn('a redirect, which is not followed', said)

    def test_an_answer_without_end_is_not_read(self):
        sent = []

        def flood(handler, *_):
            handler.send_response(200)
            handler.end_headers()
            try:
                while True:
                    sent.append(handler.connection.send(b'x' * 65536))
            except OSError:
                pass
        with Server(flood) as server:
            self.push(server.url, count=3)
        self.assertEqual(3, server.requests)
        self.assertLess(sum(sent), 3 * 8_000_000, 'no more than the buffers of the kernel hold')

    def test_raising_an_alert_waits_for_nobody(self):
        release = threading.Event()
        with Server(lambda *_: release.wait(200)) as server:
            result, _ = self.push(server.url, count=5000)
            release.set()
        print('longest Raise():', result['longest_raise_seconds'], 's with an endpoint that hangs')


class Otlp(unittest.TestCase):
    def points_of(self, request):
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    data = getattr(metric, metric.WhichOneof('data'))
                    for point in data.data_points:
                        yield resource, metric, point

    def flaky(self, handler, body, number, server):
        if number % 7 == 3:
            return reply(handler, 503, Retry_After='0')
        if number % 11 == 5:
            handler.close_connection = True
            return handler.connection.shutdown(socket.SHUT_RDWR)
        accept(handler, body, number, server)

    def test_no_point_is_lost_by_an_endpoint_that_fails_now_and_then(self):
        with Server(self.flaky) as server:
            count = POINTS // 54  # points of one message
            result, said = run('otlp', count, OTEL_EXPORTER_OTLP_ENDPOINT=server.url, OTEL_METRIC_EXPORT_INTERVAL='3600000',
                               OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer%20geheim', OTEL_RESOURCE_ATTRIBUTES='team=a%2Cb')
            bodies, logs = server.bodies['/v1/metrics'], server.bodies['/v1/logs']
        requests = [json_format.Parse(body, ExportMetricsServiceRequest()) for body in bodies]
        points = [point for request in requests for point in self.points_of(request)]
        print(f"{len(points)} of {result['points']} points in {len(bodies)} messages, {server.requests} requests; "
              f"{1e3 * result['snapshot_seconds']:.2f} ms of processor time per snapshot")
        self.assertEqual(result['points'], len(points))
        self.assertEqual(0, result['lost_messages'])
        self.assertNotIn('geheim', said)
        self.assertEqual({'Bearer geheim'}, {headers.get('authorization') for headers in server.headers})
        self.check_values(requests, count)
        self.check_logs(logs, count)

    def check_values(self, requests, count):
        images, auc, durations = [], [], []
        for resource, metric, point in (p for request in requests for p in self.points_of(request)):
            self.assertEqual({'team': 'a,b', 'service.name': 'push-subject'},
                             {a.key: a.value.string_value for a in resource.resource.attributes})
            self.assertGreater(point.time_unix_nano, 1.7e18)
            labels = {a.key: a.value.string_value for a in point.attributes}
            if metric.name == 'gan_train_images_total':
                self.assertTrue(metric.sum.is_monotonic)
                self.assertEqual(2, metric.sum.aggregation_temporality)
                self.assertLess(0, point.start_time_unix_nano)
                images.append(point.as_double)
            if metric.name == 'gan_train_discriminator_auc_ratio':
                auc.append(point.as_double)
            if metric.name == 'gan_train_step_duration_seconds' and labels['phase'] == 'total':
                self.assertEqual('s', metric.unit)
                self.assertEqual(len(point.explicit_bounds) + 1, len(point.bucket_counts))
                self.assertEqual(point.count, sum(point.bucket_counts))
                durations.append((point.count, point.sum))
        self.assertEqual(sorted(images), images, 'in the order in which they were measured')
        self.assertEqual(count, images[-1])
        self.assertAlmostEqual(0.5 + 1e-6 * (count - 1), auc[-1])
        self.assertEqual(count, durations[-1][0])
        self.assertAlmostEqual(sum(0.002 * (i % 7) for i in range(count)), durations[-1][1])

    def check_logs(self, bodies, count):
        records = [record for body in bodies for resource in json_format.Parse(body, ExportLogsServiceRequest()).resource_logs
                   for scope in resource.scope_logs for record in scope.log_records]
        self.assertEqual([str(i) for i in range(count)], [record.attributes[0].value.string_value for record in records])
        self.assertEqual({('equipoise.verdict', 'the verdict is balanced', 9)},
                         {(record.event_name, record.body.string_value, record.severity_number) for record in records})

    def test_refused_points_are_told(self):
        def refuse(handler, body, number, server):
            accept_body = b'{"partialSuccess":{"rejectedDataPoints":"5"}}'
            reply(handler, 200, accept_body)
        with Server(refuse) as server:
            _, said = run('otlp', 2, OTEL_EXPORTER_OTLP_ENDPOINT=server.url)
        self.assertEqual(1, said.count('refused 5 points'))


if __name__ == '__main__':
    unittest.main()
