"""gan-launch in a pod of Kubeflow Trainer: what a controller with TLS and a token gets, by the models of kubeflow-trainer-api."""
import json
import os
import pathlib
import ssl
import subprocess
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from kubeflow_trainer_api.models import TrainerV1alpha1UpdateTrainJobStatusRequest

from programs import BIN, ENVIRONMENT, SMALL, WithShards

URL, CERTIFICATE, TOKEN = (f'KUBEFLOW_TRAINER_SERVER_{name}' for name in ('URL', 'CA_CERT', 'TOKEN'))


def make_certificate(folder, name):
    key, certificate = folder / f'{name}.key', folder / f'{name}.crt'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
                    '-keyout', key, '-out', certificate, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
                   check=True, capture_output=True)
    return key, certificate


class Controller:
    def __init__(self, key, certificate, hang=False):
        self.got, self.release = [], threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                outer.got.append((self.headers['Authorization'], self.rfile.read(int(self.headers['Content-Length']))))
                if hang:
                    outer.release.wait(120)
                try:
                    self.send_response(200)
                    self.send_header('Content-Length', '2')
                    self.end_headers()
                    self.wfile.write(b'{}')
                except OSError:
                    pass  # it did not wait so long

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f'https://localhost:{self.server.server_port}/apis/trainer/v1alpha1/namespaces/x/trainjobs/y/status'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


class TrainJob(WithShards):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key, cls.certificate = make_certificate(cls.folder, 'controller')
        cls.token = cls.folder / 'token'
        cls.token.write_text('secret-of-the-pod\n')

    def launch(self, name, **variables):
        run = self.folder / name
        done = subprocess.run([*map(str, [BIN / 'gan-launch', '-np', 1, '--oversubscribe', '--bind-to', 'none', '--', 'gan-train', '--shards',
                                          self.shards, '--run', run, *SMALL, '--sample-every', 0, '--checkpoint-every', 0, '--steps', 3])],
                              env=ENVIRONMENT | {key: str(value) for key, value in variables.items()}, capture_output=True, text=True, timeout=300)
        self.assertEqual(0, done.returncode, done.stderr)
        for path in run.rglob('*'):
            if path.is_file():
                self.assertNotIn(b'secret-of-the-pod', path.read_bytes(), path)
        return run, done.stderr

    def test_the_status_of_the_job_tells_the_end_and_the_newest_numbers(self):
        with Controller(self.key, self.certificate) as controller:
            run, said = self.launch('told', **{URL: controller.url, CERTIFICATE: self.certificate, TOKEN: self.token})
        self.assertNotIn("TrainJob's status", said)
        self.assertEqual({'Bearer secret-of-the-pod'}, {header for header, _ in controller.got})
        body = json.loads(controller.got[-1][1])
        status = TrainerV1alpha1UpdateTrainJobStatusRequest.from_dict(body).trainer_status
        self.assertEqual(body['trainerStatus'].keys(), status.to_dict().keys(), 'the protocol knows every member')
        self.assertEqual((100, 0), (status.progress_percentage, status.estimated_remaining_seconds))
        newest = json.loads((run / 'stats.jsonl').read_text().splitlines()[-1])
        numbers = {metric.name: metric.value for metric in status.metrics}
        self.assertEqual('3', numbers['step'])
        self.assertEqual(newest['verdict'], numbers['verdict'])
        for name in ('loss_d', 'loss_g', 'd_auc', 'imbalance'):
            self.assertEqual(newest[name], float(numbers[name]))
        self.assertAlmostEqual(json.loads((run / 'status.json').read_text())['unix_seconds'], status.last_updated_time.timestamp(), delta=1)

    def test_a_controller_of_another_authority_gets_nothing_and_the_run_goes_on(self):
        _, other = make_certificate(self.folder, 'other')
        with Controller(self.key, self.certificate) as controller:
            _, said = self.launch('stranger', **{URL: controller.url, CERTIFICATE: other, TOKEN: self.token})
        self.assertEqual([], controller.got)
        self.assertEqual(1, said.count("an update of the TrainJob's status could not be delivered"), said)

    def test_without_a_token_the_run_goes_on(self):
        with Controller(self.key, self.certificate) as controller:
            gone = self.folder / 'gone'
            _, said = self.launch('tokenless', **{URL: controller.url, CERTIFICATE: self.certificate, TOKEN: gone})
            self.assertIn(str(gone), said)
            gone.write_text('two\nlines')
            _, said = self.launch('odd', **{URL: controller.url, CERTIFICATE: self.certificate, TOKEN: gone})
            self.assertIn(f'{gone}: holds no token', said)
            _, said = self.launch('half', **{URL: controller.url})
            self.assertIn(f'of {URL}, {CERTIFICATE} and {TOKEN} some are set and some are not', said)
        self.assertEqual([], controller.got)

    def test_a_controller_that_hangs_does_not_keep_the_run_from_ending(self):
        with Controller(self.key, self.certificate, hang=True) as controller:
            self.launch('hangs', **{URL: controller.url, CERTIFICATE: self.certificate, TOKEN: self.token})
            self.assertEqual(1, len(controller.got))


if __name__ == '__main__':
    unittest.main()
