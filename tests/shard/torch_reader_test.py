"""equipoise.Shards on shards that our writer wrote: its values, its errors, and what it costs in the workers of a DataLoader.
Arguments: writer, folder of the package."""
import json
import multiprocessing
import os
import pathlib
import pickle
import re
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

import numpy as np
import torch

if __name__ == '__main__':  # workers that are spawned import this file again, without arguments
    os.environ['EQUIPOISE_WRITER'], os.environ['EQUIPOISE_READER'] = sys.argv[1:3]
    del sys.argv[1:3]
WRITER = os.environ['EQUIPOISE_WRITER']
sys.path.insert(0, os.environ['EQUIPOISE_READER'])
from equipoise import batches, worker_memory  # noqa: E402
from equipoise.shards import INDEX, Shards, to_tensor  # noqa: E402

EXPECTED = ((50 * np.arange(3)[:, None] + np.arange(192)) % 256).astype(np.uint8).reshape(3, 8, 8, 3)
BIG_RECORDS, BIG_SIDE = 1000, 256  # per shard: 197 MB
MOST_PRIVATE = 30 << 20


def private_bytes():
    """The memory that this process alone has written. Pages of files are the kernel's, whoever maps them."""
    text = pathlib.Path('/proc/self/smaps_rollup').read_text()
    return int(re.search(r'^Private_Dirty: +([0-9]+) kB', text, re.M)[1]) << 10


class Plain(torch.utils.data.Dataset):
    """The records one by one, so that PyTorch makes the batches."""

    def __init__(self, folder):
        self.shards = Shards(folder)

    def __len__(self):
        return len(self.shards)

    def __getitem__(self, i):
        return self.shards[i]


class Dark(Shards):
    def __getitem__(self, i):
        picture, label = super().__getitem__(i)
        return picture * 0, label


class Probe(torch.utils.data.Dataset):
    """Reads every record and reports the memory that this worker has after it; without a folder it reads nothing."""

    def __init__(self, data, count):
        self.data, self.count = data, count

    def __len__(self):
        return self.count

    def __getitem__(self, i):
        total = 0 if self.data is None else int(self.data[i][0].sum())
        return private_bytes() if i % 100 == 99 else 0, total


