"""The metrics endpoint of a live two-rank run, read over HTTP and checked by promtool."""
import base64
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from programs import BIN, ENVIRONMENT, WithShards, make_shards, train_command

# The promised metrics that the trainer sets. The tests in `monitoring/` check the table itself.
NAMES = '''gan_train_loss gan_train_discriminator_accuracy_ratio gan_train_discriminator_auc_ratio
gan_train_discriminator_output_mean gan_train_loss_imbalance_ratio gan_train_balance_state gan_train_gradient_norm
gan_train_learning_rate gan_train_interventions_total gan_train_nonfinite_total gan_train_skipped_steps_total
gan_train_steps_total gan_train_images_total gan_train_last_step_timestamp_seconds gan_train_step_duration_seconds_bucket
gan_train_world_size gan_comm_wait_seconds_total gan_comm_bytes_total gan_data_wait_seconds_total
gan_checkpoint_duration_seconds gan_checkpoint_last_success_timestamp_seconds gan_checkpoint_bytes
gan_checkpoint_failures_total gan_build_info'''.split()


class LiveMetrics(unittest.TestCase):
    def test_every_name_is_there_and_promtool_is_content(self):
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            run = folder / 'run'
            command = train_command(2, make_shards(folder), run, '--steps', 100000, '--checkpoint-every', 5)
            command[command.index('off')] = '0'
            process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                self.wait_for(lambda: len(list((run / 'checkpoints').glob('step-????????'))) > 1)
                entry, = json.loads((run / 'prometheus-targets.json').read_text())
                self.assertEqual(2, len(entry['targets']))
                texts = [urllib.request.urlopen(f'http://{target}/metrics', timeout=10).read()
                         for target in entry['targets']]
            finally:
                process.send_signal(signal.SIGUSR1)
                self.assertEqual(75, process.wait(60))
        samples = [line.split('{')[0].split(' ')[0] for line in texts[0].decode().splitlines() if line[0] != '#']
        for name in NAMES:
            self.assertIn(name, samples)
        self.assertNotIn('gan_train_loss', [line.split('{')[0] for line in texts[1].decode().splitlines()])
        for text in texts:
            judged = subprocess.run([os.environ['PROMTOOL'], 'check', 'metrics'], input=text, capture_output=True)
            self.assertEqual(0, judged.returncode, judged.stdout.decode() + judged.stderr.decode())

    def test_what_was_exchanged_is_not_counted_again_after_a_rollback(self):
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            run = folder / 'run'
            command = train_command(2, make_shards(folder), run, '--steps', 75, '--checkpoint-every', 10, '--inject',
                                    'loss:1000@65')
            command[command.index('off')] = '0'
            process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.wait_for(lambda: (run / 'prometheus-targets.json').exists())
            target = json.loads((run / 'prometheus-targets.json').read_text())[0]['targets'][0]
            seen = []
            while process.poll() is None:
                try:
                    seen.append(urllib.request.urlopen(f'http://{target}/metrics', timeout=10).read().decode())
                except OSError:  # it has ended
                    break
            self.assertEqual(0, process.wait(60))
            self.assertIn('rollback', (run / 'stats.jsonl').read_text())
        of = lambda text, name: float(re.search(rf'^{name}(?:{{[^}}]*}})? (\S+)$', text, re.M)[1])
        steps = lambda text: float(re.search(r'^gan_train_steps_total{[^}]*network="generator"[^}]*} (\S+)$', text, re.M)[1])
        per_step = [of(text, 'gan_comm_bytes_total') / steps(text) for text in seen if steps(text) >= 20]
        self.assertGreater(steps(seen[-1]), 66, 'the last answer came after the rollback')
        self.assertLess(per_step[-1], 1.3 * per_step[0])

    def wait_for(self, condition):
        deadline = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)


def answer(url, credentials=None):
    request = urllib.request.Request(url)
    if credentials:
        request.add_header('Authorization', 'Basic ' + base64.b64encode(credentials.encode()).decode())
    try:
        return urllib.request.urlopen(request, timeout=10).status
    except urllib.error.HTTPError as error:
        return error.code


class Access(WithShards):
    """Who may read the metrics: the endpoints of one rank that listens on all addresses, without and with a
    password."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.folder / 'password').write_text('watcher:three words long\n')
        (cls.folder / 'empty').write_text('')

    def run_and(self, look, *flags):
        run = self.folder / self.id()
        command = train_command(1, self.shards, run, '--steps', 1000000, *flags)
        command[command.index('off')] = '0'
        process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            while not (run / 'status.json').exists() or not (run / 'stats.jsonl').exists():
                self.assertIsNone(process.poll())
                time.sleep(0.05)
            port = json.loads((run / 'status.json').read_text())['metrics'].rpartition(':')[2]
            time.sleep(0.5)
            look(f'http://127.0.0.1:{port}')
        finally:
            process.send_signal(signal.SIGUSR1)
            said = process.communicate(timeout=60)[1]
        self.assertEqual(75, process.returncode, said)
        return said

    def test_an_open_endpoint_beyond_this_machine_is_warned_of(self):
        def look(url):
            self.assertEqual(200, answer(url + '/'))
        said = self.run_and(look, '--metrics-address', '0.0.0.0')
        self.assertIn(f'everybody who can reach {socket.gethostname()}:', said)
        self.assertIn('--metrics-password-file', said)

    def test_a_password_closes_everything_but_health(self):
        def look(url):
            for path in ('/', '/run.json', '/metrics', '/pictures/reals.png', '/nowhere'):
                self.assertEqual(401, answer(url + path), path)
                self.assertEqual(401, answer(url + path, 'watcher:three words'), path)
            for path in ('/', '/run.json', '/metrics', '/pictures/reals.png'):
                self.assertEqual(200, answer(url + path, 'watcher:three words long'), path)
            self.assertEqual(200, answer(url + '/healthz'))
        said = self.run_and(look, '--metrics-address', '0.0.0.0', '--metrics-password-file', self.folder / 'password')
        self.assertNotIn('everybody', said)
        self.assertNotIn('three words', said)
        for file in (self.folder / self.id()).rglob('*.*'):
            if file.is_file():
                self.assertNotIn(b'three words', file.read_bytes(), file)

    def test_a_password_file_without_a_password_ends_the_run_before_it_begins(self):
        done = subprocess.run([part if part != 'off' else '0' for part in train_command(
            1, self.shards, self.folder / 'refused', '--metrics-password-file', self.folder / 'empty')],
            env=ENVIRONMENT, capture_output=True, text=True)
        self.assertEqual(2, done.returncode, done.stderr)
        self.assertIn('user:password', done.stderr)


class Inspect(unittest.TestCase):
    def refused(self, words, *flags):
        done = subprocess.run([BIN / 'gan-inspect', *flags], capture_output=True, text=True, timeout=30)
        self.assertEqual(2, done.returncode, done.stderr)
        self.assertIn(words, done.stderr)

    def test_page_flags_that_cannot_be_are_refused(self):
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            (folder / 'run').mkdir()
            (folder / 'run' / 'options.json').write_text('{}')
            shards = make_shards(folder)
            self.refused('is not a run folder', '--serve', shards)
            self.refused('name the file to write', '--report', folder / 'run')
            self.refused('OUT', folder / 'run', 'report.html')
            with socket.socket() as taken:
                taken.bind(('127.0.0.1', 0))
                taken.listen()
                self.refused('--port', '--serve', folder / 'run', '--port', str(taken.getsockname()[1]))


if __name__ == '__main__':
    unittest.main()
