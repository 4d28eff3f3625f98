"""Tests what --in and --list accept (folders, archives, lists, standard input), and what hostile inputs cannot do."""
import gzip
import io
import os
import pathlib
import random
import shutil
import socket
import subprocess
import tarfile
import unittest
import zipfile

from run_folder import BIN, FolderCase, make_pictures, names, quarantine, records, run

NAMES = ['a/1.png', 'a/2.jpg', 'b/1.png', 'b/c/3.png', 'top.png']


class Case(FolderCase):
    def setUp(self):
        super().setUp()
        make_pictures(self.photos, NAMES)

    def pixels(self, out):
        return {name: pixels for name, _, _, pixels in records(out)}


class Inputs(Case):
    def test_several_folders_in_the_order_given(self):
        make_pictures(self.top / 'more', ['z.png', 'a.png'], seed=1)
        out = self.out('--in', self.top / 'more', '--in', self.photos)
        self.assertEqual(['more/a.png', 'more/z.png', *(f'photos/{name}' for name in NAMES)], names(out))

    def test_lists_by_lines_and_by_nul_and_standard_input_are_the_same(self):
        paths = [str(self.photos / name) for name in reversed(NAMES)]
        (self.top / 'lines.txt').write_text('\n'.join(paths) + '\n')
        (self.top / 'dos.txt').write_text('\r\n'.join(paths))
        (self.top / 'nul').write_text('\0'.join(paths))
        wanted = self.pixels(self.out('--list', self.top / 'lines.txt'))
        self.assertEqual(paths, list(wanted))
        for flags in (['--in', self.top / 'lines.txt'], ['--in', self.top / 'dos.txt'], ['--list', self.top / 'nul']):
            self.assertEqual(wanted, self.pixels(self.out(*flags)))
        self.assertEqual(wanted, self.pixels(self.out('--in', '-', input='\n'.join(paths).encode())))
        self.assertEqual(wanted, self.pixels(self.out('--list', '-', input='\0'.join(paths).encode(), ranks=2)))

    def test_listed_file_that_is_not_there_is_quarantined(self):
        (self.top / 'list').write_text(f'{self.photos}/a/1.png\n{self.top}/nowhere.png\n{self.photos}\n')
        out = self.out('--list', self.top / 'list')
        self.assertEqual(1, len(names(out)))
        self.assertEqual({str(self.top / 'nowhere.png'): 'unreadable', str(self.photos): 'unreadable'}, quarantine(out))

    def test_pipes_devices_and_folders_in_a_list_are_refused_and_not_waited_for(self):
        os.mkfifo(self.top / 'pipe.png')
        os.mkfifo(self.top / 'pipe2.png')
        strange = [f'{self.top}/pipe.png', f'{self.top}/pipe2.png', '/dev/zero', f'{self.top}/photos']
        (self.top / 'list').write_text('\n'.join([*strange, f'{self.photos}/a/1.png']))
        for flags in ([], ['--dedupe', 'exact']):
            out = self.out('--list', self.top / 'list', *flags, timeout=30)
            self.assertEqual(dict.fromkeys(strange, 'unreadable'), quarantine(out))
            self.assertEqual(1, len(names(out)))

    def test_single_picture(self):
        self.assertEqual([str(self.photos / 'top.png')], names(self.out('--in', self.photos / 'top.png')))

    def test_file_that_is_no_list_is_a_usage_error(self):
        (self.top / 'noise').write_bytes(b'x' * 10_000)
        self.out('--in', self.top / 'noise', code=2)
        self.assertIn('nor a list of paths', self.stderr)
        self.out('--in', self.top / 'nowhere', code=2)
        self.out(code=2)

    def test_wrong_options_are_told_before_any_work(self):
        for flags, words in ((['--max-pixels', '-5'], '--max-pixels'), (['--max-pixels', '0'], '--max-pixels'),
                             (['--filter', 'nearest'], 'bilinear'), (['--filter', '0'], 'bilinear'),
                             (['--decode', 'slow'], 'exact'), (['--preview', self.top / 'nowhere' / 'p.png'], 'is no folder'),
                             (['--preview', self.photos], 'is a folder'),
                             (['--background', '4294967296,0,0'], 'from 0 to 255'), (['--background', '1,2,3,4'], 'from 0 to 255'),
                             (['--background', '1,2,3,'], 'from 0 to 255'), (['--crop', 'none-below', '4294967346'], '1 to 100'),
                             (['--list', self.photos], 'is a folder')):
            with self.subTest(flags):
                out = self.out('--in', self.photos, *flags, code=2)
                self.assertIn(words, self.stderr)
                self.assertEqual(1, self.stderr.count('\n'))
                self.assertFalse(out.exists())
        done = subprocess.run([BIN / 'gan-preprocess', '--in', self.photos, '--out', ''], capture_output=True)
        self.assertEqual(2, done.returncode)
        self.assertRegex(done.stderr, rb'^gan-preprocess: --out\b.*\n$')

    def test_shards_cannot_be_written_into_a_file(self):
        (self.top / 'file').touch()
        done = run(self.top / 'file', '--in', self.photos)
        self.assertEqual((2, f'gan-preprocess: --out {self.top}/file: is no folder\n'), (done.returncode, done.stderr.decode()))

    def test_a_listed_socket_is_not_tried_again(self):
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(self.top / 's.png'))
            (self.top / 'list').write_text(f'{self.top}/s.png\n{self.photos}/top.png\n')
            self.assertEqual({str(self.top / 's.png'): 'unreadable'}, quarantine(self.out('--list', self.top / 'list')))

    def test_a_preview_may_lie_beside_shards_whose_folder_is_yet_to_be_made(self):
        made = self.top / 'made'
        done = subprocess.run([BIN / 'gan-preprocess', '--in', self.photos, '--out', made / 'shards', '--preview', made / 'p.png'],
                              capture_output=True)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertTrue((made / 'p.png').exists())

    def test_links_are_followed_and_cycles_end(self):
        (self.photos / 'a' / 'loop').symlink_to(self.photos)
        (self.photos / 'self').symlink_to('self')
        make_pictures(self.top / 'elsewhere', ['far.png'], seed=2)
        (self.photos / 'link').symlink_to(self.top / 'elsewhere')
        self.assertEqual(sorted([*NAMES, 'link/far.png']), names(self.out('--in', self.photos)))

    def test_labels_come_from_folders(self):
        tar = self.top / 'photos.tar'
        subprocess.run(['tar', '-C', self.photos, '-cf', tar, '.'], check=True)
        for source in (self.photos, tar):
            found = {(name, label) for name, label, _, _ in records(self.out('--in', source, '--labels', 'folder'))}
            self.assertEqual({(n, n.split('/')[0] if '/' in n else '') for n in NAMES}, found)
        (self.top / 'list').write_text(''.join(f'{self.photos / name}\n' for name in NAMES))
        labels = [label for _, label, _, _ in records(self.out('--list', self.top / 'list', '--labels', 'folder'))]
        self.assertEqual(['a', 'a', 'b', 'c', 'photos'], labels)


