"""Truncation, arithmetic, directions and sheets, compared with NumPy."""
import unittest

import numpy as np

from generate_test import WithFolder, generate


class Changing(WithFolder):
    def of_latents(self, z):
        np.save(self.folder / 'expected.npy', np.asarray(z, np.float32))
        return self.pictures(self.file, '--latents', self.folder / 'expected.npy')

    def save(self, name, z):
        np.save(self.folder / name, np.asarray(z, np.float32))
        return self.folder / name

    def check(self, words, *flags, code=2):
        error = generate('--checkpoint', self.file, *flags, code=code)
        self.assertIn(words, error)
        self.assertEqual(1, error.count('\n'), error)


class Arithmetic(Changing):
    def setUp(self):
        self.z = np.random.default_rng(5).standard_normal((4, 20)).astype(np.float32)
        self.rows = self.save('rows.npy', self.z)
        self.one = self.save('one with spaces.npy', self.z[:1])

    def assert_latent(self, expected, *expressions):
        flags = [flag for expression in expressions for flag in ('--latent', expression)]
        ours = self.pictures(self.file, *flags)
        self.assertLess(np.abs(ours - self.of_latents(expected)).max(), 1e-5)

    def test_sums_of_files_are_those_of_numpy(self):
        z, rows = self.z, self.rows
        self.assert_latent([z[0] - z[1] + z[2]], f'{rows}[0] - {rows}[1] + {rows}[2]')
        self.assert_latent([0.5 * z[3] - 2 * z[0], z[1]], f'0.5 * {rows}[3] - 2*{rows}[0]', f'{rows}[1]')
        self.assert_latent([-z[2], z[0]], f'- {rows}[2]', f'"{self.one}"')
        self.assert_latent([z[0] * 1.5], f'0.5 * "{self.one}"[0] + "{self.one}"')

    def test_seeds_take_part(self):
        self.assertEqual(self.pictures(self.file, '--seeds', '7').tobytes(),
                         self.pictures(self.file, '--latent', 'seed:7').tobytes())
        both = self.pictures(self.file, '--latent', f'seed:1 - seed:1 + {self.rows}[2]')
        self.assertLess(np.abs(both - self.of_latents(self.z[2:3])).max(), 1e-5)

    def test_walks_through_them(self):
        walk = self.pictures(self.file, '--latent', 'seed:1', '--latent', f'{self.rows}[2]', '--interpolate', 3)
        self.assertEqual(6, len(walk))
        self.assertLess(np.abs(walk[3] - self.of_latents(self.z[2:3])[0]).max(), 1e-5)

    def test_truncation_scales_every_latent(self):
        for psi in (0, 0.5, 1.5):
            ours = self.pictures(self.file, '--latents', self.rows, '--truncation', psi)
            self.assertEqual(self.of_latents(np.float32(psi) * self.z).tobytes(), ours.tobytes())
        self.assertEqual(0, np.ptp(self.pictures(self.file, '--seeds', '1-4', '--truncation', 0), axis=0).max())

    def test_nonsense_is_told_in_one_line(self):
        rows = self.rows
        for expression, words in (('', 'needs a value'), ('seed:1 +', 'missing at the end'), ('seed:x', 'is no seed'),
                                  ('seed:1 seed:2', 'write + or -'), ('seed:1 + + seed:2', 'missing before "+"'),
                                  ('nan * seed:1', 'is no number'), ('x * seed:1', 'is no number'), ('2 *', 'missing'),
                                  (f'{rows}', 'choose one'), (f'{rows}[4]', 'holds 4 latents only'),
                                  (f'{rows}[-1]', 'no number of a latent'), ('1e300 * seed:1', 'not finite'),
                                  ('"' + str(rows), 'a quotation mark is missing'), ('2seed:1', 'neither a seed nor a file'),
                                  ('seed:1 * 2', 'stands before its latent'), ('latent.txt', 'no such file')):
            code = 3 if expression == 'latent.txt' else 2
            self.check(words, '--latent', expression, code=code)
        for bad, words in ((np.zeros((1, 19)), 'shape [1, 19]; latents must have the shape [N, 20]'), (np.full((1, 20), np.nan), 'not finite at number 0')):
            self.check(words, '--latent', self.save('bad.npy', bad), code=3)
        self.check('--truncation', '--truncation', 'nan')
        self.check('--truncation', '--truncation', -1)
        self.check('--count', '--latent', 'seed:1', '--count', 2)


class Directions(Changing):
    def directions(self):
        generate('--checkpoint', self.file, '--directions', self.folder / 'directions.npy')
        return np.load(self.folder / 'directions.npy')

    def test_they_are_the_principal_components_of_the_first_layer(self):
        ours = self.directions()
        self.assertEqual((20, 20), ours.shape)
        self.assertLess(np.abs(ours @ ours.T - np.eye(20)).max(), 1e-5)
        z = np.random.default_rng(2).standard_normal((200_000, 20)).astype(np.float32)
        convolution, norm = self.generator[0], self.generator[1]
        scale = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach().numpy()
        outputs = z @ (convolution.weight.detach().numpy() * scale[:, None, None]).reshape(20, -1)
        covariance = z.T @ outputs / len(z)  # sampled: how each number of a latent moves the outputs
        strengths = np.linalg.norm(ours @ covariance, axis=1)
        exact = np.sort(np.linalg.svd(covariance, compute_uv=False))[::-1]
        self.assertLess(np.abs(strengths / exact - 1).max(), 0.02)
        self.assertTrue((np.diff(strengths) < 0.02 * exact[0]).all())
        self.assertTrue((ours[np.arange(20), np.abs(ours).argmax(1)] > 0).all())

    def test_a_sheet_moves_one_latent_along_them(self):
        directions, base = self.directions(), np.random.default_rng(3).standard_normal(20).astype(np.float32)
        file = self.save('base.npy', base[None])
        own = self.save('own.npy', np.eye(20)[:2])
        steps = np.linspace(-2, 2, 5)
        for flags, along in (((), directions[:3]), (('--along', own), np.eye(20)[:2])):
            ours = self.pictures(self.file, '--latents', file, '--sheet', len(along), '--strength', 2, '--columns', 5, *flags)
            expected = [base + step * direction for direction in along for step in steps]
            self.assertLess(np.abs(ours - self.of_latents(expected)).max(), 1e-4)

    def test_a_sheet_that_cannot_be_is_a_usage_error(self):
        self.check('--sheet', '--sheet', 3, '--count', 2)
        self.check('--sheet', '--sheet', 21)
        self.check('--sheet', '--sheet', 3, '--columns', 1)
        self.check('--sheet', '--sheet', 3, '--out', 'walk.webp')
        self.check('more than a million images', '--sheet', 2, '--columns', 1_000_000)
        self.check('--columns', '--columns', 1 << 32)
        self.check('--sheet', '--sheet', 3, '--interpolate', 4)
        self.check('--strength', '--sheet', 3, '--strength', 'inf')
        self.check('must end in .npy', '--directions', 'x.png')
        self.check('[N, 20]', '--sheet', 1, '--along', self.save('wide.npy', np.zeros((1, 21))), code=3)


if __name__ == '__main__':
    unittest.main()
