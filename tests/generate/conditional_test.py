"""gan-generate with a conditional generator, compared with PyTorch and ONNX Runtime."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import onnx
import onnxruntime
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / 'end_to_end'), str(TESTS / 'peers')]
import philox  # noqa: E402
from conditional_test_pictures import CLASSES, make_classes, preprocess  # noqa: E402
from dcgan import ConditionalGenerator, generator as dcgan_generator  # noqa: E402
from programs import BIN, ENVIRONMENT, newest_checkpoint, train  # noqa: E402

NOISE, WIDTH, SEED = 100, 64, 1


def generate(*flags, code=0):
    done = subprocess.run([BIN / 'gan-generate', *map(str, flags)], env=ENVIRONMENT, capture_output=True)
    assert done.returncode == code, (done.returncode, done.stderr.decode())
    return done.stderr.decode() if code else done.stdout


class WithRun(unittest.TestCase):
    """A run of a few steps on three classes, which have 40, 30 and 20 pictures."""

    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        photos = make_classes(cls.folder / 'photos', counts=(40, 30, 20))
        cls.shards = preprocess(photos, cls.folder / 'shards', '--labels', 'folder')
        cls.run_folder = cls.folder / 'run'
        done = train(1, cls.shards, cls.run_folder, '--conditional', '--steps', 40, '--ema', 50, '--lr-g', 0.005)
        assert done.returncode == 0, done.stderr
        checkpoint = newest_checkpoint(cls.run_folder)
        cls.images_of_class = [one['images'] for one in
                               json.loads((checkpoint / 'manifest.json').read_text())['state']['classes']]
        part, = checkpoint.glob('part-*')
        cls.state = load_file(part)

    def latents(self, count):
        z = np.random.default_rng(1).standard_normal((count, NOISE)).astype(np.float32)
        np.save(self.folder / 'latents.npy', z)
        return torch.from_numpy(z).view(count, NOISE, 1, 1), self.folder / 'latents.npy'

    def pictures(self, *flags, source=None):
        generate('--checkpoint', source or self.run_folder, '--out', self.folder / 'images.npy', *flags)
        return np.load(self.folder / 'images.npy')

    def reference(self, weights):
        """PyTorch's generator with the checkpoint's weights."""
        own = {k[10:]: v for k, v in self.state.items() if k.startswith('generator.')}
        if weights == 'ema':
            own |= {k[14:]: v for k, v in self.state.items() if k.startswith('generator_ema.')}
        generator = ConditionalGenerator(dcgan_generator([NOISE + WIDTH, 64, 32, 16, 8, 3]), len(CLASSES), WIDTH)
        generator.load_state_dict(own)
        return generator.eval()

    def assert_same(self, expected, actual):
        self.assertEqual(expected.shape, actual.shape)
        self.assertGreater(np.ptp(actual), 0.1)
        self.assertLess(np.abs(expected - actual).max(), 1e-4)


class ConditionalParity(WithRun):
    def test_named_classes_with_every_latent(self):
        z, file = self.latents(5)
        ours = self.pictures('--weights', 'raw', '--latents', file, '--class', 'red,dark', '--class', 'light')
        with torch.inference_mode():
            expected = torch.cat([self.reference('raw')(z, torch.full((5,), c)) for c in (2, 0, 1)])
        self.assert_same(expected.numpy(), ours)

    def test_a_grid_has_a_row_per_class_with_the_same_latents(self):
        generate('--checkpoint', self.run_folder, '--weights', 'raw', '--out', self.folder / 'grid.png')
        with Image.open(self.folder / 'grid.png') as grid:
            self.assertEqual((8 * 66 + 2, 3 * 66 + 2), grid.size)
            pixels = np.asarray(grid)
        z = torch.from_numpy(np.stack([philox.normal(seed, philox.FIXED_LATENTS, 0, NOISE) for seed in range(8)]))
        for row in range(3):
            with torch.inference_mode():
                images = self.reference('raw')(z.view(8, NOISE, 1, 1), torch.full((8,), row)).permute(0, 2, 3, 1)
            for column, image in enumerate((images.numpy() + 1) * 127.5):
                cell = pixels[2 + 66 * row:66 + 66 * row, 2 + 66 * column:66 + 66 * column]
                self.assertLess(np.abs(cell - image).max(), 1.1)

    def averaged(self):
        """The averaged generator, with batch norm measured on the latents and classes that the run's seed gives."""
        generator = self.reference('ema')
        for module in generator.layers():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.reset_running_stats()
                module.momentum = None
        z = torch.from_numpy(np.stack([philox.normal(SEED, philox.STATISTICS, i, NOISE) for i in range(128)]))
        drawn = [philox.drawn_class(SEED, philox.STATISTICS, i, self.images_of_class) for i in range(128)]
        self.assertEqual({0, 1, 2}, set(drawn))
        generator.train()
        with torch.no_grad():
            for begin in (0, 64):
                generator(z[begin:begin + 64].view(64, NOISE, 1, 1), torch.tensor(drawn[begin:begin + 64]))
        return generator.eval()

    def test_averaged_weights_are_measured_on_the_classes_of_training(self):
        z, file = self.latents(4)
        with torch.inference_mode():
            self.assert_same(self.averaged()(z, torch.full((4,), 1)).numpy(),
                             self.pictures('--latents', file, '--class', 'light'))

    def test_the_grids_of_training_show_the_same(self):
        z = torch.from_numpy(np.stack([philox.normal(SEED, philox.FIXED_LATENTS, i, NOISE) for i in range(8)]))
        with Image.open(self.run_folder / 'fakes-00000040.png') as grid:
            self.assertEqual((8 * 66 + 2, 3 * 66 + 2), grid.size)
            pixels = np.asarray(grid)
        with torch.inference_mode():
            images = self.averaged()(z.view(8, NOISE, 1, 1), torch.full((8,), 2)).permute(0, 2, 3, 1).numpy()
        for column in range(8):
            cell = pixels[2 + 66 * 2:66 + 66 * 2, 2 + 66 * column:66 + 66 * column]
            self.assertLess(np.abs(cell - (images[column] + 1) * 127.5).max(), 1.5)

    def test_a_walk_between_classes_mixes_their_embeddings(self):
        z, file = self.latents(1)
        ours = self.pictures('--weights', 'raw', '--latents', file, '--class', 'dark,red', '--interpolate', 4)
        generator = self.reference('raw')
        rows = generator.class_embedding.weight
        mixes = [(1 - t) * rows[0] + t * rows[2] for t in (0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25)]
        value = torch.cat((z.expand(8, -1, -1, -1), torch.stack(mixes)[:, :, None, None]), 1)
        with torch.inference_mode():
            for layer in generator.layers():
                value = layer(value)
        self.assert_same(value.numpy(), ours)

    def test_generated_again_from_its_mark(self):
        first, again = self.folder / 'first.png', self.folder / 'again.png'
        generate('--checkpoint', self.run_folder, '--class', 'red,light', '--seeds', '3,4,9', '--out', first)
        generate('--checkpoint', self.run_folder, '--latents', first, '--out', again)
        self.assertTrue((np.asarray(Image.open(first)) == np.asarray(Image.open(again))).all())
        told = json.loads(subprocess.run([BIN / 'gan-inspect', '--json', first], check=True, capture_output=True).stdout)
        self.assertEqual('red,light', told['recipe']['class'])
        self.assertIn("--class 'red,light'", told['again'])
        folder = self.folder / 'single'
        generate('--checkpoint', self.run_folder, '--class', 'red,light', '--seeds', '3,4', '--out', folder)
        names = sorted(path.name for path in folder.iterdir())
        self.assertEqual(['picture-00000-red-seed-3.png', 'picture-00001-red-seed-4.png', 'picture-00002-light-seed-3.png',
                          'picture-00003-light-seed-4.png'], names)
        generate('--checkpoint', self.run_folder, '--latents', folder / names[2], '--out', again)
        self.assertTrue((np.asarray(Image.open(folder / names[2])) == np.asarray(Image.open(again))[2:66, 2:66]).all())

    def test_projection_finds_the_class_with_the_features_of_a_conditional_discriminator(self):
        own, pair = self.folder / 'own.png', self.folder / 'pair.png'
        generate('--checkpoint', self.run_folder, '--class', 'red', '--seeds', 3, '--out', self.folder / 'own')
        next((self.folder / 'own').iterdir()).rename(own)
        found = {}
        for classes in ('dark,light', 'red', None):
            generate('--checkpoint', self.run_folder, '--project', own, '--out', pair, '--projection-steps', 120,
                     *(('--class', classes) if classes else ()))
            found[classes] = json.loads(pair.with_suffix('.json').read_text())
        self.assertEqual(('red', 'red'), (found['red']['class'], found[None]['class']))
        self.assertIn(found['dark,light']['class'], ('dark', 'light'))
        self.assertGreater(found[None]['psnr_db'], 30)
        self.assertGreater(found['dark,light']['feature_distance'], found[None]['feature_distance'])
        with torch.inference_mode():
            latent = torch.from_numpy(np.load(pair.with_suffix('.npy'))).view(1, NOISE, 1, 1)
            image = self.averaged()(latent, torch.tensor([2])).permute(0, 2, 3, 1).numpy()[0]
        self.assertLess(np.abs(np.asarray(Image.open(pair))[2:66, 68:132] - (image + 1) * 127.5).max(), 1.1)


