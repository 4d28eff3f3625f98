"""The .deb and the .tar.gz that cpack makes, unpacked and used away from the build tree."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from programs import ENVIRONMENT, make_photos

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ['EQUIPOISE_BUILD'])
PROGRAMS = ['gan-generate', 'gan-inspect', 'gan-launch', 'gan-preprocess', 'gan-rank-check', 'gan-train']
# The C and C++ runtime itself.
RUNTIME = {'libc', 'libm', 'libgcc_s', 'libstdc++', 'ld-linux-x86', 'libpthread', 'libdl', 'librt', 'libutil'}


def run(*command, **kwargs):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, **kwargs)
    assert done.returncode == 0, f'{command}\n{done.stdout}{done.stderr}'
    return done.stdout


def dynamic(path, tag):
    return re.findall(rf'\((?:{tag})\).*\[(.*)\]', run('readelf', '-d', path))


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        run('cpack', '--config', BUILD / 'CPackConfig.cmake', '-B', cls.folder / 'made')
        (cls.deb,) = (cls.folder / 'made').glob('*.deb')
        (archive,) = (cls.folder / 'made').glob('*.tar.gz')
        run('tar', 'xzf', archive, '-C', cls.folder)
        (unpacked,) = [path for path in cls.folder.iterdir() if path.name.startswith('equipoise-')]
        cls.tree = unpacked.rename(cls.folder / 'moved')
        make_photos(cls.folder / 'photos')

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def binaries(self):
        return [path for path in self.tree.rglob('*') if path.is_file() and path.read_bytes()[:4] == b'\x7fELF']

    def test_the_archive_works_where_it_was_unpacked(self):
        run('bash', HERE / 'use_the_programs.sh', self.folder / 'photos', self.folder / 'used',
            env=ENVIRONMENT | {'PATH': f'{self.tree / "bin"}:{os.environ["PATH"]}'})

    def test_both_packages_hold_the_same_files(self):
        listed = [line.split(maxsplit=5)[5] for line in run('dpkg-deb', '-c', self.deb).splitlines()]
        self.assertEqual(sorted(str(p.relative_to(self.tree)) for p in self.tree.rglob('*') if p.is_file()),
                         sorted(line.removeprefix('./usr/') for line in listed if not line.endswith('/')))

    def test_every_program_is_there_and_has_a_manual_and_completion(self):
        self.assertEqual(PROGRAMS, sorted(path.name for path in (self.tree / 'bin').iterdir()))
        for program in set(PROGRAMS) - {'gan-rank-check'}:  # which gan-launch alone starts
            page = self.tree / f'share/man/man1/{program}.1'
            self.assertIn('--version', page.read_text().replace('\\-', '-'))
            script = f'source {self.tree}/share/bash-completion/completions/{program}; complete -p {program}'
            self.assertIn(f'complete -o filenames -F _{program.replace("-", "_")} {program}', run('bash', '-c', script))

    def test_completion_knows_flags_and_their_words(self):
        for typed, expected in (('gan-train --resol', '--resolution'), ('gan-train --loss hing', 'hinge'),
                                ('gan-train --balance wa', 'watch'), ('gan-train --injec', '--inject'),
                                ('gan-train --batch 1', ''), ('gan-inspect ser', 'serve'),
                                ('gan-inspect serve --passw', '--password-file'), ('gan-inspect dump --rec', '--record')):
            words = typed.split()
            script = (f'cd /; source {self.tree}/share/bash-completion/completions/{words[0]}; COMP_WORDS=({typed}); '
                      f'COMP_CWORD={len(words) - 1}; _{words[0].replace("-", "_")}; echo "${{COMPREPLY[@]}}"')
            self.assertEqual(expected, run('bash', '-c', script).strip())

    def test_libraries_are_looked_for_in_the_packages_own_tree_alone(self):
        for path in self.binaries():
            for folders in dynamic(path, 'RUNPATH|RPATH'):
                for folder in folders.split(':'):
                    self.assertTrue(folder.startswith('$ORIGIN'), f'{path}: {folder}')
        loaded = run('ldd', self.tree / 'bin/gan-train')
        self.assertNotIn('not found', loaded)
        for library in ('libtorch_cpu.so', 'libc10.so', 'libgomp.so.1'):
            where = re.search(rf'{re.escape(library)} => (\S+)', loaded)[1]
            self.assertTrue(pathlib.Path(where).resolve().is_relative_to(self.tree), where)

    def test_every_library_is_named_with_its_licence(self):
        table = (self.tree / 'share/doc/equipoise/third-party.md').read_text()
        named = {name for row in table.splitlines() if row.startswith('|') for name in re.findall(r'`(lib[^`]*)`', row)}
        for path in self.binaries():
            for library in dynamic(path, 'NEEDED'):
                stem = library.partition('.so')[0]
                stem = re.sub(r'-[0-9.]+$', '', stem)
                self.assertTrue(stem in named or stem in RUNTIME, f'{path.name} needs {library}')
        for notice in ('copyright', 'libtorch/LICENSE', 'libtorch/NOTICE', 'nvidia-cuda/License.txt'):
            self.assertGreater((self.tree / 'share/doc/equipoise' / notice).stat().st_size, 1000)

    def test_the_deb_comes_and_goes_without_a_trace(self):
        root = self.folder / 'root'
        for folder in ('var/lib/dpkg/updates', 'var/lib/dpkg/info', 'var/log'):
            (root / folder).mkdir(parents=True)
        (root / 'var/lib/dpkg/status').touch()
        dpkg = ('dpkg', f'--root={root}', '--force-depends', '--force-script-chrootless', '--force-not-root')

        def present():
            return sorted(str(p) for p in root.rglob('*') if 'var/' not in str(p.relative_to(root)) + '/')

        run(*dpkg, '--install', self.deb)
        self.assertTrue((root / 'usr/bin/gan-train').exists())
        self.assertTrue((root / 'usr/lib/equipoise/libtorch/libtorch_cpu.so').exists())
        run(*dpkg, '--purge', 'equipoise')
        self.assertEqual([], present())

    def test_the_deb_names_what_it_needs(self):
        depends = run('dpkg-deb', '-f', self.deb, 'Depends')
        for package in ('openmpi-bin', 'libopenmpi', 'libtbb12', 'libjpeg62-turbo', 'libopencv-imgcodecs'):
            self.assertIn(package, depends)

    def test_without_libtorch_the_package_is_small(self):
        made = self.folder / 'without'
        run('cpack', '--config', BUILD / 'CPackConfig.cmake', '-D', 'CPACK_COMPONENTS_ALL=programs;development', '-G', 'TGZ',
            '-B', made)
        (archive,) = made.glob('*.tar.gz')
        self.assertLess(archive.stat().st_size, 20e6)
        names = run('tar', 'tzf', archive)
        self.assertNotIn('libtorch_cpu', names)
        # A link to one's own LibTorch is found in its place.
        run('tar', 'xzf', archive, '-C', made)
        (tree,) = [path for path in made.iterdir() if path.is_dir() and path.name.startswith('equipoise-')]
        (tree / 'lib/equipoise/libtorch').symlink_to(self.tree / 'lib/equipoise/libtorch')
        self.assertIn('Equipoise', run(tree / 'bin/gan-train', '--version'))
        shutil.rmtree(made)


if __name__ == '__main__':
    unittest.main()
