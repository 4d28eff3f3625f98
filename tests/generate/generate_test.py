"""gan-generate as users run it, compared with PyTorch, ONNX Runtime, the safetensors package, Pillow and ffmpeg."""
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import imageio_ffmpeg
import numpy as np
import onnx
import onnxruntime
import torch
from onnx import version_converter
from PIL import Image
from safetensors.torch import load_file, save_file

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / 'end_to_end'), str(TESTS / 'peers')]
from dcgan import generator as dcgan_generator  # noqa: E402
from programs import BIN, ENVIRONMENT, make_shards, newest_checkpoint, stats, train  # noqa: E402

LATENTS = 100


def random_generator(channels=(20, 64, 32, 16, 8, 3), seed=0):
    """Random weights and statistics, scaled so that the pictures use all of [-1, 1]."""
    torch.manual_seed(seed)
    generator = dcgan_generator(channels).eval()
    with torch.no_grad():
        for module in generator:
            if isinstance(module, torch.nn.ConvTranspose2d):
                reached_by = 1 if module.stride == (1, 1) else 4
                module.weight.normal_(0, (2 / (reached_by * module.in_channels)) ** 0.5)
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5), module.bias.normal_(0, 0.3)
                module.running_mean.normal_(0, 0.1), module.running_var.uniform_(0.5, 2)
    return generator


def with_biases(generator, layers):
    """The same weights, with a bias in these convolutions."""
    convolutions = [module for module in generator if isinstance(module, torch.nn.ConvTranspose2d)]
    for i in layers:
        convolutions[i].bias = torch.nn.Parameter(torch.randn(convolutions[i].out_channels) / 2)
    return generator


def generate(*flags, code=0):
    done = subprocess.run([BIN / 'gan-generate', *map(str, flags)], env=ENVIRONMENT, capture_output=True)
    assert done.returncode == code, (done.returncode, done.stderr.decode())
    return done.stderr.decode() if code else done.stdout


class WithFolder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.file = cls.folder / 'random.safetensors'
        cls.generator = random_generator()
        save_file(cls.generator.state_dict(), cls.file)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def pictures(self, source, *flags):
        generate('--checkpoint', source, '--out', self.folder / 'images.npy', *flags)
        return np.load(self.folder / 'images.npy')

    def latents(self, dim, count=LATENTS):
        z = np.random.default_rng(1).standard_normal((count, dim)).astype(np.float32)
        np.save(self.folder / 'latents.npy', z)
        return torch.from_numpy(z).view(count, dim, 1, 1), self.folder / 'latents.npy'

    def assert_same(self, expected, actual):
        self.assertEqual(expected.shape, actual.shape)
        self.assertGreater(np.ptp(actual), 0.1)  # not all grey
        self.assertLess(np.abs(expected - actual).max(), 1e-4)


