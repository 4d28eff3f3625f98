"""The package equipoise on a real run: generators against gan-generate, statistics against their file, types against mypy."""
import json
import os
import pathlib
import pickle
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import torch
from safetensors.torch import save_file

import equipoise

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / 'end_to_end'), str(TESTS / 'peers')]
from dcgan import generator as dcgan_generator  # noqa: E402
from programs import BIN, WithShards, newest_checkpoint, train  # noqa: E402

PACKAGE = pathlib.Path(equipoise.__file__).parent
TOLERANCE = 1e-4


class WithRun(WithShards):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_folder = cls.folder / 'run'
        done = train(1, cls.shards, cls.run_folder, '--steps', '6', '--ema', '8', '--checkpoint-every', '3', '--quality-every', '3', '--holdout',
                     '0.4', '--quality-images', '12')
        assert done.returncode == 0, done.stderr


class Generators(WithRun):
    def pictures(self, source, latents, *flags):
        np.save(self.folder / 'latents.npy', latents.flatten(1).numpy())
        subprocess.run([BIN / 'gan-generate', '--checkpoint', source, '--latents', self.folder / 'latents.npy', '--out',
                        self.folder / 'pictures.npy', *flags], check=True)
        return torch.from_numpy(np.load(self.folder / 'pictures.npy'))

    def test_pictures_of_every_source_are_those_of_gan_generate(self):
        exported = self.folder / 'exported'
        subprocess.run([BIN / 'gan-generate', '--checkpoint', self.run_folder, '--export', exported], check=True)
        latents = torch.randn(5, 100, 1, 1)
        seen = []
        for source, weights in ((self.run_folder, 'auto'), (self.run_folder, 'raw'), (newest_checkpoint(self.run_folder), 'ema'),
                                (str(exported), 'auto'), (exported / 'generator.safetensors', 'auto')):
            with self.subTest(source=source, weights=weights), torch.inference_mode():
                generator = equipoise.load_generator(source, weights)
                self.assertFalse(generator.training)
                self.assertEqual((100, []), (generator.noise_dim, generator.classes))
                pictures = generator(latents)
                self.assertTrue(torch.equal(pictures, generator(latents.flatten(1))))
                self.assertLessEqual((pictures - self.pictures(source, latents, '--weights', weights)).abs().max().item(), TOLERANCE)
                seen.append(pictures)
        self.assertGreater((seen[0] - seen[1]).abs().max().item(), 10 * TOLERANCE, 'the average is the raw weights')

    def test_the_module_trains_and_travels(self):
        generator = equipoise.load_generator(self.run_folder)
        generator.train()(torch.randn(4, 100)).mean().backward()
        self.assertTrue(all(parameter.grad is not None for parameter in generator.parameters()))
        copy = pickle.loads(pickle.dumps(generator.eval()))
        latents = torch.randn(2, 100)
        self.assertTrue(torch.equal(copy(latents), generator(latents)))

    def test_names_of_classes_are_read_in_every_locale(self):
        exported = self.folder / 'classes'
        exported.mkdir()
        save_file(dcgan_generator([100, 32, 16, 8, 4, 3]).state_dict() | {'class_embedding.weight': torch.zeros(2, 20)},
                  exported / 'generator.safetensors')
        (exported / 'config.json').write_bytes('{"classes": ["Hund", "Kätzchen"]}'.encode())
        code = 'import equipoise, sys; print(ascii(equipoise.load_generator(sys.argv[1]).classes))'
        done = subprocess.run([sys.executable, '-c', code, exported], capture_output=True, text=True,
                              env=os.environ | {'LC_ALL': 'C', 'PYTHONUTF8': '0', 'PYTHONCOERCECLOCALE': '0'})
        self.assertEqual("['Hund', 'K\\xe4tzchen']\n", done.stdout, done.stderr)

    def test_an_unconditional_generator_refuses_classes(self):
        with self.assertRaisesRegex(ValueError, 'makes no classes'):
            equipoise.load_generator(self.run_folder)(torch.randn(1, 100), 0)

    def test_what_gan_generate_refuses_is_an_error_with_its_sentence(self):
        save_file({'0.weight': torch.zeros(3)}, self.folder / 'bad.safetensors')
        for source, weights, words in ((self.folder / 'missing', 'auto', 'missing.*no such file'), (self.folder, 'auto', 'manifest'),
                                       (self.folder / 'bad.safetensors', 'auto', 'bad.safetensors.*0.weight')):
            with self.assertRaisesRegex(ValueError, words):
                equipoise.load_generator(source, weights)


