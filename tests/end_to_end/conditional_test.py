"""gan-train --conditional on pictures of three kinds: what it refuses, and that it resumes, on any ranks, as other runs do."""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

import numpy as np
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load_file

from conditional_test_pictures import CLASSES, make_classes, preprocess
from programs import BIN, ENVIRONMENT, digests, newest_checkpoint, stats, train, train_command


class WithClasses(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        cls.shards = preprocess(make_classes(cls.folder / 'photos'), cls.folder / 'shards', '--labels', 'folder')

    def assert_code(self, code, done):
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)

    def assert_refused(self, code, done, *words):
        self.assert_code(code, done)
        lines = [line for line in done.stderr.splitlines() if line]
        self.assertEqual(1, len(lines), done.stderr)
        for word in words:
            self.assertIn(word, lines[0])


class Conditional(WithClasses):
    def test_the_checkpoint_holds_the_names_and_one_tensor_more_in_each_network(self):
        run = self.folder / 'run'
        self.assert_code(0, train(1, self.shards, run, '--conditional', '--steps', 4))
        manifest = json.loads((newest_checkpoint(run) / 'manifest.json').read_text())
        classes = manifest['state']['classes']
        self.assertEqual(CLASSES, [one['name'] for one in classes])
        trained = sum(one['images'] for one in classes)
        self.assertEqual(81, trained)  # 90 less a tenth held out
        part, = newest_checkpoint(run).glob('part-*')
        with safe_open(part, 'numpy') as tensors:
            embedding = tensors.get_tensor('generator.class_embedding.weight')
            self.assertEqual((3, 64), embedding.shape)
            # Longer embeddings make G ignore the latent within a class (docs/decisions/0024-classes.md).
            self.assertTrue(all(0.7 < length < 1.3 for length in np.linalg.norm(embedding, axis=1)), embedding)
            self.assertEqual((164, 64, 4, 4), tensors.get_tensor('generator.0.weight').shape)
            self.assertEqual((3, 128), tensors.get_tensor('discriminator.class_projection.weight').shape)
        self.assertEqual(CLASSES, [one['name'] for one in json.loads((run / 'options.json').read_text())['classes']])

    def test_grids_have_a_row_per_class(self):
        run = self.folder / 'grids'
        self.assert_code(0, train(1, self.shards, run, '--conditional', '--steps', 2))
        for name in ('reals.png', 'fakes-00000000.png', 'fakes-00000002.png'):
            with Image.open(run / name) as grid:
                self.assertEqual((8 * 66 + 2, 3 * 66 + 2), grid.size, name)
        with Image.open(run / 'reals.png') as grid:
            reals = np.asarray(grid).astype(float)
        rows = [reals[2 + 66 * i:66 + 66 * i, 2:66].mean((0, 1)) for i in range(3)]
        self.assertLess(rows[0].max(), 60)
        self.assertGreater(rows[1].min(), 180)
        self.assertGreater(rows[2][0], 180), self.assertLess(rows[2][1], 60)

    def test_it_learns_what_the_classes_are(self):
        """The real classes are 1.3 apart in brightness, and red is 1.5 above green: a few steps lead into that direction."""
        run = self.folder / 'learns'
        self.assert_code(0, train(1, self.shards, run, '--conditional', '--steps', 250, '--batch', 16,
                                  '--lr-g', 2e-3, '--lr-d', 2e-3))
        out = self.folder / 'learns.npy'
        subprocess.run([BIN / 'gan-generate', '--checkpoint', run, '--count', '16', '--out', out], check=True,
                       env=ENVIRONMENT)
        images = np.load(out).reshape(3, 16, 3, -1).mean(-1)  # class, image, colour
        dark, light, red = images.mean(1)
        self.assertGreater(light.min() - dark.max(), 0.3)
        self.assertGreater(red[0] - red[1:].max(), 0.3)

    def test_latents_and_real_images_are_those_of_the_unconditional_run(self):
        """The first real images, and so D's real loss before any class has an effect, are the same; its classes are not."""
        plain, conditional = self.folder / 'plain', self.folder / 'same'
        self.assert_code(0, train(1, self.shards, plain, '--steps', 2))
        self.assert_code(0, train(1, self.shards, conditional, '--conditional', '--steps', 2, '--init-from',
                                  plain / 'checkpoints' / 'step-00000002'))
        again = self.folder / 'again'
        self.assert_code(0, train(1, self.shards, again, '--steps', 2, '--init-from',
                                  plain / 'checkpoints' / 'step-00000002'))
        a, b = stats(conditional)[0], stats(again)[0]
        for name in ('loss_d_real', 'loss_d_fake', 'd_real_mean', 'd_fake_mean'):
            self.assertAlmostEqual(a[name], b[name], 5)

    def test_every_objective_trains(self):
        for i, flags in enumerate((['--loss', 'hinge', '--spectral-norm', '--d-norm', 'none'],
                                   ['--loss', 'wgan-gp', '--d-norm', 'layer', '--class-sampling', 'uniform'],
                                   ['--loss', 'rpgan', '--r1', 1, '--r2', 1, '--augment', 'diff'],
                                   ['--feature-matching', 1, '--sync-bn', '--augment', 'ada', '--ema', 0],
                                   ['--precision', 'bf16', '--quality-every', 2, '--holdout', 0.3])):
            with self.subTest(flags=flags):
                run = self.folder / f'objective-{i}'
                self.assert_code(0, train(2, self.shards, run, '--conditional', '--steps', 3, '--check-every', 1, *flags))
                for name in ('loss_d', 'loss_g'):
                    self.assertTrue(all(np.isfinite(line[name]) for line in stats(run)))


