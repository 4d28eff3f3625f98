"""Parquet files of pictures: as `datasets` publishes them and as `pyarrow` writes them in odd but valid ways."""
import io
import json
import pathlib
import unittest

import datasets
import numpy as np
import pyarrow
import pyarrow.parquet as parquet

from datasets.table import embed_table_storage
from labels_test import Case
from memory_test import peak_of
from pictures import Image, encoded, photo
from run_folder import command, digest, names, quarantine, records, run

datasets.disable_progress_bars()
PNGS = [encoded(Image.fromarray(photo(32, 32, seed=i)), 'PNG') for i in range(8)]
PIXELS = [np.asarray(Image.open(io.BytesIO(data))).tobytes() for data in PNGS]
KINDS = ['tabby cat', 'dog', 'owl']
NUMBERS = [2, 0, 0, 1, 2, 2, 0, 1]


class Parquet(Case):
    def found(self, *flags, mode='auto', **kwargs):
        self.last = self.out(*flags, mode=mode, **kwargs)
        return records(self.last)

    def assert_read(self, source, labels, *flags, order=range(8), mode='auto'):
        found = self.found('--in', source, *flags, mode=mode)
        self.assertEqual([PIXELS[i] for i in order], [r[3] for r in found])
        self.assertEqual(labels, [r[1] for r in found])

    def write(self, name='a.parquet', columns=None, schema=None, **options):
        columns = columns or {'image': [{'bytes': data, 'path': f'{i}.png'} for i, data in enumerate(PNGS)], 'label': NUMBERS}
        parquet.write_table(pyarrow.Table.from_pydict(columns, schema=schema), self.top / name, **options)
        return self.top / name

    def refused(self, words, *flags, source=None, code=3, **kwargs):
        self.out('--in', source or self.top / 'a.parquet', *flags, mode='auto', code=code, **kwargs)
        self.assertRegex(self.told, words)
        self.assertEqual(1, self.told.count('\n'), self.told)


class Duplicates(Parquet):
    def test_rows_and_files_with_the_same_bytes_are_one_picture(self):
        (self.top / 'photos').mkdir()
        for i in (1, 5):
            (self.top / 'photos' / f'{i}.png').write_bytes(PNGS[i])
        table = self.write()
        twice = self.write('b.parquet', {'image': [PNGS[2], PNGS[2][:-1], PNGS[2]]})
        for ranks in (1, 2):
            out = self.top / f'out{ranks}'
            told = run(out, '--in', self.top / 'photos', '--in', table, '--in', twice, '--dedupe', 'exact', ranks=ranks)
            self.assertEqual(0, told.returncode, told.stderr)
            self.assertEqual([PIXELS[i] for i in (1, 5, 0, 2, 3, 4, 6, 7)], [r[3] for r in records(out)])
            self.assertEqual({'a.parquet/1': 'duplicate', 'a.parquet/5': 'duplicate', 'b.parquet/0': 'duplicate',
                              'b.parquet/1': 'truncated', 'b.parquet/2': 'duplicate'}, quarantine(out))