class Reader(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        subprocess.run([WRITER, self.folder], check=True)

    def test_records_labels_and_names(self):
        data = Shards(self.folder, to_tensor)
        self.assertEqual(6, len(data))
        batches = list(torch.utils.data.DataLoader(data, batch_size=4))
        pictures = torch.cat([b[0] for b in batches])
        self.assertEqual(((6, 3, 8, 8), torch.uint8), (tuple(pictures.shape), pictures.dtype))
        self.assertTrue(np.array_equal(pictures.permute(0, 2, 3, 1).numpy(), np.concatenate([EXPECTED, EXPECTED])))
        self.assertEqual([0, 1, 2, 0, 1, 2], torch.cat([b[1] for b in batches]).tolist())
        self.assertEqual([b'a.png', b'', b'cat/\xff.jpg'], [data.shard(1).name(i) for i in range(3)])
        self.assertTrue(np.array_equal(data[-1][0], data[5][0]))
        for i in (6, -7):
            with self.assertRaises(IndexError):
                data[i]

    def batches(self, data, **options):
        return list(torch.utils.data.DataLoader(data, batch_size=4, **options))

    def test_batches_are_the_same_with_and_without_workers(self):
        expected = self.batches(Plain(self.folder))
        for workers, context in ((0, None), (2, 'fork'), (2, 'spawn'), (2, 'forkserver')):
            with self.subTest(context=context):
                got = self.batches(Shards(self.folder), num_workers=workers, multiprocessing_context=context)
                self.assertEqual(len(expected), len(got))
                for batch, same in zip(expected, got):
                    self.assertEqual([type(part) for part in batch], [type(part) for part in same])
                    for part, other in zip(batch, same):
                        self.assertEqual((part.dtype, part.shape, part.stride()), (other.dtype, other.shape, other.stride()))
                        self.assertTrue(torch.equal(part, other))

    def test_batches_of_to_tensor_are_channels_last(self):
        pictures = torch.cat([torch.stack([to_tensor(p) for p in part.numpy()]) for part, _ in self.batches(Plain(self.folder))])
        for workers in (0, 2):
            got = self.batches(Shards(self.folder, to_tensor), num_workers=workers)
            self.assertTrue(torch.equal(pictures, torch.cat([part for part, _ in got])))
            self.assertTrue(all(part.is_contiguous(memory_format=torch.channels_last) for part, _ in got))
            self.assertEqual([0, 1, 2, 0, 1, 2], torch.cat([labels for _, labels in got]).tolist())
        mixed = torch.utils.data.ConcatDataset([Shards(self.folder, to_tensor), Shards(self.folder, lambda picture: to_tensor(picture) * 0)])
        halves = self.batches(mixed, num_workers=1)[1][0]
        self.assertTrue(torch.equal(pictures[4:], halves[:2]) and not halves[2:].any())

    def test_subsets_mixtures_collate_functions_and_subclasses_see_the_records(self):
        data = Shards(self.folder)
        for workers in (0, 2):
            subset = self.batches(torch.utils.data.Subset(data, [5, 1]), num_workers=workers)
            self.assertEqual([2, 1], subset[0][1].tolist())
            self.assertTrue(np.array_equal(EXPECTED[[2, 1]], subset[0][0].numpy()))
            both = self.batches(torch.utils.data.ConcatDataset([data, data]), num_workers=workers)
            self.assertEqual([0, 1, 2, 0, 1, 2] * 2, torch.cat([labels for _, labels in both]).tolist())
            own = self.batches(data, num_workers=workers, collate_fn=lambda records: [(int(p.sum()), label) for p, label in records])
            self.assertEqual([(int(EXPECTED[i].sum()), i) for i in (0, 1, 2, 0)], own[0])
            dark = self.batches(Dark(self.folder), num_workers=workers)
            self.assertEqual(0, int(dark[0][0].sum()))

    def test_memory_is_used_again_only_when_nobody_holds_a_part_of_the_batch(self):
        parts = (lambda pictures: pictures, lambda pictures: pictures[1:], lambda pictures: pictures.numpy()[2:],
                 lambda pictures: pictures.untyped_storage())
        for part in parts:
            loader = iter(torch.utils.data.DataLoader(Shards(self.folder), batch_size=1, sampler=[0, 1, 2] * 10, num_workers=1))
            pictures = torch.cat([next(loader)[0] for _ in range(3)])
            self.assertTrue(np.array_equal(EXPECTED, pictures.numpy()))
            held = next(loader)[0]
            address, held = held.data_ptr(), part(held)
            addresses = [next(loader)[0].data_ptr() for _ in range(10)]
            self.assertNotIn(address, addresses)
            self.assertLess(len(set(addresses)), 5)
            del held
            kept = [next(loader)[0] for _ in range(12)]  # more than a worker has memory for
            self.assertIn(address, [pictures.data_ptr() for pictures in kept])
            self.assertTrue(np.array_equal(EXPECTED[[(14 + i) % 3 for i in range(12)]], torch.cat(kept).numpy()))

    def test_batches_come_through_the_memory_of_the_worker_and_without_it_are_the_same(self):
        expected = self.batches(Plain(self.folder))
        for context in ('fork', 'spawn', 'forkserver'):
            with unittest.mock.patch.object(batches, 'load', side_effect=AssertionError('was copied here')):
                self.batches(Shards(self.folder), num_workers=1, multiprocessing_context=context)
        other = self.folder / 'another file'
        other.write_bytes(bytes(10_000))
        for name, value in (('MOST_FILES', 0), ('MOST_BYTES', 100), ('_path', lambda place: '/proc/self/no'), ('_path', lambda place: other)):
            with unittest.mock.patch.object(worker_memory, name, value):
                got = self.batches(Shards(self.folder), num_workers=1)
            for batch, same in zip(expected, got, strict=True):
                self.assertTrue(torch.equal(batch[0], same[0]) and torch.equal(batch[1], same[1]), name)

    def test_what_a_forked_process_drops_is_still_its_parents(self):
        loader = iter(torch.utils.data.DataLoader(Shards(self.folder), batch_size=1, sampler=[0] + [1] * 20, num_workers=1))
        held = [next(loader)[0]]
        forked = multiprocessing.get_context('fork').Process(target=held.clear)
        forked.start()
        forked.join()
        self.assertEqual(0, forked.exitcode)
        for _ in range(20):
            next(loader)
            self.assertTrue(np.array_equal(EXPECTED[:1], held[0].numpy()))

    def test_a_batch_that_fails_gives_its_memory_back(self):
        data = Shards(self.folder)
        for _ in range(2 * worker_memory.MOST_FILES):
            with self.assertRaises(IndexError):
                batches.batch_of(data, str(self.folder), [6], False)
        self.assertIsNotNone(batches.batch_of(data, str(self.folder), [5], False).content[3])

    def test_batches_across_shards_and_numbers_that_no_record_has(self):
        data = Shards(self.folder)
        order = [5, -6, 2, 3, -1]
        (batch,) = torch.utils.data.DataLoader(data, batch_sampler=[order], num_workers=1)
        self.assertTrue(np.array_equal(np.stack([data[i][0] for i in order]), batch[0].numpy()))
        self.assertEqual([data[i][1] for i in order], batch[1].tolist())
        for number in (6, -7):
            with self.assertRaisesRegex(IndexError, str(number)):
                next(iter(torch.utils.data.DataLoader(data, batch_sampler=[[0, number]], num_workers=1)))

    def test_a_relative_folder_and_one_that_has_grown(self):
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.folder)
        first = self.batches(Shards('.'), num_workers=1)
        self.assertEqual(2, len(first))
        manifest = json.loads(pathlib.Path('manifest.json').read_text())
        manifest['shards'] = manifest['shards'][:1]
        pathlib.Path('manifest.json').write_text(json.dumps(manifest))
        self.assertEqual([3], [len(labels) for _, labels in self.batches(Shards('.'), num_workers=1)])

    def test_damage_is_told_with_the_file(self):
        path = self.folder / 'shard-00001.gan'
        whole = path.read_bytes()
        for damaged, words in ((whole[:-1], 'does not fit its header'), (b'XXX' + whole[3:], 'is no shard'), (b'', 'is no shard'),
                               (whole[:8] + b'\2' + whole[9:], 'has format version 2')):
            path.write_bytes(damaged)
            with self.assertRaisesRegex(ValueError, f'shard-00001.gan: .*{words}'):
                Shards(self.folder)[5]

    def test_numpy_sees_the_files_themselves(self):
        pictures, labels = zip(*Shards(self.folder).arrays())
        self.assertTrue(all(isinstance(array, np.memmap) for array in pictures))
        self.assertTrue(np.array_equal(np.concatenate(pictures), np.concatenate([EXPECTED, EXPECTED])))
        self.assertEqual([0, 1, 2, 0, 1, 2], np.concatenate(labels).tolist())
        self.assertEqual([0, 1, 2, 0, 1, 2], Shards(self.folder).label_of_each().tolist())
        self.assertEqual(6, sum(1 for _ in Shards(self.folder)))

    def test_a_damaged_manifest_is_told_with_the_file(self):
        path = self.folder / 'manifest.json'
        whole = json.loads(path.read_text())
        shards = whole['shards']
        for damaged in (b'', b'{', b'[]', b'{}', b'\xff', b'[' * 100_000, *(json.dumps(whole | change).encode() for change in (
                {'shards': 7}, {'shards': [7]}, {'labels': None}, {'image_size': 'x'}, {'shards': [{**shards[0], 'records': 10**30}]}))):
            path.write_bytes(damaged)
            with self.assertRaisesRegex(ValueError, 'manifest.json: is no manifest'):
                Shards(self.folder)
        path.write_text(json.dumps(whole | {'format_version': 2}))
        with self.assertRaisesRegex(ValueError, 'manifest.json: has format version 2'):
            Shards(self.folder)
        for change in ({'image_size': 16}, {'shards': [{**shards[0], 'records': 2}, shards[1]]}):
            path.write_text(json.dumps(whole | change))
            with self.assertRaisesRegex(ValueError, 'shard-00000.gan: is not the shard that the manifest describes'):
                Shards(self.folder)[0]

    def make_big(self):
        """Three shards of 197 MB, which take no room on the disk."""
        manifest = json.loads((self.folder / 'manifest.json').read_text())
        footer = 4096 + 3 * BIG_SIDE ** 2 * BIG_RECORDS
        for number in range(3):
            header = b'GANSHARD' + np.array([1, number, BIG_SIDE, 4096], '<u4').tobytes() + np.array(
                [BIG_RECORDS, footer, 32 * BIG_RECORDS], '<u8').tobytes()
            with open(self.folder / f'shard-{number:05}.gan', 'wb') as file:
                file.write(header + bytes(8))
                file.seek(footer)
                file.write(np.zeros(BIG_RECORDS, INDEX).tobytes())
        manifest |= {'shards': [{'number': n, 'records': BIG_RECORDS} for n in range(3)], 'image_size': BIG_SIDE}
        (self.folder / 'manifest.json').write_text(json.dumps(manifest))
        self.assertGreater(sum(p.stat().st_size for p in self.folder.glob('*.gan')), 575_000_000)

    def most_private(self, data, context):
        loader = torch.utils.data.DataLoader(Probe(data, 3 * BIG_RECORDS), batch_size=100, num_workers=2, multiprocessing_context=context)
        return max(int(memory.max()) for memory, _ in loader)

    def test_workers_do_not_copy_the_data_set(self):
        self.make_big()
        for context in ('fork', 'spawn', 'forkserver'):
            data = Shards(self.folder)
            data[0], data[BIG_RECORDS], data[2 * BIG_RECORDS]  # opens each shard in the parent process
            without = self.most_private(None, context)
            with_data = self.most_private(data, context)
            print(f'{context}: {(with_data - without) / 2**20:.1f} MB more than a worker without data', file=sys.stderr)
            self.assertLess(with_data - without, MOST_PRIVATE, context)

    def test_what_travels_to_a_worker_is_small(self):
        self.make_big()
        data = Shards(self.folder)
        data[0]
        self.assertLess(len(pickle.dumps(data)), 10_000)


if __name__ == '__main__':
    unittest.main()
