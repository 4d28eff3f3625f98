"""Alerts and OTLP of real runs: what arrives, when, and that no secret is left anywhere."""
import collections
import json
import os
import pathlib
import subprocess
import threading
import time
import unittest

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from programs import BIN, ENVIRONMENT, SMALL, WithShards, train_command
from receiver import Receiver


class Alerts(WithShards):
    def run_job(self, command, **variables):
        return subprocess.run([*map(str, command)], env=ENVIRONMENT | variables, capture_output=True, text=True, timeout=300)

    def test_the_end_of_a_run_is_told_at_once_with_its_grid(self):
        run = self.folder / 'finished'
        with Receiver() as receiver:
            self.assert_code(0, self.run_job(train_command(2, self.shards, run, '--steps', 6, '--sample-every', 3),
                                             EQUIPOISE_ALERT_WEBHOOK=receiver.url + '/hook'))
            (message,) = receiver.events()
            delay = receiver.got[0][0] - message['unix_seconds']
        self.assertEqual(('finished', 'info', 6, 'finished'), (message['event'], message['severity'], message['step'], message['run']))
        self.assertEqual(str(run / 'fakes-00000006.png'), message['grid'])
        self.assertTrue(pathlib.Path(message['grid']).exists())
        print(f'the alert arrived {delay:.2f} s after the end')

    def test_a_divergence_is_told_and_by_a_command_as_well(self):
        run, out = self.folder / 'diverged', self.folder / 'alerts.jsonl'
        with Receiver() as receiver:
            self.assert_code(4, self.run_job(
                train_command(1, self.shards, run, '--steps', 40, '--balance', 'watch', '--inject', 'pictures:nan@3+40'),
                EQUIPOISE_ALERT_WEBHOOK=receiver.url, EQUIPOISE_ALERT_COMMAND=f'cat >> {out}; echo >> {out}'))
            self.assertIn('diverged', [message['event'] for message in receiver.events()])
        self.assertEqual('critical', json.loads(out.read_text().splitlines()[-1])['severity'])

    def test_a_stalled_rank_is_told_before_the_run_ends(self):
        run = self.folder / 'stalled'
        with Receiver() as receiver:
            done = self.run_job(train_command(2, self.shards, run, '--steps', 30, '--step-timeout', 6, '--inject', 'rank:600@5'),
                                EQUIPOISE_ALERT_WEBHOOK=receiver.url)
            self.assertNotEqual(0, done.returncode)
            events = [message for message in receiver.events() if message['event'] == 'stalled']
        self.assertEqual('step', events[0]['section'])
        self.assertLess(events[0]['seconds'], 6, 'half of the time-out')

    def test_an_endpoint_that_hangs_does_not_change_the_run(self):
        plain, hung = self.folder / 'plain', self.folder / 'hung'
        flags = ('--steps', 12, '--balance', 'act')
        self.assert_code(0, self.run_job(train_command(1, self.shards, plain, *flags)))
        with Receiver(hang=True) as receiver:
            self.assert_code(0, self.run_job(train_command(1, self.shards, hung, *flags), EQUIPOISE_ALERT_WEBHOOK=receiver.url,
                                             OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url))
        losses = [[json.loads(line)['loss_d'] for line in (run / 'stats.jsonl').read_text().splitlines()] for run in (plain, hung)]
        self.assertEqual(*losses)

    def test_a_wrong_address_is_refused_before_anything_is_made(self):
        run = self.folder / 'refused'
        done = self.run_job(train_command(1, self.shards, run, '--steps', 1, '--alert-webhook', 'ftp://user:geheim@host'))
        self.assert_code(2, done)
        self.assertNotIn('geheim', done.stdout + done.stderr)
        self.assertFalse((run / 'checkpoints').exists())


