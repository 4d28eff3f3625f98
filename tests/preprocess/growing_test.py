"""--append and --dedupe: a data set that grows, and holds each picture once."""
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import unittest
import zipfile

import numpy as np
import xxhash
from PIL import Image, ImageOps

from run_folder import BIN, ENVIRONMENT, digest, make_pictures, names, quarantine, records, run


def sealed(manifest):
    """The digest of a manifest of which it will be a member."""
    text = json.dumps(manifest, sort_keys=True, separators=(',', ':'), ensure_ascii=False)
    return 'xxh3-128:' + xxhash.xxh3_128_hexdigest(text.encode())


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

    def test_labelled_inputs_can_follow_unlabelled_ones(self):
        make_pictures(self.top / 'plain', ['1.png', '2.png'], seed=3)
        self.run_ok('--in', self.top / 'plain', '--labels', 'auto')
        self.assertEqual([], self.manifest()['labels'])
        said = self.run_ok('--in', self.top / 'one', '--append', '--labels', 'auto')
        self.assertIn('3 labels are new in the data set: (none), b, d', said)
        self.assertEqual((['', 'b', 'd'], [2, 4, 4]), (self.manifest()['labels'], self.manifest()['label_counts']))
        self.assertEqual(['', ''] + 4 * ['b'] + 4 * ['d'], [label for _, label, _, _ in records(self.out)])
        subprocess.run([BIN / 'gan-inspect', self.out], check=True, stdout=subprocess.DEVNULL)
        self.run_ok('--in', self.top / 'two', '--append', '--labels', 'auto')
        self.assertEqual({'': 2, 'b': 7, 'd': 4, 'a': 3, 'c': 3},
                         dict(zip(self.manifest()['labels'], self.manifest()['label_counts'])))

    def test_to_nothing_begins_a_data_set(self):
        self.run_ok('--in', self.top / 'one', '--append')
        self.assertEqual(8, len(names(self.out)))
        self.assertIn('complete already', self.run_ok('--in', self.top / 'one', '--append'))


