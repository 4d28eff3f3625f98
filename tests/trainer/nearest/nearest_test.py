"""trainer/nearest beside numpy and exact fractions, and its verdict on generators whose behaviour is known."""
import json
import math
import os
import pathlib
import subprocess
import tempfile
import unittest
from fractions import Fraction

import numpy as np

DUMP = pathlib.Path(os.environ['EQUIPOISE_BIN']) / 'nearest_dump'
SIDE = 64


def scenes(rng, count, side=SIDE):
    """Pictures of a few soft ellipses on a gradient: alike in kind, and no two alike."""
    y, x = np.mgrid[0:side, 0:side] / side
    out = np.empty((count, side, side, 3))
    for i in range(count):
        colours = rng.uniform(0, 255, (2, 3))
        slope = (x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1))[..., None]
        out[i] = colours[0] + slope * (colours[1] - colours[0])
        for _ in range(rng.integers(2, 6)):
            centre, radius = rng.uniform(0.1, 0.9, 2), rng.uniform(0.08, 0.35, 2)
            inside = ((x - centre[0]) / radius[0]) ** 2 + ((y - centre[1]) / radius[1]) ** 2
            cover = 1 / (1 + np.exp(12 * (inside - 1)))[..., None]
            out[i] = out[i] * (1 - cover) + rng.uniform(0, 255, 3) * cover
    return np.clip(out + rng.normal(0, 4, out.shape), 0, 255)


def blurred(images, times):
    for _ in range(times):
        images = sum(np.roll(images, (dy, dx), (1, 2)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)) / 9
    return images


def rounded(images):
    return np.clip(np.round(images), 0, 255).astype(np.uint8)


def examine(training, held_out, generated, flip=False):
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name, images in (('t', training), ('h', held_out), ('g', generated)):
            files.append(pathlib.Path(folder) / name)
            files[-1].write_bytes(rounded(images).tobytes())
        side = str(training.shape[1])
        return json.loads(subprocess.run([DUMP, side, str(int(flip)), *files], check=True, capture_output=True).stdout)


