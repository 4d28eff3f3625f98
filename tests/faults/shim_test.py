"""The shim does what its README says, and a file that AtomicFile replaces is the old or the new one, whatever fails."""
import os
import pathlib
import subprocess
import tempfile
import unittest

import faults
import unsynced

SUBJECT = os.environ['EQUIPOISE_FAULT_SUBJECT']
OLD, NEW = b'old' * 1000, b'new' * 2000
WORDS = {'ENOSPC': 'No space left on device', 'EIO': 'Input/output error', 'EDQUOT': 'Disk quota exceeded'}


class Case(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name) / 'watched'
        self.folder.mkdir()
        self.file = self.folder / 'file'
        self.file.write_bytes(OLD)
        self.count = self.folder.parent / 'count'
        self.journal = self.folder.parent / 'journal'

    def replace(self, **fault):
        self.count.unlink(missing_ok=True)
        return subprocess.run([SUBJECT, self.file, NEW.decode()], capture_output=True, text=True, timeout=30,
                              env=os.environ | faults.environment(self.folder, count=self.count, **fault))


class FailingCalls(Case):
    def test_calls_are_counted_by_kind(self):
        for calls, expected in (((), 5), (('write',), 1), (('sync',), 2), (('rename',), 1), (('close',), 1), (('remove',), 1)):
            self.assertEqual(0, self.replace(calls=calls).returncode)
            self.assertEqual(expected, faults.counted(self.count), calls)

    def test_every_call_failing_in_turn_leaves_the_old_or_the_new_file(self):
        for error, words in WORDS.items():
            for nth in range(1, 6):
                with self.subTest(error=error, nth=nth):
                    self.file.write_bytes(OLD)
                    done = self.replace(nth=nth, error=error)
                    self.assertEqual(1, done.returncode)
                    self.assertIn(words, done.stderr)
                    self.assertIn(str(self.folder), done.stderr)
                    # The fifth call is the folder's fsync, after the rename.
                    self.assertEqual(OLD if nth < 5 else NEW, self.file.read_bytes())
                    self.assertEqual([self.file], list(self.folder.iterdir()))

    def test_short_write_is_continued(self):
        self.assertEqual(0, self.replace(calls=['write'], nth=1, error='SHORT').returncode)
        self.assertEqual(NEW, self.file.read_bytes())
        self.assertEqual(2, faults.counted(self.count))

    def test_kill_leaves_the_old_file(self):
        self.assertEqual(-9, self.replace(calls=['rename'], nth=1, error='KILL').returncode)
        self.assertEqual(OLD, self.file.read_bytes())

    def test_a_removal_can_fail(self):
        left = self.folder / 'file.gone'
        left.write_bytes(OLD)
        environment = os.environ | faults.environment(self.folder, calls=['remove'], nth=1, error='EIO')
        done = subprocess.run(['rm', '-f', left], capture_output=True, text=True, timeout=30, env=environment)
        self.assertIn(WORDS['EIO'], done.stderr)
        self.assertTrue(left.exists())

    def test_files_elsewhere_are_left_alone(self):
        other = self.folder.parent / 'watched-not'
        subprocess.run([SUBJECT, other, 'x'], check=True, timeout=30,
                       env=os.environ | faults.environment(self.folder, nth=1, error='EIO', sticky=True))
        self.assertEqual(b'x', other.read_bytes())

    def test_a_plan_that_is_not_understood_is_refused(self):
        self.assertEqual(2, self.replace(nth=1, error='EWHATEVER').returncode)
        self.assertEqual(2, self.replace(calls=['fsink']).returncode)


class PowerCut(Case):
    def states(self, **fault):
        """All that a power cut could leave in the place of the file, and whether the new text had been promised."""
        disk = unsynced.Disk(self.folder)
        done = self.replace(journal=self.journal, **fault)
        self.assertEqual(0, done.returncode)
        actions = list(unsynced.read_journal(self.journal))
        found = []
        for i in range(len(actions) + 1):
            for mode in unsynced.MODES:
                found.append((disk.after_power_cut(mode).get('file'), i == len(actions)))
            if i < len(actions):
                disk.apply(actions[i])
        return found

    def sound(self, states):
        return all(content == NEW if promised else content in (OLD, NEW) for content, promised in states)

    def test_old_or_new_at_every_moment_and_new_once_promised(self):
        self.assertTrue(self.sound(self.states()))

    def test_leaving_out_any_fsync_is_noticed(self):
        for nth in (1, 2):
            with self.subTest(nth=nth):
                self.file.write_bytes(OLD)
                self.journal.unlink(missing_ok=True)
                self.assertFalse(self.sound(self.states(calls=['sync'], nth=nth, error='SKIP')))

    def test_the_journal_replays_to_what_is_there(self):
        disk = unsynced.Disk(self.folder)
        self.replace(journal=self.journal)
        for action in unsynced.read_journal(self.journal):
            disk.apply(action)
        copy = self.folder.parent / 'copy'
        unsynced.put(disk.after_power_cut('nothing'), copy)
        self.assertEqual({'file': NEW}, {p.name: p.read_bytes() for p in copy.iterdir()})


if __name__ == '__main__':
    unittest.main()
