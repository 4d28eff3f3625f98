"""gan-generate --project, compared with PyTorch's gradients, Pillow, and images of which the latent is known."""
import json
import pathlib
import subprocess
import unittest

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from generate_test import (BIN, ENVIRONMENT, WithFolder, dcgan_generator, generate, make_shards, newest_checkpoint,
                           random_generator, train)
from dcgan import discriminator as dcgan_discriminator
from marks_test import inspect, properties, run, IPTC
from programs import make_photos

COMPOSITE = 'http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic'
NORMS = {'batch': torch.nn.BatchNorm2d, 'none': None, 'layer': lambda channels: torch.nn.GroupNorm(1, channels),
         'instance': lambda channels: torch.nn.InstanceNorm2d(channels, affine=True)}


def halves(file, side=64):
    """The photograph and the image of a file that shows both."""
    pixels = np.asarray(Image.open(file)).astype(int)
    return pixels[2:2 + side, 2:2 + side], pixels[2:2 + side, 4 + side:4 + 2 * side]


def decibels(a, b):
    return 10 * np.log10(255 ** 2 / max(((a - b) ** 2).mean(), 1e-9))


def assert_gradients(test, ours, theirs):
    test.assertEqual(theirs.shape, ours.shape)
    test.assertGreater(np.abs(theirs[:, :-1]).max(), 1e-9)
    test.assertLess(np.abs(ours - theirs)[:, :-1].max() / np.abs(theirs[:, :-1]).max(), 1e-5)
    test.assertLess(np.abs(ours / theirs - 1)[:, -1].max(), 1e-5)


