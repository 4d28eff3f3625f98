"""gan-train: other losses, growth, a wider discriminator, measures of quality; each across a resume."""
import json
import shutil
import unittest

from safetensors import safe_open

from programs import WithShards, digests, newest_checkpoint, stats, train

OBJECTIVE = ['--loss', 'rpgan', '--r1', 1, '--r2', 1, '--r1-every', 2, '--d-norm', 'layer', '--feature-matching', 1,
             '--augment', 'ada', '--quality-every', 3, '--quality-images', 12]


def tensors(checkpoint):
    found = {}
    for part in sorted(checkpoint.glob('*.safetensors')):
        with safe_open(part, 'np') as file:
            found |= {name: file.get_tensor(name) for name in file.keys()}
    return found


class Networks(WithShards):
    photos = 140  # enough held out to be measured against

    def test_every_objective_resumes_exactly(self):
        whole, parts = self.folder / 'whole', self.folder / 'parts'
        self.assert_code(0, train(2, self.shards, whole, '--steps', 6, '--checkpoint-every', 3, *OBJECTIVE))
        shutil.copytree(whole, parts)
        shutil.rmtree(parts / 'checkpoints' / 'step-00000006')  # as if the run had been killed before
        self.assert_code(0, train(2, self.shards, parts, '--steps', 6, '--checkpoint-every', 3, *OBJECTIVE))
        self.assertEqual(stats(whole), stats(parts))
        self.assertEqual(digests(newest_checkpoint(whole)), digests(newest_checkpoint(parts)))
        measured = stats(whole)[4]
        self.assertEqual(3, measured['quality_step'])
        for name in ('swd', 'ms_ssim', 'density', 'coverage', 'frechet', 'kernel'):
            self.assertIsNotNone(measured['quality_' + name], name)
        self.assertGreater(measured['matching_g'], 0)
        self.assertEqual([line['penalty_d'] > 0 for line in stats(whole)], [True, False] * 3)

    def test_the_best_checkpoint_stays(self):
        run = self.folder / 'best'
        self.assert_code(0, train(1, self.shards, run, '--steps', 12, '--quality-every', 2, '--quality-images', 12,
                                  '--checkpoint-every', 1, '--keep', 2))
        swd = {line['quality_step']: line['quality_swd'] for line in stats(run) if 'quality_swd' in line}
        self.assertEqual([2, 4, 6, 8, 10, 12], sorted(swd))
        kept = {int(path.name[5:]) for path in (run / 'checkpoints').glob('step-????????')}
        best = min(swd, key=swd.get)
        newest_others = sorted(set(range(1, 13)) - {best})[-2:]
        self.assertEqual({best, *newest_others}, kept)

    def test_grows_from_64_to_128(self):
        small, large = self.folder / 'small', self.folder / 'large'
        self.assert_code(0, train(2, self.shards, small, '--steps', 4))
        before = tensors(newest_checkpoint(small))
        flags = ['--init-from', newest_checkpoint(small), '--steps', 1, '--lr-g', 1e-30, '--lr-d', 1e-30]
        done = train(2, self.shards, large, *flags, resolution=128)
        self.assert_code(0, done)
        after = tensors(newest_checkpoint(large))
        for name, source in (('generator.9.weight', 'generator.9.weight'), ('generator.1.bias', 'generator.1.bias'),
                             ('discriminator.5.weight', 'discriminator.2.weight'),
                             ('discriminator.6.weight', 'discriminator.3.weight')):
            self.assertTrue((after[name] == before[source]).all(), name)
        self.assertEqual(128, json.loads((large / 'options.json').read_text())['options']['resolution'])
        # Kept layers continue to count Adam's steps, and new ones begin at 0.
        self.assertEqual({1.0, 5.0}, set(after['generator_adam.steps']))

    def test_widens_at_resume_and_resumes_from_there_exactly(self):
        run, again = self.folder / 'wide', self.folder / 'wide-again'
        self.assert_code(0, train(2, self.shards, run, '--steps', 3))
        narrow = tensors(newest_checkpoint(run))['discriminator.2.weight'].shape
        self.assert_code(0, train(2, self.shards, run, '--steps', 5, '--widen-d', 2))
        shutil.copytree(run, again)
        wide = tensors(newest_checkpoint(run))['discriminator.2.weight'].shape
        self.assertEqual((2 * narrow[0], 2 * narrow[1]), wide[:2])
        self.assert_code(0, train(2, self.shards, run, '--steps', 7, '--widen-d', 2))
        self.assert_code(0, train(2, self.shards, again, '--steps', 7))  # the width is the checkpoint's
        self.assertEqual(digests(newest_checkpoint(run)), digests(newest_checkpoint(again)))

    def test_flags_that_clash_are_refused(self):
        for flags in (['--augment', 'ada', '--loss', 'wgan-gp'], ['--perceptual-weight', 1], ['--keep-best', 'beauty'],
                      ['--quality-every', 1, '--quality-images', 12, '--init-from', 'nowhere'], ['--keep-best', 'fid']):
            with self.subTest(flags=flags):
                done = train(1, self.shards, self.folder / 'refused', '--steps', 1, *flags)
                self.assertIn(done.returncode, (2, 3), done.stderr)
                self.assertEqual(1, len(done.stderr.strip().splitlines()), done.stderr)
                shutil.rmtree(self.folder / 'refused', ignore_errors=True)


if __name__ == '__main__':
    unittest.main()