class ConditionalExport(WithRun):
    def export(self, *flags, source=None):
        exported, model = self.folder / 'exported', self.folder / 'generator.onnx'
        generate('--checkpoint', source or self.run_folder, '--export', exported, '--onnx', model, *flags)
        onnx.checker.check_model(onnx.load(model), full_check=True)
        session = onnxruntime.InferenceSession(str(model), providers=['CPUExecutionProvider'])
        return json.loads((exported / 'config.json').read_text()), exported, session

    def test_all_classes_are_a_sequential_and_a_table(self):
        config, exported, session = self.export()
        self.assertEqual((CLASSES, WIDTH, NOISE), (config['classes'], config['class_embedding'], config['noise_dim']))
        z, file = self.latents(6)
        classes = [0, 2, 1, 1, 0, 2]
        by_class = self.pictures('--latents', file).reshape(3, 6, 3, 64, 64)
        ours = np.stack([by_class[c, i] for i, c in enumerate(classes)])
        weights = load_file(exported / 'generator.safetensors')
        embedding = weights.pop('class_embedding.weight')
        generator = dcgan_generator(config['channels']).eval()
        generator.load_state_dict(weights)
        with torch.inference_mode():
            self.assert_same(generator(torch.cat((z, embedding[classes][:, :, None, None]), 1)).numpy(), ours)
        self.assertEqual(['latent', 'class'], [one.name for one in session.get_inputs()])
        self.assert_same(session.run(['images'], {'latent': z.numpy(), 'class': np.array(classes)})[0], ours)
        again = self.pictures('--latents', file, source=exported).reshape(by_class.shape)
        self.assertTrue((again == by_class).all())
        self.assertEqual(['dark', 'light', 'red'], CLASSES)
        self.assertTrue((self.pictures('--latents', file, '--class', 'red', source=exported) == by_class[2]).all())

    def test_one_class_is_a_plain_sequential(self):
        config, exported, session = self.export('--class', 'red')
        self.assertEqual(['red'], config['classes'])
        z, file = self.latents(6)
        ours = self.pictures('--latents', file, '--class', 'red')
        plain = torch.nn.Sequential(torch.nn.Conv2d(NOISE, NOISE + WIDTH, 1), *dcgan_generator(config['channels'])).eval()
        plain.load_state_dict(load_file(exported / 'generator.safetensors'))
        with torch.inference_mode():
            self.assert_same(plain(z).numpy(), ours)
        self.assertEqual(['latent'], [one.name for one in session.get_inputs()])
        self.assert_same(session.run(['images'], {'latent': z.numpy()})[0], ours)
        self.assertTrue((self.pictures('--latents', file, source=exported) == ours).all())
        _, again, _ = self.export(source=exported)
        self.assertTrue((self.pictures('--latents', file, source=again) == ours).all())

    def test_the_card_names_the_classes_and_its_code_loads_the_weights(self):
        for flags in ((), ('--class', 'light')):
            _, exported, _ = self.export(*flags)
            card = (exported / 'README.md').read_text()
            for name in CLASSES if not flags else ['light']:
                self.assertIn(name, card)
            code = card.split('```python\n')[1].split('```')[0]
            subprocess.run([sys.executable, '-c', code + '\nassert images.shape == (64, 3, 64, 64)'], cwd=exported, check=True)
            with Image.open(exported / 'samples.png') as samples:
                self.assertEqual((8 * 66 + 2, (3 if not flags else 8) * 66 + 2), samples.size)


