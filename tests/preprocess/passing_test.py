"""An input that cannot be read for a reason that may pass is not given up: the same command tries it again."""
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import lmdb
import numpy as np
import pyarrow.parquet

import faults
from run_folder import ENVIRONMENT, command, digest, make_pictures, names, quarantine, run


class Case(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.top = pathlib.Path(temporary.name).resolve()
        self.photos, self.out = self.top / 'photos', self.top / 'out'
        make_pictures(self.photos, [f'{i}.png' for i in range(6)])
        (self.photos / 'bad.png').write_bytes(b'nothing')
        make_pictures(self.top / 'more', ['7.png', '8.png'], seed=4)
        self.flags = ['--in', self.photos, '--images-per-shard', 2]

    def failing(self, *flags, error='EMFILE', match='3\\.png', calls=('open',), folder=None, ranks=1):
        """A run in which those calls fail."""
        shim = faults.environment(folder or self.photos, calls=calls, match=match, nth=1, error=error, sticky=True)
        return subprocess.run(command(self.out, *(flags or self.flags), ranks=ranks), env=ENVIRONMENT | shim, capture_output=True,
                              text=True, timeout=60)

    def wanted(self, *more):
        out = self.top / 'wanted'
        self.assertEqual(0, run(out, *self.flags).returncode)
        for flags in more:
            self.assertEqual(0, run(out, *flags).returncode)
        return digest(out)

    def assert_left(self, done, count):
        self.assertEqual(75, done.returncode, done.stderr)
        self.assertIn(f'{count} of the inputs could not be read for a reason that may pass', done.stdout)
        marked = [line for line in map(json.loads, (self.out / 'quarantine.jsonl').read_text().splitlines()) if 'left_to_try' in line]
        self.assertEqual(count, len(marked))
        self.assertEqual({'unreadable'}, {line['reason'] for line in marked})


class Passing(Case):
    def test_it_is_tried_again_and_the_end_is_the_same(self):
        wanted = self.wanted()
        for error in ('EMFILE', 'ESTALE', 'EIO', 'EACCES'):
            with self.subTest(error):
                self.assert_left(self.failing(error=error), 1)
                self.assertEqual(5, len(names(self.out)))
                kept = (self.out / 'shard-00000.gan').stat().st_ino
                again = run(self.out, *self.flags)
                self.assertEqual(0, again.returncode, again.stderr)
                self.assertIn(b'continued: 5 inputs were done before', again.stdout)
                self.assertEqual(wanted, digest(self.out))
                self.assertEqual(kept, (self.out / 'shard-00000.gan').stat().st_ino, 'only its shard is made again')
                self.assertIn(b'Nothing to do', run(self.out, *self.flags).stdout)
                shutil.rmtree(self.out)

    def test_what_still_fails_changes_nothing(self):
        self.assert_left(self.failing(), 1)
        before = digest(self.out)
        again = self.failing()
        self.assert_left(again, 1)
        self.assertIn('Nothing to do', again.stdout)
        self.assertEqual(before, digest(self.out))

    def test_one_that_passes_and_one_that_does_not(self):
        self.assert_left(self.failing(match='[13]\\.png'), 2)
        self.assert_left(self.failing(match='1\\.png'), 1)
        self.assertEqual(0, run(self.out, *self.flags).returncode)
        self.assertEqual(self.wanted(), digest(self.out))

    def test_when_nothing_could_be_read_the_next_run_does(self):
        done = self.failing(match='png')
        self.assertEqual(3, done.returncode, done.stderr)
        self.assertEqual(0, run(self.out, *self.flags).returncode)
        self.assertEqual(self.wanted(), digest(self.out))

    def test_appended_ones_are_tried_again_too(self):
        append = ['--in', self.top / 'more', '--images-per-shard', 2, '--append']
        wanted = self.wanted(append)
        self.assertEqual(0, run(self.out, *self.flags).returncode)
        self.assert_left(self.failing(*append, match='8\\.png', folder=self.top / 'more'), 1)
        self.assertEqual(7, len(names(self.out)))
        base = run(self.out, *self.flags)
        self.assertEqual(0, base.returncode, 'the first command has nothing left to try')
        self.assertEqual(0, run(self.out, *append).returncode)
        self.assertEqual(wanted, digest(self.out))

    def test_append_settles_what_was_left(self):
        self.assert_left(self.failing(), 1)
        append = ['--in', self.top / 'more', '--images-per-shard', 2, '--append']
        self.assertEqual(0, run(self.out, *append).returncode)
        self.assertEqual(7, len(names(self.out)))
        self.assertEqual({'3.png': 'unreadable', 'bad.png': 'not_a_picture'}, quarantine(self.out))
        self.assertEqual(0, run(self.out, *self.flags).returncode)

    def test_a_picture_of_an_archive_that_cannot_be_compared_now(self):
        shutil.copy(self.photos / '3.png', self.top / 'more' / 'same.png')
        archive = self.top / 'p.tar'
        subprocess.run(['tar', '-C', self.top / 'more', '-cf', archive, '.'], check=True)
        self.flags += ['--in', archive]
        dedupe = [*self.flags, '--dedupe', 'exact']

        def opened(flags):
            count = self.top / f'count{len(flags)}'
            shim = faults.environment(self.top, calls=('open',), match='p\\.tar', error='EMFILE', nth=10_000, count=count)
            done = subprocess.run(command(self.top / f'o{len(flags)}', *flags), env=ENVIRONMENT | shim, capture_output=True, timeout=60)
            self.assertEqual(0, done.returncode, done.stderr)
            return faults.counted(count)
        # The input is opened for the list, for the comparison if there is one, and for the records; the last two cost
        # the same.
        without, with_comparison = opened(self.flags), opened(dedupe)
        self.assertLess(without, with_comparison)
        shim = faults.environment(self.top, calls=('open',), match='p\\.tar', nth=2 * without - with_comparison + 1, error='EMFILE', sticky=True)
        self.assert_left(subprocess.run(command(self.out, *dedupe), env=ENVIRONMENT | shim, capture_output=True, text=True, timeout=60), 3)
        self.assertEqual(0, run(self.out, *dedupe).returncode)
        self.assertEqual({'photos/bad.png': 'not_a_picture', 'p.tar/same.png': 'duplicate'}, quarantine(self.out))
        self.assertEqual(digest(self.top / f'o{len(dedupe)}'), digest(self.out))

    def test_a_picture_of_an_array_in_an_archive(self):
        source, count = self.top / 'some.npz', self.top / 'count'
        np.savez(source, images=np.random.default_rng(1).integers(0, 256, (6, 32, 32, 3), np.uint8))
        self.flags = ['--in', source]
        wanted = self.wanted()

        def failing(nth):
            count.unlink(missing_ok=True)
            shim = faults.environment(self.top, calls=('open',), match='some\\.npz', error='EMFILE', nth=nth, count=count)
            return subprocess.run(command(self.out, *self.flags), env=ENVIRONMENT | shim, capture_output=True, text=True, timeout=60)
        self.assertEqual(0, failing(10_000).returncode)
        shutil.rmtree(self.out)
        self.assert_left(failing(faults.counted(count)), 1)
        self.assertEqual(0, run(self.out, *self.flags).returncode)
        self.assertEqual(wanted, digest(self.out))

    def test_a_picture_that_turns_out_to_be_the_first_of_its_kind(self):
        """The duplicate of the input is in a shard that is already finished."""
        shutil.copy(self.photos / '0.png', self.photos / '5.png')
        self.flags += ['--dedupe', 'exact']
        wanted = self.wanted()
        self.assert_left(self.failing(match='/0\\.png'), 1)
        self.assertIn('5.png', names(self.out))
        self.assertEqual(0, run(self.out, *self.flags).returncode)
        self.assertEqual({'5.png': 'duplicate', 'bad.png': 'not_a_picture'}, quarantine(self.out))
        self.assertEqual(wanted, digest(self.out))

    def test_a_picture_of_a_database(self):
        source, count = self.top / 'db', self.top / 'count'
        with lmdb.open(str(source), map_size=1 << 26) as database, database.begin(write=True) as transaction:
            for i in range(6):
                transaction.put(b'%d' % i, (self.photos / f'{i}.png').read_bytes())
        self.flags = ['--in', source]
        wanted = self.wanted()

        def failing(error, nth, **how):
            count.unlink(missing_ok=True)
            shim = faults.environment(source, calls=('open',), match='data\\.mdb', error=error, nth=nth, count=count, **how)
            return subprocess.run(command(self.out, *self.flags), env=ENVIRONMENT | shim, capture_output=True, text=True, timeout=60)
        self.assertEqual(0, failing('EMFILE', 10_000).returncode)
        last = faults.counted(count)  # by the process that reads the pictures
        shutil.rmtree(self.out)
        self.assert_left(failing('EMFILE', last), 1)
        self.assertEqual(0, run(self.out, *self.flags).returncode)
        self.assertEqual(wanted, digest(self.out))
        shutil.rmtree(self.out)
        killed_once = failing('KILL', last)
        self.assertEqual(0, killed_once.returncode, killed_once.stderr)
        self.assertEqual(wanted, digest(self.out))
        shutil.rmtree(self.out)
        killed = failing('KILL', last, sticky=True)
        self.assertEqual(1, killed.returncode, killed.stderr)
        self.assertIn('was killed', killed.stderr)
        self.assertEqual(0, run(self.out, *self.flags).returncode)
        self.assertEqual(wanted, digest(self.out))

    def test_with_ranks(self):
        self.assert_left(self.failing(ranks=2), 1)
        self.assertEqual(0, run(self.out, *self.flags, ranks=2).returncode)
        self.assertEqual(self.wanted(), digest(self.out))

    def test_an_archive_that_cannot_be_opened_now_is_no_damaged_one(self):
        subprocess.run(['tar', '-C', self.photos, '-cf', self.top / 'photos/p.tar', '.'], capture_output=True)
        done = self.failing('--in', self.photos / 'p.tar', match='p\\.tar')
        self.assertEqual(1, done.returncode, done.stderr)
        self.assertIn('Too many open files', done.stderr)
        self.assertFalse(self.out.exists())


class PassingTable(Case):
    """Needs Arrow."""

    def test_a_picture_of_a_table(self):
        make_pictures(self.photos, [f'{i}.png' for i in range(60)], side=200)
        source, count = self.top / 'some.parquet', self.top / 'count'
        rows = [(self.photos / f'{i}.png').read_bytes() for i in range(60)]
        pyarrow.parquet.write_table(pyarrow.table({'image': rows}), source, row_group_size=10)
        self.flags = ['--in', source]
        wanted = self.wanted()
        for calls, error in (('read', 'EIO'), ('open', 'EMFILE')):
            def failing(nth):
                count.unlink(missing_ok=True)
                shim = faults.environment(self.top, calls=(calls,), match='some\\.parquet', error=error, nth=nth, count=count)
                return subprocess.run(command(self.out, *self.flags), env=ENVIRONMENT | shim, capture_output=True, text=True, timeout=60)
            with self.subTest(error):
                self.assertEqual(0, failing(10_000).returncode)
                shutil.rmtree(self.out)
                self.assert_left(failing(faults.counted(count)), 1)
                self.assertEqual(0, run(self.out, *self.flags).returncode)
                self.assertEqual(wanted, digest(self.out))
                shutil.rmtree(self.out)


if __name__ == '__main__':
    unittest.main()
