"""The metrics endpoint of a live two-rank run, read by curl's means and judged by promtool."""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request

from programs import ENVIRONMENT, make_shards, train_command

# The contract's names that the trainer feeds now; `monitoring/` tests hold the table itself.
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

    def wait_for(self, condition):
        deadline = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)


if __name__ == '__main__':
    unittest.main()
