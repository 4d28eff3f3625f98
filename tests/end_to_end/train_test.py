"""gan-train: what a run leaves behind, and that an interrupted one ends exactly as an uninterrupted one.

DAMAGES=30 python train_test.py Resume    spoils the newest checkpoint as often as that (default 3).
EQUIPOISE_KILLS=100 python train_test.py Resume    kills as often as that (default 10)."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time
import unittest

import numpy as np
from PIL import Image
from safetensors import safe_open

from programs import BIN, ENVIRONMENT, WithShards, digests, newest_checkpoint, stats, train, train_command

CONTRACT = ('step images epoch loss_d loss_d_real loss_d_fake loss_g d_real_mean d_fake_mean d_accuracy_real '
            'd_accuracy_fake d_auc grad_norm_g grad_norm_d lr_g lr_d imbalance verdict actions').split()
DAMAGES = int(os.environ.get('DAMAGES', 3))
KILLS = int(os.environ.get('EQUIPOISE_KILLS', 10))


class RunFolder(WithShards):
    def test_holds_what_the_contract_names(self):
        for ranks in (1, 2, 4):
            with self.subTest(ranks=ranks):
                run = self.folder / f'run-{ranks}'
                self.assert_code(0, train(ranks, self.shards, run, '--steps', 6, '--sample-every', 3,
                                          '--checkpoint-every', 2, '--check-every', 1))
                names = {path.name for path in run.iterdir()}
                self.assertLessEqual({'options.json', 'log.txt', 'stats.jsonl', 'reals.png', 'fakes-00000000.png',
                                      'fakes-00000003.png', 'fakes-00000006.png', 'status.json',
                                      'prometheus-targets.json', 'checkpoints'}, names)
                lines = stats(run)
                self.assertEqual([1, 2, 3, 4, 5, 6], [line['step'] for line in lines])
                self.assertEqual(6 * 4 * ranks, lines[-1]['images'])
                for name in CONTRACT:
                    self.assertIn(name, lines[0])
                self.assertEqual('finished', json.loads((run / 'status.json').read_text())['state'])
                self.assertEqual(0, len(list((run / 'checkpoints').glob('*.tmp-*'))))

    def test_a_batch_of_one_image_trains(self):
        for ranks in (1, 2):
            with self.subTest(ranks=ranks):
                run = self.folder / f'one-image-{ranks}'
                self.assert_code(0, train(ranks, self.shards, run, '--steps', 4, '--batch', 1))
                lines = stats(run)
                self.assertEqual(4 * ranks, lines[-1]['images'])
                for line in lines:
                    self.assertTrue(np.isfinite([line['loss_d'], line['loss_g'], line['d_auc']]).all())
                    # A single image has no nearest neighbour in its batch.
                    self.assertIsNone(line['diversity'])

    def test_same_command_gives_same_bytes(self):
        runs = [self.folder / 'once', self.folder / 'twice']
        for run in runs:
            self.assert_code(0, train(2, self.shards, run, '--steps', 8))
        self.assertEqual(stats(runs[0]), stats(runs[1]))
        self.assertEqual(digests(newest_checkpoint(runs[0])), digests(newest_checkpoint(runs[1])))

    def test_checkpoint_is_read_by_the_safetensors_package(self):
        run = self.folder / 'safetensors'
        self.assert_code(0, train(1, self.shards, run, '--steps', 2))
        part, = newest_checkpoint(run).glob('part-*')
        with safe_open(part, 'numpy') as tensors:
            self.assertEqual((100, 64, 4, 4), tensors.get_tensor('generator.0.weight').shape)
            self.assertEqual((8, 3, 4, 4), tensors.get_tensor('discriminator.0.weight').shape)
            self.assertTrue(np.isfinite(tensors.get_tensor('generator.0.weight')).all())

    def test_generate_makes_the_same_grid_for_a_seed(self):
        run = self.folder / 'generate'
        self.assert_code(0, train(1, self.shards, run, '--steps', 2))
        grids = []
        for name, seed in (('a.png', 7), ('b.png', 7), ('c.png', 8)):
            subprocess.run([BIN / 'gan-generate', '--checkpoint', run, '--out', self.folder / name, '--seed', str(seed),
                            '--count', '9'], check=True, env=ENVIRONMENT)
            grids.append(np.asarray(Image.open(self.folder / name)))
        self.assertEqual((3 * 66 + 2, 3 * 66 + 2, 3), grids[0].shape)
        self.assertTrue((grids[0] == grids[1]).all())
        self.assertFalse((grids[0] == grids[2]).all())


class Resume(WithShards):
    FLAGS = ('--steps', max(200, 20 * KILLS), '--checkpoint-every', 5, '--sample-every', 0)
    SHORT = ('--steps', 60, *FLAGS[2:])  # for what happens once and needs no long run

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.whole = cls.folder / 'whole'
        train(2, cls.shards, cls.whole, *cls.FLAGS, '--keep', 1000)

    def assert_same_as_uninterrupted(self, run, flags):
        steps = flags[1]
        self.assertEqual(stats(self.whole)[:steps], stats(run))
        end = newest_checkpoint(run)
        self.assertEqual(steps, int(end.name[5:]))
        self.assertEqual(digests(self.whole / 'checkpoints' / end.name), digests(end))

    def test_sigusr1_saves_and_ends_with_75(self):
        run = self.folder / 'usr1'
        process = subprocess.Popen(train_command(2, self.shards, run, *self.SHORT), env=ENVIRONMENT,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_for_line(run, 12)
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(75, process.wait(60))
        self.assertEqual(stats(run)[-1]['step'], int(newest_checkpoint(run).name[5:]))
        self.assert_code(0, train(2, self.shards, run, *self.SHORT))
        self.assert_same_as_uninterrupted(run, self.SHORT)

    def test_signals_change_no_number_of_the_step_in_which_they_arrive(self):
        """Hundreds of signals in one step, because they disturb oneDNN in a few places only
        (trainer/run/stop_signal.cpp)."""
        flags = ('--steps', 8, '--features', 16, '--batch', 16, '--sample-every', 0)
        whole = self.folder / 'whole-for-signals'
        self.assert_code(0, train(1, self.shards, whole, *flags))
        for trial in range(2):
            run = self.folder / f'signals-{trial}'
            process = subprocess.Popen(train_command(1, self.shards, run, *flags), env=ENVIRONMENT,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.wait_for_line(run, 2)
            while process.poll() is None:
                process.send_signal(signal.SIGUSR1)
                time.sleep(0.0005)
            self.assertEqual(75, process.returncode)
            self.assertEqual(stats(whole)[:len(stats(run))], stats(run))

    def test_sigkills_at_random_moments_and_inside_saves(self):
        """One run killed again and again: at random moments, and as soon as a save has begun."""
        randomness = random.Random(1)
        run = self.folder / 'killed'
        inside_saves = 0
        for kill in range(KILLS):
            abandoned = self.saves_begun(run)
            process = subprocess.Popen(train_command(2, self.shards, run, *self.FLAGS), env=ENVIRONMENT,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                self.wait_for(lambda: len(self.children(process)) == 2, 0.01)
                victim = randomness.choice(self.children(process))
                if kill % 2:
                    self.wait_for(lambda: self.saves_begun(run) - abandoned or process.poll() is not None, 0.0005)
                else:
                    self.wait_for_line(run, self.lines(run) + randomness.randrange(1, 8))
                    time.sleep(randomness.uniform(0, 0.05))
                os.kill(victim, signal.SIGKILL)
            finally:
                self.assertNotEqual(0, process.wait(60), 'the run ended before it was killed')
            inside_saves += bool(self.saves_begun(run) - abandoned)
        self.assertGreaterEqual(inside_saves, KILLS // 4)
        self.assert_code(0, train(2, self.shards, run, *self.FLAGS))
        self.assert_same_as_uninterrupted(run, self.FLAGS)

    def test_going_back_twice_to_one_checkpoint_keeps_all_three_branches(self):
        run = self.folder / 'branches'
        flags = ('--steps', 30, '--checkpoint-every', 10, '--keep', 5)
        older = run / 'checkpoints' / 'step-00000010'
        self.assert_code(0, train(1, self.shards, run, *flags))
        for _ in range(2):
            self.assert_code(0, train(1, self.shards, run, *flags, '--resume', older))
        names = [path.name for path in older.parent.iterdir()]
        self.assertEqual(2, sum(name.startswith('step-00000030.abandoned-') for name in names), names)
        self.assertIn('step-00000030', names)

    def test_a_run_that_starts_at_its_end_has_a_checkpoint_of_its_own(self):
        first, second = self.folder / 'ended', self.folder / 'copied'
        self.assert_code(0, train(1, self.shards, first, '--steps', 3))
        self.assert_code(0, train(2, self.shards, second, '--steps', 3, '--resume', newest_checkpoint(first)))
        self.assertEqual('step-00000003', newest_checkpoint(second).name)
        self.assert_code(0, train(2, self.shards, second, '--steps', 5))
        self.assertEqual('step-00000005', newest_checkpoint(second).name)

    def test_damaged_newest_checkpoint_falls_back_loudly(self):
        run = self.folder / 'damaged'
        self.assert_code(0, train(2, self.shards, run, '--steps', 20, *self.FLAGS[2:]))
        part = next(newest_checkpoint(run).glob('part-*'))
        data = bytearray(part.read_bytes())
        data[len(data) // 2] ^= 1
        part.write_bytes(data)
        done = train(2, self.shards, run, *self.SHORT)
        self.assert_code(0, done)
        self.assertIn(part.name, done.stderr)
        self.assertIn('set aside', done.stderr)
        self.assert_same_as_uninterrupted(run, self.SHORT)

    def test_flips_and_truncations_of_the_newest_checkpoint_are_found_by_the_ranks(self):
        randomness = random.Random(2)
        base, run = self.folder / 'base', self.folder / 'flipped'
        self.assert_code(0, train(2, self.shards, base, '--steps', 15, *self.FLAGS[2:]))
        for turn in range(DAMAGES):
            shutil.copytree(base, run)
            victim = randomness.choice(sorted(newest_checkpoint(run).iterdir()))
            data = bytearray(victim.read_bytes())
            if turn % 3 == 2:
                del data[randomness.randrange(len(data)):]
            else:
                data[randomness.randrange(len(data))] ^= 1 << randomness.randrange(8)
            victim.write_bytes(data)
            done = train(2, self.shards, run, '--steps', 17, *self.FLAGS[2:])
            self.assert_code(0, done)
            self.assertIn('set aside as step-00000015.damaged', done.stderr)
            self.assertEqual(stats(self.whole)[:17], stats(run))
            shutil.rmtree(run)
        print(f'{DAMAGES} flips and truncations through mpirun: all found, the older one used', file=sys.stderr)

    @staticmethod
    def children(process):
        return [int(child) for child in pathlib.Path(f'/proc/{process.pid}/task/{process.pid}/children').read_text().split()]

    @staticmethod
    def saves_begun(run):
        checkpoints = run / 'checkpoints'
        return {name for name in os.listdir(checkpoints) if '.tmp-' in name} if checkpoints.exists() else set()

    @staticmethod
    def lines(run):
        path = run / 'stats.jsonl'
        return path.read_bytes().count(b'\n') if path.exists() else 0

    def wait_for_line(self, run, count):
        self.wait_for(lambda: self.lines(run) >= count, 0.01)

    def wait_for(self, condition, pause):
        deadline = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), deadline, 'waited a minute in vain')
            time.sleep(pause)


if __name__ == '__main__':
    unittest.main()
