"""Raw arrays: CIFAR-10 and -100 (binary), MNIST's IDX, .npy and .npz, from a file, a folder and an archive."""
import gzip
import io
import shutil
import struct
import tarfile
import unittest

import numpy as np

from labels_test import Case
from run_folder import digest, records, run

RNG = np.random.default_rng(28)
COLOUR = RNG.integers(0, 256, (7, 32, 32, 3), np.uint8)
GREY = RNG.integers(0, 256, (7, 32, 32), np.uint8)
LABELS = np.array([3, 1, 10, 3, 9, 0, 3])


class Arrays(Case):
    """Pictures of 32 pixels are records as they are."""

    def assert_read(self, source, pictures, labels, *flags, mode='auto', **kwargs):
        out = self.out('--in', source, *flags, mode=mode, **kwargs)
        found = records(out)
        pixels = np.stack([np.frombuffer(r[3], np.uint8).reshape(32, 32, 3) for r in found])
        self.assertTrue(np.array_equal(np.broadcast_to(pictures if pictures.ndim == 4 else pictures[..., None], pixels.shape),
                                       pixels), source)
        self.assertEqual([None] * len(found) if labels is None else [str(x) for x in labels], [r[1] for r in found])
        return found

    def refused(self, source, words, *flags, code=3):
        self.out('--in', source, *flags, mode='auto', code=code)
        self.assertRegex(self.told, words)
        self.assertEqual(1, self.told.count('\n'), self.told)


class Npy(Arrays):
    def test_both_orders_of_dimensions_and_every_number_of_channels(self):
        for name, array, pictures in (('nhwc', COLOUR, COLOUR), ('nchw', COLOUR.transpose(0, 3, 1, 2).copy(), COLOUR),
                                      ('grey', GREY, GREY), ('grey1', GREY[..., None], GREY), ('1grey', GREY[:, None], GREY)):
            np.save(self.top / f'{name}.npy', array)
            self.assert_read(self.top / f'{name}.npy', pictures, None)
        opaque = np.concatenate([COLOUR, np.full((7, 32, 32, 1), 255, np.uint8)], -1)
        np.save(self.top / 'rgba.npy', opaque)
        self.assert_read(self.top / 'rgba.npy', COLOUR, None)
        np.save(self.top / 'clear.npy', np.zeros((1, 32, 32, 4), np.uint8))
        self.assert_read(self.top / 'clear.npy', np.full((1, 32, 32, 3), 7, np.uint8), None, '--background', '7,7,7')

    def test_labels_beside_an_array(self):
        np.save(self.top / 'train_images.npy', COLOUR)
        for dtype in ('<i8', '>i4', 'u1', '<u2', 'i1'):
            for shape in ((7,), (7, 1)):
                np.save(self.top / 'train_labels.npy', LABELS.astype(dtype).reshape(shape))
                found = self.assert_read(self.top / 'train_images.npy', COLOUR, LABELS)
        self.assertEqual('train_images.npy/6', found[-1][0])
        self.assertIn('5 labels: 0 1, 1 1, 3 3, 9 1, 10 1', self.told)

    def test_npz_as_keras_and_medmnist_write_them(self):
        for save in (np.savez, np.savez_compressed):
            save(self.top / 'mnist.npz', x_train=GREY, y_train=LABELS, x_test=GREY[:2], y_test=LABELS[:2])
            both = np.concatenate([GREY[:2], GREY])
            self.assert_read(self.top / 'mnist.npz', both, [*LABELS[:2], *LABELS])
            save(self.top / 'med.npz', train_images=COLOUR, train_labels=LABELS[:, None].astype(np.uint8))
            self.assert_read(self.top / 'med.npz', COLOUR, LABELS)
            save(self.top / 'plain.npz', COLOUR, LABELS)
            self.assert_read(self.top / 'plain.npz', COLOUR, LABELS)
            save(self.top / 'more.npz', pictures=COLOUR, kinds=LABELS, features=np.zeros((7, 5), np.float32))
            self.assert_read(self.top / 'more.npz', COLOUR, LABELS, '--label-column', 'kinds')
            self.assertIn('array without pictures (features.npy <f4 [7, 5], kinds.npy <i8 [7])', self.told)
            self.assert_read(self.top / 'more.npz', COLOUR, None)

    def test_a_file_for_each_picture(self):
        """[height, width, 3] is one picture and not `height` grey ones."""
        for i in range(4):
            folder = self.top / 'tree' / ['cat', 'dog'][i % 2]
            folder.mkdir(parents=True, exist_ok=True)
            np.save(folder / f'{i}.npy', COLOUR[i])
        for mode in ('auto', 'folder'):
            found = self.assert_read(self.top / 'tree', COLOUR[[0, 2, 1, 3]], ['cat', 'cat', 'dog', 'dog'], mode=mode)
        self.assertEqual(['cat/0.npy', 'cat/2.npy', 'dog/1.npy', 'dog/3.npy'], [r[0] for r in found])
        self.assert_read(self.top / 'tree/cat/0.npy', COLOUR[:1], None)

    def test_what_may_be_the_planes_of_one_picture_is_told(self):
        np.save(self.top / 'a.npy', COLOUR[0].transpose(2, 0, 1).copy())
        self.assert_read(self.top / 'a.npy', COLOUR[0].transpose(2, 0, 1), None)
        self.assertIn('1 array is read as three grey pictures each, for example a.npy |u1 [3, 32, 32]', self.told)

    def test_a_single_label_beside_several_images(self):
        np.savez(self.top / 'a.npz', images=COLOUR, label=LABELS)
        self.assert_read(self.top / 'a.npz', COLOUR, LABELS)

    def test_what_is_no_array_of_pictures_is_told_in_a_sentence(self):
        cases = {'floats': (np.zeros((2, 32, 32, 3), np.float32), 'no array of uint8 pictures'),
                 'either': (np.zeros((2, 3, 32, 3), np.uint8), r'may be \[n, height, width, channels\] or'),
                 'fortran': (np.asfortranarray(COLOUR), "Fortran's order"),
                 'thin': (np.zeros((2, 2, 3, 3), np.uint8), 'pictures have 64 pixels'),
                 'list': (np.zeros(5, np.uint8), 'no array of uint8 pictures')}
        for name, (array, words) in cases.items():
            np.save(self.top / f'{name}.npy', array)
            self.refused(self.top / f'{name}.npy', words)
        np.save(self.top / 'images.npy', COLOUR)
        np.save(self.top / 'labels.npy', LABELS[:3])
        self.refused(self.top / 'images.npy', r'labels.npy: has 3 labels; images.npy has 7 pictures')
        np.save(self.top / 'labels.npy', np.eye(7))
        self.refused(self.top / 'images.npy', r'labels.npy: <f8 \[7, 7\] is no list of class numbers')

    def test_damaged_headers_are_refused_with_file_and_place(self):
        np.save(self.top / 'a.npy', COLOUR)
        data = (self.top / 'a.npy').read_bytes()
        shape = b"'shape': (7, 32, 32, 3)"
        for damaged, words in ((data[:-1], r'a.npy at byte \d+: ends before the 7 pictures'), (data[:60], 'ends inside the header'),
                               (data.replace(shape, b"'shape': (9, 32, 32, 3)"), 'ends before the 9 pictures'),
                               (data.replace(b'descr', b'DESCR'), 'does not describe an array'),
                               (data.replace(b"'|u1'", b"'|O' "), 'no array of uint8 pictures'),
                               (data[:8] + b'\xff\xff' + data[10:], 'the header of this .npy has 65535 bytes'),
                               (data.replace(shape, b"'shape': (" + b'9' * 25 + b',)'), 'an impossible shape')):
            (self.top / 'a.npy').write_bytes(damaged)
            self.refused(self.top / 'a.npy', words)


