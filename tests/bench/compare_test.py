"""bench/compare distinguishes a faster build from an equal one, with the p of SciPy's permutation test."""
import importlib.machinery
import importlib.util
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

import numpy as np
from scipy import stats

ROOT = pathlib.Path(__file__).resolve().parents[2]


def load():
    loader = importlib.machinery.SourceFileLoader('compare', str(ROOT / 'bench/compare'))
    loader_spec = importlib.util.spec_from_loader('compare', loader)
    module = importlib.util.module_from_spec(loader_spec)
    sys.dont_write_bytecode = True  # the source has no ending, and its bytecode would lie beside it
    loader.exec_module(module)
    return module


COMPARE = load()


def script(path, *lines):
    path.parent.mkdir(exist_ok=True)
    path.write_text('\n'.join(('#!/bin/sh', *lines, '')))
    path.chmod(0o755)


class Verdict(unittest.TestCase):
    def test_p_is_that_of_scipy(self):
        for pairs, shift in ((8, 0.02), (10, 0.005), (12, 0)):
            logarithms = list(np.random.default_rng(pairs).normal(shift, 0.02, pairs))
            expected = stats.permutation_test((logarithms,), np.mean, permutation_type='samples', n_resamples=np.inf,
                                              alternative='two-sided').pvalue
            self.assertAlmostEqual(COMPARE.probability(logarithms, random.Random(1)), expected, places=9)

    def test_many_pairs_are_drawn_and_agree_with_the_exact_value(self):
        logarithms = list(np.random.default_rng(3).normal(0.008, 0.02, 20))
        expected = stats.permutation_test((logarithms,), np.mean, permutation_type='samples', n_resamples=20000,
                                          alternative='two-sided', rng=np.random.default_rng(1)).pvalue
        self.assertAlmostEqual(COMPARE.probability(logarithms, random.Random(1)), expected, delta=0.015)

    def test_a_difference_is_told_and_noise_is_not(self):
        noise = np.random.default_rng(5).normal(0, 0.02, 12)
        for factor, verdict in ((1.1, 'faster'), (1 / 1.1, 'slower'), (1, 'not to be told')):
            ratios = [factor * math.exp(one - noise.mean()) for one in noise]
            median, low, high, _, told = COMPARE.judge(ratios, random.Random(1))
            self.assertEqual(told, verdict)
            self.assertTrue(low <= median <= high)

    def test_few_pairs_tell_nothing(self):
        self.assertEqual(COMPARE.judge([2.0] * 5, random.Random(1))[4], 'not to be told')


class Command(unittest.TestCase):
    def run_it(self, *arguments, environment=None):
        return subprocess.run([sys.executable, ROOT / 'bench/compare', *map(str, arguments)], capture_output=True, text=True,
                              check=False, env=os.environ | (environment or {}))

    def test_the_time_of_old_is_divided_by_that_of_new(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            script(folder / 'mpirun', 'shift 2', 'exec "$@"')
            for build, seconds in (('old', 0.3), ('new', 0.2)):
                script(folder / build / 'gan-train', 'while [ "$1" != --run ]; do shift; done', 'mkdir -p "$2"',
                       f'for step in 1 2 3 4 5; do echo "{{\\"step_seconds\\": {seconds}}}"; done > "$2/stats.jsonl"')
            arguments = ('--shards', folder, '--bench', 'train-16', '--pairs', '8')
            path = {'PATH': f'{folder}:{os.environ["PATH"]}'}
            done = self.run_it(folder / 'old', folder / 'new', *arguments, environment=path)
            self.assertIn('train-16   1.500 (1.500 to 1.500), p 0.0078 from 8 pairs: faster\n', done.stdout, done.stderr)
            done = self.run_it(folder / 'new', folder / 'old', *arguments, environment=path)
            self.assertIn('train-16   0.667 (0.667 to 0.667), p 0.0078 from 8 pairs: slower\n', done.stdout, done.stderr)

    def test_what_is_no_build_is_told(self):
        done = self.run_it('no-such-thing', 'HEAD', '--shards', 'x')
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('no-such-thing is neither a folder with gan-train nor a revision', done.stderr)

    def test_a_failing_program_ends_it_with_its_words(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / 'gan-train').touch()
            script(folder / 'gan-inspect', 'echo shard is damaged >&2', 'exit 3')
            done = self.run_it(folder, folder, '--shards', folder, '--bench', 'verify')
            self.assertNotEqual(done.returncode, 0)
            self.assertIn('ended with 3:\nshard is damaged', done.stderr)


if __name__ == '__main__':
    unittest.main()
