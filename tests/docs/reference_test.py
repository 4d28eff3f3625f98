"""The API reference: doxygen makes it from the public headers without a warning, and their comments are in it."""
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOXYGEN = os.environ.get('DOXYGEN', 'doxygen')


def make(folder, extra=''):
    config = (ROOT / 'docs/Doxyfile').read_text() + f'\nOUTPUT_DIRECTORY = {folder}\n{extra}\n'
    return subprocess.run([DOXYGEN, '-'], input=config, cwd=ROOT, capture_output=True, text=True)


class Reference(unittest.TestCase):
    def test_has_the_comments_of_the_headers_and_no_warnings(self):
        with tempfile.TemporaryDirectory() as folder:
            done = make(folder)
            self.assertEqual((0, ''), (done.returncode, done.stderr))
            html = pathlib.Path(folder) / 'html'
            self.assertIn('under a temporary name', (html / 'classgan_1_1storage_1_1AtomicFile.html').read_text())
            self.assertIn('Bytes that were already appended'.lower(),
                          (html / 'classgan_1_1storage_1_1AtomicFile.html').read_text().lower())

    def test_a_warning_fails_it(self):
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as headers:
            pathlib.Path(headers, 'bad.h').write_text('/// @param absent no such parameter\nvoid Function(int present);\n')
            self.assertNotEqual(0, make(folder, f'INPUT = {headers}').returncode)


if __name__ == '__main__':
    unittest.main()
