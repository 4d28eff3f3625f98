"""Each part of a run is limited by the flag that is named after it, not by the one for collectives in general."""
import subprocess
import unittest

import faults
from programs import ENVIRONMENT, WithShards, train_command

# A rank may be that late because the machine is busy; the disk is slower.
COMM_TIMEOUT, SLOW = 5, 12


class SlowDisk(WithShards):
    def train(self, run, match, *flags):
        slow = faults.environment(self.folder, calls=['sync'], match=match, rank='0', nth=1, error='SLEEP', seconds=SLOW)
        return subprocess.run(train_command(2, self.shards, self.folder / run, '--steps', 4, '--comm-timeout', COMM_TIMEOUT, *flags),
                              env=ENVIRONMENT | slow, timeout=120, capture_output=True, text=True)

    def test_a_save_may_take_as_long_as_its_own_time_out_says(self):
        self.assert_code(0, self.train('save', r'/checkpoints/.*\.safetensors$', '--save-timeout', 100))

    def test_a_save_that_takes_longer_than_its_own_time_out_ends_the_run(self):
        done = self.train('hung', r'/checkpoints/.*\.safetensors$', '--save-timeout', COMM_TIMEOUT)
        self.assert_code(1, done)
        self.assertRegex(done.stderr, 'section save|no answer from the other ranks for 5 s')

    def test_a_grid_may_take_as_long_as_the_time_out_of_evaluating_says(self):
        self.assert_code(0, self.train('grid', r'fakes-', '--evaluate-timeout', 100))


if __name__ == '__main__':
    unittest.main()
