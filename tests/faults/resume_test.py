"""Resuming while reading fails: the run equals the undisturbed one, or it ends with 1, has changed nothing, and the
next attempt continues.

EVERY=1 python resume_test.py     fails each call that looks at the run folder, with each error, on rank 0, on rank 1 and
on both (default: each EVERY-th; which ones changes with error and rank).
PART=3/40 EVERY=1 ...             only the third of forty shares of that, every fortieth case (default: 1/1)"""
import os
import shutil
import subprocess
import sys
import unittest

import faults
from programs import ENVIRONMENT, WithShards, digests, newest_checkpoint, stats, train, train_command

EVERY = int(os.environ.get('EVERY', 100))
PART, PARTS = map(int, os.environ.get('PART', '1/1').split('/'))
FLAGS = ('--checkpoint-every', 2, '--sample-every', 2, '--keep', 100)
PLACES = ({'rank': '0'}, {'rank': '1'}, {'each': True})
ERRORS = ('EIO', 'ESTALE', 'EACCES', 'EMFILE')


class ReadFaults(WithShards):
    """The run is at step 4, and its statistics and grids continue to step 5, as after a crash."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.base, cls.watched = cls.folder / 'base', cls.folder / 'watched'
        cls.run_folder, cls.count = cls.watched / 'run', cls.folder / 'count'
        cls.begun = train(2, cls.shards, cls.base / 'run', '--steps', 5, *FLAGS)
        shutil.rmtree(newest_checkpoint(cls.base / 'run'))

    def resume(self, *, anew=True, **fault):
        if anew:
            shutil.rmtree(self.watched, ignore_errors=True)
            shutil.copytree(self.base, self.watched)
        self.count.unlink(missing_ok=True)
        environment = faults.environment(self.watched, calls=faults.READS, count=self.count, **fault) if fault else {}
        return subprocess.run(train_command(2, self.shards, self.run_folder, '--steps', 6, *FLAGS),
                              env=ENVIRONMENT | environment, timeout=600, capture_output=True, text=True)

    def outcome(self):
        return stats(self.run_folder), digests(newest_checkpoint(self.run_folder))

    def assert_nothing_lost(self, done):
        names = {path.name for path in (self.run_folder / 'checkpoints').iterdir()}
        self.assertLessEqual({path.name for path in (self.base / 'run' / 'checkpoints').iterdir()}, names, done.stderr)
        self.assertEqual([], [name for name in names if 'damaged' in name or 'abandoned' in name], done.stderr)
        before, after = ((run / 'stats.jsonl').read_bytes() for run in (self.base / 'run', self.run_folder))
        saved = b''.join(before.splitlines(keepends=True)[:4])
        self.assertTrue(after == before or after.startswith(saved) and after.count(b'\n') >= before.count(b'\n'), after)

    def cases(self, undisturbed):
        """(place, error, which call) of every case, and how many calls each place makes."""
        cases, calls = [], []
        for place in PLACES:
            self.assert_code(0, self.resume(**place))
            self.assertEqual(undisturbed, self.outcome())
            calls.append(faults.counted(self.count))
            stride = min(EVERY, calls[-1])
            for turn, error in enumerate(ERRORS):
                offset = turn * stride // len(ERRORS) + len(calls)
                cases += [(place, error, nth) for nth in range(1 + offset % stride, calls[-1] + 1, stride)]
        return cases, calls

    def test_each_failing_gives_the_undisturbed_run_or_ends_with_1_and_nothing_lost(self):
        self.assert_code(0, self.begun)
        self.assert_code(0, self.resume())
        undisturbed = self.outcome()
        cases, calls = self.cases(undisturbed)
        hit, went_on = 0, 0
        for place, error, nth in cases[PART - 1::PARTS]:
            with self.subTest(place=place, error=error, nth=nth):
                done = self.resume(nth=nth, error=error, **place)
                self.assertIn(done.returncode, (0, 1), done.stderr)
                hit += faults.counted(self.count) >= nth
                went_on += done.returncode == 0
                self.assert_nothing_lost(done)
                if done.returncode != 0:
                    self.assert_code(0, self.resume(anew=False))
                self.assertEqual(undisturbed, self.outcome(), done.stderr)
        print(f'{calls} calls look at the run folder (rank 0, rank 1, the busier of both); part {PART} of {PARTS} of '
              f'{len(cases)} cases: {hit} of them failed once, {went_on} times the run went on, else it ended with 1 and the '
              f'next try went on', file=sys.stderr, flush=True)
        self.assertGreater(hit, 10 if PARTS == 1 else 0)

    def test_an_error_names_rank_and_host_and_file(self):
        done = self.resume(rank='1', match='step-00000004/manifest.json', nth=1, error='ESTALE')
        self.assert_code(1, done)
        self.assertRegex(done.stderr, r'rank 1 on \S+ could not read \S+step-00000004: stat \S+manifest.json: Stale file handle')
        self.assert_nothing_lost(done)
        self.assertEqual((self.base / 'run' / 'stats.jsonl').read_bytes(), (self.run_folder / 'stats.jsonl').read_bytes())


if __name__ == '__main__':
    unittest.main()
