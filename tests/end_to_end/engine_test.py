"""The distributed engine as users run it: the same mathematics whatever the number of ranks, threads and passes."""
import itertools
import json
import os
import shutil
import subprocess
import time
import unittest

import numpy as np
from safetensors import safe_open

from programs import ENVIRONMENT, WithShards, digests, newest_checkpoint, stats, train, train_command

# Batch norm over all images of an update and double precision: what remains between world sizes is rounding.
EXACT = ('--sync-bn', '--precision', 'fp64', '--global-batch', 8, '--batch', 8, '--balance', 'off', '--ema', 100)
LOSSES = ('loss_d_real', 'loss_d_fake', 'loss_g', 'grad_norm_g', 'grad_norm_d')


class Elastic(WithShards):
    def test_every_change_of_ranks_goes_on_with_the_same_images_and_noise(self):
        steps = 8
        for before, after in itertools.permutations((1, 2, 4), 2):
            with self.subTest(before=before, after=after):
                run = self.folder / f'elastic-{before}-{after}'
                shutil.copytree(self.begun(before), run)
                done = train(after, self.shards, run, *EXACT, '--steps', steps)
                self.assert_code(0, done)
                ranks = '1 rank' if before == 1 else f'{before} ranks'
                self.assertIn(f'{ranks} before, {after} now', done.stderr)
                whole = self.whole_run(steps)
                for expected, line in zip(whole, stats(run), strict=True):
                    self.assertEqual(expected['images'], line['images'])
                    for name in LOSSES:
                        self.assertAlmostEqual(1, line[name] / expected[name], delta=1e-9, msg=f'{name} {line["step"]}')

    def begun(self, ranks):
        run = self.folder / f'begun-{ranks}'
        if not run.exists():
            self.assert_code(0, train(ranks, self.shards, run, *EXACT, '--steps', 3))
        return run

    def whole_run(self, steps):
        run = self.folder / 'whole'
        if not run.exists():
            self.assert_code(0, train(1, self.shards, run, *EXACT, '--steps', steps))
        return stats(run)

    def test_global_batch_of_the_checkpoint_is_kept_by_accumulation(self):
        run = self.folder / 'accumulated'
        self.assert_code(0, train(4, self.shards, run, '--steps', 2))  # 4 images per rank: 16 per update
        done = train(2, self.shards, run, '--steps', 4)
        self.assert_code(0, done)
        self.assertIn('(16), 2 micro-batches of 4 images', done.stderr)
        self.assertEqual([16, 32, 48, 64], [line['images'] for line in stats(run)])

    def test_ranks_that_cannot_share_the_global_batch_are_refused(self):
        done = train(2, self.shards, self.folder / 'odd', '--global-batch', 9, '--steps', 1)
        self.assert_code(2, done)
        self.assertIn('cannot be shared evenly by 2 ranks', done.stderr)
        self.assertFalse((self.folder / 'odd' / 'stats.jsonl').exists())

    def test_another_global_batch_is_refused_by_name(self):
        run = self.folder / 'other'
        self.assert_code(0, train(1, self.shards, run, '--steps', 1))
        done = train(1, self.shards, run, '--steps', 2, '--global-batch', 12)
        self.assert_code(2, done)
        self.assertIn('global_batch (4 then, 12 now)', done.stderr)


class OtherRanks(WithShards):
    def resumed(self, ranks, name, batch, *flags):
        """Two steps on one rank with a global batch of 4, and two on these ranks; returns the lines and the log."""
        run = self.folder / name
        for steps, count in ((2, 1), (4, ranks)):
            self.assert_code(0, train(count, self.shards, run, '--steps', steps, '--global-batch', 4, '--batch', batch,
                                      '--precision', 'fp64', '--balance', 'off', '--sample-every', 0, *flags))
        return [line['loss_d'] for line in stats(run)], (run / 'log.txt').read_text()

    def test_the_log_says_whether_another_number_of_ranks_changes_the_results(self):
        for name, equal, batch, flags in (('micro-batches', True, 2, ()), ('batch-norm', False, 4, ()),
                                          ('sync-bn', True, 4, ('--sync-bn',)), ('sync-bn-micro', False, 2, ('--sync-bn',)),
                                          ('features', False, 2, ('--feature-matching', 1))):
            with self.subTest(name):
                whole, _ = self.resumed(1, name + '-1', batch, *flags)
                other, log = self.resumed(2, name + '-2', batch, *flags)
                self.assertEqual(equal, 'equal up to rounding' in log)
                self.assertEqual(not equal, 'other groups of images' in log)
                self.assertEqual(equal, max(abs(a - b) for a, b in zip(whole, other, strict=True)) < 1e-9)


