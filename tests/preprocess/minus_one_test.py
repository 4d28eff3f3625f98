"""-1 is no label, whatever holds it; every other number is one."""
import csv
import json
import unittest

import lmdb
import numpy as np
import pyarrow
import pyarrow.parquet as parquet

from labels_test import Case
from pictures import Image, encoded, photo
from run_folder import make_pictures, records
from web_dataset_test import write_tar

COUNT = 4
NUMBERS = [0, -1, 3, -5]
WANTED = ['0', '', '3', '-5']
PNGS = [encoded(Image.fromarray(photo(32, 32, seed=i)), 'PNG') for i in range(COUNT)]
PIXELS = np.zeros((COUNT, 32, 32, 3), np.uint8)


class MinusOne(Case):
    def assert_read(self, source):
        out = self.out('--in', source, mode='auto')
        self.assertEqual(WANTED, [label for _, label, _, _ in records(out)])
        self.assertIn('1 input has no label of its own', self.told)

    def test_in_arrays(self):
        for dtype in ('i1', '<i2', '>i4', '<i8'):
            np.savez(self.top / 'a.npz', images=PIXELS, labels=np.array(NUMBERS, dtype))
            self.assert_read(self.top / 'a.npz')

    def test_in_idx(self):
        (self.top / 'train-images-idx3-ubyte').write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, COUNT, 0, 0, 0, 32, 0, 0, 0, 32]) + bytes(COUNT * 1024))
        (self.top / 'train-labels-idx1-ubyte').write_bytes(bytes([0, 0, 9, 1, 0, 0, 0, COUNT]) + np.array(NUMBERS, 'i1').tobytes())
        self.assert_read(self.top / 'train-images-idx3-ubyte')

    def test_in_parquet(self):
        for numbers in (NUMBERS, [str(n) for n in NUMBERS]):
            parquet.write_table(pyarrow.Table.from_pydict({'image': PNGS, 'label': numbers}), self.top / 'a.parquet')
            self.assert_read(self.top / 'a.parquet')

    def test_in_a_web_dataset(self):
        for field in (lambda n: ('cls', str(n)), lambda n: ('json', json.dumps({'label': n}))):
            members = [member for i, n in enumerate(NUMBERS)
                       for member in ((f'{i}.png', PNGS[i]), (f'{i}.{field(n)[0]}', field(n)[1].encode()))]
            self.assert_read(write_tar(self.top / 'a.tar', members))

    def test_in_tables_beside_pictures(self):
        names = [f'{i}.png' for i in range(COUNT)]
        make_pictures(self.photos, names)
        (self.photos / 'dataset.json').write_text(json.dumps({'labels': list(zip(names, NUMBERS))}))
        self.assert_read(self.photos)
        (self.photos / 'dataset.json').unlink()
        (self.photos / 'metadata.jsonl').write_text(''.join(json.dumps({'file_name': name, 'label': n}) + '\n' for name, n in zip(names, NUMBERS)))
        self.assert_read(self.photos)
        (self.photos / 'metadata.jsonl').unlink()
        with open(self.photos / 'metadata.csv', 'w', newline='') as file:
            csv.writer(file).writerows([('file_name', 'label'), *zip(names, NUMBERS)])
        self.assert_read(self.photos)

    def test_in_lmdb(self):
        with lmdb.open(str(self.top / 'lmdb'), map_size=1 << 26) as database, database.begin(write=True) as transaction:
            for i, n in enumerate(NUMBERS):
                transaction.put(f'image-{i}'.encode(), PNGS[i])
                transaction.put(f'label-{i}'.encode(), str(n).encode())
        self.assert_read(self.top / 'lmdb')

    def test_pictures_of_which_none_has_a_label_have_no_labels(self):
        np.savez(self.top / 'a.npz', images=PIXELS, labels=np.full(COUNT, -1))
        out = self.out('--in', self.top / 'a.npz', mode='auto')
        self.assertEqual([], self.manifest(out)['labels'])
        self.assertIn('the source has no labels', self.told)

    def test_a_folder_may_be_called_so_and_an_attribute_of_celeba_has_it_as_a_value(self):
        make_pictures(self.photos, ['-1/a.png', '0/b.png'])
        self.assertEqual(['-1', '0'], self.labels('--in', self.photos))
        (self.photos / 'list_attr_celeba.txt').write_text('2\nSmiling\na.png -1\nb.png 1\n')
        self.assertEqual(['-1', '1'], self.labels('--in', self.photos, '--label-column', 'Smiling', mode='auto'))


if __name__ == '__main__':
    unittest.main()
