"""gan-train on a disk that fails, and after a power cut.

EVERY=1 python run_test.py    fails each call of a run with each error (default: each EVERY-th, which ones changes with the error)."""
import os
import re
import shutil
import subprocess
import sys
import unittest

import faults
import unsynced
from programs import BIN, ENVIRONMENT, WithShards, digests, newest_checkpoint, stats, train_command

EVERY = int(os.environ.get('EVERY', 9))
FLAGS = ('--steps', 4, '--checkpoint-every', 2, '--sample-every', 2, '--keep', 100)


def say(text):
    print(text, file=sys.stderr, flush=True)


class Case(WithShards):
    def setUp(self):
        self.watched = self.folder / self.id().rsplit('.', 1)[1]
        self.run_folder = self.watched / 'run'
        self.count, self.journal = self.folder / 'count', self.folder / 'journal'

    def train(self, run, *flags, **fault):
        for left in (self.count, self.journal):
            left.unlink(missing_ok=True)
        environment = faults.environment(self.watched, count=self.count, **fault) if fault else {}
        return subprocess.run(train_command(1, self.shards, run, *FLAGS, *flags), env=ENVIRONMENT | environment, timeout=120,
                              capture_output=True, text=True)

    def train_anew(self, *flags, **fault):
        shutil.rmtree(self.watched, ignore_errors=True)
        self.watched.mkdir()
        return self.train(self.run_folder, *flags, **fault)

    def whole_run(self):
        """A folder of the same name, because the name is in the metrics' labels and the targets file."""
        whole = self.folder / 'whole' / 'run'
        if not whole.exists():
            self.assert_code(0, self.train(whole))
        return whole

    def assert_checkpoints_intact(self):
        for folder in (self.run_folder / 'checkpoints').glob('step-????????'):
            done = subprocess.run([BIN / 'gan-inspect', folder], capture_output=True, text=True, env=ENVIRONMENT)
            self.assertEqual(0, done.returncode, done.stderr)


class EveryCall(Case):
    def test_whichever_fails_it_goes_on_or_ends_with_1_and_the_same_command_makes_it_whole(self):
        whole = self.whole_run()
        failed, went_on = 0, 0
        for turn, error in enumerate(('ENOSPC', 'EIO', 'EDQUOT', 'SHORT')):
            calls = ['write'] if error == 'SHORT' else []
            self.assert_code(0, self.train_anew(calls=calls))
            total = faults.counted(self.count)
            for nth in range(1 + 2 * turn % EVERY, total + 1, EVERY):
                with self.subTest(error=error, nth=nth):
                    done = self.train_anew(nth=nth, error=error, calls=calls)
                    self.assertIn(done.returncode, (0,) if error == 'SHORT' else (0, 1), done.stderr)
                    failed += 1
                    went_on += done.returncode == 0
                    self.assert_checkpoints_intact()
                    if done.returncode != 0:
                        self.assertRegex(done.stderr, 'No space left|Input/output error|quota exceeded')
                        self.assert_code(0, self.train(self.run_folder))
                    self.assertEqual(stats(whole), stats(self.run_folder))
                    self.assertEqual(digests(newest_checkpoint(whole)), digests(newest_checkpoint(self.run_folder)))
        say(f'{failed} failing calls: {went_on} times training went on, else it ended with 1 and the same command finished it')


