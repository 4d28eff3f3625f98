"""--label-column: a name that no input has is one error, reported before any work, whatever the input is."""
import json
import os
import pathlib
import shutil
import tarfile
import unittest
import zipfile

import datasets
import lmdb
import numpy as np
import webdataset

from labels_test import Case
from run_folder import make_pictures

NONE = 'the inputs have no labels to choose from'
datasets.disable_progress_bars()


class LabelColumn(Case):
    def setUp(self):
        super().setUp()
        make_pictures(self.photos, ['cat/1.jpg', 'dog/2.jpg'])
        self.files = sorted(self.photos.glob('*/*.jpg'))

    def tables(self):
        folder = self.top / 'tables'
        shutil.copytree(self.photos, folder)
        (folder / 'metadata.csv').write_text('file_name,shape,colour\ncat/1.jpg,round,red\ndog/2.jpg,flat,blue\n')
        return folder

    def style_gan(self):
        with zipfile.ZipFile(self.top / 's.zip', 'w') as archive:
            for path in self.files:
                archive.write(path, path.name)
            archive.writestr('dataset.json', json.dumps({'labels': [['1.jpg', 0], ['2.jpg', 1]]}))
        return self.top / 's.zip'

    def web_dataset(self):
        with webdataset.TarWriter(str(self.top / 'web.tar')) as writer:
            for i, path in enumerate(self.files):
                writer.write({'__key__': f'{i}', 'jpg': path.read_bytes(), 'cls': i, 'json': {'colour': 'red', 'size': 0.5}})
        return self.top / 'web.tar'

    def arrays(self):
        np.savez(self.top / 'a.npz', images=np.zeros((2, 32, 32, 3), np.uint8), labels=np.arange(2), kinds=np.arange(2))
        return self.top / 'a.npz'

    def cifar(self, width, name):
        folder = self.top / f'cifar{width}'
        folder.mkdir()
        (folder / name).write_bytes(bytes(2 * (3072 + width)))
        if width == 2:
            (folder / 'fine_label_names.txt').write_text('apple\n')
            (folder / 'coarse_label_names.txt').write_text('fruit\n')
        return folder

    def parquet(self):
        rows = [{'image': {'bytes': path.read_bytes(), 'path': path.name}, 'kind': i} for i, path in enumerate(self.files)]
        features = datasets.Features({'image': datasets.Image(), 'kind': datasets.ClassLabel(names=['cat', 'dog'])})
        datasets.Dataset.from_list(rows, features=features).to_parquet(str(self.top / 'a.parquet'))
        return self.top / 'a.parquet'

    def lmdb(self):
        with lmdb.open(str(self.top / 'lmdb'), map_size=1 << 20) as database, database.begin(write=True) as transaction:
            for i, path in enumerate(self.files):
                transaction.put(b'image-%09d' % i, path.read_bytes())
                transaction.put(b'label-%09d' % i, b'kind')
        return self.top / 'lmdb'

    def celeba(self):
        folder = self.top / 'celeba'
        shutil.copytree(self.photos, folder)
        (folder / 'list_attr_celeba.txt').write_text('2\nSmiling Young\n1.jpg 1 -1\n2.jpg -1 -1\n')
        return folder

    def archive(self):
        with tarfile.open(self.top / 'a.tar', 'w') as archive:
            archive.add(self.photos, 'photos')
        return self.top / 'a.tar'

    def paths(self):
        (self.top / 'list').write_text('\n'.join(map(str, self.files)))
        return self.top / 'list'

    def test_a_wrong_name_is_the_same_error_for_every_source(self):
        sources = ((self.photos, NONE), (self.paths(), NONE), (self.archive(), NONE), (self.style_gan(), NONE), (self.lmdb(), NONE),
                   (self.files[0], NONE), (self.tables(), 'the inputs have colour, file_name, shape'),
                   (self.web_dataset(), 'the inputs have cls, colour'), (self.arrays(), 'the inputs have kinds, labels'),
                   (self.cifar(1, 'data_batch_1.bin'), 'the inputs have label'), (self.celeba(), 'the inputs have Smiling, Young'),
                   (self.cifar(2, 'train.bin'), 'the inputs have coarse_label, fine_label'))
        if os.path.exists(pathlib.Path(os.environ['EQUIPOISE_BIN']).parent / 'lib/libgan_parquet.so'):
            sources += ((self.parquet(), 'the inputs have image.path, kind'),)
        for source, words in sources:
            with self.subTest(source.name):
                out = self.out('--in', source, '--label-column', 'nope', mode='auto', code=2)
                self.assertEqual(f'gan-preprocess: --label-column nope: {words}\n', self.told)
                self.assertFalse(out.exists())

    def test_one_input_that_has_it_is_enough_and_folders_label_nothing_then(self):
        flags = ['--in', self.tables(), '--in', self.photos, '--label-column', 'shape']
        self.assertEqual(['round', 'flat', '', ''], self.labels(*flags, mode='auto'))
        self.assertIn('2 inputs have no label of their own', self.told)

    def test_many_columns_are_not_all_told(self):
        folder = self.tables()
        names = [f'column{i:03}' for i in range(300)]
        (folder / 'metadata.csv').write_text(','.join(['file_name', *names]) + '\n' + ','.join(['cat/1.jpg', *names]) + '\n')
        self.out('--in', folder, '--label-column', 'nope', mode='auto', code=2)
        self.assertIn('column038, column039 and 261 others\n', self.told)


if __name__ == '__main__':
    unittest.main()
