"""--append and --dedupe: a data set that grows, and holds each picture once."""
import json
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import unittest

from run_folder import BIN, digest, make_pictures, names, quarantine, records, run


class Case(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.top = pathlib.Path(temporary.name)
        self.out = self.top / 'out'
        make_pictures(self.top / 'one', [f'{c}/{i}.png' for c in 'bd' for i in range(4)])
        make_pictures(self.top / 'two', [f'{c}/{i}.png' for c in 'abc' for i in range(3)], seed=1)

    def run_ok(self, *flags, code=0, out=None, **kwargs):
        done = run(out or self.out, *flags, **kwargs)
        self.assertEqual(code, done.returncode, done.stderr)
        return done.stdout.decode() + done.stderr.decode()

    def manifest(self):
        return json.loads((self.out / 'manifest.json').read_text())


class Append(Case):
    def test_old_records_stay_and_new_ones_follow(self):
        flags = ['--labels', 'folder', '--images-per-shard', 5]
        (self.top / 'one' / 'b' / 'bad.png').write_bytes(b'nothing')
        (self.top / 'two' / 'c' / 'bad.png').write_bytes(b'nothing')
        self.run_ok('--in', self.top / 'one', *flags)
        before, shards = records(self.out), {p.name: p.read_bytes() for p in self.out.glob('*.gan')}
        self.run_ok('--in', self.top / 'two', *flags, '--append')
        after, manifest = records(self.out), self.manifest()
        self.assertEqual(before, after[:len(before)])
        for name, contents in shards.items():
            self.assertEqual(contents, (self.out / name).read_bytes())
        self.assertEqual(['b', 'd', 'a', 'c'], manifest['labels'])
        self.assertEqual((19, 17, 2), (manifest['inputs'], manifest['accepted'], manifest['rejected']))
        self.assertEqual({'b/bad.png': 'not_a_picture', 'c/bad.png': 'not_a_picture'}, quarantine(self.out))
        self.assertEqual({'a': 3, 'b': 7, 'c': 3, 'd': 4}, {x: [r[1] for r in after].count(x) for x in 'abcd'})
        self.assertEqual(9, after[len(before)][2], 'inputs are numbered on')
        subprocess.run([BIN / 'gan-inspect', self.out], check=True, stdout=subprocess.DEVNULL)
        import numpy as np
        pixels = np.concatenate([np.frombuffer(r[3], np.uint8).reshape(-1, 3) for r in after]).astype(float)
        self.assertTrue(np.allclose(pixels.mean(0), manifest['channel_mean']))
        self.assertTrue(np.allclose(pixels.std(0), manifest['channel_std']))

    def test_the_same_command_again_does_nothing(self):
        self.run_ok('--in', self.top / 'one')
        for _ in range(2):
            self.run_ok('--in', self.top / 'two', '--append')
        wanted = digest(self.out)
        self.assertIn('complete already', self.run_ok('--in', self.top / 'two', '--append'))
        self.assertIn('complete already', self.run_ok('--in', self.top / 'one'))
        self.assertEqual(wanted, digest(self.out))
        self.assertEqual(17, len(names(self.out)))

    def test_other_options_and_other_inputs_without_append_are_refused(self):
        self.run_ok('--in', self.top / 'one')
        wanted = digest(self.out)
        self.assertIn('filter', self.run_ok('--in', self.top / 'two', '--append', '--filter', 'box', code=2))
        self.assertIn('--append', self.run_ok('--in', self.top / 'two', code=2))
        self.assertEqual(wanted, digest(self.out))

    def test_to_nothing_begins_a_data_set(self):
        self.run_ok('--in', self.top / 'one', '--append')
        self.assertEqual(8, len(names(self.out)))
        self.assertIn('complete already', self.run_ok('--in', self.top / 'one', '--append'))


class Dedupe(Case):
    def test_of_equal_files_the_first_is_taken(self):
        shutil.copy(self.top / 'one/b/0.png', self.top / 'two/b/again.png')
        shutil.copy(self.top / 'two/a/0.png', self.top / 'two/c/again.png')
        with tarfile.open(self.top / 'three.tar', 'w') as tar:
            tar.add(self.top / 'one/d/3.png', 'in-tar.png')
            tar.add(self.top / 'one/d/3.png', 'in-tar-twice.png')
        inputs = ['--in', self.top / 'one', '--in', self.top / 'two', '--in', self.top / 'three.tar']
        self.run_ok(*inputs, out=self.top / 'off')
        self.assertEqual(21, len(names(self.top / 'off')))
        wanted = {'b/again.png': 'duplicate', 'c/again.png': 'duplicate', 'in-tar.png': 'duplicate',
                  'in-tar-twice.png': 'duplicate'}
        digests = set()
        for ranks in (1, 2, 3):
            out = self.top / f'ranks{ranks}'
            self.run_ok(*inputs, '--dedupe', 'exact', '--images-per-shard', 4, out=out, ranks=ranks)
            self.assertEqual(wanted, quarantine(out))
            self.assertEqual(17, len(names(out)))
            digests.add(digest(out))
        self.assertEqual(1, len(digests))

    def test_files_of_one_size_with_other_bytes_are_kept(self):
        for i in range(3):
            raw = bytearray((self.top / 'one/b/0.png').read_bytes())
            (self.top / 'one' / f'same{i}.png').write_bytes(raw + bytes([i]))  # behind the end of the picture
        self.run_ok('--in', self.top / 'one', '--dedupe', 'exact')
        self.assertEqual(11, len(names(self.out)))

    def test_appended_pictures_that_are_there_already_are_left_out(self):
        self.run_ok('--in', self.top / 'one')
        make_pictures(self.top / 'one', ['new.png'], seed=5)
        self.run_ok('--in', self.top / 'one', '--append', '--dedupe', 'exact')
        self.assertEqual(9, len(names(self.out)))
        self.assertEqual('new.png', names(self.out)[-1])
        self.assertEqual(8, list(quarantine(self.out).values()).count('duplicate'))


if __name__ == '__main__':
    unittest.main()