class WhatMayFail(Case):
    def test_a_grid_or_a_status_that_cannot_be_written_is_said_and_training_goes_on(self):
        whole = self.whole_run()
        for match, words in (('fakes-', 'without the grid of step'), ('status.json', 'status.json is outdated')):
            with self.subTest(match):
                done = self.train_anew(calls=['write'], match=match, nth=1, error='ENOSPC')
                self.assert_code(0, done)
                self.assertIn(words, done.stderr)
                self.assertIn('No space left on device', done.stderr)
                self.assertEqual(digests(newest_checkpoint(whole)), digests(newest_checkpoint(self.run_folder)))

    def test_lines_of_the_statistics_wait_for_room(self):
        whole = self.whole_run()
        done = self.train_anew(calls=['write'], match='stats.jsonl', nth=2, times=2, error='ENOSPC')
        self.assert_code(0, done)
        self.assertRegex(done.stderr, r'stats.jsonl: No space left on device; training continues')
        self.assertEqual(stats(whole), stats(self.run_folder))
        self.assertEqual(digests(newest_checkpoint(whole)), digests(newest_checkpoint(self.run_folder)))

    def test_statistics_that_never_find_room_cost_no_run_and_no_checkpoint(self):
        whole = self.whole_run()
        done = self.train_anew(calls=['write'], match='stats.jsonl', nth=2, sticky=True, error='ENOSPC')
        self.assert_code(0, done)
        self.assertIn('3 lines are missing', done.stderr)
        self.assertEqual(stats(whole)[:1], stats(self.run_folder))
        self.assertEqual(digests(newest_checkpoint(whole)), digests(newest_checkpoint(self.run_folder)))

    def test_an_event_file_that_cannot_be_written_costs_no_run(self):
        for nth in (1, 4):
            done = self.train_anew('--tensorboard', calls=['write'], match='tfevents', nth=nth, sticky=True, error='ENOSPC')
            self.assert_code(0, done)
            self.assertIn('training continues without the TensorBoard event file', done.stderr)

    def test_pruning_that_fails_does_not_make_a_good_save_fail(self):
        lists = {'calls': ['list'], 'match': r'/checkpoints$'}
        self.assert_code(0, self.train_anew(**lists))
        last = faults.counted(self.count)  # in the pruning after the last save
        done = self.train_anew(**lists, nth=last - 1, sticky=True, error='ESTALE')
        self.assert_code(0, done)
        self.assertIn('Stale file handle; the old checkpoint stays', done.stderr)
        self.assert_checkpoints_intact()

    def test_the_last_word_of_a_run_must_be_written(self):
        self.assert_code(1, self.train_anew(calls=['write'], match='status.json', nth=1, error='ENOSPC', sticky=True))
        self.assert_code(0, self.train(self.run_folder))


