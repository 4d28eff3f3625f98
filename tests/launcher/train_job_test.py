"""gan-launch in a pod of Kubeflow Trainer: what a controller with TLS and a token gets, by the models of kubeflow-trainer-api."""
import json
import subprocess
import unittest

from kubeflow_trainer_api.models import TrainerV1alpha1UpdateTrainJobStatusRequest

from programs import BIN, ENVIRONMENT, SMALL, WithShards
from receiver import Receiver

PATH = '/apis/trainer/v1alpha1/namespaces/x/trainjobs/y/status'
URL, CERTIFICATE, TOKEN = (f'KUBEFLOW_TRAINER_SERVER_{name}' for name in ('URL', 'CA_CERT', 'TOKEN'))


def make_certificate(folder, name):
    key, certificate = folder / f'{name}.key', folder / f'{name}.crt'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
                    '-keyout', key, '-out', certificate, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
                   check=True, capture_output=True)
    return certificate, key


class TrainJob(WithShards):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tls = cls.certificate, _ = make_certificate(cls.folder, 'controller')
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
        with Receiver(tls=self.tls) as controller:
            run, said = self.launch('told', **{URL: controller.url + PATH, CERTIFICATE: self.certificate, TOKEN: self.token})
        self.assertNotIn("TrainJob's status", said)
        self.assertEqual({'Bearer secret-of-the-pod'}, {headers['Authorization'] for _, _, headers, _ in controller.got})
        self.assertEqual({PATH}, {path for _, path, _, _ in controller.got})
        body = controller.events()[-1]
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
        other, _ = make_certificate(self.folder, 'other')
        with Receiver(tls=self.tls) as controller:
            _, said = self.launch('stranger', **{URL: controller.url + PATH, CERTIFICATE: other, TOKEN: self.token})
        self.assertEqual([], controller.got)
        self.assertEqual(1, said.count("an update of the TrainJob's status could not be delivered"), said)

    def test_without_a_token_the_run_goes_on(self):
        with Receiver(tls=self.tls) as controller:
            gone = self.folder / 'gone'
            _, said = self.launch('tokenless', **{URL: controller.url + PATH, CERTIFICATE: self.certificate, TOKEN: gone})
            self.assertIn(str(gone), said)
            gone.write_text('two\nlines')
            _, said = self.launch('odd', **{URL: controller.url + PATH, CERTIFICATE: self.certificate, TOKEN: gone})
            self.assertIn(f'{gone}: holds no token', said)
            _, said = self.launch('half', **{URL: controller.url + PATH})
            self.assertIn(f'of {URL}, {CERTIFICATE} and {TOKEN} some are set and some are not', said)
        self.assertEqual([], controller.got)

    def test_a_controller_that_hangs_does_not_keep_the_run_from_ending(self):
        with Receiver(hang=True, tls=self.tls) as controller:
            self.launch('hangs', **{URL: controller.url + PATH, CERTIFICATE: self.certificate, TOKEN: self.token})
            self.assertEqual(1, len(controller.got))


if __name__ == '__main__':
    unittest.main()
