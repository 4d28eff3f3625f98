"""Shards and a run folder that an older commit made can still be verified, generated from and continued.

fixtures/run_of_a7cc65b.tar.xz was made by the programs of commit a7cc65b from 14 drawn pictures: two ranks, 60 steps.
"""
import pathlib
import subprocess
import tarfile
import tempfile
import unittest

from PIL import Image

from programs import BIN, ENVIRONMENT, mpirun, stats

FIXTURE = pathlib.Path(__file__).parent / 'fixtures' / 'run_of_a7cc65b.tar.xz'


class OldRun(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        with tarfile.open(FIXTURE) as archive:
            archive.extractall(self.folder)
        self.run_folder = self.folder / 'run'

    def program(self, *command):
        done = subprocess.run([str(word) for word in command], env=ENVIRONMENT, capture_output=True, text=True, check=False)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_shards_checkpoint_and_run_are_intact(self):
        checkpoint, = (self.run_folder / 'checkpoints').iterdir()
        for what in (self.folder / 'shards', checkpoint, self.run_folder):
            self.assertIn('intact', self.program(BIN / 'gan-inspect', what))

    def test_it_generates(self):
        self.program(BIN / 'gan-generate', '--checkpoint', self.run_folder, '--count', 4, '--out', self.folder / 'grid.png')
        self.assertGreaterEqual(min(Image.open(self.folder / 'grid.png').size), 64)

    def test_it_goes_on_where_it_stopped(self):
        before = stats(self.run_folder)
        said = self.program(*mpirun(2), BIN / 'gan-train', '--shards', self.folder / 'shards', '--run', self.run_folder,
                            '--resolution', 64, '--features', 1, '--noise-dim', 4, '--batch', 2, '--steps', 64,
                            '--metrics-port', 'off', '--threads', 1, '--deterministic')
        self.assertIn('resumed from', said)
        after = stats(self.run_folder)
        self.assertEqual(before, after[:60])
        self.assertEqual(list(range(61, 65)), [line['step'] for line in after[60:]])


if __name__ == '__main__':
    unittest.main()
