"""Values that are not numbers are counted and left out of training, and never reach a checkpoint.

INJECTIONS=25 python nan_test.py     spoils each of data, gradients, weights and moments as often as that (default 6)."""
import json
import os
import re
import subprocess
import sys
import unittest

import numpy as np
from safetensors.numpy import load_file

from programs import BIN, ENVIRONMENT, SMALL, WithShards, mpirun, newest_checkpoint

INJECTIONS = int(os.environ.get('INJECTIONS', 6))
MOST_ROLLBACKS = 3  # per run


class NotANumber(WithShards):
    def train(self, run, *flags):
        return subprocess.run([*mpirun(2), str(BIN / 'gan-train'), '--shards', str(self.shards), '--run', str(run), *SMALL,
                               '--sample-every', '0', '--checkpoint-every', '1', '--keep', '100000', *map(str, flags)],
                              env=ENVIRONMENT, capture_output=True, text=True, timeout=240)

    def require_finite_checkpoints(self, run):
        """Returns the number of checkpoints. All of their tensors must be finite."""
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

    def test_spoiled_data_and_gradients_are_left_out_and_counted_and_training_goes_on(self):
        for kind in ('pictures', 'loss'):
            run = self.folder / kind
            spoiled = list(range(2, 2 + 2 * INJECTIONS, 2))
            done = self.train(run, '--steps', spoiled[-1] + 1, '--inject', ','.join(f'{kind}:nan@{s}' for s in spoiled))
            self.assertEqual(0, done.returncode, done.stderr[-3000:])
            lines = self.lines(run)
            self.assertEqual(spoiled, [line['step'] for line in lines if 'skip_step' in line['actions']])
            self.assertEqual(spoiled, [line['step'] for line in lines if line['loss_d'] is None])
            saved = self.require_finite_checkpoints(run)
            self.assertEqual(spoiled[-1] + 1, saved)
            print(f'{INJECTIONS} times {kind}: each counted, none applied; {saved} checkpoints, all finite', file=sys.stderr)

    def test_spoiled_weights_and_moments_are_never_saved_and_rolled_back(self):
        for kind in ('weights', 'moments'):
            done = 0
            while done < INJECTIONS:
                count = min(MOST_ROLLBACKS, INJECTIONS - done)
                self.spoil_and_roll_back(self.folder / f'rolled-{kind}-{done}', kind, [5 + 24 * i + done % 4 for i in range(count)])
                done += count
            print(f'{done} times {kind}: each rolled back, none saved', file=sys.stderr)

    def spoil_and_roll_back(self, run, kind, spoiled):
        """`spoiled` counts trained steps, including those that a rollback discards."""
        ended = self.train(run, '--steps', 40, '--inject', ','.join(f'{kind}:nan@{step}' for step in spoiled))
        self.assertEqual(0, ended.returncode, ended.stderr[-3000:])
        self.assertRegex(ended.stderr, r'not saved: tensor \S+ is not finite')
        self.assertEqual(40, self.require_finite_checkpoints(run))
        told = json.loads((run / 'rollbacks.json').read_text())['rollbacks']
        self.assertEqual(len(spoiled), len(told))
        self.assertEqual(list(range(1, 41)), [line['step'] for line in self.lines(run)])

    def test_last_step_that_is_not_finite_ends_as_diverged(self):
        run = self.folder / 'last'
        done = self.train(run, '--steps', 6, '--inject', 'weights:nan@5')
        self.assertEqual(4, done.returncode, done.stderr[-3000:])
        self.assertEqual('step-00000004', newest_checkpoint(run).name)
        self.assertEqual('diverged', json.loads((run / 'status.json').read_text())['state'])

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
                # The checkpoint is intact: a run to its step has nothing left to do.
                again = self.train(run, '--steps', step - 1, '--balance', 'watch', '--inject', f'weights:nan@{step}')
                self.assertEqual(0, again.returncode, again.stderr[-3000:])
                self.assertTrue(re.search(rf'resumed from \S*step-{step - 1:08d}', (run / 'log.txt').read_text()))
                self.assertEqual(list(range(1, step)), [line['step'] for line in self.lines(run)])


if __name__ == '__main__':
    unittest.main()
