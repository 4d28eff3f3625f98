"""Tests what gan-launch does about faults around it. The ranks are shell commands that fail or not."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import faults

BIN = pathlib.Path(os.environ['EQUIPOISE_BIN'])
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT='1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM='1', NO_COLOR='1')
# Fails as many times as the file `tries` says, then succeeds.
FAILS = 'n=$(cat {tries}); echo $((n - 1)) > {tries}; sleep 0.3; [ "$n" -gt 0 ] && exit 1; exit 0'


class Launch(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.top = pathlib.Path(temporary.name)
        self.run = self.top / 'run'
        (self.run / 'checkpoints').mkdir(parents=True)
        self.tries = self.top / 'tries'

    def launch(self, failures, *flags, **environment):
        self.tries.write_text(f'{failures}\n')
        return subprocess.run([BIN / 'gan-launch', '-np', '1', '--backoff', '0.1', *flags, '--', 'sh', '-c',
                               FAILS.format(tries=self.tries), '--run', self.run], env=ENVIRONMENT | environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)

    def last_words(self):
        return json.loads((self.run / 'launch.json').read_text())


class Listing(Launch):
    def test_listing_that_fails_once_is_told_and_the_job_goes_on(self):
        shim = {'LD_PRELOAD': os.environ['EQUIPOISE_LISTING_SHIM'], 'LISTING_PROGRAM': 'gan-launch',
                'LISTING_FOLDER': 'checkpoints'}
        hit = 0
        for nth in range(1, 6):
            with self.subTest(nth=nth):
                done = self.launch(1, **shim, LISTING_NTH=str(nth))
                self.assertEqual(0, done.returncode, done.stderr)
                self.assertEqual(('finished', 1), (self.last_words()['state'], self.last_words()['restarts']))
                hit += 'Stale file handle' in done.stderr
        self.assertGreaterEqual(hit, 3)  # before the first attempt, after each one, at the end


class FullDisk(Launch):
    def test_full_disk_is_told_and_not_tried_again(self):
        for error, words in (('ENOSPC', 'No space left on device'), ('EDQUOT', 'Disk quota exceeded')):
            with self.subTest(error):
                fault = faults.environment(self.run, calls=['write'], match='launch.probe', nth=1, error=error, sticky=True)
                done = self.launch(2, **fault)
                self.assertEqual(1, done.returncode, done.stderr)
                self.assertIn(words, done.stderr)
                self.assertIn('a restart would not help; 0 restart', done.stderr)
                self.assertEqual('1', self.tries.read_text().strip(), 'one attempt')

    def test_probe_leaves_nothing(self):
        self.assertEqual(0, self.launch(1).returncode)
        self.assertEqual([], list(self.run.glob('launch.probe*')))


class AnotherLibrary(Launch):
    def test_mpirun_of_another_library_is_refused_by_name(self):
        tools = self.top / 'tools'
        tools.mkdir()
        (tools / 'mpirun').write_text('#!/bin/sh\necho "HYDRA build details:"\necho "    Version: 4.0.2"\n')
        (tools / 'mpirun').chmod(0o755)
        done = self.launch(0, PATH=f'{tools}:{os.environ["PATH"]}')
        self.assertEqual(2, done.returncode, done.stderr)
        for word in ('MPICH', 'HYDRA build details:', 'Open MPI'):
            self.assertIn(word, done.stderr)
        self.assertEqual('0', self.tries.read_text().strip(), 'nothing was started')


if __name__ == '__main__':
    unittest.main()