class Gradients(WithFolder):
    """Requirement: equal to PyTorch's to 1e-5 of the largest, with and without the discriminator's features."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shards = make_shards(cls.folder)

    def write(self, checkpoint, z, photograph, weight):
        np.save(self.folder / 'z.npy', z.numpy()), np.save(self.folder / 'p.npy', photograph.numpy().reshape(1, -1))
        subprocess.run([BIN / 'write_gradients', checkpoint, self.folder / 'z.npy', self.folder / 'p.npy', str(weight),
                        self.folder / 'g.npy'], check=True)
        return np.load(self.folder / 'g.npy')

    def expected(self, generator, discriminator, z, photograph, weight):
        def features(x):
            found = []
            for layer in discriminator:
                x = layer(x.clone())
                if isinstance(layer, torch.nn.LeakyReLU):
                    found.append(x)
            return [f for f in found if f.shape[-1] >= 4]
        z = z.double().clone().requires_grad_()
        images = generator.double()(z.view(*z.shape, 1, 1))
        photograph = photograph.double()[None]
        total = ((images - photograph) ** 2).mean((1, 2, 3))
        if weight:
            wanted = features(photograph)
            parts = [((a - b) ** 2).sum((1, 2, 3)) / (b ** 2).sum() for a, b in zip(features(images), wanted)]
            total = total + weight * sum(parts) / len(parts)
        total.sum().backward()
        return np.concatenate([z.grad.numpy(), total.detach().numpy()[:, None]], 1)

    def test_of_the_pixels_for_widths_that_are_no_multiple_of_a_tile(self):
        for channels in ((20, 64, 32, 16, 8, 3), (13, 40, 24, 9, 5, 3), (50, 40, 30, 20, 10, 6, 3)):
            generator = random_generator(channels, seed=len(channels)).requires_grad_(False)
            save_file(generator.state_dict(), self.folder / 'w.safetensors')
            side = 4 << (len(channels) - 2)
            z, photograph = torch.randn(19, channels[0]), torch.rand(3, side, side) * 2 - 1
            ours = self.write(self.folder / 'w.safetensors', z, photograph, 0)
            assert_gradients(self, ours, self.expected(generator, [], z, photograph, 0))

    def test_of_the_features_for_every_norm(self):
        for norm, flags in (('batch', ()), ('none', ('--d-norm', 'none')), ('layer', ('--d-norm', 'layer')),
                            ('instance', ('--d-norm', 'instance')), ('none', ('--d-norm', 'none', '--spectral-norm'))):
            with self.subTest(norm=norm, flags=flags):
                run_folder = self.folder / '-'.join(['run', norm, *map(str, flags)])
                done = train(1, self.shards, run_folder, '--steps', 3, '--ema', 0, *flags)
                self.assertEqual(0, done.returncode, done.stderr)
                self.check_features(newest_checkpoint(run_folder), NORMS[norm], '--spectral-norm' in flags)

    def check_features(self, checkpoint, norm, spectral):
        state = {}
        for part in checkpoint.glob('part-*'):
            state.update(load_file(part))
        of = {name: {k.removeprefix(name + '.'): v for k, v in state.items() if k.startswith(name + '.')}
              for name in ('generator', 'discriminator')}
        generator = dcgan_generator([100, 64, 32, 16, 8, 3]).eval()
        generator.load_state_dict(of['generator'])
        if spectral:
            of['discriminator'] = self.without_spectral_norm(of['discriminator'])
        discriminator = dcgan_discriminator([3, 8, 16, 32, 64, 128], norm).eval().double()
        discriminator.load_state_dict(of['discriminator'])
        for network in (generator, discriminator):
            network.requires_grad_(False)
        z, photograph = torch.randn(5, 100), torch.rand(3, 64, 64) * 2 - 1
        ours = self.write(checkpoint, z, photograph, 1)
        assert_gradients(self, ours, self.expected(generator, discriminator, z, photograph, 1))

    def without_spectral_norm(self, state):
        plain = {k: v.double() for k, v in state.items() if not k.endswith(('.u', '.v'))}
        for name in [k for k in state if k.endswith('.u')]:
            weight = name.removesuffix('u') + 'weight'
            matrix = state[weight].double().flatten(1)
            plain[weight] = state[weight].double() / (state[name].double() @ matrix @ state[name[:-1] + 'v'].double())
        return plain


class Projection(WithFolder):
    def project(self, source, out, *flags, code=0):
        return generate('--checkpoint', self.file, '--project', source, '--out', out, *flags, code=code)

    def test_own_images_are_found(self):
        """Requirement: at least 30 dB for 95 of 100."""
        generate('--checkpoint', self.file, '--seeds', '500-599', '--out', self.folder / 'fakes')
        self.project(self.folder / 'fakes', self.folder / 'found', '--projection-steps', 160)
        lines = [json.loads(line) for line in (self.folder / 'found/projections.jsonl').read_text().splitlines()]
        self.assertEqual(100, len(lines))
        measured = []
        for line in lines:
            photograph, image = halves(line['image'])
            self.assertEqual(0, np.abs(photograph - np.asarray(Image.open(line['photograph']))).max())
            measured.append(decibels(photograph, image))
            self.assertLess(abs(min(measured[-1], 45) - min(line['psnr_db'], 45)), 1)
        self.assertGreaterEqual(sum(db >= 30 for db in measured), 95, sorted(measured)[:10])
        self.assertEqual((100, 20), np.load(self.folder / 'found/latents.npy').shape)

    def photograph(self):
        if not (self.folder / 'photos').exists():
            make_photos(self.folder / 'photos', count=1)
        Image.open(self.folder / 'photos/000.png').resize((300, 220)).save(self.folder / 'photo.jpg')
        return self.folder / 'photo.jpg'

    def test_the_photograph_is_cropped_as_gan_preprocess_does(self):
        photo = self.photograph()
        subprocess.run([BIN / 'gan-preprocess', '--in', photo, '--out', self.folder / 'one'], check=True, env=ENVIRONMENT,
                       stdout=subprocess.DEVNULL)
        record = np.fromfile(self.folder / 'one/shard-00000.gan', np.uint8, 128 * 128 * 3, offset=4096)
        averaged = record.reshape(64, 2, 64, 2, 3).mean((1, 3))
        self.project(photo, self.folder / 'one.png', '--projection-steps', 4)
        self.assertLessEqual(np.abs(halves(self.folder / 'one.png')[0] - averaged).max(), 0.51)

    def test_one_photograph_gives_an_image_a_latent_and_the_distance(self):
        self.project(self.photograph(), self.folder / 'pair.png', '--projection-steps', 40)
        latent = np.load(self.folder / 'pair.npy')
        self.assertEqual((1, 20), latent.shape)
        photograph, image = halves(self.folder / 'pair.png')
        ours = self.pictures(self.file, '--latents', self.folder / 'pair.npy')[0].transpose(1, 2, 0) * 127.5 + 127.5
        self.assertLess(np.abs(ours - image).max(), 0.6)
        facts = json.loads((self.folder / 'pair.json').read_text())
        self.assertAlmostEqual(decibels(photograph, image), facts['psnr_db'], delta=0.2)
        self.assertEqual(0, facts['feature_distance'])
        self.assertEqual(COMPOSITE, properties(self.folder / 'pair.png')[IPTC + 'DigitalSourceType'])
        read, = json.loads(run('exiftool', '-json', '-G1', self.folder / 'pair.png'))
        self.assertEqual(COMPOSITE, read['XMP-iptcExt:DigitalSourceType'])
        self.assertTrue(inspect(self.folder / 'pair.png')['generated'])
        again = self.pictures(self.file, '--latents', self.folder / 'pair.png')
        self.assertEqual(again.tobytes(), self.pictures(self.file, '--latents', self.folder / 'pair.npy').tobytes())

    def test_more_steps_come_nearer_and_the_threads_do_not_matter(self):
        found = {}
        for steps, threads in ((1, 2), (8, 2), (80, 1), (80, 2)):
            self.project(self.photograph(), self.folder / 's.png', '--projection-steps', steps, '--threads', threads)
            facts = json.loads((self.folder / 's.json').read_text())
            found[steps, threads] = facts['pixel_distance'], (self.folder / 's.npy').read_bytes()
        self.assertLess(found[80, 1][0], found[8, 2][0])
        self.assertLessEqual(found[8, 2][0], found[1, 2][0])
        self.assertEqual(found[80, 1], found[80, 2])

    def test_results_below_the_photographs_are_not_projected_again(self):
        source = self.folder / 'own'
        source.mkdir()
        Image.open(self.photograph()).save(source / 'a.jpg')
        for out in (source / 'projected', source / '..' / 'own' / 'projected'):
            self.project(source, out, '--projection-steps', 4)
            self.assertEqual((1, 20), np.load(source / 'projected/latents.npy').shape)
            self.assertFalse((source / 'projected/projected').exists())

    def test_results_never_replace_the_photographs(self):
        source = self.folder / 'kept'
        source.mkdir()
        photo = source / 'a.png'
        Image.open(self.photograph()).save(photo)
        before = photo.read_bytes()
        for path, out in ((photo, photo), (photo, source / '..' / 'kept' / 'a.png'), (source, source)):
            self.assertIn(f'--out is {out} itself', self.project(path, out, code=2))
        self.assertEqual([(photo, before)], [(path, path.read_bytes()) for path in source.iterdir()])

    def test_a_folder_keeps_names_and_leaves_out_what_is_no_photograph(self):
        source = self.folder / 'mixed'
        (source / 'deep').mkdir(parents=True)
        for name in ('a.jpg', 'deep/a.png'):
            Image.open(self.photograph()).save(source / name)
        (source / 'notes.txt').write_text('no photograph')
        (source / 'cut.jpg').write_bytes((source / 'a.jpg').read_bytes()[:300])
        done = subprocess.run([BIN / 'gan-generate', '--checkpoint', self.file, '--project', source, '--out',
                               self.folder / 'out', '--projection-steps', '4'], env=ENVIRONMENT, capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual({'a.jpg.png', 'a.jpg.npy', 'a.jpg.json', 'deep/a.png.png', 'deep/a.png.npy', 'deep/a.png.json',
                          'latents.npy', 'projections.jsonl'},
                         {str(p.relative_to(self.folder / 'out')) for p in (self.folder / 'out').rglob('*') if p.is_file()})
        lines = [json.loads(line) for line in (self.folder / 'out/projections.jsonl').read_text().splitlines()]
        self.assertEqual(['a.jpg', 'cut.jpg', 'a.png', 'notes.txt'], [pathlib.Path(l['photograph']).name for l in lines])
        self.assertEqual([False, True, False, True], ['error' in line for line in lines])
        self.assertIn('notes.txt', done.stderr)
        self.assertEqual(2, done.stdout.count(' dB'))

    def test_what_cannot_be_projected_is_told(self):
        (self.folder / 'text.jpg').write_text('no photograph')
        (self.folder / 'nothing').mkdir()
        for source, words in (('text.jpg', 'text.jpg'), ('absent.jpg', 'no such file'), ('nothing', 'holds no files')):
            self.assertIn(words, self.project(self.folder / source, self.folder / 'x', code=3))
        photo = self.photograph()
        for out in ('x.webp', 'x.npy', 'x.mp4'):
            self.assertIn('--out', self.project(photo, self.folder / out, code=2))
        self.assertIn('--out', self.project(self.folder / 'photos', self.folder / 'x.png', code=2))
        for flags in (('--seeds', '1'), ('--count', 2), ('--sheet', 2), ('--latent', 'seed:1'), ('--truncation', 0.5)):
            self.assertIn('--project', self.project(photo, self.folder / 'x', *flags, code=2))
        self.assertIn('is not a number', self.project(photo, self.folder / 'x', '--feature-weight', 'nan', code=2))
        self.assertIn('--project', generate('--checkpoint', self.file, '--starts', 3, code=2))


class Classes(WithFolder):
    """A conditional generator: its class is found beside the latent."""
    NOISE, WIDTH, COUNT = 20, 6, 4

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.generator = random_generator((cls.NOISE + cls.WIDTH, 64, 32, 16, 8, 3), seed=5).requires_grad_(False)
        cls.embedding = torch.randn(cls.COUNT, cls.WIDTH)
        save_file({**cls.generator.state_dict(), 'class_embedding.weight': cls.embedding}, cls.file)

    def project(self, source, out, *flags):
        generate('--checkpoint', self.file, '--project', source, '--out', out, '--projection-steps', 120, *flags)

    def test_gradients_are_those_of_the_latents_alone(self):
        z, photograph = torch.randn(7, self.NOISE), torch.rand(3, 64, 64) * 2 - 1
        np.save(self.folder / 'z.npy', z.numpy()), np.save(self.folder / 'p.npy', photograph.numpy().reshape(1, -1))
        for one in range(self.COUNT):
            subprocess.run([BIN / 'write_gradients', self.file, self.folder / 'z.npy', self.folder / 'p.npy', '0',
                            self.folder / 'g.npy', str(one)], check=True)
            latents = z.double().requires_grad_()
            joined = torch.cat([latents, self.embedding[one].double().expand(len(z), -1)], 1)
            totals = ((self.generator.double()(joined[..., None, None]) - photograph) ** 2).mean((1, 2, 3))
            totals.sum().backward()
            assert_gradients(self, np.load(self.folder / 'g.npy'),
                             np.concatenate([latents.grad.numpy(), totals.detach().numpy()[:, None]], 1))

    def test_the_class_of_own_images_is_found(self):
        for one in range(self.COUNT):
            generate('--checkpoint', self.file, '--class', one, '--seeds', '700-704', '--out', self.folder / f'own/{one}')
        self.project(self.folder / 'own', self.folder / 'found')
        lines = [json.loads(line) for line in (self.folder / 'found/projections.jsonl').read_text().splitlines()]
        self.assertEqual([str(one) for one in range(self.COUNT) for _ in range(5)], [line['class'] for line in lines])
        self.assertGreaterEqual(min(line['psnr_db'] for line in lines), 30)
        pair = pathlib.Path(lines[-1]['image'])
        again = self.pictures(self.file, '--latents', pair)  # the mark names the class as well
        self.assertEqual((1, 3, 64, 64), again.shape)
        self.assertLess(np.abs(again[0].transpose(1, 2, 0) * 127.5 + 127.5 - halves(pair)[1]).max(), 0.6)

    def test_only_the_classes_that_are_named_are_tried(self):
        generate('--checkpoint', self.file, '--class', 2, '--seeds', 700, '--out', self.folder / 'two')
        self.project(self.folder / 'two', self.folder / 'other', '--class', '0,3')
        line = json.loads((self.folder / 'other/projections.jsonl').read_text())
        self.assertIn(line['class'], ('0', '3'))


if __name__ == '__main__':
    unittest.main()
