"""Generated images beside the nearest training images: during a run, after it, and with inputs that do not fit."""
import json
import pathlib
import shutil
import subprocess
import unittest

import numpy as np
from PIL import Image

from programs import BIN, ENVIRONMENT, WithShards, make_shards, newest_checkpoint, stats, train

KEYS = {'quality_copies', 'quality_copies_floor', 'quality_copies_p', 'quality_copies_told'}
ROW = 66  # 64 px and the space between images


def generate(*flags):
    return subprocess.run([BIN / 'gan-generate', *map(str, flags)], env=ENVIRONMENT, capture_output=True, text=True, timeout=120)


def images(shards):
    """All records, uint8 [N, 128, 128, 3]."""
    manifest = json.loads((shards / 'manifest.json').read_text())
    files = sorted(shards.glob('shard-*.gan'))
    counts = [shard['records'] for shard in manifest['shards']]
    return np.concatenate([np.memmap(f, np.uint8, 'r', 4096, (n, 128, 128, 3)) for f, n in zip(files, counts)])


def halved(records):
    n, side = records.shape[:2]
    return np.floor(records.reshape(n, side // 2, 2, side // 2, 2, 3).astype(int).sum((2, 4)) / 4 + 0.5).astype(np.uint8)


def tile(grid, row, column):
    top, left = 2 + row * ROW, 2 + column * ROW
    return grid[top:top + 64, left:left + 64]


class Copies(WithShards):
    photos = 140

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_folder = cls.folder / 'run'
        cls.done = train(2, cls.shards, cls.run_folder, '--steps', 4, '--quality-every', 2, '--flip')

    def test_a_run_measures_them_and_shows_the_nearest_images(self):
        self.assert_code(0, self.done)
        lines = stats(self.run_folder)
        self.assertEqual([set(), set(), KEYS, KEYS], [KEYS & set(line) for line in lines])
        self.assertEqual([2, 4], [line['quality_step'] for line in lines[2:]])
        for line in lines[2:]:
            self.assertEqual((0, 0), (line['quality_copies'], line['quality_copies_told']))
            self.assertEqual(1, line['quality_copies_p'])
            self.assertTrue(0 <= line['quality_copies_floor'] <= 1)
        self.assertNotIn('by heart', (self.run_folder / 'log.txt').read_text())
        grids = sorted(path.name for path in self.run_folder.glob('nearest-*'))
        self.assertEqual(['nearest-00000002.png', 'nearest-00000004.png'], grids)
        grid = np.asarray(Image.open(self.run_folder / grids[1]))
        self.assertEqual((2 + 8 * ROW, 2 + 8 * ROW, 3), grid.shape)
        known = halved(images(self.shards))
        known = np.concatenate([known, known[:, :, ::-1]])
        for row in range(1, 8, 2):
            for column in range(8):
                self.assertTrue((known == tile(grid, row, column)).all((1, 2, 3)).any(), 'no training image')
                self.assertFalse((known == tile(grid, row - 1, column)).all((1, 2, 3)).any(), 'no generated image')

    def test_the_page_and_the_report_show_them(self):
        report = self.folder / 'run.html'
        subprocess.run([BIN / 'gan-inspect', 'report', self.run_folder, report], check=True, stdout=subprocess.DEVNULL)
        text = report.read_text()
        self.assertIn('"nearest-00000004.png":"data:image/png;base64,', text)
        self.assertNotIn('"nearest-00000002.png":"data:', text)
        self.assertIn('"copies":[4,0.0,', text)

    def test_one_rank_finds_what_two_found(self):
        alone = self.folder / 'alone'
        self.assert_code(0, train(1, self.shards, alone, '--steps', 2, '--batch', 8, '--quality-every', 2, '--flip'))
        one, two = stats(alone)[1], stats(self.run_folder)[2]
        self.assertEqual({key: two[key] for key in KEYS}, {key: one[key] for key in KEYS})

    def test_a_checkpoint_is_examined_later(self):
        out = self.folder / 'nearest.png'
        done = generate('--checkpoint', self.run_folder, '--nearest', self.shards, '--out', out)
        self.assert_code(0, done)
        held_out = round(stats(self.run_folder)[3]['quality_copies_floor'] * 100)
        self.assertRegex(done.stdout, rf'^0 % of 256 generated images are copies of training images, and {held_out} % of \d+ held-out images\.\n'
                                      r'That is no sign that the generator has learnt training images by heart\.\nwrote .*nearest\.png\n$')
        grid = np.asarray(Image.open(out))
        self.assertEqual((2 + 8 * ROW, 2 + 8 * ROW, 3), grid.shape)
        known = halved(images(self.shards))
        self.assertTrue((np.concatenate([known, known[:, :, ::-1]]) == tile(grid, 1, 0)).all((1, 2, 3)).any())
        xmp = out.read_bytes()
        self.assertIn(b'compositeSynthetic', xmp)
        self.assert_code(0, generate('--checkpoint', self.run_folder, '--nearest', self.shards, '--out', out, '--count', 3, '--no-mark'))
        self.assertEqual((2 + 2 * ROW, 2 + 3 * ROW, 3), np.asarray(Image.open(out)).shape)
        self.assertNotIn(b'compositeSynthetic', out.read_bytes())

    def test_other_shards_and_plain_weights_are_compared_without_a_verdict(self):
        other = make_shards(self.folder / 'other', count=20, seed=5)
        for checkpoint, shards in ((self.run_folder, other), (newest_checkpoint(self.run_folder), other)):
            done = generate('--checkpoint', checkpoint, '--nearest', shards, '--out', self.folder / 'other.png')
            self.assert_code(0, done)
            self.assertRegex(done.stdout, r'images are copies of training images\.\nIt is not known which')
        exported = self.folder / 'exported'
        self.assert_code(0, generate('--checkpoint', self.run_folder, '--export', exported))
        weights = exported / 'generator.safetensors'
        done = generate('--checkpoint', weights, '--nearest', self.shards, '--out', self.folder / 'other.png')
        self.assert_code(0, done)
        self.assertIn('It is not known which', done.stdout)

    def test_what_does_not_fit_is_refused(self):
        out = self.folder / 'refused.png'
        few = make_shards(self.folder / 'few', count=4)
        damaged = self.folder / 'damaged'
        shutil.copytree(self.shards, damaged)
        (damaged / 'manifest.json').write_text('{"shards": 7}')
        for flags, code, words in ((['--nearest', few], 3, 'too few different images'),
                                   (['--nearest', damaged], 3, 'manifest.json'),
                                   (['--nearest', self.folder / 'nowhere'], 3, 'nowhere'),
                                   (['--nearest', self.shards, '--out', 'walk.webp'], 2, '--out must be FILE.png'),
                                   (['--nearest', self.shards, '--interpolate', 4], 2, '--interpolate')):
            done = generate('--checkpoint', self.run_folder, *([] if '--out' in flags else ['--out', out]), *flags)
            self.assert_code(code, done)
            self.assertIn(words, done.stderr)
            self.assertFalse(out.exists() or pathlib.Path('walk.webp').exists())


if __name__ == '__main__':
    unittest.main()