class Measured(unittest.TestCase):
    """Two classes with fifty held-out pictures, and one with too few."""

    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        photos = make_classes(cls.folder / 'photos', counts=(130, 130, 70))
        cls.shards = preprocess(photos, cls.folder / 'shards', '--labels', 'folder')
        cls.runs = []
        for ranks in (1, 2):
            run = cls.folder / f'run-{ranks}'
            done = train(ranks, cls.shards, run, '--conditional', '--steps', 60, '--holdout', 0.5, '--global-batch', 16,
                         '--quality-every', 60, '--precision', 'fp64', '--batch', 16 // ranks)
            assert done.returncode == 0, done.stderr
            cls.runs.append(stats(run))

    def test_classes_are_measured_from_fifty_held_out_pictures_up(self):
        for lines in self.runs:
            self.assertNotIn('quality_by_class', lines[0])
            by_class = lines[-1]['quality_by_class']
            self.assertEqual({'dark', 'light'}, set(by_class))
            for numbers in by_class.values():
                self.assertEqual({'swd', 'frechet', 'coverage', 'diversity', 'diversity_reference'}, set(numbers))
                self.assertTrue(all(np.isfinite(value) for value in numbers.values()))

    def test_every_step_says_how_each_class_does(self):
        for lines in self.runs:
            last = lines[-1]
            self.assertEqual(set(CLASSES), set(last['class_diversity']))
            for name in CLASSES:
                self.assertGreater(last['class_diversity'][name], 0)
                self.assertTrue(0 <= last['class_auc'][name] <= 1)
            self.assertEqual([], last['classes_collapsed'])


class Refused(WithClasses):
    def test_data_with_one_class_or_none(self):
        one = preprocess(make_classes(self.folder / 'one', ['dark']), self.folder / 'one-shards', '--labels', 'folder')
        none = preprocess(self.folder / 'photos', self.folder / 'none-shards')
        for shards, word in ((one, 'only one class'), (none, 'no labels')):
            run = self.folder / 'refused'
            self.assert_refused(2, train(1, shards, run, '--conditional', '--steps', 1), '--conditional', word)
            self.assertFalse(run.exists())

    def test_sampling_without_classes(self):
        self.assert_refused(2, train(1, self.shards, self.folder / 'sampling', '--class-sampling', 'uniform', '--steps', 1),
                            'needs --conditional')

    def test_resuming_with_other_classes_names_them(self):
        run = self.folder / 'resumed'
        self.assert_code(0, train(1, self.shards, run, '--conditional', '--steps', 2))
        other = preprocess(make_classes(self.folder / 'other', ['blue', 'dark', 'light']), self.folder / 'other-shards',
                           '--labels', 'folder')
        done = train(1, other, run, '--conditional', '--steps', 4)
        self.assert_code(3, done)
        for word in ('"red"', '"blue"'):
            self.assertIn(word, done.stderr)
        self.assertNotIn('"dark"', done.stderr)
        self.assert_code(0, train(1, self.shards, run, '--conditional', '--steps', 4))

    def test_resuming_a_run_without_classes_as_a_conditional_one(self):
        run = self.folder / 'unconditional'
        self.assert_code(0, train(1, self.shards, run, '--steps', 2))
        done = train(1, self.shards, run, '--conditional', '--steps', 4)
        self.assert_code(2, done)
        self.assertIn('conditional (false then, true now)', done.stderr)

    def test_conditional_weights_for_a_run_without_classes(self):
        run = self.folder / 'classes'
        self.assert_code(0, train(1, self.shards, run, '--conditional', '--steps', 2))
        done = train(1, self.shards, self.folder / 'from-classes', '--steps', 1, '--init-from', newest_checkpoint(run))
        self.assert_code(2, done)
        self.assertIn('add --conditional', done.stderr)


class ConditionalResume(WithClasses):
    FLAGS = ('--conditional', '--r1', 1, '--augment', 'diff', '--checkpoint-every', 10, '--sample-every', 0)

    def test_an_interrupted_run_ends_bit_for_bit_as_an_uninterrupted_one(self):
        whole, parts = self.folder / 'whole', self.folder / 'parts'
        self.assert_code(0, train(2, self.shards, whole, '--steps', 20, *self.FLAGS))
        for steps in (7, 20):
            self.assert_code(0, train(2, self.shards, parts, '--steps', steps, *self.FLAGS))
        self.assertEqual(stats(whole), stats(parts))
        self.assertEqual(digests(newest_checkpoint(whole)), digests(newest_checkpoint(parts)))

    def test_a_killed_run_ends_bit_for_bit_as_an_uninterrupted_one(self):
        """Killed between two checkpoints, so that steps are repeated from the newer one: their classes are drawn again."""
        whole, killed = self.folder / 'not-killed', self.folder / 'killed'
        flags = ('--steps', 60, '--batch', 8, *self.FLAGS, '--class-sampling', 'uniform')
        self.assert_code(0, train(2, self.shards, whole, *flags))
        lines = killed / 'stats.jsonl'
        process = subprocess.Popen(train_command(2, self.shards, killed, *flags), env=ENVIRONMENT,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not (lines.exists() and lines.read_bytes().count(b'\n') > 12):
            time.sleep(0.01)
        for rank in pathlib.Path(f'/proc/{process.pid}/task/{process.pid}/children').read_text().split():
            os.kill(int(rank), signal.SIGKILL)
        self.assertNotEqual(0, process.wait(60), 'the run ended before it was killed')
        before = int(newest_checkpoint(killed).name[5:])
        self.assertTrue(10 <= before < 60, before)
        self.assert_code(0, train(2, self.shards, killed, *flags))
        self.assertEqual(stats(whole), stats(killed))
        self.assertIsNotNone(stats(whole)[-1]['class_diversity']['dark'])
        self.assertEqual(digests(newest_checkpoint(whole)), digests(newest_checkpoint(killed)))

    def test_a_resume_with_fewer_ranks_keeps_images_and_classes(self):
        ends = []
        for name, ranks in (('two-ranks', (2, 2)), ('one-rank-later', (2, 1))):
            run = self.folder / name
            for steps, count in zip((3, 6), ranks):
                self.assert_code(0, train(count, self.shards, run, '--steps', steps, '--global-batch', 8, '--precision', 'fp64',
                                          '--balance', 'off', *self.FLAGS))
            ends.append({k: v for part in newest_checkpoint(run).glob('part-*') for k, v in load_file(part).items()})
        for name in ('generator.class_embedding.weight', 'discriminator.class_projection.weight'):
            self.assertLess(np.abs(ends[0][name] - ends[1][name]).max(), 1e-8, name)

    def test_the_number_of_ranks_changes_only_the_rounding(self):
        """Two ranks or one with two micro-batches: the same images and classes in every step."""
        ends = []
        for ranks in (1, 2):
            run = self.folder / f'ranks-{ranks}'
            self.assert_code(0, train(ranks, self.shards, run, '--steps', 6, '--global-batch', 8, '--precision', 'fp64',
                                      '--balance', 'off', *self.FLAGS))
            ends.append({k: v for part in newest_checkpoint(run).glob('part-*') for k, v in load_file(part).items()})
        for name in ('generator.class_embedding.weight', 'discriminator.class_projection.weight', 'generator.0.weight'):
            difference = np.abs(ends[0][name] - ends[1][name]).max()
            self.assertLess(difference, 1e-8, name)

    def test_a_rollback_and_a_wider_discriminator_keep_the_classes(self):
        run = self.folder / 'rollback'
        done = train(1, self.shards, run, '--steps', 60, *self.FLAGS, '--inject', 'weights:nan@25',
                     '--widen-d', 2)
        self.assert_code(0, done)
        self.assertIn('rollback', [action for line in stats(run) for action in line['actions']])
        part, = newest_checkpoint(run).glob('part-*')
        with safe_open(part, 'numpy') as tensors:
            self.assertEqual((3, 256), tensors.get_tensor('discriminator.class_projection.weight').shape)

    def test_growth_keeps_the_classes(self):
        small, large = self.folder / 'small', self.folder / 'large'
        photos = preprocess(self.folder / 'photos', self.folder / 'shards-128', '--labels', 'folder', '--size', '128')
        self.assert_code(0, train(1, photos, small, '--steps', 2, *self.FLAGS))
        self.assert_code(0, train(1, photos, large, '--steps', 2, *self.FLAGS, '--init-from', newest_checkpoint(small),
                                  resolution=128))
        with Image.open(large / 'fakes-00000002.png') as grid:
            self.assertEqual((8 * 130 + 2, 3 * 130 + 2), grid.size)


if __name__ == '__main__':
    unittest.main()
