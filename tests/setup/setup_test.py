"""setup/ and quickstart where something is missing: no root, a download that breaks, no wheel. Argument: the repository."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(sys.argv.pop(1)).resolve()
TOOLS = ('bash', 'cat', 'date', 'dirname', 'env', 'grep', 'realpath', 'sed', 'tail', 'tee')


class Setup(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.bin = self.folder / 'bin'
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.place('dpkg-query', 'exit 1')  # nothing is installed
        self.place('sleep', f'echo "slept $1" >> {self.folder}/log')

    def place(self, name, text):
        file = self.bin / name
        file.write_text('#!/bin/bash\n' + text)
        file.chmod(0o755)

    def run_here(self, *command, root=ROOT):
        return subprocess.run([str(word) for word in command], cwd=root, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              env={'PATH': str(self.bin), 'HOME': str(self.folder)}, timeout=60)

    def shell(self, text):
        return self.run_here('bash', '-c', f'set -euo pipefail; source setup/patience.sh; {text}')

    def test_without_root_an_administrator_is_told_everything(self):
        self.place('id', 'echo 1000')
        done = self.run_here('setup/packages.sh')
        self.assertEqual((77, ''), (done.returncode, done.stdout))
        first, update, install = done.stderr.splitlines()
        self.assertRegex(first, 'an administrator must install [0-9]+ packages first')
        self.assertEqual('apt-get update', update.strip())
        for package in ('g++', 'libopenmpi-dev', 'python3-venv'):
            self.assertIn(f' {package} ', install + ' ')
        self.assertTrue(install.strip().startswith('apt-get install -y'))

    def test_quickstart_without_root_ends_with_the_same_and_builds_nothing(self):
        self.place('id', 'echo 1000')
        copy = self.folder / 'copy'
        (copy / 'setup').mkdir(parents=True)
        shutil.copy(ROOT / 'quickstart', copy)
        for name in ('packages.sh', 'patience.sh'):
            shutil.copy(ROOT / 'setup' / name, copy / 'setup')
        done = self.run_here('bash', './quickstart', root=copy)
        self.assertEqual(1, done.returncode)
        self.assertIn('an administrator must install', done.stderr)
        self.assertIn('  apt-get install -y', done.stderr)
        self.assertNotIn('goes on where it stopped', done.stderr)

    def test_quickstart_names_what_is_not_there(self):
        for arguments, words in ((('--wheel', 'no.whl'), 'no.whl is not there'), (('no-folder',), 'no-folder is not there'),
                                 (('--unknown',), 'Usage:'), (('LICENSE',), 'LICENSE is not a folder')):
            done = self.run_here('bash', ROOT / 'quickstart', *arguments)
            self.assertEqual(2, done.returncode, done.stderr)
            self.assertIn(words, done.stderr)

    def test_quickstart_says_how_it_is_used_from_any_folder(self):
        for name, folder in (('./quickstart', ROOT), (f'{ROOT.name}/quickstart', ROOT.parent), (ROOT / 'quickstart', self.folder)):
            done = self.run_here('bash', name, '--help', root=folder)
            self.assertEqual((0, ''), (done.returncode, done.stderr))
            self.assertIn('Usage: ./quickstart', done.stdout)

    def test_packages_show_progress_and_a_broken_download_is_tried_again(self):
        self.place('id', 'echo 0')
        self.place('apt-get', f'''
            echo "$*" >> {self.folder}/calls
            case $* in
              *update*) exit 0 ;;
              *) echo "dlstatus:1:40.5:Retrieving file 1 of 2 (10min left)"
                 [ "$(grep -c install {self.folder}/calls)" -gt 2 ] || exit 100
                 echo "pmstatus:dpkg-exec:50.0:Running dpkg"; echo "pmstatus:x:100.0:Done" ;;
            esac''')
        done = self.run_here('setup/packages.sh', 'pictures')
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(['slept 5', 'slept 20'], (self.folder / 'log').read_text().splitlines())
        for share in (20, 75, 100):
            self.assertRegex(done.stderr, f'packages: {share} %, [0-9]+ min [0-9]+ s left')
        self.assertIn('trying again in 5 s', done.stderr)

    def test_three_failures_are_a_failure(self):
        done = self.shell(f'retry bash -c "echo tried >> {self.folder}/log; exit 3"')
        self.assertEqual(3, done.returncode)
        self.assertEqual(['tried', 'slept 5', 'tried', 'slept 20', 'tried'], (self.folder / 'log').read_text().splitlines())

    def test_progress_of_pip_and_ninja(self):
        done = self.shell(r"printf 'Collecting torch\n   Progress 50 of 200\nProgress 200 of 200\nSaved\n' | of_pip | progress LibTorch")
        for words in ('LibTorch: 25 %', 'LibTorch: 100 %', 'Collecting torch', 'Saved'):
            self.assertIn(words, done.stderr)
        done = self.shell(r"printf '[1/4] a.o\nwarning: b\n[4/4] c\n' | of_ninja | progress build")
        for words in ('build: 25 %', 'build: 100 %', 'warning: b'):
            self.assertIn(words, done.stderr)

    def test_pip_shows_progress_and_what_failed_is_tried_again(self):
        (self.folder / 'environment').mkdir()
        (self.folder / 'environment/bin').symlink_to(self.bin)
        self.place('pip', f'''
            echo "$*" >> {self.folder}/calls
            case $* in
              *pip==*) exit 0 ;;
              *) echo "Progress 1 of 2"; [ "$(grep -c our.whl {self.folder}/calls)" -gt 1 ] || exit 2; echo "Progress 2 of 2" ;;
            esac''')
        done = self.shell(f'retry pip_install {self.folder}/environment wheel our.whl')
        self.assertEqual(0, done.returncode, done.stderr)
        for words in ('wheel: 50 %', 'trying again in 5 s', 'wheel: 100 %'):
            self.assertIn(words, done.stderr)

    def test_a_failed_build_behind_the_progress_is_seen(self):
        self.assertEqual(7, self.shell('{ echo "[1/2] a"; exit 7; } | of_ninja 2>/dev/null | progress build').returncode)

    def test_progress_goes_where_the_caller_wants_it(self):
        done = self.run_here('bash', '-c', f'exec 3>{self.folder}/three; source setup/patience.sh; echo 1 2 | progress x')
        self.assertEqual('', done.stderr)
        self.assertIn('x: 50 %', (self.folder / 'three').read_text())


if __name__ == '__main__':
    unittest.main()
