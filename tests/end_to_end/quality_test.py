"""gan-train: the quality of a run decides which checkpoint stays and when the run ends."""
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

from programs import ENVIRONMENT, WithShards, digests, newest_checkpoint, stats, train, train_command


def measured(run):
    """(step, images, swd) of each measurement."""
    return [(line['step'], line['images'], line['quality_swd']) for line in stats(run) if 'quality_swd' in line]


def end_by_best(measurements, patience):
    """The step at which --stop-when best must end, and the best step by then."""
    best = None
    for step, images, swd in measurements:
        if best is None or swd < best[2]:
            best = (step, images, swd)
        elif images - best[1] >= patience:
            return step, best[0]
    raise AssertionError('the measure never stops improving')


class StopWhenBest(WithShards):
    photos = 140  # enough held out to be measured against
    STEPS = 40
    PATIENCE = 20  # images: more than two measurements of two ranks with batch 4
    FLAGS = ['--steps', STEPS, '--quality-every', 1, '--quality-images', 12, '--checkpoint-every', 3, '--keep', 2]
    STOP = ['--stop-when', 'best', '--patience', PATIENCE]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.whole = cls.folder / 'whole'
        done = train(2, cls.shards, cls.whole, *cls.FLAGS)
        assert done.returncode == 0, done.stderr
        cls.end, cls.best = end_by_best(measured(cls.whole), cls.PATIENCE)
        cls.stopped = cls.folder / 'stopped'
        cls.said = train(2, cls.shards, cls.stopped, *cls.FLAGS, *cls.STOP)

    def test_ends_with_0_at_the_step_that_the_measurements_say_and_keeps_the_best(self):
        self.assert_code(0, self.said)
        self.assertLess(self.end, self.STEPS)
        self.assertEqual(stats(self.whole)[:self.end], stats(self.stopped))
        self.assertTrue((self.stopped / 'checkpoints' / f'step-{self.best:08d}' / 'manifest.json').exists())
        status = json.loads((self.stopped / 'status.json').read_text())
        self.assertEqual(('finished', 'best', self.end), (status['state'], status['ended_by'], status['step']))
        self.assertEqual('length', json.loads((self.whole / 'status.json').read_text())['ended_by'])
        said = [line for line in (self.stopped / 'log.txt').read_text().splitlines() if 'has not improved' in line]
        self.assertEqual(1, len(said), said)
        self.assertIn(f'of step {self.best} ', said[0])
        self.assertIn(f'step-{self.best:08d}', said[0])

    def test_a_finished_run_says_so_and_trains_on_only_when_asked(self):
        run = self.folder / 'again'
        shutil.copytree(self.stopped, run)
        before = digests(newest_checkpoint(run))
        done = train(2, self.shards, run)
        self.assert_code(0, done)
        self.assertEqual(self.end, len(stats(run)))
        self.assertEqual(before, digests(newest_checkpoint(run)))
        self.assertIn('has not improved', done.stdout + done.stderr)
        patient = self.folder / 'patient'
        shutil.copytree(self.stopped, patient)
        self.assert_code(0, train(2, self.shards, patient, '--patience', 1000))
        self.assert_code(0, train(2, self.shards, run, '--stop-when', 'length'))
        for later in (run, patient):
            self.assertEqual(stats(self.whole), stats(later))
            self.assertEqual(digests(newest_checkpoint(self.whole)), digests(newest_checkpoint(later)))

    def test_a_killed_run_ends_at_the_same_step(self):
        run = self.folder / 'killed'
        process = subprocess.Popen(train_command(2, self.shards, run, *self.FLAGS, *self.STOP), env=ENVIRONMENT,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            while process.poll() is None and not list(run.glob('checkpoints/step-????????')):
                time.sleep(0.01)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.assert_code(0, train(2, self.shards, run, *self.FLAGS, *self.STOP))
        self.assertEqual(stats(self.stopped), stats(run))
        self.assertEqual(digests(newest_checkpoint(self.stopped)), digests(newest_checkpoint(run)))

    def test_flags_without_a_measure_or_a_use_are_refused(self):
        for flags in (['--stop-when', 'best'], ['--stop-when', 'best', '--quality-every', 1, '--keep-best', 'none'],
                      ['--patience', 10], ['--stop-when', 'bored']):
            with self.subTest(flags=flags):
                done = train(1, self.shards, self.folder / 'refused', '--steps', 1, *flags)
                self.assert_code(2, done)
                self.assertIn(flags[0], done.stderr)
                self.assertFalse((self.folder / 'refused').exists())


if __name__ == '__main__':
    unittest.main()
