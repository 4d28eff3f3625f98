"""gan-inspect plot: curves of a run as a picture, whatever its length and whatever is missing in it."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import numpy as np
from PIL import Image

INSPECT = pathlib.Path(os.environ['EQUIPOISE_BIN']) / 'gan-inspect'
BLUE, ORANGE = (0, 114, 178), (213, 94, 0)


class Plot(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.run_folder = pathlib.Path(self.temporary.name)
        (self.run_folder / 'options.json').write_text('{}')

    def tearDown(self):
        self.temporary.cleanup()

    def plot(self, lines, code=0):
        (self.run_folder / 'stats.jsonl').write_text(''.join(json.dumps(line) + '\n' for line in lines))
        done = subprocess.run([INSPECT, 'plot', self.run_folder, self.run_folder / 'out.png'], capture_output=True, text=True)
        self.assertEqual(code, done.returncode, done.stderr)
        if code:
            return done.stderr
        with Image.open(self.run_folder / 'out.png') as picture:
            return np.asarray(picture).astype(int)

    def heights(self, panel, colour):
        """For each column of the panel's inside, the mean row of pixels near `colour`; nan where there is none."""
        near = np.abs(panel[30:-30, 72:-22] - colour).max(2) < 60
        rows = np.arange(near.shape[0])[:, None]
        with np.errstate(invalid='ignore'):
            return (near * rows).sum(0) / near.sum(0)

    def test_curves_go_where_the_numbers_go(self):
        picture = self.plot([{'step': i, 'loss_d': i / 100, 'loss_g': 1 - i / 100} for i in range(101)])
        self.assertEqual((1280, 1280, 3), picture.shape)
        loss = picture[:320, :640]
        rising, falling = self.heights(loss, BLUE), self.heights(loss, ORANGE)
        self.assertGreater(rising[20], rising[-20] + 100)  # rows count from the top
        self.assertLess(falling[20], falling[-20] - 100)
        self.assertFalse(np.isfinite(self.heights(picture[:320, 640:], BLUE)).any())  # no such numbers, no curve

    def test_a_gap_stays_a_gap(self):
        lines = [{'step': i, 'loss_d': None if 40 <= i < 60 else 0.5 + i / 1000} for i in range(100)]
        curve = np.isfinite(self.heights(self.plot(lines)[:320, :640], BLUE))
        middle = len(curve) // 2
        self.assertFalse(curve[middle - 20:middle + 20].any())
        self.assertTrue(curve[:middle // 2].all() and curve[-middle // 2:].all())

    def test_measures_taken_now_and_then_are_joined(self):
        lines = [{'step': i, 'loss_d': 0.5} | ({'quality_swd': 1 - i / 100} if i % 20 == 0 else {}) for i in range(101)]
        curve = self.heights(self.plot(lines)[960:, 640:], BLUE)
        self.assertTrue(np.isfinite(curve).all())
        self.assertLess(curve[20], curve[-20] - 100)
        without = self.plot([{'step': i, 'loss_d': 0.5} for i in range(101)])
        self.assertTrue((without[960:, 640:] == 255).all(), 'what was never measured has no panel')

    def test_long_runs_and_flat_ones_are_drawn(self):
        picture = self.plot([{'step': i, 'loss_d': 0.25} for i in range(20000)])
        self.assertTrue(np.isfinite(self.heights(picture[:320, :640], BLUE)).all())

    def test_a_run_without_a_step_and_no_run_at_all_are_said(self):
        self.assertIn('stats.jsonl', self.plot([], code=3))
        done = subprocess.run([INSPECT, self.run_folder, 'out.png'], capture_output=True, text=True)
        self.assertEqual((2, 1), (done.returncode, done.stderr.count('\n')))


if __name__ == '__main__':
    unittest.main()
