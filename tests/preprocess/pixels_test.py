"""gan-preprocess against Pillow 12.0.0: the same pixels, or a reason."""
import os
import pathlib
import sys
import tempfile
import unittest

import numpy as np

import exactness
import pictures
import pillow_oracle

DATA = pathlib.Path(os.environ['EQUIPOISE_SHARED']) / 'data'

# Where we differ from Pillow on purpose: only the picture's data decides whether a picture is read, its texts and
# profiles do not; and what would come out differently is rejected.
KNOWN = {
    'pillow/png_decompression_dos.png': 'accepted, but Pillow says',  # a text that unpacks to megabytes; not unpacked
    'pillow/unknown_compression_method.png': 'accepted, but Pillow says',  # of a text
    'pillow/issue_2811.gif': 'rejected',  # LZW codes of 12 bits for pixels of 8, which giflib takes for damage
    'pillow/12bit.cropped.tif': 'differs',  # Pillow keeps 12 bits as the lowest of 16
    'pillow/hopper_webp.tif': 'accepted, but Pillow says',  # its wheel's libtiff is built without WebP
}
# Lab colours need a colour management that nothing here has.
LAB = {'pillow/hopper.Lab.tif', 'pillow/lab-green.tif', 'pillow/lab-red.tif', 'pillow/lab.tif'}


class Pixels(unittest.TestCase):
    def assert_exact(self, folder, **options):
        equal, faults = exactness.compare(folder, **options)
        self.assertEqual({}, faults)
        self.assertGreater(equal, 0)

    def test_every_kind_of_picture(self):
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch) / 'in'
            pictures.make(folder)
            self.assert_exact(folder)

    def test_other_sizes_and_backgrounds(self):
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch) / 'in'
            pictures.make(folder)
            for size in (64, 33):
                self.assert_exact(folder, settings=[('lanczos', 'apply')], size=size, background=(10, 200, 77))

    def test_broken_pictures_have_a_reason(self):
        with tempfile.TemporaryDirectory() as scratch:
            scratch = pathlib.Path(scratch)
            wanted = pictures.make_broken(scratch / 'in')
            pictures.make(scratch / 'in' / 'good')
            _, rejected = exactness.preprocess(scratch / 'in', scratch / 'out')
            self.assertEqual(wanted, {name: reason for name, (reason, _) in rejected.items()})

    def test_fast_is_close_to_exact(self):
        with tempfile.TemporaryDirectory() as scratch:
            scratch = pathlib.Path(scratch)
            (scratch / 'in').mkdir()
            for turn in (1, 6):
                for k, (w, h) in enumerate(((2600, 1733), (1100, 1500), (520, 900), (300, 310))):
                    rows = pictures.photo(w // 8 + 1, h // 8 + 1, seed=k)
                    image = pictures.Image.fromarray(rows).resize((w, h), pictures.Image.BICUBIC)
                    image.save(scratch / 'in' / f'{k}-{turn}.jpg', quality=92, exif=pictures.exif_with(turn))
            exact, _ = exactness.preprocess(scratch / 'in', scratch / 'exact')
            fast, _ = exactness.preprocess(scratch / 'in', scratch / 'fast', '--decode', 'fast')
            self.assertEqual(exact.keys(), fast.keys())
            for name in exact:
                error = np.mean((exact[name].astype(float) - fast[name]) ** 2)
                self.assertGreater(10 * np.log10(255 ** 2 / max(error, 1e-9)), 36, name)
            self.assertTrue(np.array_equal(exact['3-1.jpg'], fast['3-1.jpg']))  # too small to be scaled
            self.assertFalse(np.array_equal(exact['0-1.jpg'], fast['0-1.jpg']))


class Photos(unittest.TestCase):
    """The photos beside the repository; without them, the same number of kinds made here."""

    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)

    def folder(self, name):
        if (DATA / name).is_dir():
            return DATA / name
        made = pathlib.Path(self.scratch.name) / name
        pictures.make(made)
        return made

    def test_all_photos(self):
        equal, faults = exactness.compare(self.folder('clothing'))
        self.assertEqual({}, faults)
        self.assertGreater(equal, 0)

    def test_odd_images(self):
        equal, faults = exactness.compare(self.folder('odd-images'))
        self.assertGreater(equal, 0)
        unknown = {}
        for name, found in faults.items():
            rejected_for_lab = name in LAB and all(f.startswith('rejected (unsupported') for f in found)
            known = name in KNOWN and all(f.startswith(KNOWN[name]) for f in found)
            if not rejected_for_lab and not known:
                unknown[name] = found
        self.assertEqual({}, unknown)


if __name__ == '__main__':
    unittest.main(verbosity=2, argv=sys.argv)