def idx(array):
    codes = {'uint8': 8, 'int8': 9, 'int16': 11, 'int32': 12}
    return (struct.pack('>HBB', 0, codes[array.dtype.name], array.ndim) + struct.pack(f'>{array.ndim}I', *array.shape) +
            array.astype(array.dtype.newbyteorder('>')).tobytes())


class Mnist(Arrays):
    """The layout of torchvision.datasets.MNIST: MNIST/raw with the .gz beside what was unpacked from them."""

    def setUp(self):
        super().setUp()
        self.raw = self.top / 'MNIST' / 'raw'
        self.raw.mkdir(parents=True)
        for part, pictures, labels in (('train', GREY, LABELS), ('t10k', GREY[:3], LABELS[:3])):
            for name, data in ((f'{part}-images-idx3-ubyte', idx(pictures)), (f'{part}-labels-idx1-ubyte', idx(labels.astype(np.uint8)))):
                (self.raw / name).write_bytes(data)
                (self.raw / (name + '.gz')).write_bytes(gzip.compress(data))

    def test_folder_with_both_only_one_or_a_single_file(self):
        everything, labels = np.concatenate([GREY[:3], GREY]), [*LABELS[:3], *LABELS]
        self.assert_read(self.top / 'MNIST', everything, labels)
        for name in ('train-images-idx3-ubyte', 'train-images-idx3-ubyte.gz'):
            self.assert_read(self.raw / name, GREY, LABELS)
        for path in self.raw.glob('*ubyte'):
            path.unlink()
        self.assert_read(self.top / 'MNIST', everything, labels)
        self.assert_read(self.raw / 'train-images-idx3-ubyte.gz', GREY, LABELS)

    def test_the_real_reader_reads_what_this_test_wrote(self):
        """torchvision's rule for IDX, in numpy."""
        data = (self.raw / 'train-images-idx3-ubyte').read_bytes()
        dimensions = data[3]
        shape = [int.from_bytes(data[4 + 4 * i:8 + 4 * i], 'big') for i in range(dimensions)]
        self.assertTrue(np.array_equal(np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape), GREY))

    def test_damage_is_told(self):
        name = self.raw / 'train-images-idx3-ubyte.gz'
        data = name.read_bytes()
        for path in self.raw.glob('*ubyte'):
            path.unlink()
        name.write_bytes(data[:len(data) // 2])
        self.refused(name, 'train-images-idx3-ubyte.gz')
        name.write_bytes(gzip.compress(idx(GREY)[:-5]))
        self.refused(name, 'ends before the 7 pictures')
        name.write_bytes(gzip.compress(struct.pack('>HBBIII', 0, 8, 3, 2**32 - 1, 32, 32) + bytes(500)))
        self.refused(name, 'up to 100 million')
        name.write_bytes(gzip.compress(struct.pack('>HBBIII', 0, 8, 3, 10**7, 32, 32) + bytes(300 << 20)))
        self.refused(name, 'over 200 times its size')


class Cifar(Arrays):
    """The binary version, as its archive holds it."""

    def write(self, folder, name, pictures, *labels):
        rows = np.concatenate([*(np.asarray(x, np.uint8)[:, None] for x in labels), pictures.transpose(0, 3, 1, 2).reshape(len(pictures), -1)], 1)
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(rows.astype(np.uint8).tobytes())

    def test_cifar_10_from_folder_tar_and_single_file(self):
        folder = self.top / 'cifar-10-batches-bin'
        kinds = ['airplane', 'automobile', 'bird', 'cat']
        numbers = [3, 1, 0, 3, 1, 0, 0]
        self.write(folder, 'data_batch_1.bin', COLOUR[:4], numbers[:4])
        self.write(folder, 'test_batch.bin', COLOUR[4:], numbers[4:])
        (folder / 'batches.meta.txt').write_text('\n'.join(kinds) + '\n\n')
        (folder / 'readme.html').write_text('<p>')
        with tarfile.open(self.top / 'cifar.tar.gz', 'w:gz') as tar:
            tar.add(folder, folder.name)
        for source in (folder, self.top / 'cifar.tar.gz'):
            found = self.assert_read(source, COLOUR, [kinds[n] for n in numbers])
            self.assertEqual(kinds, self.manifest(max(self.top.glob('out-*'), key=lambda p: p.stat().st_mtime))['labels'])
        self.assertTrue(found[0][0].endswith('data_batch_1.bin/0'))
        self.assert_read(folder / 'test_batch.bin', COLOUR[4:], [kinds[n] for n in numbers[4:]])
        self.assert_read(folder, COLOUR, None, mode='none')
        self.write(folder, 'test_batch.bin', COLOUR[4:], [0, 1, 9])
        self.refused(folder, r'test_batch.bin at byte 6146: has the label 9, which has no name')
        (folder / 'test_batch.bin').write_bytes(bytes(3074))
        self.refused(folder, 'test_batch.bin at byte 3074: is no file of CIFAR: its length is no multiple of 3073')

    def test_cifar_100_with_fine_and_coarse_labels(self):
        folder = self.top / 'cifar-100-binary'
        self.write(folder, 'train.bin', COLOUR, [0, 0, 1, 1, 0, 0, 1], [2, 1, 0, 2, 1, 0, 0])
        self.refused(folder, 'holds no pictures')
        (folder / 'fine_label_names.txt').write_text('apple\nbear\ncup\n')
        (folder / 'coarse_label_names.txt').write_text('fish\nflowers\n')
        self.assert_read(folder, COLOUR, [['apple', 'bear', 'cup'][n] for n in [2, 1, 0, 2, 1, 0, 0]])
        self.assert_read(folder, COLOUR, [['fish', 'flowers'][n] for n in [0, 0, 1, 1, 0, 0, 1]], '--label-column', 'coarse_label')


class SameBytes(Arrays):
    def test_threads_ranks_and_order_change_no_byte(self):
        np.savez_compressed(self.top / 'a.npz', images=np.tile(COLOUR, (5, 1, 1, 1)), labels=np.tile(LABELS, 5))
        digests = set()
        for i, (threads, ranks) in enumerate(((1, 1), (8, 1), (2, 3))):
            out = self.top / f'same{i}'
            done = run(out, '--in', self.top / 'a.npz', '--labels', 'auto', '--images-per-shard', 4, '--threads', threads, ranks=ranks)
            self.assertEqual(0, done.returncode, done.stderr)
            digests.add(digest(out))
        self.assertEqual(1, len(digests))

    def test_duplicates_inside_arrays_are_found(self):
        np.save(self.top / 'a.npy', np.concatenate([COLOUR, COLOUR[:2]]))
        self.out('--in', self.top / 'a.npy', '--dedupe', 'exact', mode='none')
        self.assertIn('2 duplicate', self.told)


if __name__ == '__main__':
    unittest.main()
