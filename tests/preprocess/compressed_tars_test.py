"""Tars behind every compression that libarchive undoes by itself; the others are refused by name."""
import gzip
import lzma
import unittest

from archive_writer import write_archive
from run_folder import FolderCase, make_pictures, names, quarantine, records

KINDS = {'lz4': 'lz4', 'lzma': 'lzma', 'lz': 'lzip', 'Z': 'compress'}
NAMES = [f'{folder}/{i:02}.png' for folder in 'ab' for i in range(6)]


class CompressedTars(FolderCase):
    def setUp(self):
        super().setUp()
        make_pictures(self.photos, NAMES)
        self.files = {name: (self.photos / name).read_bytes() for name in NAMES}

    def write(self, ending):
        path = self.top / f'photos.tar.{ending}'
        write_archive(path, self.files, 'ustar', KINDS[ending])
        return path

    def test_each_gives_what_the_folder_gives(self):
        wanted = records(self.out('--in', self.photos))
        for ending in KINDS:
            with self.subTest(ending):
                path = self.write(ending)
                self.assertEqual(wanted, records(self.out('--in', path)))
                self.assertEqual(wanted, records(self.out('--in', path, ranks=2)))
        for short in ('tlz4', 'tlz', 'taz'):
            path = self.write({'tlz4': 'lz4', 'tlz': 'lzma', 'taz': 'Z'}[short])
            self.assertEqual(NAMES, names(self.out('--in', path.rename(self.top / f'photos.{short}'))))

    def test_one_that_ends_early_is_truncated(self):
        for ending in KINDS:
            path = self.write(ending)
            path.write_bytes(path.read_bytes()[:-path.stat().st_size // 3])
            with self.subTest(ending):
                out = self.out('--in', path, '--in', self.photos)
                self.assertEqual('truncated', quarantine(out)[path.name])
                self.assertLess(len(names(out)), 2 * len(NAMES))

    def test_what_must_be_unpacked_first_is_told_by_its_name(self):
        for head, words in ((b'\x89LZO\0\r\n\x1a\n', 'lzop-compressed data, which must be unpacked first'),
                            (b'Rar!\x1a\x07\x01\0', 'a RAR archive, which must be unpacked first'),
                            (b'MSCF\0\0\0\0', 'a cabinet, which must be unpacked first'),
                            (b'xar!\0\x1c', 'an XAR archive, which must be unpacked first'),
                            (b'LRZI\0\x06', 'lrzip-compressed data, which must be unpacked first')):
            (self.top / 'photos.packed').write_bytes(head + bytes(range(200)))
            self.out('--in', self.top / 'photos.packed', code=2)
            self.assertIn('photos.packed: it looks like ' + words, self.stderr)
            self.assertEqual(1, self.stderr.count('\n'))

    def test_compressed_data_that_is_not_called_an_archive_is_told_by_its_name(self):
        raw = bytes(range(256)) * 9
        for ending, words in (('lz4', 'LZ4-'), ('lz', 'lzip-'), ('lzma', 'LZMA-'), ('Z', 'data compressed by `compress`')):
            path = self.write(ending)
            self.out('--in', path.rename(self.top / 'photos.packed'), code=2)
            self.assertIn('it looks like ' + words, self.stderr)
            self.assertIn('.tar[.gz|.xz|.bz2|.zst|.lz4|.lzma|.lz|.Z]', self.stderr)
        for data, words in ((gzip.compress(raw), 'gzip-'), (lzma.compress(raw), 'xz-')):
            (self.top / 'photos.packed').write_bytes(data)
            self.out('--in', self.top / 'photos.packed', code=2)
            self.assertIn('it looks like ' + words, self.stderr)

    def test_a_list_of_paths_that_begin_like_formats_is_a_list(self):
        """A format is recognised only by bytes with which no path begins."""
        for name in ('LZIP', 'LRZI', 'MSCF', 'xar!', ']', '070701'):
            (self.photos / name).write_bytes(self.files[NAMES[0]])
            (self.top / 'list').write_text(f'{name}\n')
            self.assertEqual([name], names(self.out('--list', self.top / 'list', cwd=self.photos)))


if __name__ == '__main__':
    unittest.main()