class HuggingFace(Parquet):
    """Files that `datasets` itself writes, with images in the form in which it embeds them."""

    def dataset(self, numbers=NUMBERS):
        features = datasets.Features({'image': datasets.Image(), 'label': datasets.ClassLabel(names=KINDS), 'text': datasets.Value('string')})
        rows = [{'image': {'bytes': PNGS[i], 'path': None}, 'label': n, 'text': f't{i}'} for i, n in enumerate(numbers)]
        return datasets.Dataset.from_list(rows, features=features)

    def test_class_names_in_their_order_over_several_files_and_splits(self):
        data = self.dataset()
        (self.top / 'set' / 'data').mkdir(parents=True)
        for split, part in (('train-00000-of-00002', range(4)), ('train-00001-of-00002', range(4, 6)), ('test-00000-of-00001', range(6, 8))):
            data.select(part).to_parquet(str(self.top / 'set' / 'data' / f'{split}.parquet'))
        (self.top / 'set' / 'README.md').write_text('---\n---\n')
        wanted = [KINDS[n] for n in NUMBERS]
        self.assert_read(self.top / 'set', wanted[6:] + wanted[:6], order=[6, 7, 0, 1, 2, 3, 4, 5])
        self.assertEqual((KINDS, [3, 2, 3]), tuple(self.manifest(self.last)[k] for k in ('labels', 'label_counts')))
        self.assert_read(f'{self.top}/set/data/train-{{00000..00001}}-of-00002.parquet', wanted[:6], order=range(6))
        self.assertEqual('train-00001-of-00002.parquet/1', names(self.last)[5])

    def test_unlabelled_rows_and_absent_classes(self):
        self.dataset([-1, 0] + [1] * 6).to_parquet(str(self.top / 'a.parquet'))
        self.assert_read(self.top / 'a.parquet', ['', 'tabby cat'] + ['dog'] * 6)
        self.assertIn('1 input has no label of its own', self.told)
        self.assertEqual([*KINDS, ''], self.manifest(self.last)['labels'])

    def test_imagefolder_and_its_parquet_give_the_same(self):
        for i, number in enumerate(NUMBERS):
            path = self.top / 'tree' / KINDS[number] / f'{i}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(PNGS[i])
        data = datasets.load_dataset('imagefolder', data_dir=str(self.top / 'tree'), cache_dir=str(self.top / 'cache'), split='train')
        data.to_parquet(str(self.top / 'paths.parquet'))  # names the files instead of holding them
        self.refused('not one of the 8 inputs is a usable picture', source=self.top / 'paths.parquet')
        embedded = data.with_format('arrow').map(embed_table_storage, batched=True).with_format(None)  # as push_to_hub does
        embedded.to_parquet(str(self.top / 'a.parquet'))
        self.assertEqual(sorted((r[1], r[3]) for r in self.found('--in', self.top / 'tree')),
                         sorted((r[1], r[3]) for r in self.found('--in', self.top / 'a.parquet')))

    def test_missing_pictures_are_quarantined(self):
        features = datasets.Features({'image': datasets.Image()})
        rows = [{'image': None}, {'image': {'bytes': PNGS[1], 'path': None}}, {'image': {'bytes': None, 'path': 'far.png'}}]
        table = pyarrow.Table.from_pylist(rows, schema=features.arrow_schema)
        parquet.write_table(table, self.top / 'a.parquet')
        self.assert_read(self.top / 'a.parquet', [None], order=[1])
        self.assertEqual({'a.parquet/0': 'not_a_picture', 'a.parquet/2': 'not_a_picture'}, quarantine(self.last))


