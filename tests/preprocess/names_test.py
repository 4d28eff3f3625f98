"""Tests the names of records: pictures of the same name in several containers or folders stay distinct."""
import json
import shutil
import unittest

import numpy as np
import pyarrow
import pyarrow.parquet as parquet

from run_folder import FolderCase, digest, make_pictures, names, quarantine, run
from web_dataset_test import PNGS, write_tar

SAME = [('0.png', PNGS[0]), ('1.png', PNGS[1]), ('bad.png', b'nothing')]


class Names(FolderCase):
    def setUp(self):
        super().setUp()
        self.tars = self.top / 'tars'
        for folder in ('train', 'val'):
            (self.tars / folder).mkdir(parents=True)
            write_tar(self.tars / folder / 'part.tar', SAME)

    def test_of_a_folder_of_tars_lead_through_them(self):
        out = self.out('--in', self.tars)
        self.assertEqual([f'{folder}/part.tar/{i}.png' for folder in ('train', 'val') for i in (0, 1)], names(out))
        self.assertEqual({f'{folder}/part.tar/bad.png' for folder in ('train', 'val')}, set(quarantine(out)))
        listed = [json.loads(line)['source'] for line in (out / 'records.jsonl').read_text().splitlines()]
        self.assertEqual(names(out), listed)

    def test_of_several_tars_begin_with_their_paths_below_the_folder_that_holds_them(self):
        given = [self.tars / folder / 'part.tar' for folder in ('train', 'val')]
        wanted = [f'{folder}/part.tar/{i}.png' for folder in ('train', 'val') for i in (0, 1)]
        out = self.out('--in', given[0], '--in', given[1])
        self.assertEqual(wanted, names(out))
        (self.top / 'list').write_text('\n'.join(map(str, given)))
        self.assertEqual(wanted, names(self.out('--list', self.top / 'list')))
        for i in range(2):
            write_tar(self.top / f'data-{i}.tar', SAME[:1])
        self.assertEqual(['data-0.tar/0.png', 'data-1.tar/0.png'], names(self.out('--in', f'{self.top}/data-{{0..1}}.tar')))

    def test_do_not_depend_on_how_a_path_is_written_or_where_it_lies(self):
        given = [self.tars / folder / 'part.tar' for folder in ('train', 'val')]
        wanted = digest(self.out('--in', given[0], '--in', given[1]))
        self.assertEqual(wanted, digest(self.out('--in', 'part.tar', '--in', '../../tars/./val/part.tar', cwd=self.tars / 'train')))
        shutil.copytree(self.tars, self.top / 'elsewhere' / 'moved')
        self.assertEqual(wanted, digest(self.out('--in', 'train/part.tar', '--in', 'val/part.tar', cwd=self.top / 'elsewhere' / 'moved')))

    def test_of_one_container_or_folder_are_those_in_it(self):
        tar = self.tars / 'train' / 'part.tar'
        self.assertEqual(['0.png', '1.png'], names(self.out('--in', tar)))
        make_pictures(self.photos, ['a/0.png', '1.png'])
        self.assertEqual(['1.png', 'a/0.png'], names(self.out('--in', self.photos)))

    def test_of_a_damaged_tar_is_its_path(self):
        tar = self.tars / 'val' / 'part.tar'
        tar.write_bytes(tar.read_bytes()[:1024])
        for given in ([self.tars], [self.tars / 'train', tar]):
            out = self.out(*(word for path in given for word in ('--in', path)))
            self.assertIn('val/part.tar', quarantine(out))

    def test_of_several_folders_begin_with_theirs(self):
        for folder in ('one', 'two'):
            make_pictures(self.top / folder, ['0.png'])
        self.assertEqual(['one/0.png', 'two/0.png'], names(self.out('--in', self.top / 'one', '--in', f'{self.top}/two/')))
        out = self.out('--in', self.top / 'one', '--in', self.top / 'two', '--dedupe', 'exact')
        line = json.loads((out / 'quarantine.jsonl').read_text())
        self.assertEqual(('two/0.png', 'same bytes as one/0.png'), (line['path'], line['detail']))

    def test_of_tables_and_arrays_in_folders_stay_apart_too(self):
        for folder in ('train', 'val', 'arrays'):
            (self.top / folder).mkdir()
        for folder in ('train', 'val'):
            parquet.write_table(pyarrow.Table.from_pydict({'image': PNGS[:2]}), self.top / folder / '0.parquet')
        for name in 'xy':
            np.savez(self.top / 'arrays' / f'{name}.npz', images=np.zeros((2, 32, 32, 3), np.uint8))
        self.assertEqual(['train/0.parquet/0', 'train/0.parquet/1', 'val/0.parquet/0', 'val/0.parquet/1'],
                         names(self.out('--in', self.top / 'train', '--in', self.top / 'val')))
        self.assertEqual([f'{x}.npz/images.npy/{i}' for x in 'xy' for i in (0, 1)], names(self.out('--in', self.top / 'arrays')))
        self.assertEqual([f'images.npy/{i}' for i in (0, 1)], names(self.out('--in', self.top / 'arrays' / 'x.npz')))

    def test_of_appended_containers_begin_with_theirs_and_grown_folders_keep_their_names(self):
        out = self.top / 'grown'
        write_tar(self.tars / 'val' / 'part.tar', SAME[:2])
        for flags in (['--in', self.tars / 'train' / 'part.tar'], ['--in', self.tars / 'val' / 'part.tar', '--append']):
            self.assertEqual(0, run(out, *flags).returncode)
        make_pictures(self.photos, ['a.png'])
        for more in ('b.png', 'c.png'):
            make_pictures(self.photos, [more], seed=ord(more[0]))
            self.assertEqual(0, run(out, '--in', self.photos, '--append', '--dedupe', 'exact').returncode)
        self.assertEqual(['0.png', '1.png'], names(out)[:2])
        self.assertEqual(['part.tar/0.png', 'part.tar/1.png', 'a.png', 'b.png', 'c.png'], names(out)[2:])


if __name__ == '__main__':
    unittest.main()
