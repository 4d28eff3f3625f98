"""gan-train --init-from: networks made in PyTorch, imported, are the same networks in ours."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from programs import BIN, ENVIRONMENT, make_photos, newest_checkpoint, stats, train

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'peers'))
from dcgan import discriminator, discriminator_channels, generator, generator_channels  # noqa: E402

FEATURES = 4
OF_G, OF_D = generator_channels(FEATURES, 64), discriminator_channels(FEATURES, 64)
PICTURES = 16


def scrambled(network, seed):
    """Weights and statistics that no initialisation gives by chance."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if 'running_var' in name:
                value.uniform_(0.5, 2)
            elif value.dim() == 4:
                value.normal_(0, (2 / value[0].numel()) ** 0.5)
            elif value.is_floating_point():
                value.normal_(1 if name.endswith('weight') else 0, 0.2)
    return network.eval()


def prefixed(network, prefix):
    return {prefix + name: value for name, value in network.state_dict().items()}


class Import(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        make_photos(cls.folder / 'photos', count=PICTURES)
        cls.shards = cls.folder / 'shards'
        subprocess.run([BIN / 'gan-preprocess', '--in', cls.folder / 'photos', '--out', cls.shards], check=True,
                       env=ENVIRONMENT, stdout=subprocess.DEVNULL)
        cls.G, cls.D = scrambled(generator(OF_G), 1), scrambled(discriminator(OF_D), 2)
        for name, state in (('both', {**prefixed(cls.G, 'generator.'), **prefixed(cls.D, 'discriminator.')}),
                            ('g', prefixed(cls.G, 'main.')), ('d', prefixed(cls.D, 'module.main.')), ('plain', prefixed(cls.G, ''))):
            save_file(state, cls.folder / f'{name}.safetensors')

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def run_from(self, name, *files, code=0):
        """One step over all pictures at once, with rates that change no weight."""
        imports = [flag for file in files for flag in ('--init-from', self.folder / f'{file}.safetensors')]
        done = train(1, self.shards, self.folder / name, *imports, '--features', FEATURES, '--batch', PICTURES, '--holdout',
                     0, '--steps', 1, '--ema', 0, '--lr-g', 1e-30, '--lr-d', 1e-30, '--balance', 'off')
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return done.stderr if code else self.folder / name

    def weights(self, run):
        part, = newest_checkpoint(run).glob('part-*')
        return load_file(part)

    def assert_imported(self, run, network, prefix):
        state = self.weights(run)
        for name, value in network.named_parameters():
            self.assertTrue(torch.equal(value.detach(), state[prefix + name]), prefix + name)

    def test_g_and_d_give_the_same_in_ours(self):
        for name, files in (('from-one-file', ['both']), ('from-two-files', ['g', 'd'])):
            with self.subTest(name):
                run = self.run_from(name, *files)
                self.assert_imported(run, self.G, 'generator.')
                self.assert_imported(run, self.D, 'discriminator.')
                self.assert_same_discriminator(run)
                self.assert_same_generator(run)

    def assert_same_discriminator(self, run):
        """D's judgement of all real pictures in one batch, whatever their order."""
        manifest = json.loads((self.shards / 'manifest.json').read_text())
        pixels = np.memmap(self.shards / 'shard-00000.gan', np.uint8, 'r', 4096, (PICTURES, 128, 128, 3))
        self.assertEqual(1, len(manifest['shards']))
        images = torch.from_numpy(pixels.astype(np.float32)).permute(0, 3, 1, 2) / 127.5 - 1
        D = discriminator(OF_D)
        D.load_state_dict(self.D.state_dict())
        with torch.no_grad():
            expected = torch.sigmoid(D.train()(torch.nn.functional.avg_pool2d(images, 2))).mean().item()
        self.assertAlmostEqual(expected, stats(run)[0]['d_real_mean'], delta=1e-4)

    def assert_same_generator(self, run):
        """The first picture of step 0 has the latent of the run's seed, 1; PyTorch agrees with gan-generate on it."""
        ours = self.folder / 'ours'
        subprocess.run([BIN / 'gan-generate', '--checkpoint', self.folder / 'plain.safetensors', '--seeds', '1', '--out', ours],
                       check=True, env=ENVIRONMENT)
        with Image.open(run / 'fakes-00000000.png') as grid, Image.open(ours / 'picture-00000-seed-1.png') as single:
            tile = np.asarray(grid)[2:66, 2:66].astype(int)
            self.assertGreater(np.ptp(tile), 50)
            self.assertLessEqual(np.abs(tile - np.asarray(single)).max(), 1)

    def test_one_network_alone_leaves_the_other_as_initialised(self):
        fresh, only_g = self.run_from('fresh'), self.run_from('only-g', 'plain')
        self.assert_imported(only_g, self.G, 'generator.')
        a, b = self.weights(fresh), self.weights(only_g)
        for name in a:
            if name.startswith('discriminator.') and 'running' not in name and 'num_batches' not in name:
                self.assertTrue(torch.allclose(a[name], b[name], rtol=0, atol=1e-20), name)

    def test_what_does_not_fit_is_refused_by_name(self):
        for change, words in (({'0.weight': torch.zeros(100, 65, 4, 4)}, '0.weight'),
                              ({'4.bias': torch.zeros(7)}, '4.bias'),
                              ({'99.weight': torch.zeros(7)}, 'no tensor 99.weight'),
                              ({'0.bias': torch.zeros(64)}, 'no tensor 0.bias'),
                              ({'4.weight': torch.full((32,), float('nan'))}, 'tensor 4.weight holds a value that is not finite'),
                              ({'3.weight': torch.zeros(64, 32, 4, 4, dtype=torch.int32)}, '3.weight')):
            save_file({**self.G.state_dict(), **change}, self.folder / 'bad.safetensors')
            error = self.run_from('bad', 'bad', code=3)
            self.assertIn('bad.safetensors', error)
            self.assertIn(words, error)
        state = self.G.state_dict()
        del state['7.running_var']
        save_file(state, self.folder / 'bad.safetensors')
        self.assertIn('7.running_var', self.run_from('bad', 'bad', code=3))


if __name__ == '__main__':
    unittest.main()
