"""LMDB databases of pictures, as `lmdb` writes them: LSUN's layout, labels beside pictures, damage."""
import os
import shutil
import unittest

import lmdb

from labels_test import Case
from pictures import Image, encoded, photo
from run_folder import digest, names, quarantine, records, run

DATA = [encoded(Image.fromarray(photo(40, 40, seed=i)), ['WEBP', 'JPEG', 'PNG'][i % 3]) for i in range(30)]


class Lmdb(Case):
    def write(self, name, entries, **options):
        with lmdb.open(str(self.top / name), map_size=1 << 26, **options) as database:
            with database.begin(write=True) as transaction:
                for key, value in entries.items():
                    transaction.put(key, value)
        return self.top / name

    def found(self, *flags, **kwargs):
        self.last = self.out(*flags, **kwargs)
        return [(name, label) for name, label, _, _ in records(self.last)]

    def test_values_are_pictures_in_the_order_of_their_keys(self):
        """LSUN: keys are hexadecimal digests, values WebP files."""
        keys = [os.urandom(20).hex().encode() for _ in DATA]
        source = self.write('bedroom_train_lmdb', dict(zip(keys, DATA)))
        before = {p.name: p.stat().st_mtime_ns for p in source.iterdir()}
        wanted = sorted(key.decode() for key in keys)
        for given in (source, source / 'data.mdb'):
            self.assertEqual([(key, None) for key in wanted], self.found('--in', given, mode='none'))
        self.assertEqual(before, {p.name: p.stat().st_mtime_ns for p in source.iterdir()}, 'nothing is written')
        by_key = {key.decode(): data for key, data in zip(keys, DATA)}
        for i, key in enumerate(wanted):
            (self.top / 'files').mkdir(exist_ok=True)
            (self.top / 'files' / f'{i:03}.jpg').write_bytes(by_key[key])
        self.assertEqual([r[3] for r in records(self.out('--in', self.top / 'files'))], [r[3] for r in records(self.last)])

    def test_a_file_without_a_folder_and_keys_that_are_no_text(self):
        source = self.write('plain.lmdb', {b'\0\0\0\x01': DATA[0], b'\xff\xfe': DATA[1], b'with space': DATA[2]}, subdir=False)
        self.assertEqual([('0x00000001', None), ('0x77697468207370616365', None), ('0xfffe', None)], self.found('--in', source, mode='none'))

    def test_several_databases_are_classes_when_folders_are_asked_for(self):
        for i, kind in enumerate(('bedroom', 'church')):
            (self.top / 'lsun').mkdir(exist_ok=True)
            self.write(f'lsun/{kind}', {b'1': DATA[i], b'2': DATA[i + 2]})
        self.assertEqual([(f'{kind}/{key}', kind) for kind in ('bedroom', 'church') for key in '12'], self.found('--in', self.top / 'lsun'))

    def test_labels_beside_pictures(self):
        entries = {b'num-samples': b'3'}
        for i in range(3):
            entries |= {f'image-{i:09}'.encode(): DATA[i], f'label-{i:09}'.encode(): [b'owl', b'cat', b'owl'][i]}
        source = self.write('ocr', entries)
        self.assertEqual([(f'image-{i:09}', label) for i, label in enumerate(('owl', 'cat', 'owl'))], self.found('--in', source, mode='auto'))
        self.assertIn('4 value that is no picture (label-000000000', self.told)

    def test_what_holds_no_pictures_is_told(self):
        source = self.write('pickles', {b'1': b'\x80\x04\x95', b'2': b''})
        self.out('--in', source, code=3)
        self.assertIn('holds no pictures', self.told)
        self.assertIn('2 value that is no picture (1, 2)', self.told)
        self.out('--in', self.write('empty', {}), code=3)

    def test_a_damaged_picture_is_quarantined(self):
        source = self.write('some', {b'1': DATA[0], b'2': DATA[1][:200], b'3': DATA[2]})
        self.assertEqual(['1', '3'], [name for name, _ in self.found('--in', source, mode='none')])
        self.assertEqual({'2': 'truncated'}, quarantine(self.last))

    def test_a_damaged_database_ends_the_run_in_a_sentence_and_not_in_a_crash(self):
        source = self.write('damaged', dict(zip((b'%03d' % i for i in range(30)), DATA)))
        data = (source / 'data.mdb').read_bytes()
        outcomes = set()
        for at in [*range(0, 200, 8), *range(4096, len(data), 509)]:
            for damaged in (data[:at + 30], data[:at] + b'\xff' * 24 + data[at + 24:]):
                (source / 'data.mdb').write_bytes(damaged)
                out = self.top / 'try'
                done = run(out, '--in', source)
                self.assertIn(done.returncode, (0, 2, 3), (at, done.stderr))
                if done.returncode:
                    self.assertEqual(1, done.stderr.count(b'\n'), done.stderr)
                    self.assertTrue(b'damaged' in done.stderr or b'usable picture' in done.stderr, done.stderr)
                outcomes.add(done.returncode)
                shutil.rmtree(out, ignore_errors=True)
        self.assertLessEqual({0, 3}, outcomes)

    def test_threads_ranks_and_shards_change_no_byte(self):
        source = self.write('some', dict(zip((b'%03d' % i for i in range(30)), DATA)))
        digests = set()
        for i, (threads, ranks) in enumerate(((1, 1), (8, 1), (2, 3))):
            self.assertEqual(0, run(self.top / f'same{i}', '--in', source, '--images-per-shard', 4, '--threads', threads, ranks=ranks).returncode)
            digests.add(digest(self.top / f'same{i}'))
        self.assertEqual(1, len(digests))


if __name__ == '__main__':
    unittest.main()