class Variants(Parquet):
    def test_every_way_to_store_pages(self):
        wanted = [str(n) for n in NUMBERS]
        for options in ({'compression': 'none'}, {'compression': 'snappy'}, {'compression': 'gzip'}, {'compression': 'zstd'},
                        {'compression': 'brotli'}, {'compression': 'lz4'}, {'data_page_version': '2.0'}, {'use_dictionary': False},
                        {'row_group_size': 1}, {'row_group_size': 3}, {'data_page_size': 1}, {'version': '1.0'},
                        {'write_page_checksum': True}, {'write_page_index': True}, {'use_byte_stream_split': False}):
            with self.subTest(options):
                self.assert_read(self.write(**options), wanted)

    def test_every_kind_of_columns(self):
        struct = pyarrow.struct([('bytes', pyarrow.large_binary()), ('path', pyarrow.large_string())])
        plain = {'image': PNGS, 'label': NUMBERS}
        nested = {'image': [{'bytes': data, 'path': ''} for data in PNGS]}
        names_of = [KINDS[n] for n in NUMBERS]
        for columns, schema, labels, flags in (
                (plain, None, [str(n) for n in NUMBERS], []),
                ({'jpg': PNGS, 'class': names_of}, None, names_of, []),
                (nested | {'label': names_of}, pyarrow.schema([('image', struct), ('label', pyarrow.large_string())]), names_of, []),
                (nested | {'label': pyarrow.array(names_of).dictionary_encode()}, None, names_of, []),
                (nested | {'label': NUMBERS}, pyarrow.schema([('image', struct), ('label', pyarrow.uint8())]), [str(n) for n in NUMBERS], []),
                (nested | {'a': NUMBERS, 'b': names_of}, None, names_of, ['--label-column', 'b']),
                (nested | {'a': NUMBERS, 'b': names_of}, None, [None] * 8, []),
                ({'mask': nested['image'][::-1], 'image': nested['image']}, None, [None] * 8, []),
                ({'first': nested['image'], 'thumbnail': nested['image'][::-1]}, None, [None] * 8, [])):
            with self.subTest(list(columns)):
                self.assert_read(self.write(columns=columns, schema=schema), labels, *flags)
        self.assertIn('has the columns of pictures first, thumbnail; first is read', self.told)

    def test_truth_values_and_unsigned_numbers_are_labels(self):
        self.assert_read(self.write(columns={'image': PNGS, 'label': [n > 0 for n in NUMBERS]}), [str(n > 0).lower() for n in NUMBERS])
        for kind, largest in ((pyarrow.uint64(), 2**64 - 1), (pyarrow.uint32(), 2**32 - 1), (pyarrow.uint8(), 255), (pyarrow.int64(), -5)):
            labels = [largest, *NUMBERS[1:]]
            self.assert_read(self.write(columns={'image': PNGS, 'label': pyarrow.array(labels, kind)}), list(map(str, labels)))

    def test_a_list_of_labels_matters_only_where_it_would_be_the_label(self):
        source = self.write(columns={'image': PNGS, 'labels': [[n, 1] for n in NUMBERS], 'kind': NUMBERS})
        self.assert_read(source, [str(n) for n in NUMBERS], '--label-column', 'kind')
        self.assert_read(source, [None] * 8, mode='none')

    def test_columns_that_may_label_are_told(self):
        self.assert_read(self.write(columns={'image': PNGS, 'kind': NUMBERS}), [None] * 8)
        self.assertIn('no column of labels by name; --label-column NAME takes another one, for example kind', self.told)
        self.assert_read(self.write(columns={'image': PNGS, 'Label': NUMBERS}), [str(n) for n in NUMBERS])

    def test_files_in_folders_of_classes_are_of_these(self):
        """Files as pyarrow and Spark partition them by a column, which is then only in the names of the folders."""
        table = pyarrow.Table.from_pydict({'image': PNGS, 'kind': [KINDS[n] for n in NUMBERS]})
        parquet.write_to_dataset(table, self.top / 'set', partition_cols=['kind'])
        for mode in ('auto', 'folder'):
            found = self.found('--in', self.top / 'set', mode=mode)
            self.assertEqual(sorted((f'kind={KINDS[n]}'.replace(' ', '%20'), PIXELS[i]) for i, n in enumerate(NUMBERS)), sorted((r[1], r[3]) for r in found))

    def test_what_is_no_set_of_pictures_is_told_in_a_sentence(self):
        nested = {'image': [{'bytes': PNGS[0], 'path': ''}]}
        for columns, words, flags in (
                ({'text': ['a']}, 'a.parquet: has no column of pictures; its columns are text', []),
                ({'image': [[PNGS[0]]]}, 'has no column of pictures', []), ({'image': ['words']}, 'has no column of pictures', []),
                (nested | {'label': [[1, 2]]}, 'its column label holds lists', []), (nested | {'label': [0.5]}, 'its labels are DOUBLE', [])):
            self.write(columns=columns)
            self.refused(words, *flags)

    def test_damage_is_told_or_quarantined(self):
        data = self.write(compression='none', row_group_size=4).read_bytes()
        for damaged, words in ((data[:-100], 'a.parquet: '), (data[:8], 'a.parquet: '), (data[:-6] + b'\xff\xff\xff' + data[-3:], 'a.parquet: ')):
            (self.top / 'a.parquet').write_bytes(damaged)
            self.refused(words)
        self.write(compression='none', row_group_size=4, write_page_checksum=True)
        data = bytearray((self.top / 'a.parquet').read_bytes())
        at = data.index(PNGS[5])
        data[at + 50] ^= 255
        (self.top / 'a.parquet').write_bytes(data)
        self.assert_read(self.top / 'a.parquet', [None] * 4, order=range(4), mode='none')
        self.assertEqual({f'a.parquet/{i}': 'corrupt' for i in range(4, 8)}, quarantine(self.last))

    def test_threads_ranks_and_shards_change_no_byte(self):
        source = self.write(row_group_size=3)
        flags = ['--in', source, '--labels', 'auto', '--images-per-shard', 2]
        digests = set()
        for i, (threads, ranks) in enumerate(((1, 1), (8, 1), (2, 3))):
            self.assertEqual(0, run(self.top / f'same{i}', *flags, '--threads', threads, ranks=ranks).returncode)
            digests.add(digest(self.top / f'same{i}'))
        self.assertEqual(1, len(digests))

    def test_memory_does_not_follow_the_row_group(self):
        big = [PNGS[i % 8] + np.random.default_rng(i).bytes(1 << 20) for i in range(400)]
        source = self.write(columns={'image': [{'bytes': data, 'path': ''} for data in big]}, row_group_size=400, compression='none', use_dictionary=False,
                            write_batch_size=8)
        self.assertGreater(source.stat().st_size, 400 << 20)
        self.assertLess(peak_of(command(self.top / 'big', '--in', source, '--threads', 2)), 200 << 20)
        self.assertEqual(400, len(names(self.top / 'big')))


if __name__ == '__main__':
    unittest.main()