class Accumulation(WithShards):
    def state(self, ranks):
        """Weights and running statistics after four steps of four micro-batches of two images, over all ranks."""
        run = self.folder / f'ranks-{ranks}'
        self.assert_code(0, train(ranks, self.shards, run, '--precision', 'fp64', '--batch', 2, '--global-batch', 8, '--r1', 0.1,
                                  '--d-norm', 'batch', '--balance', 'off', '--steps', 4))
        tensors = {}
        for part in newest_checkpoint(run).glob('part-*'):
            with safe_open(part, 'numpy') as file:
                tensors |= {name: file.get_tensor(name) for name in file.keys()}
        return {name: value for name, value in tensors.items()
                if name.split('.')[0] in ('generator', 'discriminator') and value.dtype == np.float64}

    def test_passes_and_ranks_leave_equal_weights_and_statistics(self):
        expected = self.state(1)
        self.assertTrue(any('running_var' in name for name in expected if name.startswith('discriminator.')))
        for ranks in (2, 4):
            found = self.state(ranks)
            self.assertEqual(expected.keys(), found.keys())
            for name, value in expected.items():
                difference = np.abs(value - found[name]).max() / max(1, np.abs(value).max())
                self.assertLessEqual(difference, 1e-12, f'{name}, {ranks} ranks')


class Deterministic(WithShards):
    REPEATS = int(os.environ.get('EQUIPOISE_REPEATS', 2))

    def test_repeats_give_equal_weights_for_every_number_of_ranks_and_threads(self):
        for ranks, threads in itertools.product((1, 2, 4), (1, 2)):
            with self.subTest(ranks=ranks, threads=threads):
                found = set()
                for repeat in range(self.REPEATS):
                    run = self.folder / f'{ranks}-{threads}-{repeat}'
                    self.assert_code(0, train(ranks, self.shards, run, '--steps', 4, '--threads', threads))
                    found.add(json.dumps(digests(newest_checkpoint(run))))
                self.assertEqual(1, len(found))

    def test_resumed_equals_uninterrupted_at_four_ranks(self):
        flags = ('--clip-norm', 1, '--warmup-steps', 4, '--lr-decay', 'cosine', '--steps', 12, '--global-batch', 32)
        whole, parts = self.folder / 'whole', self.folder / 'parts'
        self.assert_code(0, train(4, self.shards, whole, *flags))
        process = subprocess.Popen(train_command(4, self.shards, parts, *flags), env=ENVIRONMENT,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and (not (parts / 'stats.jsonl').exists() or len(stats_lines(parts)) < 3):
            time.sleep(0.002)
        subprocess.run(['pkill', '-USR1', '-P', str(process.pid)], check=True)
        self.assertEqual(75, process.wait(60))
        self.assertLess(len(stats_lines(parts)), 12)
        self.assert_code(0, train(4, self.shards, parts, *flags))
        self.assertEqual(stats(whole), stats(parts))
        self.assertEqual(digests(newest_checkpoint(whole)), digests(newest_checkpoint(parts)))

    def test_learning_rates_follow_their_schedule(self):
        run = self.folder / 'schedule'
        self.assert_code(0, train(1, self.shards, run, '--warmup-steps', 4, '--lr-decay', 'linear', '--steps', 10,
                                  '--lr-g', 1e-3, '--balance', 'off'))
        rates = [line['lr_g'] for line in stats(run)]
        for step, rate in enumerate(rates, 1):
            self.assertAlmostEqual(1e-3 * min(1, step / 4) * (1 - (step - 1) / 10), rate, places=12)


class ManyRanks(WithShards):
    def test_sixteen_ranks_train_and_agree(self):
        run = self.folder / 'sixteen'
        self.assert_code(0, train(16, self.shards, run, '--steps', 2, '--check-every', 1, '--batch', 2))
        self.assertEqual([32, 64], [line['images'] for line in stats(run)])

    def test_dry_run_says_what_a_step_costs_and_leaves_nothing(self):
        run = self.folder / 'dry'
        done = train(2, self.shards, run, '--dry-run', '--no-measure', '--resolution', 128, '--features', 64, '--batch', 8)
        self.assert_code(0, done)
        self.assertIn('images per update       16  (2 ranks x 1 micro-batch x 8 images)', done.stdout)
        # 100*1024*16 + 1024*512*16 + ... + 64*3*16 weights, and two per channel of each batch norm.
        self.assertIn('generator               12786560 parameters', done.stdout)
        self.assertFalse(run.exists())


def stats_lines(run):
    return (run / 'stats.jsonl').read_text().splitlines()


if __name__ == '__main__':
    unittest.main()
