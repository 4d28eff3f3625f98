"""Every entry of a folder or archive ends as a record, as a line of the quarantine or in the count of what is no picture."""
import io
import json
import lzma
import os
import pathlib
import random
import re
import shutil
import socket
import struct
import subprocess
import tarfile
import tempfile
import unittest
import zipfile
import zlib

import imagecodecs

import pictures
from archive_writer import write_archive
from run_folder import BIN, ENVIRONMENT, make_pictures, names, quarantine, records, run

NOBODY = 65534
ROOT = pathlib.Path(__file__).resolve().parents[2]
TREES = int(os.environ.get('EQUIPOISE_TREES', 50))
# root may enter every folder and read every file
SOMEBODY = {'user': NOBODY, 'extra_groups': []} if os.geteuid() == 0 else {}


def small(kind, seed=0, **options):
    return pictures.encoded(pictures.Image.fromarray(pictures.photo(9 + seed % 5, 8, seed=seed)), kind, **options)


def contents(rng):
    """(extension, bytes) of any kind of file."""
    picture = rng.choice(['JPEG', 'PNG', 'GIF', 'WEBP', 'BMP', 'TIFF', 'PPM'])
    data = small(picture, rng.randrange(100))
    return rng.choice([
        ('.' + picture.lower().replace('jpeg', 'jpg'), data), ('', data), ('.txt', data), ('.JPG', data), ('.mpo', data),
        ('.png', data[:len(data) // 2]), ('.jpg', b''), ('.jpg', b'no picture at all'), ('.txt', b'words'), ('', b''),
        ('.json', b'{}'), ('.flif', b'FLIF' + bytes(20)), ('.psd', b'8BPS' + bytes(30)), ('.pbm', b'P1\n2 2\n0 1 1 0\n'),
        ('.tar', b'not entered'), ('.bin', rng.randbytes(700))])


def name_of(rng, extension):
    return rng.choice(['', '', '', '', '.', '._']) + rng.choice('abcdefgh') + str(rng.randrange(1000)) + extension


def plant(rng, folder, depth=0):
    """Entries of every kind below `folder`; -> nothing: `find` counts them."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    for _ in range(rng.randrange(1, 9)):
        extension, data = contents(rng)
        path = folder / name_of(rng, extension)
        if os.path.lexists(path):
            continue
        what = rng.randrange(14)
        if what < 8:
            path.write_bytes(data)
            path.chmod(0o644)
        elif what == 8:
            path.symlink_to(rng.choice(['nowhere.jpg', '../.git/annex/objects/x/y.jpg', path.name, '..', '.']))
        elif what == 9:
            os.mkfifo(path)
        elif what == 10:
            with socket.socket(socket.AF_UNIX) as listening:
                listening.bind(str(path))
        elif what == 11:
            path.write_bytes(data)
            path.chmod(0)
        elif depth < 3:
            inner = folder / rng.choice(['x', 'y z', '.ipynb_checkpoints', '__MACOSX', 'closed'])
            plant(rng, inner, depth + 1)
            if inner.name == 'closed':
                inner.chmod(0)
    if rng.random() < 0.3:
        (folder / 'empty').mkdir(exist_ok=True)


def entries_by_find(tree):
    """Everything but folders, and folders that cannot be entered: links are followed, as --in does."""
    done = subprocess.run(['find', '-L', tree, '!', '-type', 'd', '-print0'], capture_output=True, **SOMEBODY)
    troubles = done.stderr.decode().splitlines()
    wanted = ('File system loop detected', 'Permission denied', 'Too many levels of symbolic links')
    assert all(any(w in line for w in wanted) for line in troubles), troubles
    return done.stdout.count(b'\0') + len(troubles)


def archived(rng, path):
    """Writes an archive of random entries to `path`. Returns the number of its entries, without folders."""
    count = rng.randrange(1, 25)
    made = [(f'{rng.choice(["", "d/", "__MACOSX/", ".git/"])}{i}{name_of(rng, e)}', data)
            for i, (e, data) in enumerate(contents(rng) for _ in range(count))]
    if path.suffix == '.zip':
        with zipfile.ZipFile(path, 'w') as archive:
            archive.writestr('d/', b'')
            for name, data in made:
                archive.writestr(name, data)
        return count
    with tarfile.open(path, {'.tar': 'w', '.xz': 'w:xz', '.bz2': 'w:bz2', '.gz': 'w:gz'}[path.suffix]) as tar:
        folder = tarfile.TarInfo('d')
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name, data in made:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        extra = [(tarfile.LNKTYPE, made[0][0]), (tarfile.LNKTYPE, 'nowhere'), (tarfile.SYMTYPE, 'x'), (tarfile.FIFOTYPE, '')]
        for i, (kind, target) in enumerate(extra):
            info = tarfile.TarInfo(f'extra{i}' + rng.choice(['.jpg', '', '.txt']))
            info.type, info.linkname = kind, target
            tar.addfile(info)
    return count + len(extra)


def without_file_types(path):
    """A .7z by libarchive with the modes that py7zr 0.20 writes: permissions alone, no bit for a regular file."""
    data = path.read_bytes()
    offset, = struct.unpack('<Q', data[12:20])
    packed_header = data[32 + offset:]
    at = packed_header[2] & 0x3F if packed_header[2] >= 0x80 else packed_header[2]  # a number of one or two bytes
    at = at << 8 | packed_header[3] if packed_header[2] >= 0x80 else at
    coder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[{'id': lzma.FILTER_LZMA1, 'dict_size': 1 << 23}])
    header = coder.decompress(data[32 + at:32 + offset])
    typed, plain = struct.pack('<I', 0o100000 << 16 | 0x8021), struct.pack('<I', 0o644 << 16 | 0x8020)
    assert header[:1] == b'\x01' and typed in header, header
    header = header.replace(typed, plain)
    start = struct.pack('<QQI', at, len(header), zlib.crc32(header))
    path.write_bytes(data[:8] + struct.pack('<I', zlib.crc32(start)) + start + data[32:32 + at] + header)


class Case(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.top = pathlib.Path(temporary.name)
        self.top.chmod(0o777)
        self.out = self.top / 'out'

    def run_ok(self, *flags, code=0, out=None, **kwargs):
        done = run(out or self.out, *flags, **kwargs)
        self.assertEqual(code, done.returncode, done.stderr)
        return done.stdout.decode() + done.stderr.decode()

    def told(self, *flags, **kwargs):
        return json.loads(self.run_ok(*flags, '--json', **kwargs))

    def left_out(self, told):
        return {kind: found['files'] for kind, found in told['left_out'].items()}


class Accounting(Case):
    def assert_all_accounted_for(self, told, entries, what):
        lines = (self.out / 'quarantine.jsonl').read_text().splitlines()
        self.assertEqual(told['inputs'], told['accepted'] + len(lines), what)
        self.assertEqual(told['accepted'], len(records(self.out)), what)
        self.assertEqual(entries, told['accepted'] + len(lines) + sum(self.left_out(told).values()), what)

    def test_random_trees(self):
        kinds = set()
        for seed in range(TREES):
            rng = random.Random(seed)
            tree = self.top / f'tree{seed}'
            plant(rng, tree)
            (tree / 'surely.jpg').write_bytes(small('JPEG'))
            (tree / 'surely.jpg').chmod(0o644)
            entries = entries_by_find(tree)
            code = run(self.out, '--in', tree, '--json', **SOMEBODY)
            self.assertIn(code.returncode, (0, 75), code.stderr)
            told = json.loads(code.stdout)
            self.assertEqual(75 if told['left_to_try'] else 0, code.returncode)
            self.assert_all_accounted_for(told, entries, seed)
            kinds |= set(told['left_out']) | set(told['rejected'])
            shutil.rmtree(self.out)
        self.assertLessEqual({'hidden', 'pipe', 'socket', '.txt', 'no extension', 'link to a folder that holds it',
                              'unreadable', 'not_a_picture', 'unsupported'}, kinds, 'the trees hold every kind')

    def test_random_archives(self):
        for seed in range(TREES):
            rng = random.Random(seed)
            path = self.top / ('a' + ['.tar', '.zip', '.tar.gz', '.tar.xz', '.tar.bz2'][seed % 5])
            entries = archived(rng, path)
            done = run(self.out, '--in', path, '--json')
            if done.returncode == 3:  # not one usable picture
                shutil.rmtree(self.out, ignore_errors=True)
                continue
            self.assertEqual(0, done.returncode, done.stderr)
            self.assert_all_accounted_for(json.loads(done.stdout), entries, seed)
            shutil.rmtree(self.out)


class Folders(Case):
    def test_content_decides_and_not_the_extension(self):
        folder = self.top / 'in'
        folder.mkdir()
        for name in ('no_extension', 'text.txt', 'wrong.png', 'upper.JPG', 'noted.md'):
            (folder / name).write_bytes(small('JPEG'))
        (folder / 'readme.md').write_bytes(b'# words')
        told = self.told('--in', folder)
        self.assertEqual((5, 5, {'.md': 1}), (told['inputs'], told['accepted'], self.left_out(told)))
        self.assertEqual(['readme.md'], told['left_out']['.md']['examples'])

    def test_hidden_files_are_counted_and_left_out(self):
        make_pictures(self.top / 'in', ['a.png', '.b.png', '._a.png', '.ipynb_checkpoints/c.png', '__MACOSX/d.png', 'x/.y/z.png'])
        told = self.told('--in', self.top / 'in')
        self.assertEqual((1, {'hidden': 5}), (told['accepted'], self.left_out(told)))
        text = self.run_ok('--in', self.top / 'in')
        self.assertIn('left out, no pictures: 5 hidden (._a.png, .b.png, .ipynb_checkpoints/c.png, ...)', text)
        self.assertEqual(1, self.told('--in', self.top / 'in' / '.ipynb_checkpoints', out=self.top / 'out2')['accepted'])

    def test_links_that_lead_nowhere_have_a_line_and_a_reason(self):
        make_pictures(self.top / 'in', ['a.png'])
        (self.top / 'in' / 'b.jpg').symlink_to('../.git/annex/objects/1/2/SHA256E-s3--4.jpg')
        (self.top / 'in' / 'c').symlink_to('c')
        told = self.told('--in', self.top / 'in')
        self.assertEqual((3, {'unreadable': 2}), (told['inputs'], told['rejected']))
        lines = [json.loads(line) for line in (self.out / 'quarantine.jsonl').read_text().splitlines()]
        self.assertIn('datalad get', lines[0]['detail'])
        self.assertIn('circle', lines[1]['detail'])

    def test_folder_that_cannot_be_entered_is_a_line_and_an_error_under_strict(self):
        make_pictures(self.top / 'in', ['a.png', 'b.png', 'closed/c.png'])
        (self.top / 'in' / 'closed').chmod(0)
        told = json.loads(run(self.out, '--in', self.top / 'in', '--json', **SOMEBODY).stdout)
        self.assertEqual((2, {'unreadable': 1}), (told['accepted'], told['rejected']))
        self.assertEqual({'closed/': 'unreadable'}, quarantine(self.out))
        strict = run(self.top / 'strict', '--in', self.top / 'in', '--strict', **SOMEBODY)
        self.assertEqual(3, strict.returncode, strict.stderr)
        self.assertRegex(strict.stderr.decode(), 'closed.*cannot be entered: Permission denied')

    def test_what_the_program_wrote_is_no_input(self):
        make_pictures(self.top / 'in', ['a.png', 'b.png'])
        flags = ['gan-preprocess', '--in', '.', '--out', 'shards', '--preview', 'preview.png', '--size', '32', '--json']
        told = [json.loads(subprocess.run([BIN / flags[0], *flags[1:], *more], cwd=self.top / 'in', check=True,
                                          capture_output=True).stdout) for more in ([], [], ['--append'])]
        self.assertEqual([2, 2, 2], [t['records'] for t in told])
        self.assertEqual([False, True, True], [t['already_complete'] for t in told])
        self.assertGreater(self.left_out(told[1])['written by gan-preprocess'], 3)
        make_pictures(self.top / 'in', ['c.png'], seed=2)
        subprocess.run([BIN / flags[0], *flags[1:], '--append'], cwd=self.top / 'in', check=True, capture_output=True)
        self.assertNotIn('preview.png', names(self.top / 'in' / 'shards'))

    def test_shards_may_lie_among_the_pictures(self):
        make_pictures(self.top / 'in', ['a.png', 'b/b.png'])
        for _ in range(2):
            self.assertEqual(2, self.told('--in', self.top / 'in', out=self.top / 'in')['records'])

    def test_folder_of_an_older_version_is_refused_by_name(self):
        make_pictures(self.top / 'in', ['a.png'])
        self.run_ok('--in', self.top / 'in')
        manifest = json.loads((self.out / 'manifest.json').read_text())
        del manifest['options']['rules']
        (self.out / 'manifest.json').unlink()
        (self.out / '.progress').mkdir()
        (self.out / '.progress' / 'plan.json').write_text(json.dumps(manifest['options']))
        self.assertIn('another version of gan-preprocess', self.run_ok('--in', self.top / 'in', code=2))

    def test_names_show_no_control_characters(self):
        make_pictures(self.top / 'in', ['a.png'])
        (self.top / 'in' / 'b\x1b[2J\x07.txt').write_text('words')
        (self.top / 'in' / 'c\x1b[2J.png').write_text('words')
        self.assertIn(r'(b\x1B[2J\x07.txt)', run(self.out, '--in', self.top / 'in').stdout.decode())
        strict = run(self.top / 'strict', '--in', self.top / 'in', '--strict').stderr.decode()
        self.assertIn(r'c\x1B[2J.png', strict)
        self.assertNotIn('\x1b', strict)
        self.assertEqual({'c\x1b[2J.png': 'not_a_picture'}, quarantine(self.out), 'files have the name itself')

    def test_no_picture_at_all_says_what_there_is(self):
        (self.top / 'in').mkdir()
        for name in ('a.txt', 'b.txt', '.c'):
            (self.top / 'in' / name).write_bytes(b'words')
        self.assertIn('left out: 2 .txt (a.txt, b.txt), 1 hidden (.c)', self.run_ok('--in', self.top / 'in', code=3))


class Formats(Case):
    def test_the_documents_list_the_formats_that_are_read(self):
        (self.top / 'in').mkdir()
        told = self.run_ok('--in', self.top / 'in', code=3)
        read = re.search(r'holds no pictures \((.*?)\)', told)[1].split(', ')
        page = (ROOT / 'docs' / 'preprocess.md').read_text()
        listed = re.findall(r'^\| ([^|]+) \| [^|]+ \| in (?:the|a worker) process \|$', page, re.M)
        self.assertEqual(read, listed)
        self.assertGreater(len(read), 12)

    def test_the_manifest_names_what_decoded_each_format(self):
        make_pictures(self.top / 'in', ['a.png', 'b.jpg', 'c.tif', 'd.bmp'])
        (self.top / 'in' / 'broken.webp').write_bytes(b'RIFF\0\0\0\0WEBP')
        self.run_ok('--in', self.top / 'in', '--images-per-shard', 2)
        libraries = json.loads((self.out / 'manifest.json').read_text())['libraries']
        self.assertEqual({'BMP', 'JPEG', 'PNG', 'TIFF'}, set(libraries), 'no format without a record')
        for format, library in {'PNG': 'libpng', 'JPEG': 'libjpeg-turbo', 'TIFF': 'libtiff'}.items():
            self.assertRegex(libraries[format], rf'^{library} \d+\.\d+\.\d+$')

    def test_formats_without_a_decoder_are_told_by_name(self):
        make_pictures(self.top / 'in', ['a.png'])
        for name, data in {'b.psd': b'8BPS' + bytes(40), 'c': b'FLIF' + bytes(40), 'd.txt': b'v/1\x01' + bytes(40),
                           'e.tga': bytes([0, 0, 2, *bytes(9), 9, 0, 9, 0, 24, 0]) + bytes(300), 'f.ico': b'\0\0\1\0\1\0' + bytes(40)}.items():
            (self.top / 'in' / name).write_bytes(data)
        self.run_ok('--in', self.top / 'in')
        lines = {line['path']: (line['reason'], line['detail'])
                 for line in map(json.loads, (self.out / 'quarantine.jsonl').read_text().splitlines())}
        self.assertEqual({'b.psd': 'Photoshop', 'c': 'FLIF', 'd.txt': 'OpenEXR', 'e.tga': 'TGA', 'f.ico': 'ICO'},
                         {path: detail.removesuffix(' is not read') for path, (_, detail) in lines.items()})
        self.assertEqual({'unsupported'}, {reason for reason, _ in lines.values()})

    def test_a_heic_without_libheif_says_what_to_install(self):
        make_pictures(self.top / 'in', ['a.png'])
        (self.top / 'in' / 'b.heic').write_bytes(b'\0\0\0\x18ftypheic\0\0\0\0mif1heic' + bytes(100))
        self.run_ok('--in', self.top / 'in', env=ENVIRONMENT | {'GAN_LIBHEIF': '/nowhere/libheif.so.1'})
        self.assertEqual({'b.heic': 'unsupported'}, quarantine(self.out))
        self.assertIn('setup/libheif.sh', (self.out / 'quarantine.jsonl').read_text())

    def test_valid_jpegs_of_kinds_that_are_not_read_are_unsupported(self):
        plain = small('JPEG', subsampling=2)
        frame = plain.index(b'\xff\xc0')
        changed = lambda at, *values: plain[:at] + bytes(values) + plain[at + len(values):]
        make_pictures(self.top / 'in', ['a.png'])
        wide = pictures.photo(32, 24).astype('uint16') * 16
        files = {'lossless.jpg': imagecodecs.ljpeg_encode(wide[..., 0], bitspersample=12), 'height_behind.jpg': changed(frame + 5, 0, 0),
                 'fraction.jpg': changed(frame + 11, 0x31, plain[frame + 12], plain[frame + 13], 0x21), 'bits12.jpg': changed(frame + 4, 12),
                 'jpegls.jpg': imagecodecs.jpegls_encode(pictures.photo(32, 24))}
        for name, data in files.items():
            (self.top / 'in' / name).write_bytes(data)
        self.run_ok('--in', self.top / 'in')
        self.assertEqual(dict.fromkeys(files, 'unsupported'), quarantine(self.out))


class Lists(Case):
    def setUp(self):
        super().setUp()
        make_pictures(self.top / 'in', ['a.png', 'b.png'])
        self.paths = [str(self.top / 'in' / name) for name in ('a.png', 'b.png')]

    def test_byte_order_mark_is_no_part_of_the_first_path(self):
        (self.top / 'list.txt').write_bytes(b'\xef\xbb\xbf' + '\r\n'.join(self.paths).encode())
        self.run_ok('--in', self.top / 'list.txt')
        self.assertEqual(self.paths, names(self.out))

    def test_what_is_no_text_is_refused_in_a_sentence(self):
        rng = random.Random(3)
        files = {'noise': (rng.randbytes(1 << 20), 'it is no text'),
                 'late': (b'a.png\n' * 20000 + b'\x01', 'it is no text'), 'zeros': (bytes(9000), 'it is no text'),
                 'list.gz': (b'\x1f\x8b\x08' + rng.randbytes(99), 'gzip-compressed data'),
                 'utf16.txt': (('\ufeff' + self.paths[0]).encode('utf-16-le'), 'UTF-16'),
                 'movie.mp4': (b'\0\0\0\x18ftypmp42' + bytes(99), 'a video'), 'db': (b'SQLite format 3\0' + bytes(99), 'SQLite')}
        for name, (data, words) in files.items():
            for flag in ('--in', '--list'):
                (self.top / name).write_bytes(data)
                text = self.run_ok(flag, self.top / name, code=2, timeout=10)
                self.assertRegex(text, f'{name}: .*{words}.*nor a list of paths')
                self.assertEqual(1, text.count('\n'))
                self.assertFalse(self.out.exists())

    def test_pictures_and_archives_are_known_by_their_content(self):
        shutil.copy(self.paths[0], self.top / 'picture')
        with tarfile.open(self.top / 'tar', 'w') as tar:
            tar.add(self.paths[0], 'a.png')
        with zipfile.ZipFile(self.top / 'zip.data', 'w') as archive:
            archive.write(self.paths[1], 'b.png')
        self.run_ok(*(word for name in ('picture', 'tar', 'zip.data') for word in ('--in', self.top / name)))
        self.assertEqual([str(self.top / 'picture'), 'tar/a.png', 'zip.data/b.png'], names(self.out))


class Archives(Case):
    def setUp(self):
        super().setUp()
        make_pictures(self.top / 'in', ['a.png', 'b/c.png'])
        self.wanted = {'a.png', 'b/c.png'}

    def test_xz_bzip2_and_7z(self):
        for name in ('p.tar.xz', 'p.txz', 'p.tar.bz2', 'p.tbz2'):
            with tarfile.open(self.top / name, 'w:xz' if 'xz' in name else 'w:bz2') as tar:
                tar.add(self.top / 'in', '.')
        write_archive(self.top / 'p.7z', {name: (self.top / 'in' / name).read_bytes() for name in self.wanted})
        for name in ('p.tar.xz', 'p.txz', 'p.tar.bz2', 'p.tbz2', 'p.7z'):
            out = self.top / f'out-{name}'
            self.run_ok('--in', self.top / name, out=out)
            self.assertEqual(self.wanted, set(names(out)), name)

    def test_entries_of_a_7z_that_say_no_type_are_files(self):
        write_archive(self.top / 'p.7z', {name: (self.top / 'in' / name).read_bytes() for name in self.wanted})
        without_file_types(self.top / 'p.7z')
        self.run_ok('--in', self.top / 'p.7z')
        self.assertEqual(self.wanted, set(names(self.out)))

    def test_a_compressed_archive_that_ends_early_is_truncated(self):
        for name in ('p.tar.gz', 'p.tar.xz', 'p.tar.bz2'):
            with tarfile.open(self.top / name, 'w:' + name.split('.')[-1]) as tar:
                tar.add(self.top / 'in', '.')
            (self.top / name).write_bytes((self.top / name).read_bytes()[:-100])
            out = self.top / f'out-{name}'
            run(out, '--in', self.top / name, '--in', self.top / 'in')
            self.assertEqual('truncated', quarantine(out)[name], name)

    def test_hard_links_are_pictures(self):
        data = (self.top / 'in' / 'a.png').read_bytes()
        with tarfile.open(self.top / 'links.tar', 'w') as tar:
            for name in ('1.png', 'plain', '2.png'):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
            for name, target in (('3.png', '1.png'), ('4', './plain'), ('5.png', 'none.png'), ('6.png', '2.png'), ('7.png', '6.png')):
                info = tarfile.TarInfo(name)
                info.type, info.linkname = tarfile.LNKTYPE, target
                tar.addfile(info)
        self.run_ok('--in', self.top / 'links.tar', '--images-per-shard', 2)
        found = records(self.out)
        self.assertEqual(['1.png', 'plain', '2.png', '3.png', '4', '6.png', '7.png'], [r[0] for r in found])
        self.assertEqual(1, len({r[3] for r in found}))
        self.assertEqual({'5.png': 'unsupported'}, quarantine(self.out))


if __name__ == '__main__':
    unittest.main()
