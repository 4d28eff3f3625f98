"""The marks of generated images: other programs read them, and each image can be made again from its mark."""
import base64
import json
import pathlib
import re
import shlex
import shutil
import struct
import subprocess
import unittest
import xml.etree.ElementTree as ElementTree

import numpy as np
import pyexiv2
from PIL import Image, PngImagePlugin
from safetensors.torch import save_file

from generate_test import BIN, ENVIRONMENT, WithFolder, generate, make_shards, newest_checkpoint, random_generator, train

GENERATED = 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia'
RDF = '{http://www.w3.org/1999/02/22-rdf-syntax-ns#}'
IPTC = '{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}'
OURS = '{http://equipoise.invalid/ns/mark/1.0/}'
XMP_UUID = bytes.fromhex('be7acfcb97a942e89c71999491e3afac')


def inspect(file, code=0):
    done = subprocess.run([BIN / 'gan-inspect', '--json', file], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


def run(*command):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def xmp_of(file):
    """Found without our code: the chunk of a PNG or WebP file, the box of an MP4 file."""
    if file.suffix in ('.png', '.webp'):
        with Image.open(file) as image:
            return image.info.get('XML:com.adobe.xmp') or image.info.get('xmp')
    bytes_, at, found = file.read_bytes(), 0, None
    while at < len(bytes_):
        size, kind = struct.unpack('>I4s', bytes_[at:at + 8])
        if kind == b'uuid' and bytes_[at + 8:at + 24] == XMP_UUID:
            found = bytes_[at + 24:at + size]
        at += size
    return found


def properties(file):
    packet = ElementTree.fromstring(xmp_of(file))
    description, = packet.iter(RDF + 'Description')
    return {child.tag: child.text for child in description}


def pixels(file):
    with Image.open(file) as image:
        frames = []
        for i in range(getattr(image, 'n_frames', 1)):
            image.seek(i)
            frames.append(np.asarray(image.convert('RGB')).copy())
        return np.stack(frames)


class Marks(WithFolder):
    def make(self, name, *flags):
        generate('--checkpoint', self.file, '--out', self.folder / name, *flags)
        return self.folder / name

    def all_formats(self):
        films = ('--seeds', '3,4', '--interpolate', 3)
        return [self.make('grid.png', '--seeds', '3,4'), self.make('walk.webp', *films), self.make('walk.mp4', *films)]

    def test_exiftool_exiv2_and_an_xml_library_read_every_field(self):
        digest = inspect(self.make('one.png', '--seeds', 3))['recipe']['modelDigest']
        self.assertRegex(digest, '^xxh3-128:[0-9a-f]{32}$')
        version = run(BIN / 'gan-generate', '--version').split()[1]
        for file in self.all_formats():
            with self.subTest(file.name):
                fields = properties(file)
                self.assertEqual(GENERATED, fields[IPTC + 'DigitalSourceType'])
                self.assertEqual('Equipoise', fields[IPTC + 'AISystemUsed'])
                self.assertEqual(f'{version}, model {digest}', fields[IPTC + 'AISystemVersionUsed'])
                self.assertIn('seeds 3-4', fields[IPTC + 'AIPromptInformation'])
                self.assertEqual((digest, '3-4'), (fields[OURS + 'modelDigest'], fields[OURS + 'seeds']))
                read, = json.loads(run('exiftool', '-json', '-G1', file))
                self.assertEqual(GENERATED, read['XMP-iptcExt:DigitalSourceType'])
                with pyexiv2.Image(str(file)) as image:
                    self.assertEqual(GENERATED, image.read_xmp()['Xmp.iptcExt.DigitalSourceType'])

    def test_files_with_marks_are_valid(self):
        png, webp, mp4 = self.all_formats()
        self.assertIn('OK:', run('pngcheck', png))
        self.assertIn('No error detected', run('webpinfo', webp))
        self.assertEqual('', run('ffprobe', '-v', 'error', mp4))
        self.assertIn('nb_read_frames=6', run('ffprobe', '-v', 'error', '-count_frames', '-show_streams', mp4))

    def test_a_hundred_images_are_made_again_from_their_marks(self):
        """Images made with seeds, with truncation, from a file of latents, and frames of a walk, which have no seed."""
        _, file = self.latents(20, 25)
        wide = self.folder / 'hundred'
        for name, flags in (('seeds', ('--seeds', '5-29')), ('truncated', ('--seeds', '30-54', '--truncation', 0.7)),
                            ('file', ('--latents', file, '--truncation', 0.9)),
                            ('walk', ('--seeds', '1-5', '--interpolate', 5))):
            self.make(f'hundred/{name}', *flags)
        images = sorted(wide.rglob('*.png'))
        self.assertEqual(100, len(images))
        for image in images:
            self.make_again(image)

    def test_the_largest_seeds_are_made_again(self):
        largest = 2 ** 64 - 1
        image = self.make('largest.png', '--seed', largest - 1, '--count', 4)
        self.assertEqual(f'{largest - 1}-{largest},0-1', inspect(image)['recipe']['seeds'])
        self.make_again(image)

    def make_again(self, file):
        again = self.folder / ('again' + file.suffix)
        again.unlink(missing_ok=True)
        command = shlex.split(inspect(file)['again'])
        self.assertEqual(['gan-generate', '--checkpoint', 'MODEL'], command[:3])
        done = subprocess.run([BIN / 'gan-generate', '--checkpoint', self.file, *command[3:]], cwd=self.folder,
                              env=ENVIRONMENT, capture_output=True, text=True)
        self.assertEqual((0, ''), (done.returncode, done.stderr))
        if file.suffix == '.mp4':
            self.assertEqual(file.read_bytes(), again.read_bytes())
        else:
            self.assertTrue((pixels(file)[..., :] == self.inner(pixels(again), pixels(file))).all(), file)

    def inner(self, again, single):
        """A grid of one has a border of two pixels."""
        return again if again.shape == single.shape else again[:, 2:-2, 2:-2]

    def test_grids_and_films_are_made_again_from_their_marks(self):
        _, latents = self.latents(20, 6)
        for file in (*self.all_formats(), self.make('wide.png', '--count', 6, '--columns', 3),
                     self.make('six.png', '--latents', latents, '--columns', 6)):
            with self.subTest(file.name):
                self.make_again(file)

    def test_no_mark_leaves_the_pixels_and_nothing_else(self):
        for name, flags in (('g.png', ()), ('w.webp', ('--interpolate', 2)), ('w.mp4', ('--interpolate', 2))):
            marked = self.make('marked-' + name, '--count', 2, *flags)
            plain = self.make('plain-' + name, '--count', 2, '--no-mark', *flags)
            self.assertIsNone(xmp_of(plain))
            self.assertNotIn(b'equipoise', plain.read_bytes())
            self.assertIsNone(inspect(plain)['digital_source_type'])
            if plain.suffix == '.mp4':
                self.assertTrue(marked.read_bytes().startswith(plain.read_bytes()))
            else:
                self.assertTrue((pixels(marked) == pixels(plain)).all())
        folder = self.make('plain', '--count', 2, '--no-mark')
        self.assertTrue(all(xmp_of(file) is None for file in folder.iterdir()))
        generate('--checkpoint', self.file, '--export', self.folder / 'bare', '--no-mark')
        self.assertIsNone(xmp_of(self.folder / 'bare' / 'samples.png'))

    def test_an_exported_folder_has_the_digest_and_a_marked_sample(self):
        generate('--checkpoint', self.file, '--export', self.folder / 'exported')
        digest = properties(self.folder / 'exported' / 'samples.png')[OURS + 'modelDigest']
        self.assertEqual(digest, json.loads((self.folder / 'exported' / 'config.json').read_text())['model_digest'])
        generate('--checkpoint', self.folder / 'exported', '--count', 64, '--columns', 8, '--out', self.folder / 'same.png')
        self.assertTrue((pixels(self.folder / 'exported' / 'samples.png') == pixels(self.folder / 'same.png')).all())

    def test_the_grids_of_training_are_marked_and_real_images_are_not(self):
        run_folder, shards = self.folder / 'run', make_shards(self.folder)
        done = train(1, shards, run_folder, '--steps', 2, '--sample-every', 1, '--ema', 50)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIsNone(xmp_of(run_folder / 'reals.png'))
        generate('--checkpoint', newest_checkpoint(run_folder), '--out', self.folder / 'of-run.png')
        ours, theirs = properties(self.folder / 'of-run.png'), properties(run_folder / 'fakes-00000002.png')
        self.assertEqual(GENERATED, theirs[IPTC + 'DigitalSourceType'])
        self.assertEqual('2', theirs[OURS + 'step'])
        self.assertEqual(ours[OURS + 'modelDigest'], theirs[OURS + 'modelDigest'])
        self.assertIn(GENERATED, self.pictures_of_the_report(run_folder))
        done = train(1, shards, run_folder, '--steps', 3, '--no-mark')
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIsNone(xmp_of(run_folder / 'fakes-00000003.png'))
        earlier = properties(run_folder / 'fakes-00000001.png')
        self.assertNotEqual(earlier[OURS + 'modelDigest'], theirs[OURS + 'modelDigest'])

    def pictures_of_the_report(self, run_folder):
        """The XMP of the newest grid in the page that gan-inspect report writes."""
        run(BIN / 'gan-inspect', 'report', run_folder, self.folder / 'run.html')
        found = re.findall(r'"(fakes-\d+\.png)":"data:image/png;base64,([^"]+)"', (self.folder / 'run.html').read_text())
        (self.folder / 'of-report.png').write_bytes(base64.b64decode(dict(found)['fakes-00000002.png']))
        return xmp_of(self.folder / 'of-report.png')


class ForeignMarks(WithFolder):
    """Marks that other programs write, and broken ones."""

    def png(self, xmp=None):
        info = PngImagePlugin.PngInfo()
        if xmp:
            info.add_itxt('XML:com.adobe.xmp', xmp)
        Image.new('RGB', (64, 64)).save(self.folder / 'foreign.png', pnginfo=info)
        return self.folder / 'foreign.png'

    def ours(self, **values):
        fields = ''.join(f'<e:{name}>{value}</e:{name}>' for name, value in values.items())
        return self.png(f'<r:RDF xmlns:r="{RDF[1:-1]}" xmlns:i="{IPTC[1:-1]}" xmlns:e="{OURS[1:-1]}"><r:Description>'
                        f'<i:DigitalSourceType r:resource="{GENERATED}"/>{fields}</r:Description></r:RDF>')

    def test_what_exiftool_writes_is_read(self):
        for flags in ((), ('-api', 'Compact=Shorthand')):
            file = self.png()
            run('exiftool', '-q', '-overwrite_original', *flags, f'-XMP-iptcExt:DigitalSourceType={GENERATED}', file)
            self.assertTrue(inspect(file)['generated'])
        run('exiftool', '-q', '-overwrite_original',
            '-XMP-iptcExt:DigitalSourceType=http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture', file)
        self.assertFalse(inspect(file)['generated'])

    def test_xmp_that_is_broken_names_the_file(self):
        for xmp in ('<a', '<a></b>', 'no XML', '<a ' * 9999):
            found = inspect(self.png(xmp), code=3)
            self.assertIn('foreign.png', found['damage'][0])
        self.assertIsNone(inspect(self.png('<a/>'))['digital_source_type'])
        self.assertIsNone(inspect(self.png('<a>' * 99999 + '</a>' * 99999))['digital_source_type'])

    def test_damaged_files_name_themselves(self):
        films = ('--count', 2, '--interpolate', 2)
        for name, flags in (('whole.png', ('--count', 2)), ('whole.webp', films), ('whole.mp4', films)):
            generate('--checkpoint', self.file, '--out', self.folder / name, *flags)
            whole = (self.folder / name).read_bytes()
            cut = self.folder / ('cut' + pathlib.Path(name).suffix)
            for length in (0, 4, 20, 300, len(whole) // 2, len(whole) - 1):
                cut.write_bytes(whole[:length])
                self.assertIn(cut.name, inspect(cut, code=3)['damage'][0])
        flipped = bytearray((self.folder / 'whole.png').read_bytes())
        flipped[len(flipped) // 2] ^= 1
        (self.folder / 'cut.png').write_bytes(flipped)
        self.assertIn('CRC', inspect(self.folder / 'cut.png', code=3)['damage'][0])

    def test_latents_from_a_mark_that_holds_none_are_refused_by_name(self):
        cases = {'no mark': (None, 'has no mark'), 'neither': ({}, 'neither seeds nor latents'),
                 'seeds': (dict(seeds='5-2'), 'goes down'), 'many': (dict(seeds='0-18446744073709551615'), 'million'),
                 'length': (dict(latents='1 2 3'), '3 numbers'), 'words': (dict(latents='1 2 x'), 'no numbers at 2'),
                 'infinite': (dict(latents=' '.join(['1'] * 19 + ['inf'])), 'not finite at number 19'),
                 'truncation': (dict(seeds='1', truncation='0.5x'), 'truncation'),
                 'unbounded': (dict(seeds='1', truncation='nan'), 'not finite')}
        for name, (fields, words) in cases.items():
            with self.subTest(name):
                file = self.png() if fields is None else self.ours(**fields)
                error = generate('--checkpoint', self.file, '--latents', file, code=3)
                self.assertIn('foreign.png', error)
                self.assertIn(words, error)

    def test_a_name_with_quotes_cannot_smuggle_a_command(self):
        file = self.ours(seeds="1'; touch smuggled; '")
        moved = self.folder / "it's.png"
        shutil.copy(file, moved)
        command = inspect(moved)['again']
        self.assertEqual(["1'; touch smuggled; '"], shlex.split(command)[4:5])

    def test_latents_of_a_class_are_taken_by_a_generator_without_classes(self):
        file = self.ours(seeds='7', **{'class': 'cat'})
        generate('--checkpoint', self.file, '--latents', file, '--out', self.folder / 'no_class.npy')
        self.assertTrue((np.load(self.folder / 'no_class.npy') == self.pictures(self.file, '--seeds', 7)).all())

    def test_latents_of_another_model_are_taken_with_a_warning(self):
        other = self.folder / 'other.safetensors'
        save_file(random_generator(seed=9).state_dict(), other)
        generate('--checkpoint', other, '--seeds', 7, '--out', self.folder / 'other.png')
        done = subprocess.run([BIN / 'gan-generate', '--checkpoint', self.file, '--latents', self.folder / 'other.png',
                               '--out', self.folder / 'mixed.npy'], env=ENVIRONMENT, capture_output=True, text=True)
        self.assertEqual(0, done.returncode)
        self.assertRegex(done.stderr, 'other.png was generated by the model xxh3-128:')
        self.assertTrue((np.load(self.folder / 'mixed.npy') == self.pictures(self.file, '--seeds', 7)).all())


if __name__ == '__main__':
    unittest.main()