class FullDisk(Case):
    def test_that_stays_full_is_no_case_for_a_restart_and_the_same_command_goes_on_when_there_is_room(self):
        whole = self.whole_run()
        self.assert_code(0, self.train_anew(calls=['write']))
        total = faults.counted(self.count)
        for nth in (total // 3, 2 * total // 3):
            shutil.rmtree(self.watched)
            self.watched.mkdir()
            self.count.unlink(missing_ok=True)
            full = faults.environment(self.watched, count=self.count, calls=['write'], nth=nth, error='ENOSPC', sticky=True)
            launch = [str(BIN / 'gan-launch'), '-np', '1', '--kill-after', '0', '--backoff', '0.05', '--oversubscribe', '--']
            done = subprocess.run([*launch, *train_command(1, self.shards, self.run_folder, *FLAGS)], env=ENVIRONMENT | full,
                                  timeout=120, capture_output=True, text=True)
            self.assert_code(1, done)
            self.assertIn('No space left on device', done.stderr)
            self.assertIn('a restart would not help; 0 restarts', done.stderr)
            self.assert_checkpoints_intact()
            self.assert_code(0, self.train(self.run_folder))
            self.assertEqual(stats(whole), stats(self.run_folder))


class PowerCut(Case):
    def broken_promises(self, **fault):
        """Returns what a power cut at any moment of a run could leave that is neither old nor new, or misses what was
        promised."""
        shutil.rmtree(self.watched, ignore_errors=True)
        self.watched.mkdir()
        disk = unsynced.Disk(self.watched)
        self.assert_code(0, self.train(self.run_folder, journal=self.journal, **fault))
        ledger = Ledger(self.run_folder.relative_to(self.watched))
        broken, states = [], 0

        def look(ended=False):
            for mode in unsynced.MODES:
                broken.extend(f'{mode}: {wrong}' for wrong in ledger.wrong(disk.after_power_cut(mode), ended))
        for action in unsynced.read_journal(self.journal):
            ledger.promise(disk.relative(action.path), action)
            look()
            states += len(unsynced.MODES)
            disk.apply(action)
            ledger.note(action, disk)
        look(ended=True)
        return broken, states

    def test_at_every_moment_each_file_is_old_or_new_and_the_statistics_reach_as_far_as_the_checkpoint(self):
        broken, states = self.broken_promises()
        self.assertEqual([], broken)
        say(f'{states} states of the disk during a run, each old or new')

    def test_without_any_one_fsync_the_test_above_fails(self):
        """Names that are synced at one place of the code are of one kind. Each time, the calls at one such place are
        left out."""
        self.assert_code(0, self.train_anew(journal=self.journal))
        synced = {re.sub(r'\d+', '#', action.path) for action in unsynced.read_journal(self.journal) if action.kind == 's'}
        synced = {path for path in synced if '/.probe-' not in path}  # to be seen by other hosts, and then removed
        self.assertGreater(len(synced), 8)
        masked = re.sub(r'\d+', '#', str(self.watched.resolve()))
        for path in sorted(synced):
            with self.subTest(path):
                place = re.escape(path).replace(r'\#', r'\d+') + '$'
                broken, _ = self.broken_promises(calls=['sync'], match=place, nth=1, sticky=True, error='SKIP')
                say(f'without fsync of {path.removeprefix(masked)}: {len(broken)} states wrong, first {broken[:1]}')
                self.assertTrue(broken, 'this fsync is there for nothing')


class Ledger:
    """Tracks what the program has published by rename, and what it relies on: a thread that continues with other work
    assumes that what it published before is on the disk."""

    UNSEEN = ('.lock', 'log.txt')  # no content that matters; written by the C library's own stdio

    def __init__(self, run):
        self.statistics = f'{run}/stats.jsonl'
        self.checkpoints = f'{run}/checkpoints'
        self.versions = {}   # path -> the contents that were published under it
        self.expected = {}   # path -> the number of the version that must not be lost any more
        self.removed = set()
        self.fresh = {'saver': [], 'loop': []}  # published by each thread, not yet relied upon
        self.lines = b''     # of the statistics

    def thread(self, path):
        return 'saver' if path.startswith(self.checkpoints) else 'loop'

    def promise(self, path, action):
        """Called before `action`: from now on its thread relies on what it published before."""
        if action.kind == 's':
            return
        for published in self.fresh[self.thread(path)]:
            self.expected[published] = len(self.versions[published]) - 1
        self.fresh[self.thread(path)] = []

    def note(self, action, disk):
        """Called after `action`."""
        if action.kind == 'u':
            self.removed.add(disk.relative(action.path))
            self.expected.pop(disk.relative(action.path), None)
        elif action.kind == 'w' and disk.relative(action.path) == self.statistics:
            self.lines += action.data
        elif action.kind == 'r' and '.tmp-' not in action.other:
            for path, content in disk.files(disk.relative(action.other)).items():
                self.versions.setdefault(path, []).append(content)
                self.removed.discard(path)
                self.fresh[self.thread(path)].append(path)

    def wrong(self, left, ended):
        """Returns what is neither old nor new in `left`, and what is missing there. `ended`: everything is promised."""
        for path, content in left.items():
            if content is None or '.tmp-' in path or path.endswith(self.UNSEEN):
                continue
            whole = self.lines.startswith(content) if path == self.statistics else content in self.versions.get(path, ())
            if not whole:
                yield f'{path} is neither old nor new'
            if path.startswith(self.checkpoints) and path.endswith('manifest.json'):
                step = int(path.split('/')[-2][len('step-'):])
                if left.get(self.statistics, b'').count(b'\n') < step:
                    yield f'the statistics end before the checkpoint of step {step}'
        expected = self.expected
        if ended:
            expected = {path: len(versions) - 1 for path, versions in self.versions.items() if path not in self.removed}
        for path, version in expected.items():
            if left.get(path) not in self.versions[path][version:]:
                yield f'{path} was promised'


if __name__ == '__main__':
    unittest.main()