class Parity(WithFolder):
    """Requirement: the same images within 1e-4 for 100 latents, in PyTorch, in ONNX Runtime, and from PyTorch's
    weights."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_folder = cls.folder / 'run'
        cls.shards = make_shards(cls.folder, count=140)  # enough held out to be measured against
        done = train(1, cls.shards, cls.run_folder, '--steps', 60, '--ema', 50, '--lr-g', 0.005, '--quality-every', 25,
                     '--quality-images', 12)
        assert done.returncode == 0, done.stderr

    def check_export(self, source, *flags):
        exported, model = self.folder / 'exported', self.folder / 'generator.onnx'
        generate('--checkpoint', source, '--export', exported, '--onnx', model, *flags)
        config = json.loads((exported / 'config.json').read_text())
        z, file = self.latents(config['noise_dim'])
        ours = self.pictures(source, '--latents', file, *flags)
        generator = dcgan_generator(config['channels']).eval()
        generator.load_state_dict(load_file(exported / 'generator.safetensors'))
        with torch.inference_mode():
            self.assert_same(generator(z).numpy(), ours)
        whole = onnx.load(model)
        onnx.checker.check_model(whole, full_check=True)
        newer = [version_converter.convert_version(whole, opset).SerializeToString() for opset in (18, 21)]
        for form in (str(model), *newer):
            session = onnxruntime.InferenceSession(form, providers=['CPUExecutionProvider'])
            self.assert_same(session.run(['images'], {'latent': z.numpy()})[0], ours)
        self.assertTrue((self.pictures(exported, '--latents', file) == ours).all())
        return config, exported

    def test_averaged_weights_of_a_run(self):
        config, exported = self.check_export(self.run_folder)
        self.assertEqual('ema', config['weights'])
        card = (exported / 'README.md').read_text()
        digest = json.loads((self.shards / 'manifest.json').read_text())['dataset_digest']
        measured = [line for line in stats(self.run_folder) if 'quality_swd' in line]
        self.assertEqual(50, measured[-1]['quality_step'])
        swd = f'| quality_swd | {json.dumps(measured[-1]["quality_swd"])} |'
        for fact in (digest, '| features | 4 |', '| step | 60 |', '| quality_step | 50 |', 'd_auc', 'samples.png', swd):
            self.assertIn(fact, card)
        with Image.open(exported / 'samples.png') as samples:
            self.assertEqual((8 * 66 + 2, 8 * 66 + 2), samples.size)

    def test_raw_weights_of_a_checkpoint(self):
        config, _ = self.check_export(newest_checkpoint(self.run_folder), '--weights', 'raw')
        self.assertEqual('raw', config['weights'])

    def test_weights_exported_into_a_run_do_not_take_the_place_of_its_checkpoints(self):
        newest = self.pictures(self.run_folder, '--weights', 'raw')
        exported = self.folder / 'a_run'
        shutil.copytree(self.run_folder, exported)
        generate('--checkpoint', self.file, '--export', exported)
        self.assertTrue((self.pictures(exported, '--weights', 'raw') == newest).all())

    def test_the_card_s_own_code_loads_the_weights(self):
        _, exported = self.check_export(self.run_folder)
        code = (exported / 'README.md').read_text().split('```python\n')[1].split('```')[0]
        subprocess.run([sys.executable, '-c', code], cwd=exported, check=True)

    def test_averaged_weights_measure_their_statistics_as_training_does(self):
        """PyTorch with the checkpoint's averages and its own cumulative batch norm over the same latents."""
        part, = newest_checkpoint(self.run_folder).glob('part-*')
        state = load_file(part)
        channels = [100, 64, 32, 16, 8, 3]
        generator = dcgan_generator(channels).eval()
        averages = {k[14:]: v for k, v in state.items() if k.startswith('generator_ema.')}
        buffers = {k[10:]: v for k, v in state.items() if k.startswith('generator.') and k[10:] not in averages}
        generator.load_state_dict({**buffers, **averages})
        exported = self.folder / 'measured'
        generate('--checkpoint', self.run_folder, '--export', exported)
        measured = load_file(exported / 'generator.safetensors')
        for module in generator:
            if isinstance(module, torch.nn.BatchNorm2d):
                module.reset_running_stats()
                module.momentum = None
        generator.train()
        torch.manual_seed(0)
        with torch.no_grad():
            for _ in range(40):  # other latents: equal in the limit, not bit for bit
                generator(torch.randn(64, 100, 1, 1))
        for name in measured:
            if 'running_var' in name:
                ratio = measured[name] / generator.state_dict()[name]
                self.assertLess((ratio.mean() - 1).abs(), 0.15, name)
        for name, value in averages.items():
            self.assertTrue((measured[name] == value).all(), name)

    def test_pytorch_made_weights_of_every_size(self):
        for channels in ((100, 64, 32, 16, 8, 3), (50, 128, 64, 32, 16, 8, 3), (7, 40, 24, 12, 10, 9, 5, 3)):
            with self.subTest(channels=channels):
                generator = random_generator(channels, seed=len(channels))
                # The names are as in the DCGAN example scripts, whose networks keep their layers in `main`.
                save_file({'main.' + k: v for k, v in generator.state_dict().items()}, self.folder / 'w.safetensors')
                count = LATENTS if len(channels) < 8 else 5
                z, file = self.latents(channels[0], count)
                with torch.inference_mode():
                    self.assert_same(generator(z).numpy(),
                                     self.pictures(self.folder / 'w.safetensors', '--latents', file))

    def test_biases_are_used_and_exported(self):
        """As by default in PyTorch, every convolution has a bias."""
        for layers in (range(5), (0, 3)):
            with self.subTest(layers=list(layers)):
                generator = with_biases(random_generator(), layers)
                save_file(generator.state_dict(), self.folder / 'biased.safetensors')
                z, file = self.latents(20)
                ours = self.pictures(self.folder / 'biased.safetensors', '--latents', file)
                with torch.inference_mode():
                    self.assert_same(generator(z).numpy(), ours)
                exported, model = self.folder / f'biased-{len(list(layers))}', self.folder / 'biased.onnx'
                generate('--checkpoint', self.folder / 'biased.safetensors', '--export', exported, '--onnx', model)
                self.assertTrue((self.pictures(exported, '--latents', file) == ours).all())
                onnx.checker.check_model(onnx.load(model), full_check=True)
                session = onnxruntime.InferenceSession(str(model), providers=['CPUExecutionProvider'])
                self.assert_same(session.run(['images'], {'latent': z.numpy()})[0], ours)
                code = (exported / 'README.md').read_text().split('```python\n')[1].split('```')[0]
                subprocess.run([sys.executable, '-c', code], cwd=exported, check=True)

    def test_half_and_double_weights_are_read(self):
        z, file = self.latents(20)
        for dtype, bound in ((torch.float64, 1e-4), (torch.float16, 0.05), (torch.bfloat16, 0.3)):
            save_file({k: v.to(dtype) for k, v in self.generator.state_dict().items() if v.is_floating_point()},
                      self.folder / 'w.safetensors')
            ours = self.pictures(self.folder / 'w.safetensors', '--latents', file)
            with torch.inference_mode():
                self.assertLess(np.abs(self.generator(z).numpy() - ours).max(), bound, dtype)