class Classes(unittest.TestCase):
    """The weights that gan-generate --export writes of a conditional generator, against layers put together by hand."""

    def setUp(self):
        torch.manual_seed(1)
        self.layers = dcgan_generator([20 + 6, 16, 8, 3]).eval()
        self.table = torch.randn(4, 6)
        self.latents = torch.randn(5, 20)

    def expected(self, classes):
        with torch.inference_mode():
            return self.layers(torch.cat((self.latents, self.table[classes]), 1)[:, :, None, None])

    def test_a_class_for_each_picture_or_one_for_all(self):
        weights = self.layers.state_dict() | {'class_embedding.weight': self.table}
        generator = equipoise.Generator(weights, ['a', 'b', 'c', 'd']).eval()
        self.assertEqual((20, ['a', 'b', 'c', 'd']), (generator.noise_dim, generator.classes))
        with torch.inference_mode():
            for classes, all_of_them in ((torch.tensor([3, 0, 1, 1, 2]), [3, 0, 1, 1, 2]), (2, [2] * 5)):
                self.assertTrue(torch.equal(self.expected(all_of_them), generator(self.latents, classes)))
        with self.assertRaisesRegex(ValueError, 'asks which of its 4 classes'):
            generator(self.latents)
        with self.assertRaises(IndexError):
            generator(self.latents, 4)

    def test_the_only_class_of_an_export_is_appended_by_a_convolution(self):
        append = torch.nn.Conv2d(20, 26, 1)
        with torch.no_grad():
            append.weight.copy_(torch.eye(26, 20)[:, :, None, None])
            append.bias.copy_(torch.cat((torch.zeros(20), self.table[1])))
        weights = {f'0.{name}': value for name, value in append.state_dict().items()}
        for name, value in self.layers.state_dict().items():
            place, rest = name.split('.', 1)
            weights[f'{int(place) + 1}.{rest}'] = value
        generator = equipoise.Generator(weights, ['b']).eval()
        self.assertEqual(20, generator.noise_dim)
        with torch.inference_mode():
            self.assertTrue(torch.allclose(self.expected([1] * 5), generator(self.latents), atol=1e-6))


class Statistics(WithRun):
    def test_columns_are_those_of_the_file(self):
        lines = [json.loads(line) for line in (self.run_folder / 'stats.jsonl').read_text().splitlines()]
        columns = equipoise.stats(self.run_folder)
        self.assertEqual({name for line in lines for name in line}, set(columns))
        for name, column in columns.items():
            self.assertEqual(6, len(column), name)
            for line, value in zip(lines, column):
                expected = line.get(name)
                if expected is None and column.dtype == np.float64:
                    self.assertTrue(np.isnan(value), name)
                else:
                    self.assertEqual(expected, value, name)
        self.assertEqual([np.int64, np.float64, object, object],
                         [columns[name].dtype for name in ('step', 'loss_d', 'verdict', 'actions')])
        self.assertTrue(any(np.isnan(columns['quality_swd'])) and not all(np.isnan(columns['quality_swd'])))

    def write(self, text):
        path = self.folder / 'stats.jsonl'
        path.write_bytes(text)
        return path

    def test_a_line_that_is_being_written_is_left_out(self):
        self.assertEqual([1, 2], equipoise.stats(self.write(b'{"step":1}\n{"step":2}\n{"ste'))['step'].tolist())
        self.assertEqual({}, equipoise.stats(self.write(b'')))

    def test_damage_is_told_with_line_and_offset(self):
        for damage in (b'{"step":', b'7', b'\xff', b'[' * 100_000):
            with self.assertRaisesRegex(ValueError, 'stats.jsonl: line 2, at offset 11: '):
                equipoise.stats(self.write(b'{"step":1}\n' + damage + b'\n{"step":3}\n'))

    def test_odd_numbers(self):
        columns = equipoise.stats(self.write(b'{"a":%d,"b":true,"c":1,"d":1%s}\n{"a":1,"b":false,"c":null,"d":1}\n' % (2**70, b'0' * 400)))
        self.assertEqual([float(2**70), 1.0], columns['a'].tolist())
        self.assertEqual((np.bool_, [True, False]), (columns['b'].dtype, columns['b'].tolist()))
        self.assertEqual((np.float64, np.inf), (columns['c'].dtype, columns['d'][0]))


