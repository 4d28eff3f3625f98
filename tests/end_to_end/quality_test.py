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
    return [(line['quality_step'], line['quality_images'], line['quality_swd']) for line in stats(run) if 'quality_swd' in line]


def lines_of(run):
    """The lines of quality.jsonl."""
    return [json.loads(line) for line in (run / 'quality.jsonl').read_text().splitlines()]


def kept(run):
    return sorted(int(path.name[5:]) for path in (run / 'checkpoints').glob('step-????????'))


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
    STEPS = 12
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


class Aside(WithShards):
    """Measured every six steps: the result takes effect four steps later. Two ranks."""
    photos = 140
    STEPS = 18
    FLAGS = ['--steps', STEPS, '--quality-every', 6, '--quality-images', 12, '--checkpoint-every', 1]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.whole = cls.folder / 'whole'
        done = train(2, cls.shards, cls.whole, *cls.FLAGS, '--keep', 100)
        assert done.returncode == 0, done.stderr

    def assert_same(self, run):
        self.assertEqual(stats(self.whole), stats(run))
        self.assertEqual(lines_of(self.whole), lines_of(run))
        self.assertEqual(digests(newest_checkpoint(self.whole)), digests(newest_checkpoint(run)))

    def killed_at(self, step, name):
        """A copy of the run as it would be if it had been killed after `step`."""
        run = self.folder / name
        shutil.copytree(self.whole, run)
        for later in range(step + 1, self.STEPS + 1):
            shutil.rmtree(run / 'checkpoints' / f'step-{later:08d}')
        return run

    def test_a_result_takes_effect_in_its_step_and_the_last_one_at_the_end(self):
        lines = lines_of(self.whole)
        self.assertEqual([(6, 10), (12, 16), (18, 18)],
                         [(line['step'], line['effective_step']) for line in lines])
        rows = stats(self.whole)
        self.assertEqual([10, 16, 18], [row['step'] for row in rows if 'quality_swd' in row])
        for line in lines:
            row = rows[line['effective_step'] - 1]
            self.assertEqual((line['step'], rows[line['step'] - 1]['images'], line['images']),
                             (row['quality_step'], row['quality_images'], row['quality_images']))
            self.assertEqual({key: value for key, value in row.items() if key.startswith('quality_') and key not in ('quality_step', 'quality_images')},
                             {key: value for key, value in line.items() if key.startswith('quality_')})

    def test_a_run_that_is_killed_while_a_result_is_awaited_gets_the_same_one(self):
        for step in (6, 7, 9, 10, 11, 15):
            with self.subTest(step=step):
                run = self.killed_at(step, f'killed-{step}')
                self.assert_code(0, train(2, self.shards, run, *self.FLAGS, '--keep', 100))
                self.assert_same(run)

    def test_one_rank_goes_on_where_two_stopped(self):
        run = self.killed_at(8, 'elastic')
        self.assert_code(0, train(1, self.shards, run, *self.FLAGS, '--keep', 100, '--batch', 8))
        self.assertEqual([lines_of(self.whole)[0]], lines_of(run)[:1])
        self.assertEqual([6, 12, 18], [line['step'] for line in lines_of(run)])

    def test_a_stop_loses_nothing(self):
        run = self.folder / 'stopped'
        command = train_command(2, self.shards, run, *self.FLAGS, '--keep', 100)
        for lines in (7, 13):
            process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.addCleanup(process.kill)
            while process.poll() is None and (not (run / 'stats.jsonl').exists() or len(stats(run)) < lines):
                time.sleep(0.005)
            if process.poll() is None:
                process.send_signal(signal.SIGUSR1)
            self.assertIn(process.wait(60), (0, 75))
        self.assert_code(0, train(2, self.shards, run, *self.FLAGS, '--keep', 100))
        self.assert_same(run)

    def test_only_the_best_stays_of_the_measured_checkpoints(self):
        run = self.folder / 'pruned'
        self.assert_code(0, train(2, self.shards, run, *self.FLAGS, '--keep', 2))
        best = min(measured(run), key=lambda one: one[2])[0]
        self.assertEqual(sorted({best, *sorted(set(range(1, self.STEPS + 1)) - {best})[-2:]}), kept(run))
        self.assert_same(run)

    def test_without_the_checkpoint_of_the_measured_step_training_goes_on(self):
        run = self.killed_at(9, 'lost')
        shutil.rmtree(run / 'checkpoints' / 'step-00000006')
        done = train(2, self.shards, run, *self.FLAGS, '--keep', 100)
        self.assert_code(0, done)
        self.assertIn('the quality of step 6 stays unknown', done.stderr)
        self.assertEqual([12, 18], [line['step'] for line in lines_of(run)])
        self.assertEqual(lines_of(self.whole)[1:], lines_of(run))

    def test_a_rollback_measures_again_what_was_awaited(self):
        """The checkpoint of step 20 is none of the two newest, but those need it."""
        run, calm = self.folder / 'rolled', self.folder / 'calm'
        flags = ['--quality-every', 20, '--quality-images', 12, '--checkpoint-every', 1, '--keep', 2]
        self.assert_code(0, train(2, self.shards, run, '--steps', 60, *flags, '--inject', 'weights:nan@25'))
        self.assert_code(0, train(2, self.shards, calm, '--steps', 24, *flags))
        back, = json.loads((run / 'rollbacks.json').read_text())['rollbacks']
        self.assertTrue(22 < back['to_step'] < 35 < back['from_step'], back)
        lines = lines_of(run)
        self.assertEqual([(20, 35), (40, 55), (60, 60)], [(line['step'], line['effective_step']) for line in lines])
        calm_line, = lines_of(calm)
        self.assertEqual(calm_line | {'effective_step': 35}, lines[0])


if __name__ == '__main__':
    unittest.main()
