"""Tables of labels beside pictures: metadata.csv and .jsonl as Hugging Face's imagefolder reads them, CelebA's lists."""
import csv
import json
import unittest
import zipfile

from labels_test import Case
from run_folder import make_pictures, records

NAMES = ['a.png', 'deep/b.png', 'deep/c.png']


class Tables(Case):
    def setUp(self):
        super().setUp()
        make_pictures(self.photos, NAMES)

    def csv(self, rows, name='metadata.csv', **options):
        with open(self.photos / name, 'w', newline='') as file:
            csv.writer(file, **options).writerows(rows)

    def labels(self, *flags, **kwargs):
        return super().labels('--in', self.photos, *flags, mode='auto', **kwargs)

    def zipped(self):
        with zipfile.ZipFile(self.top / 'photos.zip', 'w') as archive:
            for path in sorted(self.photos.rglob('*')):
                archive.write(path, path.relative_to(self.photos))
        return self.top / 'photos.zip'

    def test_csv_beside_the_pictures_and_in_an_archive(self):
        self.csv([['caption', 'label', 'file_name'], ['one, two\n"three"', 'x y', 'a.png'], ['', 'z', './deep/b.png'],
                  ['ß', 'x y', 'deep/c.png']])
        for source in (self.photos, self.zipped()):
            out = self.out('--in', source, mode='auto')
            self.assertEqual([('a.png', 'x y'), ('deep/b.png', 'z'), ('deep/c.png', 'x y')], [r[:2] for r in records(out)])

    def test_every_dialect_of_csv(self):
        rows = [['file_name', 'label'], ['a.png', 'one'], ['deep/b.png', 'two'], ['deep/c.png', 'a "quoted" one']]
        for options in ({'lineterminator': '\n'}, {'lineterminator': '\r\n'}, {'quoting': csv.QUOTE_ALL}):
            self.csv(rows, **options)
            self.assertEqual(['one', 'two', 'a "quoted" one'], self.labels())
        text = (self.photos / 'metadata.csv').read_text()
        (self.photos / 'metadata.csv').write_text('\ufeff' + text)
        self.assertEqual(['one', 'two', 'a "quoted" one'], self.labels())

    def test_json_lines_with_numbers_and_a_table_per_folder(self):
        (self.photos / 'deep' / 'metadata.jsonl').write_text('{"file_name": "b.png", "label": 10, "n": 1}\n'
                                                             '{"n": null, "label": 9, "file_name": "c.png"}\r\n\n')
        (self.photos / 'metadata.jsonl').write_text('{"file_name": "a.png", "label": null}\n')
        self.assertEqual(['', '10', '9'], self.labels())
        self.assertIn('3 labels: (none) 1, 9 1, 10 1', self.told)

    def test_the_column_is_chosen_and_a_wrong_one_names_the_columns(self):
        self.csv([['file_name', 'shape', 'colour'], ['a.png', 'round', 'red'], ['deep/b.png', 'flat', 'red'], ['gone.png', 'flat', 'x']])
        self.assertEqual(['round', 'flat', ''], self.labels('--label-column', 'shape'))
        self.assertIn('1 name in the tables of', self.told)
        self.labels_refused('--label-column', 'size', code=2, words='--label-column size: the inputs have colour, file_name, shape\n')
        self.assertEqual(['', 'deep', 'deep'], self.labels())
        self.assertIn('--label-column NAME takes one of them', self.told)

    def test_a_table_names_no_pictures_of_other_folders(self):
        make_pictures(self.photos, ['deep/a.png'])
        self.csv([['file_name', 'label'], ['a.png', 'cat'], ['deep/b.png', 'dog']])
        (self.photos / 'dataset.json').write_text(json.dumps({'labels': [['a.png', 'cat']]}))
        for source in (self.photos, self.zipped()):
            out = self.out('--in', source, mode='auto')
            self.assertEqual([('a.png', 'cat'), ('deep/a.png', ''), ('deep/b.png', 'dog'), ('deep/c.png', '')],
                             sorted(r[:2] for r in records(out)))
            self.assertIn('2 inputs have no label of their own', self.told)

    def test_rows_that_contradict_each_other_are_told(self):
        rows = [['file_name', 'label'], ['a.png', 'one'], ['deep/b.png', 'two'], ['a.png', 'one'], ['a.png', 'three'], ['deep/c.png', 'two']]
        self.csv(rows)
        self.assertEqual(['one', 'two', 'two'], self.labels())
        self.assertIn('1 row in the tables of', self.told)
        self.assertIn('another label than a row before them, for example a.png (one and three); the first label counts', self.told)

    def test_the_usual_columns_in_any_case_and_an_example_that_may_label(self):
        self.csv([['file_name', 'Label'], ['a.png', 'one'], ['deep/b.png', 'two'], ['deep/c.png', 'two']])
        self.assertEqual(['one', 'two', 'two'], self.labels())
        self.csv([['', 'colour', 'file_name'], ['0', 'red', 'a.png'], ['1', 'blue', 'deep/b.png'], ['2', 'red', 'deep/c.png']])
        self.labels()
        self.assertIn('for example colour\n', self.told)

    def test_a_table_beside_the_archive_of_its_pictures(self):
        archive = self.zipped()
        (self.top / 'set').mkdir()
        archive.rename(self.top / 'set' / 'photos.zip')
        (self.top / 'set' / 'metadata.csv').write_text('file_name,label\na.png,one\ndeep/b.png,two\ndeep/c.png,two\n')
        found = records(self.out('--in', self.top / 'set', mode='auto'))
        self.assertEqual([(f'photos.zip/{name}', label) for name, label in zip(NAMES, ('one', 'two', 'two'))], [r[:2] for r in found])

    def test_a_table_in_parquet_is_refused_and_not_lost(self):
        (self.photos / 'metadata.parquet').write_bytes(b'PAR1' + bytes(20))
        self.labels_refused(code=3, words='metadata.parquet: a table of labels in Parquet is not read: save it as metadata.csv')
        self.assertEqual({'deep'}, set(super().labels('--in', self.photos / 'deep', mode='folder')))

    def labels_refused(self, *flags, code, words):
        self.out('--in', self.photos, *flags, mode='auto', code=code)
        self.assertIn(words, self.told)
        self.assertEqual(1, self.told.count('\n'), self.told)

    def test_hostile_tables_are_refused_with_file_and_place(self):
        for name, text, words in (
                ('metadata.csv', 'file_name,label\na.png\n', 'metadata.csv at byte 15: a row of 1 field;'),
                ('metadata.csv', 'file_name,label\n"a.png,x', 'ends inside a quoted field'),
                ('metadata.csv', '', 'has no line of column names'), ('metadata.csv', 'x,label\na,b\n', 'no column file_name'),
                ('metadata.jsonl', '{"file_name": "a.png", "label": 1}\nwords', 'metadata.jsonl at byte 36'),
                ('metadata.jsonl', '[1]', 'no JSON object'), ('metadata.jsonl', '{"label": 1}', 'without the text file_name'),
                ('metadata.jsonl', '{"file_name": "a.png", "label": [1, 2]}', 'not array'),
                ('metadata.jsonl', '{"file_name": "a.png", "label": 0.5}', 'a label is a name or a whole number'),
                ('list_attr_celeba.txt', '3\nSmiling Young\na.png 1\n', 'list_attr_celeba.txt at byte 16: a line of 2 words')):
            with self.subTest(text):
                (self.photos / name).write_text(text)
                self.labels_refused(*(['--label-column', 'Young'] if 'celeba' in name else []), code=3, words=words)
                (self.photos / name).unlink()

    def test_a_column_of_captions_is_no_column_of_classes(self):
        self.csv([['file_name', 'label'], *((f'{i}.png', f'caption {i}') for i in range(100_001))])
        self.labels_refused(code=3, words='over 100,000 different labels')


