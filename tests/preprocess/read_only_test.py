"""A finished data set that nobody can write: the same command has nothing to do, any other one is refused."""
import os
import pathlib
import tempfile
import unittest

from run_folder import make_pictures, run

NOBODY = 65534


class ReadOnly(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.top = pathlib.Path(temporary.name)
        self.top.chmod(0o755)
        make_pictures(self.top / 'photos', ['a.png', 'b.png'])
        self.out = self.top / 'shards'
        self.assertEqual(0, run(self.out, '--in', self.top / 'photos').returncode)
        (self.out / '.lock').unlink()
        self.out.chmod(0o555)
        self.addCleanup(self.out.chmod, 0o755)

    def again(self, *flags):
        # root may write everywhere
        who = {'user': NOBODY, 'extra_groups': []} if os.geteuid() == 0 else {}
        return run(self.out, '--in', self.top / 'photos', *flags, text=True, **who)

    def test_same_command_is_done(self):
        done = self.again()
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertFalse((self.out / '.lock').exists())

    def test_other_options_are_refused_as_ever(self):
        done = self.again('--filter', 'box')
        self.assertEqual(2, done.returncode, done.stderr)
        self.assertIn('filter', done.stderr)

    def test_unfinished_one_is_an_error(self):
        self.out.chmod(0o755)
        (self.out / 'manifest.json').unlink()
        self.out.chmod(0o555)
        done = self.again()
        self.assertEqual(1, done.returncode, done.stderr)
        self.assertIn('Permission denied', done.stderr)


if __name__ == '__main__':
    unittest.main()
