"""python -m equipoise.convert on networks of many DCGAN scripts: gan-generate's pictures of the converted weights are PyTorch's of
the original ones, the discriminators judge alike, and what does not fit is refused with the reason."""
import contextlib
import io
import os
import pathlib
import pickle
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.utils import parametrizations

from equipoise import convert

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'peers'))
from dcgan import discriminator as our_discriminator  # noqa: E402
from dcgan_scripts import (LinearFirst, NamedLayers, NestedBlocks, PooledDiscriminator, Upsampling, official_discriminator,  # noqa: E402
                           official_generator, with_spectral_norm)

TOLERANCE = 1e-4
PICTURES = 3


def trained(network, seed=1):
    """Weights and statistics as training leaves them, scaled so that the pictures use all of [-1, 1]."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, (nn.BatchNorm2d, nn.BatchNorm1d)):
                if module.affine:
                    module.weight.uniform_(0.5, 1.5), module.bias.normal_(0, 0.3)
                module.running_mean.normal_(0, 0.1), module.running_var.uniform_(0.5, 2)
            elif isinstance(module, (nn.ConvTranspose2d, nn.Conv2d, nn.Linear)):
                module.weight.data.normal_(0, (2 / module.weight[0].numel()) ** 0.5 * 2)
                if module.bias is not None:
                    module.bias.normal_(0, 0.3)
    return network.eval()


def converged(network):
    """Singular vectors of a few steps, as in training."""
    network.train()
    with torch.no_grad():
        for _ in range(3):
            network(torch.randn(8, 100, 1, 1))
    return network.eval()


class WithFolder(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.file = self.folder / 'net.pth'
        self.out = self.folder / 'net.safetensors'

    def run_convert(self, *arguments):
        """Runs in this process, because PyTorch takes seconds to start."""
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as error:
            try:
                code = convert.main([str(argument) for argument in arguments])
            except SystemExit as end:  # of argparse
                code = end.code
        return subprocess.CompletedProcess([], code, out.getvalue(), error.getvalue())

    def convert(self, saved):
        torch.save(saved, self.file)
        done = self.run_convert(self.file)
        self.assertEqual(0, done.returncode, done.stderr)
        return done

    def refusal(self, saved):
        torch.save(saved, self.file)
        done = self.run_convert(self.file)
        self.assertEqual((3, ''), (done.returncode, done.stdout))
        self.assertEqual([self.file.name], sorted(os.listdir(self.folder)), 'something was written')
        self.assertEqual(1, len(done.stderr.splitlines()), done.stderr)
        self.assertIn(str(self.file), done.stderr)
        return done.stderr

    def pictures(self, latents):
        np.save(self.folder / 'latents.npy', latents.flatten(1).numpy())
        subprocess.run(['gan-generate', '--checkpoint', self.out, '--latents', self.folder / 'latents.npy', '--out',
                        self.folder / 'pictures.npy'], check=True)
        return torch.from_numpy(np.load(self.folder / 'pictures.npy'))

    def assert_same_pictures(self, network, noise):
        latents = torch.randn(PICTURES, noise, 1, 1)
        with torch.inference_mode():
            expected = network(latents)
        if expected.shape[1] == 1:
            expected = expected.expand(-1, 3, -1, -1)
        self.assertGreater(expected.std().item(), 0.05)
        self.assertLessEqual((self.pictures(latents) - expected).abs().max().item(), TOLERANCE)


class Converted(WithFolder):
    def assert_converts(self, network, noise=100, saved=None):
        self.convert(network.state_dict() if saved is None else saved)
        self.assert_same_pictures(network, noise)

    def test_official_example(self):
        self.assert_converts(trained(official_generator()))

    def test_official_example_of_grey_pictures(self):
        self.assert_converts(trained(official_generator(nc=1)))

    def test_bare_sequential_with_biases(self):
        self.assert_converts(network := trained(official_generator(bias=True)).main, saved=network.state_dict())

    def test_data_parallel_inside_a_training_checkpoint(self):
        network = trained(official_generator())
        optimizer = torch.optim.Adam(network.parameters())
        network(torch.randn(2, 100, 1, 1)).sum().backward()
        optimizer.step()
        network.eval()
        self.assert_converts(network, saved={'epoch': 7, 'model_state_dict': nn.DataParallel(network).state_dict(),
                                             'optimizer_state_dict': optimizer.state_dict(), 'loss': torch.tensor(0.5)})

    def test_attributes_with_norms_after_convolutions(self):
        self.assert_converts(trained(NamedLayers()), noise=64)

    def test_attributes_in_another_order_than_they_are_called(self):
        self.assert_converts(trained(NamedLayers(last_first=True)), noise=64)

    def test_nested_blocks(self):
        self.assert_converts(trained(NestedBlocks()))

    def test_norms_without_parameters(self):
        self.assert_converts(trained(NestedBlocks(affine=False)))

    def test_spectral_norm_of_both_kinds(self):
        for normed in (nn.utils.spectral_norm, parametrizations.spectral_norm):
            with self.subTest(normed.__module__):
                self.assert_converts(converged(with_spectral_norm(trained(official_generator(ngf=8)), normed)))

    def test_weight_norm_of_both_kinds(self):
        for normed in (nn.utils.weight_norm, parametrizations.weight_norm):
            with self.subTest(normed.__module__):
                self.assert_converts(with_spectral_norm(trained(NestedBlocks()), normed))

    def test_linear_first_layer(self):
        self.assert_converts(trained(LinearFirst()), noise=50)

    def test_half_precision(self):
        network = trained(official_generator())
        network.load_state_dict({name: value.half() if value.is_floating_point() else value for name, value in network.state_dict().items()})
        self.assert_converts(network, saved={name: value.half() if value.is_floating_point() else value
                                             for name, value in network.state_dict().items()})

    def test_average_is_taken_before_the_weights_of_the_last_step(self):
        network, average = trained(official_generator(), 1), trained(official_generator(), 2)
        torch.save({'G': network.state_dict(), 'G_ema': average.state_dict()}, self.file)
        done = self.run_convert(self.file)
        self.assertIn('left out: G: is another generator', done.stderr)
        self.assert_same_pictures(average, 100)

    def test_safetensors_are_read_as_well(self):
        network = trained(NestedBlocks())
        save_file(network.state_dict(), self.folder / 'in.safetensors')
        self.assertEqual(0, self.run_convert(self.folder / 'in.safetensors', '--out', self.out).returncode)
        self.assert_same_pictures(network, 100)

    def test_says_what_to_run_next(self):
        self.assertIn(f'gan-train --shards shards --init-from {self.out} --resolution 64 --features 8',
                      self.convert(trained(official_generator()).state_dict()).stdout)


class ConvertedDiscriminators(WithFolder):
    def assert_judges_alike(self, network, in_file='', widths=(8, 16, 32, 64, 128)):
        """In training mode, as gan-train uses it."""
        converted = our_discriminator([3, *widths])
        tensors = load_file(self.out)
        converted.load_state_dict({name.removeprefix(in_file): value for name, value in tensors.items() if name.startswith(in_file)})
        pictures = torch.rand(8, 3, 64, 64) * 2 - 1
        for mode in (True, False):
            with torch.no_grad():
                expected, got = network.train(mode)(pictures).flatten(), converted.train(mode)(pictures).flatten()
            self.assertGreater(expected.std().item(), 0.1)
            self.assertLessEqual((got - expected).abs().max().item(), TOLERANCE * max(1, expected.abs().max().item()))

    def test_nested_blocks_with_an_average_and_a_linear_layer(self):
        network = trained(PooledDiscriminator())
        self.convert(network.state_dict())
        self.assert_judges_alike(network)

    def test_both_networks_in_one_file(self):
        generator, network = trained(NestedBlocks()), trained(PooledDiscriminator())
        done = self.convert({'netG': generator.state_dict(), 'netD': network.state_dict(), 'epoch': 3})
        self.assertEqual('', done.stderr)
        self.assert_same_pictures(generator, 100)
        self.assert_judges_alike(network, 'discriminator.')

    def test_spectral_norm(self):
        network = trained(PooledDiscriminator(bias=False))
        for normed in (nn.utils.spectral_norm, parametrizations.spectral_norm):
            with self.subTest(normed.__module__):
                normed_network = with_spectral_norm(trained(PooledDiscriminator(bias=False)), normed)
                with torch.no_grad():
                    normed_network.train()(torch.rand(8, 3, 64, 64))
                self.convert(normed_network.eval().state_dict())
                network = our_discriminator([3, 8, 16, 32, 64, 128])
                network.load_state_dict(load_file(self.out))
                pictures = torch.rand(8, 3, 64, 64) * 2 - 1
                with torch.no_grad():
                    expected, got = normed_network(pictures).flatten(), network.eval()(pictures).flatten()
                self.assertLessEqual((got - expected).abs().max().item(), TOLERANCE)

    def test_head_of_4x4_taps_is_refused_and_the_generator_beside_it_kept(self):
        self.assertIn('main.11, a convolution of 4×4 taps', self.refusal(trained(official_discriminator()).state_dict()))
        generator = trained(official_generator())
        done = self.convert({'G_state_dict': generator.state_dict(), 'D_state_dict': trained(official_discriminator()).state_dict()})
        self.assertIn('left out: D_state_dict: it ends in', done.stderr)
        self.assertEqual(1, len(done.stderr.splitlines()))
        self.assert_same_pictures(generator, 100)

    def test_bias_without_a_norm_is_refused(self):
        network = trained(PooledDiscriminator())
        network.first.bias = nn.Parameter(torch.ones(8))
        self.assertIn('first has a bias', self.refusal(network.state_dict()))


class Refusals(WithFolder):
    def test_what_no_dcgan_is_here(self):
        official = trained(official_generator()).state_dict()
        for saved, words in (
                (trained(Upsampling()).state_dict(), 'blocks.2 has 3×3 taps'),
                (trained(LinearFirst(bias=True)).state_dict(), 'differs from pixel to pixel'),
                (trained(LinearFirst(per_pixel_norm=True)).state_dict(), 'treats each pixel differently'),
                (official_generator(nc=4).state_dict(), 'main.12 makes 4 channels and not RGB'),
                ({k: v for k, v in official.items() if 'main.4' not in k}, 'no batch norm with running statistics follows main.3'),
                ({k: v for k, v in official.items() if 'main.6' not in k}, 'do not follow one another'),
                ({k: v for k, v in official.items() if 'running_var' not in k}, 'only one of running_mean and running_var'),
                ({k: v for k, v in official.items() if 'running' not in k}, 'no batch norm with running statistics'),
                (official | {'label_emb.weight': torch.zeros(10, 50)}, 'label_emb'),
                (official | {'main.14.weight': torch.zeros(1)}, 'main.14'),
                (official | {'main.1.running_var': torch.full((128,), -1.0)}, 'a variance below zero'),
                (official | {'main.3.weight': torch.full((128, 64, 4, 4), float('nan'))}, 'main.3.weight holds a value that is not finite'),
                (official | {'main.3.weight': torch.zeros(128, 64, 4, 4, dtype=torch.int8)}, 'no plain floating-point numbers'),
                (official | {'main.3.weight': torch.zeros(128, 64, 4, 4, device='meta')}, 'no plain floating-point numbers'),
                (official | {'main.3.weight_u': torch.zeros(3)}, 'main.3.weight_u belongs to no layer'),
                ({}, 'holds no weights'), ({'epoch': 3}, 'holds no weights'), ([1, 2], 'holds no weights')):
            with self.subTest(words):
                self.assertIn(words, self.refusal(saved))

    def test_nothing_in_a_pickle_is_run(self):
        class Attack:
            def __reduce__(self):
                return os.mkdir, ('attacked',)

        torch.save({'main.0.weight': Attack()}, self.file)
        for damaged in (self.file.read_bytes(), pickle.dumps(Attack()), b'', b'PK\3\4 no archive', b'\x80\x02.'):
            self.file.write_bytes(damaged)
            done = subprocess.run([sys.executable, '-m', 'equipoise.convert', self.file], capture_output=True, text=True, cwd=self.folder)
            self.assertEqual(3, done.returncode, done.stderr)
            self.assertEqual(1, len(done.stderr.splitlines()), done.stderr)
            self.assertIn(f'{self.file}: cannot be read as weights alone', done.stderr)
            self.assertEqual([self.file.name], os.listdir(self.folder))

    def test_a_whole_network_is_refused_with_advice(self):
        torch.save(official_generator(), self.file)
        done = self.run_convert(self.file)
        self.assertEqual((3, 1), (done.returncode, len(done.stderr.splitlines())))
        self.assertIn('save the state_dict()', done.stderr)

    def test_nested_without_end(self):
        saved = {'a': torch.zeros(1)}
        for _ in range(50):
            saved = {'x': saved}
        self.assertIn('nested too deeply', self.refusal(saved))

    def test_the_input_is_never_overwritten_and_no_folder_is_made(self):
        save_file(trained(official_generator()).state_dict(), self.out)
        before = self.out.read_bytes()
        self.assertEqual(2, self.run_convert(self.out).returncode)
        self.assertEqual(before, self.out.read_bytes())
        self.assertEqual(1, self.run_convert(self.out, '--out', self.folder / 'no/such.safetensors').returncode)
        self.assertEqual(3, self.run_convert(self.folder / 'missing.pth').returncode)


if __name__ == '__main__':
    unittest.main()