class Otlp(WithShards):
    def test_a_run_has_its_name_however_its_folder_is_written(self):
        run = self.folder / 'slash'
        with Receiver() as receiver:
            done = subprocess.run(train_command(1, self.shards, f'{run}/', '--steps', 2, '--metrics-port', 0),
                                  env=ENVIRONMENT | {'OTEL_EXPORTER_OTLP_ENDPOINT': receiver.url, 'EQUIPOISE_ALERT_WEBHOOK': receiver.url + '/hook'},
                                  capture_output=True, text=True, timeout=300)
            self.assert_code(0, done)
            alert, = receiver.events('/hook')
            resource = receiver.events('/v1/metrics')[-1]['resourceMetrics'][0]['resource']
        self.assertEqual('slash', alert['run'])
        self.assertIn({'key': 'service.instance.id', 'value': {'stringValue': 'slash/rank-0'}}, resource['attributes'])
        targets, = json.loads((run / 'prometheus-targets.json').read_text())
        self.assertEqual('slash', targets['labels']['run'])

    def test_every_rank_pushes_and_rank_0_tells_events(self):
        run = self.folder / 'otlp'
        with Receiver() as receiver:
            done = subprocess.run(train_command(2, self.shards, run, '--steps', 12, '--balance', 'watch', '--inject', 'loss:nan@6'),
                                  env=ENVIRONMENT | {'OTEL_EXPORTER_OTLP_ENDPOINT': receiver.url, 'OTEL_METRIC_EXPORT_INTERVAL': '200',
                                                     'OTEL_RESOURCE_ATTRIBUTES': 'team=vision', 'OTEL_EXPORTER_OTLP_HEADERS': 'x-key=1'},
                                  capture_output=True, text=True, timeout=300)
            self.assert_code(0, done)
            metrics = [json_format.Parse(body, ExportMetricsServiceRequest()) for _, path, _, body in receiver.got if path == '/v1/metrics']
            logs = [json_format.Parse(body, ExportLogsServiceRequest()) for _, path, _, body in receiver.got if path == '/v1/logs']
            self.assertEqual({'1'}, {headers['x-key'] for _, _, headers, _ in receiver.got})
        instances, values = set(), {}
        for request in metrics:
            for resource in request.resource_metrics:
                attributes = {a.key: a.value.string_value for a in resource.resource.attributes}
                self.assertEqual(('gan-train', 'vision'), (attributes['service.name'], attributes['team']))
                instances.add(attributes['service.instance.id'])
                for metric in resource.scope_metrics[0].metrics:
                    for point in getattr(metric, metric.WhichOneof('data')).data_points:
                        if metric.name in ('gan_train_images_total', 'gan_train_nonfinite_total'):
                            labels = {a.key: a.value.string_value for a in point.attributes}
                            values[metric.name, labels.get('network')] = point.as_double
        self.assertEqual({'otlp/rank-0', 'otlp/rank-1'}, instances)
        self.assertEqual(12 * 8, values['gan_train_images_total', None])
        self.assertEqual(1, values['gan_train_nonfinite_total', 'discriminator'])
        names = collections.Counter(record.event_name for request in logs for record in request.resource_logs[0].scope_logs[0].log_records)
        self.assertGreaterEqual(names['equipoise.verdict'], 1)
        self.assertGreaterEqual(names['equipoise.intervention'], 1)


