"""The table of docs/scaling.md is what bench/scaling_model.py prints, and no more ranks make a step faster."""
import pathlib

import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class ScalingTable(unittest.TestCase):
    def test_it_is_what_the_model_prints(self):
        printed = subprocess.run([sys.executable, ROOT / 'bench' / 'scaling_model.py'], capture_output=True, text=True,
                                 check=True).stdout.strip()
        self.assertIn(printed, (ROOT / 'docs' / 'scaling.md').read_text())
        steps = [float(row.split('|')[5]) for row in printed.splitlines()[2:]]
        self.assertEqual(10, len(steps))
        self.assertEqual(sorted(steps), steps)



if __name__ == '__main__':
    unittest.main()