class CelebA(Case):
    """The layout that torchvision.datasets.CelebA keeps on disk."""

    def setUp(self):
        super().setUp()
        make_pictures(self.photos, [f'img_align_celeba/{i:06}.jpg' for i in range(1, 5)])
        rows = {1: (1, -1), 2: (-1, -1), 3: (-1, 1), 4: (1, 1)}
        (self.photos / 'list_attr_celeba.txt').write_text('4\nSmiling Young \n' + ''.join(
            f'{i:06}.jpg {a:2} {b:2}\n' for i, (a, b) in rows.items()))
        (self.photos / 'identity_CelebA.txt').write_text(''.join(f'{i:06}.jpg {[2880, 9, 9, 100][i - 1]}\n' for i in rows))
        (self.photos / 'list_eval_partition.txt').write_text(''.join(f'{i:06}.jpg {i // 2}\n' for i in rows))

    def test_attributes_identities_and_partitions(self):
        for column, wanted in (('Smiling', ['1', '-1', '-1', '1']), ('identity', ['2880', '9', '9', '100']),
                               ('partition', ['0', '1', '1', '2'])):
            self.assertEqual(wanted, self.labels('--in', self.photos, '--label-column', column, mode='auto'))
        self.assertEqual([None] * 4, self.labels('--in', self.photos, mode='auto'))
        self.assertIn('--label-column NAME takes one of them', self.told)

    def test_the_zip_that_torchvision_downloads_beside_its_lists(self):
        with zipfile.ZipFile(self.photos / 'img_align_celeba.zip', 'w') as archive:
            for path in sorted(self.photos.glob('*/*.jpg')):
                archive.write(path, f'img_align_celeba/{path.name}')
                path.unlink()
        self.assertEqual(['1', '-1', '-1', '1'], self.labels('--in', self.photos, '--label-column', 'Smiling', mode='auto'))
        self.assertNotIn('are no pictures', self.told)

    def test_the_tables_of_kaggle(self):
        for path in self.photos.glob('*.txt'):
            path.unlink()
        (self.photos / 'list_attr_celeba.csv').write_text('image_id,Smiling,Young\n' + ''.join(
            f'{i:06}.jpg,{(-1) ** i},1\n' for i in range(1, 5)))
        self.assertEqual(['-1', '1', '-1', '1'], self.labels('--in', self.photos, '--label-column', 'Smiling', mode='auto'))


if __name__ == '__main__':
    unittest.main()
