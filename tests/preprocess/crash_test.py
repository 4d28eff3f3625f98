"""A picture that crashes its decoder costs that picture and not the run."""
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

import lmdb
import pillow_heif
import pillow_jxl  # noqa: F401  (registers itself)

from run_folder import ENVIRONMENT, command, digest, make_pictures, names, quarantine, run


pillow_heif.register_heif_opener()


class Crash(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.top = pathlib.Path(temporary.name)
        make_pictures(self.top / 'photos', ['a.jp2', 'b.png', 'c.j2k', 'd.png', 'e.jp2'])

    def preprocess(self, out, number=None, **flags):
        environment = ENVIRONMENT | {'GAN_TEST_FOLDER': str(self.top)}
        if number is not None:
            environment |= {'LD_PRELOAD': os.environ['EQUIPOISE_OPENCV_CRASH'], 'GAN_CRASH_SIGNAL': str(int(number))}
        return run(out, '--in', self.top / 'photos', '--threads', 2, env=environment, timeout=60, **flags)

    def test_pictures_are_read_by_another_process(self):
        self.assertEqual(0, self.preprocess(self.top / 'out').returncode)
        self.assertEqual(5, len(names(self.top / 'out')))

    def test_a_decoder_says_nothing_beside_the_quarantine(self):
        whole = (self.top / 'photos/c.j2k').read_bytes()
        (self.top / 'photos/c.j2k').write_bytes(whole[:len(whole) // 8] + bytes(40))
        done = self.preprocess(self.top / 'out')
        self.assertEqual((0, {'c.j2k': 'corrupt'}), (done.returncode, quarantine(self.top / 'out')))
        self.assertEqual(b'', done.stderr)

    def test_a_crash_is_told_and_the_run_goes_on(self):
        for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGILL):
            out = self.top / f'out-{int(number)}'
            done = self.preprocess(out, number)
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertEqual(['b.png', 'd.png'], names(out))
            self.assertEqual(dict.fromkeys(['a.jp2', 'c.j2k', 'e.jp2'], 'corrupt'), quarantine(out))
            for line in (out / 'quarantine.jsonl').read_text().splitlines():
                self.assertIn(signal.strsignal(number), json.loads(line)['detail'])

    def test_what_somebody_killed_is_not_called_damaged(self):
        wanted = self.top / 'wanted'
        self.assertEqual(0, self.preprocess(wanted).returncode)
        for number in (signal.SIGKILL, signal.SIGTERM):  # by the kernel, by a daemon that keeps memory free
            out = self.top / f'out-{int(number)}'
            done = self.preprocess(out, number)
            self.assertEqual(1, done.returncode, done.stderr)
            self.assertRegex(done.stderr, b'^gan-preprocess: the decoding process was killed 3 times')
            self.assertEqual(0, self.preprocess(out).returncode)
            self.assertEqual(digest(wanted), digest(out))

    def test_no_process_is_left_behind(self):
        self.assertEqual(0, self.preprocess(self.top / 'out').returncode)
        left = [p for p in pathlib.Path('/proc').glob('[0-9]*/cmdline') if self.mine(p)]
        self.assertEqual([], left)

    def test_decoders_do_not_speak_of_damage(self):
        for name in ('a.jp2', 'c.j2k', 'e.jp2'):
            path = self.top / 'photos' / name
            path.write_bytes(path.read_bytes()[:200] + bytes(100))
        done = self.preprocess(self.top / 'out')
        self.assertEqual((0, b''), (done.returncode, done.stderr))
        self.assertEqual(3, len(quarantine(self.top / 'out')))

    def test_a_worker_uses_the_same_libraries_whatever_it_loaded_before(self):
        """libheif brings a libaom of its own, which libavif must not be given."""
        found = []
        for heic in ('a.heic', 'z.heic'):
            folder = self.top / heic[0]
            make_pictures(folder, [heic, 'b.avif', 'c.jp2', 'd.jxl', 'e.tif'])
            self.assertEqual(0, run(folder / 'out', '--in', folder, '--threads', 1).returncode)
            found.append(json.loads((folder / 'out/manifest.json').read_text())['libraries'])
        self.assertIn('HEIC', found[0])
        self.assertEqual(*found)

    def test_decoders_are_loaded_by_workers_and_only_when_needed(self):
        """A run over JPEGs loads nothing new; other formats load what they need, in a worker."""
        plugins = ('libgan_', 'libtiff', 'libavif', 'libjxl', 'libheif', 'libopencv')
        for names_of, wanted in ((['a.jpg', 'b.png', 'c.webp', 'd.gif'], set()), (['a.bmp', 'b.ppm'], set()),
                                 (['a.jpg', 'a.tif'], {'libgan_tiff'}), (['a.avif'], {'libgan_avif'}), (['a.jp2'], {'libgan_opencv'})):
            with self.subTest(names_of), tempfile.TemporaryDirectory() as folder:
                make_pictures(folder, names_of)
                debug = ENVIRONMENT | {'LD_DEBUG': 'files', 'LD_DEBUG_OUTPUT': f'{folder}/.files'}
                main = subprocess.Popen(command(pathlib.Path(folder, 'out'), '--in', folder, '--threads', 1), env=debug, stdout=subprocess.DEVNULL)
                self.assertEqual(0, main.wait(timeout=60))
                loaded = set()
                for log in pathlib.Path(folder).glob('.files.*'):
                    for library in re.findall(r'file=(\S+)', log.read_text(errors='replace')):
                        if pathlib.Path(library).name.startswith(plugins):
                            self.assertNotEqual(f'.files.{main.pid}', log.name, library)
                            loaded.add(pathlib.Path(library).name.split('.')[0])
                self.assertEqual(wanted, {name for name in loaded if name.startswith('libgan_')})
                self.assertEqual(bool(wanted), bool(loaded))

    def test_what_reads_data_sets_is_loaded_only_when_needed(self):
        """The program itself loads ISA-L, for gzip. A process of its own loads liblmdb. Arrow is loaded for Parquet."""
        photo = self.top / 'jpeg'
        make_pictures(photo, ['a.jpg'])
        subprocess.run(['tar', '-C', photo, '-cf', self.top / 'a.tar', 'a.jpg'], check=True)
        subprocess.run(['tar', '-C', photo, '-czf', self.top / 'a.tar.gz', 'a.jpg'], check=True)
        with lmdb.open(str(self.top / 'lmdb'), map_size=1 << 20) as database, database.begin(write=True) as transaction:
            transaction.put(b'1', (photo / 'a.jpg').read_bytes())
        for source, by_program, by_others in ((photo, set(), set()), (self.top / 'a.tar', set(), set()),
                                              (self.top / 'a.tar.gz', {'libgan_gzip', 'libisal'}, set()),
                                              (self.top / 'lmdb', set(), {'libgan_lmdb', 'liblmdb'})):
            with self.subTest(source.name), tempfile.TemporaryDirectory() as folder:
                debug = ENVIRONMENT | {'LD_DEBUG': 'files', 'LD_DEBUG_OUTPUT': f'{folder}/files'}
                program = subprocess.Popen(command(pathlib.Path(folder, 'out'), '--in', source), env=debug, stdout=subprocess.DEVNULL)
                self.assertEqual(0, program.wait(timeout=60))
                loaded = {True: set(), False: set()}
                for log in pathlib.Path(folder).glob('files.*'):
                    for library in re.findall(r'file=(\S+)', log.read_text(errors='replace')):
                        name = pathlib.Path(library).name.split('.')[0]
                        if name.startswith(('libgan_', 'libisal', 'liblmdb', 'libarrow', 'libparquet', 'libmpi')):
                            loaded[log.name == f'files.{program.pid}'].add(name)
                self.assertEqual({True: by_program, False: by_others}, loaded)

    def mine(self, path):
        try:
            environment = (path.parent / 'environ').read_bytes()
            return b'--decode-for-parent' in path.read_bytes() and str(self.top).encode() in environment
        except OSError:
            return False


if __name__ == '__main__':
    unittest.main()