class OtherContents(Case):
    """Inputs with the names and sizes of earlier ones: only their contents say whether they are the same."""
    TOLD = 'the data set had inputs of the same names and sizes with other contents: those stay, and these were added'

    def arrays(self, folder, seed):
        path = self.top / folder / 'images.npy'
        path.parent.mkdir(exist_ok=True)
        np.save(path, np.random.default_rng(seed).integers(0, 256, (5, 32, 32, 3), np.uint8))
        return path

    def tar(self, name, seed, count=40, time=0):
        """A tar of plain pictures, which is always equally long. Only one of them, in the middle, depends on `seed`."""
        make_pictures(self.top / 'plain', [f'{i:03}.bmp' for i in range(count)], side=80)
        make_pictures(self.top / 'plain', [f'{count // 2:03}.bmp'], seed=seed, side=80)
        path = self.top / name
        with tarfile.open(path, 'w') as tar:
            for i in range(count):
                info = tar.gettarinfo(self.top / 'plain' / f'{i:03}.bmp', f'{i:03}.bmp')
                info.mtime = time if i == count // 2 else 0
                with open(self.top / 'plain' / f'{i:03}.bmp', 'rb') as file:
                    tar.addfile(info, file)
        return path

    def test_are_added(self):
        for other, seed in (('monday', 1), ('tuesday', 2)):
            make_pictures(self.top / other, [f'{i}.bmp' for i in range(30)], seed=seed)
        for first, second in ((self.arrays('first', 1), self.arrays('second', 2)), (self.top / 'monday', self.top / 'tuesday'),
                              (self.arrays('first', 1).parent, self.arrays('second', 2).parent)):
            with self.subTest(first):
                self.run_ok('--in', first)
                before = len(names(self.out))
                self.assertIn('contents of inputs with the same names and sizes; --append adds', self.run_ok('--in', second, code=2))
                self.assertIn(self.TOLD, self.run_ok('--in', second, '--append'))
                self.assertEqual(2 * before, len(names(self.out)))
                self.assertEqual(2 * before, len({pixels for _, _, _, pixels in records(self.out)}))
                wanted = digest(self.out)
                for again in (['--in', first], ['--in', second, '--append'], ['--in', first, '--append']):
                    self.assertIn('complete already', self.run_ok(*again))
                self.assertEqual(wanted, digest(self.out))
                shutil.rmtree(self.out)

    def test_of_an_archive_are_noticed_by_the_time_of_a_member(self):
        path = self.tar('p.tar', 1)
        self.run_ok('--in', path)
        size = path.stat().st_size
        self.assertEqual(size, self.tar('p.tar', 2, time=100).stat().st_size)
        self.assertIn(self.TOLD, self.run_ok('--in', path, '--append'))
        self.assertEqual(80, len(names(self.out)))

    def test_a_copy_is_the_same_wherever_it_lies_and_whenever_it_was_made(self):
        path = self.tar('p.tar', 1)
        for first in (path, self.arrays('one', 1), self.top / 'two'):
            self.run_ok('--in', first)
            copy = self.top / 'copy' / first.name
            (shutil.copytree if first.is_dir() else shutil.copy)(first, copy.parent.mkdir() or copy)
            os.utime(copy, (5, 5))
            for flags in ([], ['--append']):
                self.assertIn('complete already', self.run_ok('--in', copy, *flags))
            shutil.rmtree(self.out)
            shutil.rmtree(copy.parent)

    def test_a_zip_is_the_same_in_every_time_zone(self):
        """A .zip holds local times without a zone. One of these is in winter and three are in summer."""
        make_pictures(self.top / 'plain', [f'{i}.bmp' for i in range(4)])
        path = self.top / 'p.zip'
        with zipfile.ZipFile(path, 'w') as archive:
            for i in range(4):
                info = zipfile.ZipInfo(f'{i}.bmp', (2024, 1 + 3 * i, 15, 12, 34, 56))
                archive.writestr(info, (self.top / 'plain' / f'{i}.bmp').read_bytes())
        self.run_ok('--in', path, env=dict(ENVIRONMENT, TZ='UTC'))
        for zone in ('NST3:30NDT', 'NPT-5:45'):
            done = self.run_ok('--in', path, '--append', env=dict(ENVIRONMENT, TZ=zone))
            self.assertIn('complete already', done)

    def test_a_run_that_was_interrupted_does_not_go_on_with_them(self):
        """With --strict the damaged picture of the last shard ends it; then the first shard is finished."""
        for folder, seed in (('monday', 1), ('tuesday', 2)):
            make_pictures(self.top / folder, [f'{i}.bmp' for i in range(4)], seed=seed)
            (self.top / folder / '9.bmp').write_bytes(b'nothing')
        flags = ['--images-per-shard', 2, '--threads', 1]
        self.run_ok('--in', self.top / 'monday', *flags, '--strict', code=3)
        self.assertTrue((self.out / '.progress').exists())
        self.assertIn('contents of inputs with the same names and sizes', self.run_ok('--in', self.top / 'tuesday', *flags, code=2))
        self.run_ok('--in', self.top / 'monday', *flags)
        self.assertEqual(4, len(names(self.out)))

    def test_a_data_set_of_an_older_version_is_complete(self):
        """Its plan has no sample."""
        path = self.arrays('one', 1)
        self.run_ok('--in', path)
        manifest = self.manifest()
        del manifest['options']['inputs_sample'], manifest['digest']
        manifest['digest'] = sealed(manifest)
        (self.out / 'manifest.json').write_text(json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + '\n')
        wanted = digest(self.out)
        for flags in ([], ['--append']):
            self.assertIn('complete already', self.run_ok('--in', path, *flags))
        self.assertEqual(wanted, digest(self.out))
        self.run_ok('--in', self.top / 'two', '--append')
        self.assertEqual(5 + 9, len(names(self.out)))


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
        wanted = {'two/b/again.png': 'duplicate', 'two/c/again.png': 'duplicate', 'three.tar/in-tar.png': 'duplicate',
                  'three.tar/in-tar-twice.png': 'duplicate'}
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


