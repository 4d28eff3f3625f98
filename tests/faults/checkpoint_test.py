"""A checkpoint is the old or the new one, never a mixture: whatever call fails, and whenever the power is cut."""
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

import faults
import unsynced

SUBJECT = os.environ['EQUIPOISE_CHECKPOINT_SUBJECT']
FLIPS = int(os.environ.get('FLIPS', 2000))


def say(text):
    print(text, file=sys.stderr, flush=True)


class Case(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.top = pathlib.Path(temporary.name)
        self.watched = self.top / 'watched'
        self.root = self.watched / 'run' / 'checkpoints'
        self.watched.mkdir()
        self.count, self.journal = self.top / 'count', self.top / 'journal'

    def save(self, step, ranks=2, **fault):
        self.count.unlink(missing_ok=True)
        self.journal.unlink(missing_ok=True)
        environment = faults.environment(self.watched, count=self.count, **fault) if fault else {}
        return subprocess.run([SUBJECT, 'save', self.root, str(step), str(ranks)], capture_output=True, text=True,
                              timeout=30, env=os.environ | environment)

    def newest(self, root=None, may_be_lost=False):
        """The step of the newest checkpoint, 0 for none; None where there were some and none is intact."""
        done = subprocess.run([SUBJECT, 'newest', root or self.root], capture_output=True, text=True, timeout=30)
        if may_be_lost and done.returncode != 0 and 'none of them intact' in done.stderr:
            return None
        self.assertEqual(0, done.returncode, done.stderr)
        return int(done.stdout)


class EveryCall(Case):
    def test_each_failing_in_turn_gives_old_or_new_and_the_next_save_works(self):
        total = 0
        for error in ('ENOSPC', 'EIO', 'EDQUOT', 'SHORT', 'KILL'):
            nth = 1
            while True:
                shutil.rmtree(self.watched)
                self.watched.mkdir()
                self.assertEqual(0, self.save(1).returncode)
                calls = ['write'] if error == 'SHORT' else []
                done = self.save(2, nth=nth, error=error, calls=calls)
                reached = faults.counted(self.count) >= nth
                with self.subTest(error=error, nth=nth):
                    found = self.newest()
                    if done.returncode == 0:
                        self.assertEqual(2, found, 'promised and not there')
                    else:
                        self.assertIn(found, (1, 2))
                        if error == 'KILL':
                            self.assertEqual(-9, done.returncode)
                        else:
                            self.assertEqual(1, done.returncode, done.stderr)
                            self.assertEqual(1, found, 'a failed save must not count')
                            self.assertEqual(['step-00000001'], sorted(p.name for p in self.root.iterdir()))
                    self.assertEqual(0, self.save(3).returncode)
                    self.assertEqual(3, self.newest())
                if not reached:
                    break
                total += 1
                nth += 1
        say(f'{total} failing calls')
        self.assertGreater(total, 40)


class PowerCut(Case):
    def promises_broken(self, **fault):
        """Counts how many states of the disk after a power cut are neither old nor new, or miss what was promised."""
        for child in self.watched.iterdir():
            shutil.rmtree(child)
        broken, states = [], 0
        for step in (1, 2, 3):  # a new run, one checkpoint, two
            disk = unsynced.Disk(self.watched)
            done = self.save(step, journal=self.journal, **fault)
            self.assertEqual(0, done.returncode, done.stderr)
            actions = list(unsynced.read_journal(self.journal))
            for i in range(len(actions) + 1):
                for mode in unsynced.MODES:
                    there = self.top / 'after'
                    shutil.rmtree(there, ignore_errors=True)
                    there.mkdir()
                    unsynced.put(disk.after_power_cut(mode), there)
                    if subprocess.run([SUBJECT, 'every', there / 'run' / 'checkpoints'], capture_output=True).returncode != 0:
                        broken.append((step, i, mode, 'half of one'))
                    found = self.newest(there / 'run' / 'checkpoints', may_be_lost=True)
                    states += 1
                    allowed = (step,) if i == len(actions) else (step - 1, step)
                    if found not in allowed:
                        broken.append((step, i, mode, found))
                if i < len(actions):
                    disk.apply(actions[i])
        return broken, states

    def test_whatever_was_not_synced_is_lost_and_it_is_old_or_new(self):
        broken, states = self.promises_broken()
        self.assertEqual([], broken)
        say(f'{states} states of the disk, each old or new')

    def test_without_any_one_fsync_the_test_above_fails(self):
        shutil.rmtree(self.watched)
        self.watched.mkdir()
        self.save(1, calls=['sync'])
        syncs = faults.counted(self.count)
        for nth in range(1, syncs + 1):
            with self.subTest(nth=nth):
                broken, _ = self.promises_broken(calls=['sync'], nth=nth, error='SKIP')
                say(f'without fsync {nth} of {syncs}: {len(broken)} states wrong, first {broken[:1]}')
                self.assertTrue(broken, 'this fsync is there for nothing')


class Damage(Case):
    def test_flips_and_truncations_are_all_found_and_the_older_one_is_used(self):
        chance = random.Random(5)
        for step in (1, 2):
            self.save(step)
        good = self.top / 'good'
        shutil.copytree(self.root, good)
        files = sorted(p.relative_to(good) for p in (good / 'step-00000002').iterdir())
        found = 0
        for turn in range(FLIPS):
            victim = self.root / files[turn % len(files)]
            data = bytearray(victim.read_bytes())
            if turn % 4 == 3:
                del data[chance.randrange(len(data)):]
            else:
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            victim.write_bytes(data)
            found += self.newest() == 1
            shutil.rmtree(self.root)
            shutil.copytree(good, self.root)
        say(f'{found} of {FLIPS} flips and truncations found')
        self.assertEqual(FLIPS, found)

    def test_newest_one_two_and_three_damaged(self):
        for damaged in (1, 2, 3):
            shutil.rmtree(self.watched)
            self.watched.mkdir()
            every = self.top / f'every-{damaged}'
            for step in (1, 2, 3, 4):  # the subject keeps two: what it removes is put back
                self.save(step)
                shutil.copytree(self.root, every, dirs_exist_ok=True)
            shutil.copytree(every, self.root, dirs_exist_ok=True)
            self.assertEqual(4, len(list(self.root.glob('step-*'))))
            for step in range(4, 4 - damaged, -1):
                part = self.root / f'step-{step:08d}' / 'part-00001-of-00002.safetensors'
                part.write_bytes(part.read_bytes()[:-1])
            self.assertEqual(4 - damaged, self.newest())
            self.assertEqual(damaged, len(list(self.root.glob('*.damaged'))))

    def test_link_in_place_of_a_part_is_not_followed(self):
        for step in (1, 2):
            self.save(step)
        part = self.root / 'step-00000002' / 'part-00000-of-00002.safetensors'
        elsewhere = self.top / 'elsewhere'
        part.rename(elsewhere)
        part.symlink_to(elsewhere)
        self.assertEqual(1, self.newest())


if __name__ == '__main__':
    unittest.main()