class Stable(WithFolder):
    """Requirement: same seed, same image, for batch 1, 7, 32 and 1 or 2 threads, bit for bit."""

    def test_for_every_batch_and_number_of_threads(self):
        first = self.pictures(self.file, '--seeds', '0-39', '--batch', 32, '--threads', 2)
        for batch in (1, 7, 32):
            for threads in (1, 2):
                again = self.pictures(self.file, '--seeds', '0-39', '--batch', batch, '--threads', threads)
                self.assertEqual(first.tobytes(), again.tobytes(), (batch, threads))

    def test_whatever_stands_beside_it(self):
        whole = self.pictures(self.file, '--seeds', '0-39')
        some = self.pictures(self.file, '--seeds', '31,7,7')
        for i, seed in enumerate((31, 7, 7)):
            self.assertEqual(whole[seed].tobytes(), some[i].tobytes())


class Outputs(WithFolder):
    def rgb(self, *flags):
        images = self.pictures(self.file, *flags)
        return np.floor(np.clip(images * 127.5 + 128, 0, 255)).astype(int).transpose(0, 2, 3, 1)

    def assert_close(self, expected, actual):
        self.assertLessEqual(np.abs(expected - np.asarray(actual).astype(int)).max(), 1)

    def nearest_seed(self, frame):
        """Films lose detail: which of the seeds 3, 4, 5 is it?"""
        return 3 + np.abs(self.rgb('--seeds', '3-5') - frame.astype(int)).mean((1, 2, 3)).argmin()

    def test_grid_in_a_file_and_on_stdout(self):
        generate('--checkpoint', self.file, '--count', 6, '--columns', 3, '--out', self.folder / 'grid.png')
        stdout = generate('--checkpoint', self.file, '--count', 6, '--columns', 3, '--out', '-')
        self.assertEqual((self.folder / 'grid.png').read_bytes(), stdout)
        grid = np.asarray(Image.open(io.BytesIO(stdout)))
        self.assertEqual((2 * 66 + 2, 3 * 66 + 2, 3), grid.shape)
        self.assert_close(self.rgb('--seeds', 4)[0], grid[68:132, 68:132])

    def test_single_pictures_are_numbered_and_name_their_seeds(self):
        generate('--checkpoint', self.file, '--seeds', '1,5,10-11', '--out', self.folder / 'singles')
        names = sorted(path.name for path in (self.folder / 'singles').iterdir())
        self.assertEqual([f'picture-{i:05d}-seed-{seed}.png' for i, seed in enumerate((1, 5, 10, 11))], names)
        self.assert_close(self.rgb('--seeds', 10)[0], Image.open(self.folder / 'singles' / names[2]))

    def test_frames_of_a_walk_begin_at_the_latents(self):
        generate('--checkpoint', self.file, '--seeds', '3,4', '--interpolate', 5, '--out', self.folder / 'frames')
        names = sorted(path.name for path in (self.folder / 'frames').iterdir())
        self.assertEqual([f'frame-{i:05d}.png' for i in range(10)], names)
        self.assert_close(self.rgb('--seeds', 4)[0], Image.open(self.folder / 'frames' / names[5]))

    def test_animated_webp(self):
        generate('--checkpoint', self.file, '--seeds', '3-5', '--interpolate', 4, '--fps', 10, '--out',
                 self.folder / 'walk.webp')
        with Image.open(self.folder / 'walk.webp') as film:
            self.assertEqual(12, film.n_frames)
            self.assertEqual(0, film.info['loop'])
            film.seek(4)
            film.load()
            self.assertEqual(100, film.info['duration'])
            self.assertEqual(4, self.nearest_seed(np.asarray(film.convert('RGB'))))

    def test_mp4_through_the_installed_ffmpeg(self):
        tools = self.folder / 'tools'
        tools.mkdir()
        (tools / 'ffmpeg').symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
        movie = self.folder / 'walk:1.mp4'  # ffmpeg would take what stands before the colon for a protocol
        environment = dict(ENVIRONMENT, PATH=f'{tools}:{ENVIRONMENT["PATH"]}')
        subprocess.run([BIN / 'gan-generate', '--checkpoint', self.file, '--seeds', '3-5', '--interpolate', '4', '--out',
                        movie.name], cwd=self.folder, env=environment, check=True)
        reader = imageio_ffmpeg.read_frames(str(movie))
        self.assertEqual((64, 64), next(reader)['size'])
        frames = [np.frombuffer(frame, np.uint8).reshape(64, 64, 3) for frame in reader]
        self.assertEqual(12, len(frames))
        self.assertEqual(4, self.nearest_seed(frames[4]))

    def test_mp4_without_ffmpeg_says_what_to_do_and_leaves_nothing(self):
        environment = dict(ENVIRONMENT, PATH=str(self.folder))
        done = subprocess.run([BIN / 'gan-generate', '--checkpoint', self.file, '--out', self.folder / 'none.mp4'],
                              env=environment, capture_output=True, text=True)
        self.assertEqual(2, done.returncode)
        self.assertIn('install it, or name a .webp file', done.stderr)
        self.assertEqual([], list(self.folder.glob('none*')))