class Selection(Case):
    """--min-side and --crop decide about bytes, so they are options of the data set."""

    def setUp(self):
        super().setUp()
        rng = np.random.default_rng(3)
        self.images = {}
        (self.top / 'in').mkdir()
        for name, (width, height) in {'tall.jpg': (90, 200), 'tall.png': (90, 200), 'wide.jpg': (210, 90), 'wide.tif': (210, 90),
                                      'square.jpg': (100, 100), 'small.jpg': (60, 200), 'small.bmp': (40, 50)}.items():
            image = Image.fromarray(rng.integers(0, 256, (height // 10, width // 10, 3), np.uint8)).resize((width, height), Image.BICUBIC)
            image.save(self.top / 'in' / name)
            self.images[name] = Image.open(self.top / 'in' / name).convert('RGB')

    def pixels(self):
        return {name: np.frombuffer(pixels, np.uint8).reshape(32, 32, 3) for name, _, _, pixels in records(self.out)}

    def test_min_side_leaves_small_pictures_out_with_a_reason(self):
        self.run_ok('--in', self.top / 'in', '--min-side', 90)
        self.assertEqual({'small.jpg': 'too_small', 'small.bmp': 'too_small'}, quarantine(self.out))
        self.assertIn('min_side', self.run_ok('--in', self.top / 'in', '--min-side', 80, code=2))
        self.assertEqual(90, self.manifest()['options']['min_side'])

    def test_top_keeps_the_top_of_tall_pictures(self):
        self.run_ok('--in', self.top / 'in', '--crop', 'top')
        for name, pixels in self.pixels().items():
            image = self.images[name]
            w, h = image.size
            to = (32, int(32 * h / w)) if w <= h else (int(32 * w / h), 32)
            left = int(round((to[0] - 32) / 2.0))
            wanted = np.asarray(image.resize(to, Image.BILINEAR).crop((left, 0, left + 32, 32)))
            self.assertTrue(np.array_equal(wanted, pixels), name)
        self.assertEqual('top', self.manifest()['options']['crop'])

    def test_top_after_a_turn_is_the_upright_top(self):
        turned = Image.Exif()
        turned[0x0112] = 6
        self.images['wide.jpg'].save(self.top / 'turned.jpg', exif=turned, quality=95)
        self.run_ok('--in', self.top / 'turned.jpg', '--crop', 'top')
        image = ImageOps.exif_transpose(Image.open(self.top / 'turned.jpg'))
        wanted = np.asarray(image.resize((32, int(32 * 210 / 90)), Image.BILINEAR).crop((0, 0, 32, 32)))
        self.assertTrue(np.array_equal(wanted, next(iter(self.pixels().values()))))

    def test_none_below_leaves_out_what_would_lose_too_much(self):
        self.run_ok('--in', self.top / 'in', '--crop', 'none-below', 45)
        self.assertEqual({'wide.jpg': 'cropped', 'wide.tif': 'cropped', 'small.jpg': 'cropped'}, quarantine(self.out))
        before = self.pixels()
        self.run_ok('--in', self.top / 'in', out=self.top / 'center')
        center = {name: pixels for name, _, _, pixels in records(self.top / 'center')}
        for name, pixels in before.items():
            self.assertEqual(center[name], pixels.tobytes(), name)

    def test_other_words_are_usage_errors(self):
        for words in (['left'], ['none-below'], ['none-below', '0'], ['none-below', '101'], ['none-below', 'x'], ['top', '5']):
            self.assertIn('--crop', self.run_ok('--in', self.top / 'in', '--crop', *words, code=2))


if __name__ == '__main__':
    unittest.main()
