"""Over 300 valid files of other encoders (conformance.py): the record is Pillow's, or an exception with its reason."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import warnings

import numpy as np

import conformance
import exactness
import pillow_oracle
from pillow_oracle import Image

SIZE = 48  # each file has more pixels on its short side, but for some of the smallest


def record_of(pixels):
    image = Image.fromarray(pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2))
    return pillow_oracle.resize_and_crop(pillow_oracle.to_rgb(image), SIZE, 'bilinear')


def wanted_of(path, expected):
    if isinstance(expected, conformance.Truth):
        return record_of(expected.pixels), 0
    warnings.simplefilter('ignore')
    return pillow_oracle.records(path, SIZE)['bilinear', 'apply'], expected


def complaints(folder, made, records, rejected):
    """{name: what is wrong}."""
    found = {}
    for name, expected in made.items():
        if name in rejected:
            found[name] = f'rejected: {rejected[name]}'
            continue
        if name not in records:
            found[name] = 'no record'
            continue
        try:
            wanted, levels = wanted_of(folder / name, expected)
        except Exception as error:
            found[name] = f'Pillow: {error}'
            continue
        difference = int(np.abs(records[name].astype(int) - wanted).max())
        if difference > levels:
            found[name] = f'differs by up to {difference}, {levels} allowed'
    return found


class Conformance(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name) / 'in'
        cls.made = conformance.make(cls.folder)
        cls.records, cls.rejected = exactness.preprocess(cls.folder, pathlib.Path(cls.scratch.name) / 'out', size=SIZE)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def test_every_file_is_what_pillow_makes_of_it(self):
        self.assertGreaterEqual(len(self.made), 300)
        print(len(self.made), 'files,', sum(isinstance(e, conformance.Truth) for e in self.made.values()), 'exceptions', file=sys.stderr)
        found = complaints(self.folder, self.made, self.records, self.rejected)
        self.assertEqual({}, found, '\n'.join(f'{name}: {what}' for name, what in found.items()))

    def test_a_wrong_pixel_would_be_noticed(self):
        for name in ('tiff/pillow-rgb-raw.tif', 'tiff/packed-bits12.tif'):
            spoilt = dict(self.records)
            spoilt[name] = spoilt[name] ^ 1
            self.assertEqual([name], list(complaints(self.folder, {name: self.made[name]}, spoilt, self.rejected)))

    def test_exceptions_are_where_pillow_differs(self):
        """An exception that Pillow has corrected is no exception any more."""
        for name, expected in self.made.items():
            if isinstance(expected, conformance.Truth):
                try:
                    wanted = pillow_oracle.records(self.folder / name, SIZE)['bilinear', 'apply']
                except (OSError, ValueError):
                    continue
                self.assertGreater(np.abs(record_of(expected.pixels).astype(int) - wanted).max(), 0, name)


if __name__ == '__main__':
    unittest.main()