class Secrets(WithShards):
    """Six secrets are planted; everything written and every command line is searched for them."""

    def watch_processes(self, secrets, stop, found):
        while not stop.is_set():
            for process in pathlib.Path('/proc').glob('[0-9]*'):
                try:
                    line = (process / 'cmdline').read_bytes()
                except OSError:
                    continue
                found.update((secret, line[:80]) for secret in secrets if secret.encode() in line)
            time.sleep(0.005)

    def test_none_of_six_secrets_is_left_anywhere(self):
        run, planted = self.folder / 'secrets', self.folder / 'planted'
        planted.mkdir()
        secrets = [f'geheim-{name}-{os.getpid()}' for name in ('url', 'header', 'command', 'otlp', 'key', 'password')]
        url, header, command, otlp, key, password = secrets
        with Receiver() as receiver:
            (planted / 'hook').write_text(f'{receiver.url}/{url}\nAuthorization: Bearer {header}\n')
            (planted / 'password').write_text(f'user:{password}\n')
            stop, found = threading.Event(), set()
            watcher = threading.Thread(target=self.watch_processes, args=(secrets, stop, found))
            watcher.start()
            program = ['gan-train', '--shards', self.shards, '--run', run, *SMALL, '--metrics-port', 0, '--metrics-password-file', planted / 'password',
                       '--steps', 8, '--checkpoint-every', 4, '--tensorboard', '--otlp-endpoint', f'@{planted / "otlp"}']
            (planted / 'otlp').write_text(f'{receiver.url}/{otlp}\n')
            done = subprocess.run([*map(str, [BIN / 'gan-launch', '-np', 2, '--oversubscribe', '--bind-to', 'none',
                                              '--alert-webhook', f'@{planted / "hook"}', '--', *program])],
                                  env=ENVIRONMENT | {'EQUIPOISE_ALERT_COMMAND': f'true {command}', 'OTEL_EXPORTER_OTLP_HEADERS': f'x-key={key}'},
                                  capture_output=True, text=True, timeout=300)
            stop.set()
            watcher.join()
            self.assert_code(0, done)
            paths = {path for _, path, _, _ in receiver.got}
            headers = [headers for _, path, headers, _ in receiver.got]
        # All six were in use.
        self.assertEqual({f'/{url}', f'/{otlp}/v1/metrics'}, paths - {f'/{otlp}/v1/logs'})
        self.assertTrue(any(h.get('Authorization') == f'Bearer {header}' for h in headers))
        self.assertTrue(any(h.get('x-key') == key for h in headers))
        self.assertEqual(set(), found)
        for secret in secrets:
            self.assertNotIn(secret, done.stdout + done.stderr)
            for file in self.folder.rglob('*'):
                if file.is_file() and planted not in file.parents:
                    self.assertNotIn(secret.encode(), file.read_bytes(), file)

    def test_flags_are_blanked_and_kept_from_mpirun(self):
        run, secret = self.folder / 'flags', f'geheim-flag-{os.getpid()}'
        with Receiver() as receiver:
            process = subprocess.Popen([*map(str, [BIN / 'gan-launch', '-np', 2, '--oversubscribe', '--bind-to', 'none', '--', 'gan-train',
                                                   '--shards', self.shards, '--run', run, *SMALL, '--steps', 40, '--sample-every', 0,
                                                   f'--alert-webhook={receiver.url}/{secret}', '--alert-command', f'true {secret}'])],
                                       env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            log = run / 'launch.log'
            deadline = time.monotonic() + 60
            while not (log.exists() and 'starting' in log.read_text()):  # it has read its flags
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.01)
            stop, found = threading.Event(), set()
            watcher = threading.Thread(target=self.watch_processes, args=([secret], stop, found))
            watcher.start()
            said = process.communicate(timeout=300)[1]
            stop.set()
            watcher.join()
            self.assertEqual(0, process.returncode, said)
            self.assertIn(f'/{secret}', {path for _, path, _, _ in receiver.got})
        self.assertEqual(set(), found)
        self.assertNotIn(secret, said)
        shown = subprocess.run([BIN / 'gan-train', '--shards', self.shards, '--alert-webhook', f'http://{secret}', '--print-config'],
                               env=ENVIRONMENT, capture_output=True, text=True)
        self.assertNotIn(secret, shown.stdout + shown.stderr)
        self.assertEqual(0, shown.returncode)
        wrong = subprocess.run([BIN / 'gan-train', '--shards', self.shards, '--alert-webhok', f'http://{secret}'],
                               env=ENVIRONMENT, capture_output=True, text=True)
        self.assertNotIn(secret, wrong.stdout + wrong.stderr)
        self.assertEqual(2, wrong.returncode)


if __name__ == '__main__':
    unittest.main()