def add(tar, name, data=b'', **facts):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for fact, value in facts.items():
        setattr(info, fact, value)
    tar.addfile(info, io.BytesIO(data))


class Archives(Case):
    def archives(self):
        base = self.top / 'photos'
        for kind, mode in (('.tar', 'w'), ('.tar.gz', 'w:gz'), ('.tgz', 'w:gz')):
            with tarfile.open(str(base) + kind, mode) as tar:
                for name in NAMES:
                    tar.add(self.photos / name, './' + name)
        subprocess.run(['zstd', '-q', str(base) + '.tar', '-o', str(base) + '.tar.zst'], check=True)
        for kind, method in (('.zip', zipfile.ZIP_DEFLATED), ('.stored.zip', zipfile.ZIP_STORED)):
            with zipfile.ZipFile(str(base) + kind, 'w', method) as archive:
                archive.write(self.photos, 'folder/')
                for name in NAMES:
                    archive.write(self.photos / name, name)
        return [pathlib.Path(str(base) + kind) for kind in ('.tar', '.tar.gz', '.tgz', '.tar.zst', '.zip', '.stored.zip')]

    def test_each_kind_gives_what_the_folder_gives(self):
        wanted = self.pixels(self.out('--in', self.photos))
        for archive in self.archives():
            with self.subTest(archive.name):
                for flags in ([], ['--images-per-shard', 2, '--threads', 3]):
                    out = self.out('--in', archive, *flags)
                    self.assertEqual(wanted, self.pixels(out))
                    self.assertEqual(NAMES, names(out))

    def test_links_devices_and_paths_that_leave_are_refused(self):
        png = (self.photos / 'top.png').read_bytes()
        with tarfile.open(self.top / 'evil.tar', 'w') as tar:
            add(tar, '../out.png', png)
            add(tar, '/tmp/absolute.png', png)
            add(tar, 'a/../../b.png', png)
            add(tar, 'link.png', type=tarfile.SYMTYPE, linkname='/etc/passwd')
            add(tar, 'hard.png', type=tarfile.LNKTYPE, linkname='good.png')
            add(tar, 'device.png', type=tarfile.CHRTYPE, devmajor=1, devminor=5)
            add(tar, 'pipe.png', type=tarfile.FIFOTYPE)
            add(tar, 'a..b/good.png', png)
        before = sorted(p.name for p in self.top.iterdir())
        out = self.out('--in', self.top / 'evil.tar')
        self.assertEqual(['a..b/good.png'], names(out))
        self.assertEqual(7, len(quarantine(out)))
        self.assertEqual({'unsupported'}, set(quarantine(out).values()))
        self.assertEqual({*before, out.name}, {p.name for p in self.top.iterdir()}, 'nothing is unpacked')

    def test_archive_that_claims_to_unpack_to_too_much_is_cut_off(self):
        png = (self.photos / 'top.png').read_bytes()
        with zipfile.ZipFile(self.top / 'bomb.zip', 'w', zipfile.ZIP_DEFLATED) as archive:
            archive.writestr('first.png', png)
            archive.writestr('bomb.png', bytes(200_000_000))
            archive.writestr('last.png', png)
        out = self.out('--in', self.top / 'bomb.zip')
        self.assertEqual((['first.png'], {'bomb.zip': 'too_large'}), (names(out), quarantine(out)))

    def test_truncated_archives_keep_what_came_before(self):
        make_pictures(self.photos, [f'n/{i:03}.png' for i in range(40)], seed=3)
        subprocess.run(['tar', '--sort=name', '-C', self.photos, '-czf', self.top / 'cut.tar.gz', 'n'], check=True)
        subprocess.run(['tar', '--sort=name', '-C', self.photos, '-cf', self.top / 'cut.tar', 'n'], check=True)
        for name in ('cut.tar', 'cut.tar.gz'):
            whole = (self.top / name).read_bytes()
            (self.top / name).write_bytes(whole[:len(whole) // 2])
            out = self.out('--in', self.top / name)
            self.assertGreater(len(names(out)), 5, name)
            self.assertEqual('truncated', quarantine(out)[name])
            self.assertEqual({'truncated'}, set(quarantine(out).values()))

    def test_tars_one_behind_the_other(self):
        """GNU tar reads such a file with --ignore-zeros only; nothing says that it has more."""
        parts = []
        for name in NAMES[:3]:
            with tarfile.open(self.top / 'part.tar', 'w') as tar:
                tar.add(self.photos / name, name)
            parts.append((self.top / 'part.tar').read_bytes())
        for file, data in (('all.tar', b''.join(parts)), ('gap.tar', parts[0] + bytes(1 << 16) + parts[1] + parts[2]),
                           ('padded.tar', b''.join(parts) + bytes(700)), ('all.tar.gz', b''.join(map(gzip.compress, parts)))):
            with self.subTest(file):
                (self.top / file).write_bytes(data)
                out = self.out('--in', self.top / file, '--strict')
                self.assertEqual(NAMES[:3], names(out))
        (self.top / 'more.tar').write_bytes(parts[0] + b'no tar' * 200)
        out = self.out('--in', self.top / 'more.tar')
        self.assertEqual((NAMES[:1], {'more.tar': 'corrupt'}), (names(out), quarantine(out)))

    def test_damaged_member_of_a_zip_costs_that_member(self):
        for archive in self.archives():
            if archive.suffix != '.zip':
                continue
            raw = bytearray(archive.read_bytes())
            at = raw.index(b'b/1.png') + 60
            raw[at] ^= 0x40
            (self.top / 'bad.zip').write_bytes(raw)
            outs = [self.out('--in', self.top / 'bad.zip', '--images-per-shard', n) for n in (1, 2, 100)]
            for out in outs:
                self.assertEqual([n for n in NAMES if n != 'b/1.png'], names(out))
                self.assertEqual(['b/1.png'], list(quarantine(out)))

    def test_what_is_no_archive_is_quarantined_and_the_rest_goes_on(self):
        (self.top / 'no.zip').write_bytes(b'this is no archive')
        (self.top / 'empty.tar').write_bytes(b'')
        out = self.out('--in', self.top / 'no.zip', '--in', self.photos)
        self.assertEqual(['no.zip'], list(quarantine(out)))
        self.assertEqual([f'photos/{name}' for name in NAMES], names(out))
        self.out('--in', self.top / 'no.zip', code=3)
        self.out('--in', self.top / 'empty.tar', code=3)

    def test_hostile_bytes_do_not_crash(self):
        rng = random.Random(7)
        archives = [a.read_bytes() for a in self.archives()]
        suffixes = ['.tar', '.tar.gz', '.tgz', '.tar.zst', '.zip', '.stored.zip']
        for turn in range(60):
            raw = bytearray(archives[turn % 6])
            for _ in range(1 + turn % 5):
                raw[rng.randrange(len(raw))] = rng.randrange(256)
            bad = self.top / f'bad{suffixes[turn % 6]}'
            bad.write_bytes(raw[:rng.randrange(1, len(raw))] if turn % 3 == 0 else raw)
            out = self.top / 'hostile'
            shutil.rmtree(out, ignore_errors=True)
            done = run(out, '--in', bad, '--threads', 1)
            self.assertIn(done.returncode, (0, 3), (turn, done.stderr))


if __name__ == '__main__':
    unittest.main()