class Latents(WithFolder):
    def test_npy_and_safetensors_files_give_the_same_pictures(self):
        z, file = self.latents(20, 5)
        np.save(self.folder / 'double.npy', z.numpy().astype(np.float64).reshape(5, 20, 1, 1))
        save_file({'z': z}, self.folder / 'latents.safetensors')
        expected = self.pictures(self.file, '--latents', file)
        for name in ('double.npy', 'latents.safetensors'):
            self.assertTrue((expected == self.pictures(self.file, '--latents', self.folder / name)).all())

    def test_files_that_do_not_fit_are_refused(self):
        cases = {'has the shape [3, 21]': np.zeros((3, 21), np.float32), 'holds <i4, ': np.zeros((3, 20), np.int32),
                 'holds <f4 in Fortran order': np.asfortranarray(np.zeros((3, 20), np.float32))}
        for words, array in cases.items():
            with self.subTest(words):
                np.save(self.folder / 'bad.npy', array)
                error = generate('--checkpoint', self.file, '--latents', self.folder / 'bad.npy', code=3)
                self.assertIn('bad.npy', error)
                self.assertIn(words, error)
        whole = self.latents(20, 3)[1].read_bytes()
        for cut in (0, 5, 11, 60, len(whole) - 4):
            (self.folder / 'bad.npy').write_bytes(whole[:cut])
            self.assertIn('bad.npy', generate('--checkpoint', self.file, '--latents', self.folder / 'bad.npy', code=3))