def thumbnails(images):
    n, side = images.shape[:2]
    cells = rounded(images).reshape(n, 16, side // 16, 16, side // 16, 3).astype(np.int64).sum((2, 4))
    return np.floor(cells / (side // 16) ** 2 + 0.5)


class Numbers(unittest.TestCase):
    def test_nearest_images_and_ratios_are_those_of_numpy(self):
        rng = np.random.default_rng(1)
        training, held_out = scenes(rng, 90, 128), scenes(rng, 30, 128)
        generated = np.concatenate([scenes(rng, 20, 128), training[:20, :, ::-1] + rng.normal(0, 9, (20, 128, 128, 3)),
                                    training[20:30]])
        small = thumbnails(training)
        for flip in (False, True):
            found = examine(training, held_out, generated, flip)
            self.assertEqual(small[0].ravel().tolist(), found['thumbnail'])
            for images, neighbours in ((held_out, found['held_out']), (generated, found['generated'])):
                self.assertEqual(len(images), len(neighbours))
                for thumbnail, (image, mirrored, distance, ratio) in zip(thumbnails(images), neighbours):
                    distances = np.sqrt(((thumbnail - small) ** 2).mean((1, 2, 3)))
                    other = np.sqrt(((thumbnail[:, ::-1] - small) ** 2).mean((1, 2, 3)))
                    both = np.minimum(distances, other) if flip else distances
                    self.assertEqual(int(both.argmin()), image)
                    self.assertEqual(bool(flip and other[image] < distances[image]), mirrored)
                    self.assertAlmostEqual(both.min(), distance, delta=1e-9)
                    self.assertAlmostEqual(both.min() / np.sort(both)[4], ratio, delta=1e-12)

    def test_the_probability_is_that_of_exact_fractions(self):
        rng = np.random.default_rng(2)
        training, held_out = scenes(rng, 60), scenes(rng, 40)
        for copied, known in ((0, 0), (3, 2), (10, 1), (25, 5), (40, 0)):
            generated = np.concatenate([training[:copied], scenes(rng, 64 - copied)])
            real = np.concatenate([training[:known] + rng.normal(0, 3, (known, SIDE, SIDE, 3)), held_out[known:]])
            found = examine(training, real, generated)
            a, b = round(found['rate'] * 64), round(found['floor'] * 40)
            self.assertGreaterEqual(a, copied)
            self.assertGreaterEqual(b, known)
            exact = sum(Fraction(math.comb(64, k) * math.comb(40, a + b - k), math.comb(104, a + b))
                        for k in range(a, min(64, a + b) + 1))
            self.assertAlmostEqual(float(exact), found['probability'], delta=1e-9)
            self.assertEqual(exact < Fraction(1, 1000) and found['originals'] >= 3, found['learnt_by_heart'])


class Verdicts(unittest.TestCase):
    """Ten generators that copy are reported, and ten that do not copy are not, with few and with many training
    images."""

    def verdicts(self, generators, training, held_out, rng):
        return {name: examine(training, held_out, make(training, rng)) for name, make in generators.items()}

    def test_generators_that_copy_are_told(self):
        def some(training, rng, count=64):
            return training[rng.integers(0, len(training), count)]
        copying = {
            'exactly': some,
            'with noise': lambda t, rng: some(t, rng) + rng.normal(0, 12, (64, SIDE, SIDE, 3)),
            'with strong noise': lambda t, rng: some(t, rng) + rng.normal(0, 40, (64, SIDE, SIDE, 3)),
            'blurred': lambda t, rng: blurred(some(t, rng), 2),
            'shifted': lambda t, rng: np.roll(some(t, rng), (1, -1), (1, 2)),
            'paler': lambda t, rng: some(t, rng) * 0.9 + 12,
            'coarser': lambda t, rng: np.round(some(t, rng) / 32) * 32,
            'half the time': lambda t, rng: np.concatenate([some(t, rng, 32), scenes(rng, 32)]),
            'only four images': lambda t, rng: some(t[:4], rng) + rng.normal(0, 8, (64, SIDE, SIDE, 3)),
            'with a patch of its own': lambda t, rng: np.where(
                (np.indices((SIDE, SIDE)).max(0) < 14)[None, ..., None], 128.0, some(t, rng)),
        }
        for count in (32, 400):
            rng = np.random.default_rng(count)
            for name, found in self.verdicts(copying, scenes(rng, count), scenes(rng, 48), rng).items():
                with self.subTest(generator=name, training_images=count):
                    self.assertTrue(found['learnt_by_heart'], {k: found[k] for k in ('rate', 'floor', 'probability')})

    def test_generators_that_do_not_copy_are_not_told(self):
        def pairs(training, rng):
            return training[rng.integers(0, len(training), 64)], training[rng.integers(0, len(training), 64)]

        def halves(training, rng):
            left, right = pairs(training, rng)
            return np.concatenate([left[:, :, :SIDE // 2], right[:, :, SIDE // 2:]], 2)
        healthy = {
            'new scenes': lambda t, rng: scenes(rng, 64),
            'new scenes, blurred': lambda t, rng: blurred(scenes(rng, 64), 6),
            'new scenes with noise': lambda t, rng: scenes(rng, 64) + rng.normal(0, 40, (64, SIDE, SIDE, 3)),
            'noise': lambda t, rng: rng.uniform(0, 255, (64, SIDE, SIDE, 3)),
            'the mean image': lambda t, rng: np.repeat(t.mean(0, keepdims=True), 64, 0) + rng.normal(0, 5, (64, SIDE, SIDE, 3)),
            'means of eight images': lambda t, rng: np.stack([t[rng.integers(0, len(t), 8)].mean(0) for _ in range(64)]),
            'grey': lambda t, rng: np.full((64, SIDE, SIDE, 3), 128.0) + rng.normal(0, 2, (64, SIDE, SIDE, 3)),
            'one new scene': lambda t, rng: np.repeat(scenes(rng, 1), 64, 0) + rng.normal(0, 8, (64, SIDE, SIDE, 3)),
            'the left of one image, the right of another': halves,
            'one training image again and again': lambda t, rng: np.repeat(t[:1], 64, 0),
        }
        for count in (32, 400):
            rng = np.random.default_rng(count + 1)
            for name, found in self.verdicts(healthy, scenes(rng, count), scenes(rng, 48), rng).items():
                with self.subTest(generator=name, training_images=count):
                    self.assertFalse(found['learnt_by_heart'], {k: found[k] for k in ('rate', 'floor', 'probability')})


if __name__ == '__main__':
    unittest.main()
