"""What is not a number is counted and left out of training, and never reaches a checkpoint.

INJECTIONS=100 python nan_test.py    spoils as many batches as that (default 20) over two ranks."""
import json
import os
import re
import subprocess
import sys
import unittest

import numpy as np
from safetensors.numpy import load_file

from programs import BIN, ENVIRONMENT, SMALL, WithShards, mpirun, newest_checkpoint

INJECTIONS = int(os.environ.get('INJECTIONS', 20))


class NotANumber(WithShards):
    def train(self, run, *flags):
        return subprocess.run([*mpirun(2), str(BIN / 'gan-train'), '--shards', str(self.shards), '--run', str(run), *SMALL,
                               '--sample-every', '0', '--checkpoint-every', '1', '--keep', '100000', *map(str, flags)],
                              env=ENVIRONMENT, capture_output=True, text=True, timeout=240)

    def require_finite_checkpoints(self, run):
        """How many there are."""
        saved = sorted((run / 'checkpoints').glob('step-*'))
        for part in (p for step in saved for p in step.glob('*.safetensors')):
            for name, tensor in load_file(part).items():
                self.assertTrue(np.isfinite(tensor).all(), f'{part}: {name}')
        return len(saved)

    @staticmethod
    def lines(run):
        """The statistics; a NaN in them is an error."""
        def refuse(word):
            raise ValueError(word)
        return [json.loads(line, parse_constant=refuse) for line in (run / 'stats.jsonl').read_text().splitlines()]

    def test_spoiled_batches_are_left_out_and_counted_and_training_goes_on(self):
        run = self.folder / 'pictures'
        spoiled = list(range(2, 2 + 2 * INJECTIONS, 2))
        done = self.train(run, '--steps', spoiled[-1] + 1, '--inject', ','.join(f'pictures:nan@{s}' for s in spoiled))
        self.assertEqual(0, done.returncode, done.stderr[-3000:])
        lines = self.lines(run)
        self.assertEqual(spoiled, [line['step'] for line in lines if 'skip_step' in line['actions']])
        self.assertEqual(spoiled, [line['step'] for line in lines if line['loss_d'] is None])
        saved = self.require_finite_checkpoints(run)
        self.assertEqual(spoiled[-1] + 1, saved)
        print(f'{INJECTIONS} spoiled batches: each counted, none applied; {saved} checkpoints, all finite', file=sys.stderr)

    def test_spoiled_weights_are_never_saved_and_the_run_ends_as_diverged(self):
        for step in (4, 9):
            with self.subTest(step=step):
                run = self.folder / f'weights-{step}'
                done = self.train(run, '--steps', 40, '--balance', 'watch', '--inject', f'weights:nan@{step}')
                self.assertEqual(4, done.returncode, done.stderr[-3000:])
                self.assertRegex(done.stderr, r'not saved: tensor \S+ is not finite')
                self.assertEqual(step - 1, self.require_finite_checkpoints(run))
                self.assertEqual(f'step-{step - 1:08d}', newest_checkpoint(run).name)
                self.assertEqual('diverged', json.loads((run / 'status.json').read_text())['state'])
                # It is intact: a run to where it stands has nothing left to do.
                again = self.train(run, '--steps', step - 1, '--balance', 'watch', '--inject', f'weights:nan@{step}')
                self.assertEqual(0, again.returncode, again.stderr[-3000:])
                self.assertTrue(re.search(rf'resumed from \S*step-{step - 1:08d}', (run / 'log.txt').read_text()))
                self.assertEqual(list(range(1, step)), [line['step'] for line in self.lines(run)])

    def test_spoiled_gradients_are_left_out_and_spoiled_moments_rolled_back(self):
        run = self.folder / 'gradients'
        done = self.train(run, '--steps', 12, '--inject', 'loss:nan@3,loss:nan@5,loss:nan@7')
        self.assertEqual(0, done.returncode, done.stderr[-3000:])
        self.assertEqual([3, 5, 7], [line['step'] for line in self.lines(run) if 'skip_step' in line['actions']])
        self.assertEqual(12, self.require_finite_checkpoints(run))
        run = self.folder / 'moments'
        done = self.train(run, '--steps', 40, '--inject', 'moments:nan@9')
        self.assertEqual(0, done.returncode, done.stderr[-3000:])
        self.assertEqual(40, self.require_finite_checkpoints(run))
        self.assertEqual([8], [told['to_step'] for told in json.loads((run / 'rollbacks.json').read_text())['rollbacks']])

    def test_spoiled_weights_are_rolled_back_when_the_balance_may_act(self):
        run = self.folder / 'acting'
        done = self.train(run, '--steps', 40, '--inject', 'weights:nan@9')
        self.assertEqual(0, done.returncode, done.stderr[-3000:])
        self.assertEqual(40, self.require_finite_checkpoints(run))
        self.assertEqual([8], [told['to_step'] for told in json.loads((run / 'rollbacks.json').read_text())['rollbacks']])


if __name__ == '__main__':
    unittest.main()