class BadInput(WithFolder):
    def check(self, code, words, *flags):
        error = generate(*flags, code=code)
        self.assertIn(words, error)
        self.assertEqual(1, error.count('\n'), error)

    def test_each_ends_with_one_line_and_its_exit_code(self):
        self.check(3, 'no such file', '--checkpoint', self.folder / 'absent')
        (self.folder / 'empty').mkdir()
        self.check(3, 'empty', '--checkpoint', self.folder / 'empty')
        for name in ('seeds', 'out'):
            flags = {'seeds': ('--seeds', '5-2'), 'out': ('--out', 'picture.gif')}[name]
            self.check(2, '--' + name, '--checkpoint', self.file, *flags)
        self.check(2, '--count', '--checkpoint', self.file, '--seeds', '1', '--count', 3)

    def test_the_config_of_an_exported_folder_is_not_trusted(self):
        exported = self.folder / 'exported'
        generate('--checkpoint', self.file, '--export', exported)
        for config in ({'training': 3}, {'training': {'options': 3}}, {'training': {'step': -1}}, {'training': {'step': 'x'}},
                       {'training': {'options': {'seed': 'x'}}}, {'training': {'options': {'d_norm': 1}}},
                       {'training': {'options': {'class_sampling': []}}}, {'weights': 'ema', 'training': {'options': []}}):
            (exported / 'config.json').write_text(json.dumps(config))
            self.check(3, 'config.json: what it says of the training', '--checkpoint', exported, '--out', self.folder / 'x.png')
        for config in ({}, {'weights': 5}, {'training': {'options': {'seed': 1, 'd_norm': 'layer'}, 'step': 7}}):
            (exported / 'config.json').write_text(json.dumps(config))
            generate('--checkpoint', exported, '--out', self.folder / 'x.png', '--export', self.folder / 'again')

    def test_more_than_one_call_can_hold_is_refused_before_the_work(self):
        many = ('--checkpoint', self.file, '--count', 1_000_000)
        self.check(2, 'too large for one file', *many, '--out', self.folder / 'grid.png')
        self.check(2, 'are more than a million images', *many, '--interpolate', 10_000, '--out', self.folder / 'frames')
        self.assertEqual([], list(self.folder.glob('grid*')) + list(self.folder.glob('frames*')))

    def test_files_that_cannot_be_written_are_named_before_the_work(self):
        (self.folder / 'taken.npy').mkdir()
        (self.folder / 'file').write_text('no folder')
        for flag, name in (('--out', 'missing/grid.png'), ('--out', 'file/walk.webp'), ('--onnx', 'missing/g.onnx'),
                           ('--directions', 'missing/d.npy'), ('--directions', 'taken.npy')):
            words = 'is a folder' if name == 'taken.npy' else 'is no folder'
            self.check(2, words, '--checkpoint', self.folder / 'is-not-even-read', flag, self.folder / name)
        self.check(1, 'Not a directory', '--checkpoint', self.file, '--export', self.folder / 'file')

    def test_weights_that_are_no_generator_name_the_tensor(self):
        state = self.generator.state_dict()
        broken = self.folder / 'broken.safetensors'
        for change, words in (({'3.weight': torch.zeros(63, 32, 4, 4)}, '3.weight'),
                              ({'0.weight': torch.zeros(20, 64, 3, 3)}, '0.weight'),
                              ({'1.running_var': torch.zeros(63)}, '1.running_var'),
                              ({'12.weight': torch.zeros(8, 4, 4, 4)}, '12.weight')):
            save_file({**state, **change}, broken)
            self.check(3, words, '--checkpoint', broken)
        save_file({k: v for k, v in state.items() if k != '4.bias'}, broken)
        self.check(3, '4.bias', '--checkpoint', broken)
        save_file({'fc.weight': torch.zeros(3, 3)}, broken)
        self.check(3, '0.weight', '--checkpoint', broken)

    def test_tensors_of_the_network_that_are_not_understood_are_refused_by_name(self):
        state = self.generator.state_dict()
        unknown = self.folder / 'unknown.safetensors'
        attention = torch.zeros(8, 8, 1, 1)
        for prefix, name in (('', '9.query.weight'), ('', 'attention.gamma'), ('', '2.weight'), ('main.', 'attention.query.weight'),
                             ('main.', 'main.9.gamma'), ('generator.', 'generator.attention.gamma'),
                             ('netG.main.', 'netG.attention.gamma')):
            save_file({prefix + k: v for k, v in state.items()} | {name: attention}, unknown)
            self.check(3, name.removeprefix(prefix), '--checkpoint', unknown)

    def test_tensors_of_somebody_else_are_passed_over(self):
        state = self.generator.state_dict()
        expected = self.pictures(self.file, '--seeds', '1-3')
        others = {'counts': torch.arange(3, dtype=torch.int16), 'quantised': torch.zeros(4).to(torch.float8_e4m3fn),
                  'wide': torch.zeros(2).to(torch.float8_e5m2), 'unsigned': torch.zeros(2).to(torch.uint16)}
        for prefix, more in (('', {}), ('main.', {}), ('generator.', {'discriminator.main.weight': torch.ones(3)}),
                             ('netG.main.', {'netD.main.weight': torch.ones(3)})):
            save_file({prefix + k: v for k, v in state.items()} | others | more, self.folder / 'more.safetensors')
            self.assertTrue((expected == self.pictures(self.folder / 'more.safetensors', '--seeds', '1-3')).all(), prefix)

    def test_weights_and_latents_that_are_not_finite_are_errors(self):
        state = self.generator.state_dict()
        for name, value in (('3.weight', float('nan')), ('1.bias', float('inf')), ('4.running_var', float('nan')),
                            ('4.running_var', -1.0)):
            broken = {k: v.clone() for k, v in state.items()}
            broken[name].view(-1)[1] = value
            save_file(broken, self.folder / 'infinite.safetensors')
            self.check(3, name, '--checkpoint', self.folder / 'infinite.safetensors')
        wide = {k: v.double() for k, v in state.items() if v.is_floating_point()}
        wide['0.weight'].view(-1)[0] = 1e300  # finite, but not as a float
        save_file(wide, self.folder / 'infinite.safetensors')
        self.check(3, '0.weight is not finite', '--checkpoint', self.folder / 'infinite.safetensors')
        z, file = self.latents(20, 3)
        z[1, 7] = float('nan')
        np.save(file, z.numpy().reshape(3, 20))
        self.check(3, 'latent 1 is not finite at number 7', '--checkpoint', self.file, '--latents', file)

    def test_pickle_is_told_as_such_with_the_way_out(self):
        """The three lines of code that the error prints do what it says."""
        for legacy in (False, True):
            pickle = self.folder / 'generator.pth'
            torch.save(self.generator.state_dict(), pickle, _use_new_zipfile_serialization=not legacy)
            error = generate('--checkpoint', pickle, code=3)
            self.assertIn('pickle of PyTorch', error)
            lines = [line.strip() for line in error.splitlines()[1:]]
            self.assertEqual(3, len(lines), error)
            (self.folder / 'generator.safetensors').unlink(missing_ok=True)
            subprocess.run([sys.executable, '-c', '\n'.join(lines)], check=True)
            self.assertTrue((self.pictures(self.file) == self.pictures(self.folder / 'generator.safetensors')).all())

    def test_an_average_that_was_not_kept_is_a_usage_error(self):
        shards = make_shards(self.folder)
        self.assertEqual(0, train(1, shards, self.folder / 'raw', '--steps', 1, '--ema', 0).returncode)
        self.check(2, '--weights ema', '--checkpoint', self.folder / 'raw', '--weights', 'ema')


if __name__ == '__main__':
    unittest.main()