class Programs(unittest.TestCase):
    """The commands of the wheel, from a copy of the package that has a program in it."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.site = pathlib.Path(temporary.name)
        shutil.copytree(PACKAGE, self.site / 'equipoise', ignore=shutil.ignore_patterns('bin', 'lib'))  # of an installed wheel
        (self.site / 'equipoise/bin').mkdir()

    def place(self, name, text):
        program = self.site / 'equipoise/bin' / name
        program.write_text('#!/bin/sh\n' + text)
        program.chmod(0o755)

    def start(self, function, *arguments, **more):
        return subprocess.run([sys.executable, '-S', '-c', f'from equipoise.programs import {function} as main; main()', *arguments],
                              env=os.environ | {'PYTHONPATH': str(self.site)} | more, capture_output=True, text=True)

    def test_arguments_and_exit_code_pass_through(self):
        self.place('gan-inspect', 'printf "%s|" "$0" "$@"; exit 75')
        done = self.start('gan_inspect', 'a b', '--flag', '')
        self.assertEqual((75, f'{self.site}/equipoise/bin/gan-inspect|a b|--flag||', ''), (done.returncode, done.stdout, done.stderr))

    def test_a_closed_pipe_ends_the_program(self):
        self.place('gan-generate', 'grep ^SigIgn: /proc/self/status')
        ignored = int(self.start('gan_generate').stdout.split()[1], 16)
        self.assertEqual(0, ignored)

    def test_training_needs_the_torch_that_it_was_built_with(self):
        self.place('gan-train', 'echo "$LD_LIBRARY_PATH"')
        done = self.start('gan_train')
        self.assertEqual((1, 'gan-train: needs LibTorch, which is not installed: pip install "equipoise[train]"\n'),
                         (done.returncode, done.stderr))
        torch_elsewhere = self.site / 'elsewhere'
        (torch_elsewhere / 'torch').mkdir(parents=True)
        (torch_elsewhere / 'torch/__init__.py').write_text('raise RuntimeError("imported")')
        (torch_elsewhere / 'torch-9.dist-info').mkdir()
        metadata = torch_elsewhere / 'torch-9.dist-info/METADATA'
        path = f'{self.site}:{torch_elsewhere}'
        metadata.write_text('Metadata-Version: 2.1\nName: torch\nVersion: 2.10.0\n')
        done = self.start('gan_train', PYTHONPATH=path)
        self.assertEqual(1, done.returncode)
        self.assertIn('built for torch 2.11.*, and torch 2.10.0 is installed', done.stderr)
        metadata.write_text('Metadata-Version: 2.1\nName: torch\nVersion: 2.11.0+cpu\n')
        self.assertEqual(f'{torch_elsewhere}/torch/lib:/before\n',
                         self.start('gan_train', PYTHONPATH=path, LD_LIBRARY_PATH='/before').stdout)
        self.place('gan-launch', 'echo "$LD_LIBRARY_PATH"')
        self.assertEqual(f'{torch_elsewhere}/torch/lib:/before\n',
                         self.start('gan_launch', '--', 'gan-train', PYTHONPATH=path, LD_LIBRARY_PATH='/before').stdout)
        self.assertEqual('/before\n', self.start('gan_launch', '--help', LD_LIBRARY_PATH='/before').stdout)
        self.assertIn('pip install "equipoise[train]"', self.start('gan_launch', '--', 'gan-train').stderr)

    def test_the_commands_start_without_numpy(self):
        self.place('gan-preprocess', 'true')
        done = self.start('gan_preprocess')  # -S: no site-packages
        self.assertEqual((0, ''), (done.returncode, done.stderr))


class Types(unittest.TestCase):
    def test_mypy_strict(self):
        done = subprocess.run([sys.executable, '-m', 'mypy', '--strict', PACKAGE], capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_a_user_sees_the_types(self):
        self.assertTrue((PACKAGE / 'py.typed').exists())
        self.assertEqual(set(equipoise.__all__), set(dir(equipoise)))
        for name in equipoise.__all__:
            self.assertIsNotNone(getattr(equipoise, name).__doc__, name)
        with self.assertRaises(AttributeError):
            equipoise.nothing


if __name__ == '__main__':
    unittest.main()