class ConditionalRefused(WithRun):
    def test_names_that_are_none(self):
        message = generate('--checkpoint', self.run_folder, '--class', 'red,green', '--out', self.folder / 'x.png', code=2)
        for word in ('"green"', '"dark"', '"light"', '"red"'):
            self.assertIn(word, message)
        generate('--checkpoint', self.run_folder, '--class', '', '--out', self.folder / 'x.png', code=2)
        generate('--checkpoint', self.run_folder, '--class', 'red,', '--out', self.folder / 'x.png', code=2)
        self.assertFalse((self.folder / 'x.png').exists())

    def test_two_classes_in_one_export_and_several_in_a_sheet(self):
        generate('--checkpoint', self.run_folder, '--class', 'red,dark', '--export', self.folder / 'two', code=2)
        self.assertFalse((self.folder / 'two').exists())
        generate('--checkpoint', self.run_folder, '--sheet', 3, '--out', self.folder / 'sheet.png', code=2)
        generate('--checkpoint', self.run_folder, '--sheet', 3, '--class', 'red', '--out', self.folder / 'sheet.png')

    def test_a_class_of_a_generator_without_classes(self):
        file = self.folder / 'plain.safetensors'
        save_file(dcgan_generator([20, 64, 32, 16, 8, 3]).state_dict(), file)
        message = generate('--checkpoint', file, '--class', 'red', '--out', self.folder / 'x.png', code=2)
        self.assertIn('--conditional', message)

    def test_tables_that_do_not_fit(self):
        generator = dcgan_generator([20, 64, 32, 16, 8, 3]).state_dict()
        for table in (torch.zeros(3, 20), torch.zeros(1, 4), torch.zeros(3), torch.full((3, 4), float('nan'))):
            file = self.folder / 'table.safetensors'
            save_file(generator | {'class_embedding.weight': table}, file)
            message = generate('--checkpoint', file, '--out', self.folder / 'x.png', code=3)
            self.assertIn('class_embedding.weight', message)

    def test_a_folded_class_that_changes_the_latent(self):
        layers = torch.nn.Sequential(torch.nn.Conv2d(12, 20, 1), *dcgan_generator([20, 64, 32, 16, 8, 3]))
        file = self.folder / 'folded.safetensors'
        save_file(layers.state_dict(), file)
        self.assertIn('0.weight', generate('--checkpoint', file, '--out', self.folder / 'x.png', code=3))

    def test_names_in_a_config_that_are_none(self):
        exported = self.folder / 'renamed'
        generate('--checkpoint', self.run_folder, '--export', exported)
        config = json.loads((exported / 'config.json').read_text())
        for classes in (['dark', 'light'], ['dark', 'light', 7], 'dark', None):
            (exported / 'config.json').write_text(json.dumps(config | {'classes': classes}))
            self.assertIn('config.json', generate('--checkpoint', exported, '--out', self.folder / 'x.png', code=3))


if __name__ == '__main__':
    unittest.main()
