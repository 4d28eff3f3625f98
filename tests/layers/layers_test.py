"""Every include line goes in a direction that the table of docs/architecture.md allows, no source is too long, and no test
case is left out of ctest. Argument: repository root."""
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(sys.argv.pop())
ROW = re.compile(r'^\| (\S+) \| (.*)\|$', re.M)
INCLUDE = re.compile(r'^#include ([<"])([^">]+)[">]', re.M)
WITH_TORCH = {'trainer', 'trainer/distributed', 'trainer/loss', 'trainer/model', 'trainer/quality', 'trainer/run', 'trainer/step'}


def table():
    rows = ROW.findall((ROOT / 'docs/architecture.md').read_text())
    return {layer: {used.strip() for used in uses.split(',') if used.strip()} for layer, uses in rows if layer != 'layer'}


def layer_of(path, layers):
    """The longest layer that holds the file; None for a folder without a row."""
    folder = path.rsplit('/', 1)[0]
    return folder if folder in layers else None


def sources():
    tops = sorted({layer.split('/')[0] for layer in table()})
    return [p for top in tops for pattern in ('*.h', '*.cpp') for p in sorted((ROOT / top).rglob(pattern))]


def complaints(files, layers):
    """`files`: {path from the root: text}."""
    found = []
    for path, text in files.items():
        layer = layer_of(path, layers)
        if layer is None:
            found.append(f'{path}: its folder has no row in docs/architecture.md')
            continue
        for mark, included in INCLUDE.findall(text):
            if mark == '<':
                if included == 'torch/torch.h':
                    found.append(f'{path} includes all of LibTorch; narrower headers compile faster')
                elif layer not in WITH_TORCH and re.match(r'(torch|ATen|c10)/', included):
                    found.append(f'{path} includes {included}; {layer} does without LibTorch')
                continue
            used = layer_of(included, layers)
            if used is None:
                found.append(f'{path} includes "{included}", which does not start at the root of a layer')
            elif used != layer and used not in layers[layer]:
                found.append(f'{path} includes "{included}"; {layer} may not use {used}')
    return found


class Layers(unittest.TestCase):
    def test_every_include_line_is_allowed(self):
        files = {str(p.relative_to(ROOT)): p.read_text() for p in sources()}
        self.assertGreater(len(files), 100)
        self.assertEqual([], complaints(files, table()))

    def test_no_source_has_300_lines(self):
        """CONTRIBUTING.md promises this limit."""
        self.assertEqual([], [str(p) for p in sources() if len(p.read_text().splitlines()) >= 300])

    def test_the_table_has_no_cycle(self):
        left = table()
        while left:
            free = [layer for layer, uses in left.items() if not uses & set(left)]
            self.assertTrue(free, f'a cycle among {sorted(left)}')
            left = {layer: uses for layer, uses in left.items() if layer not in free}

    def test_the_umask_decides_about_modes(self):
        """docs/security.md promises it: files are made with 0666 and folders with 0777."""
        modes = {(str(p.relative_to(ROOT)), m) for p in sources() for m in re.findall(r'[ (,](0[0-7]{3})[),;]', p.read_text())}
        own = {('launcher/gan_rank_check.cpp', '0600'),  # a token that is read once by the other ranks of the same user
               ('storage/rank_board.cpp', '0600')}  # in /dev/shm, read by the ranks of the same user
        self.assertEqual(own, {(p, m) for p, m in modes if m not in ('0666', '0777')})
        self.assertGreater(len(modes), 5)

    def test_no_message_leaves_the_number_open(self):
        """storage/counted.h distinguishes "1 rank" from "2 ranks"."""
        open_ones = re.compile(r'"[^"\n]*\w\(e?s\)[^"\n]*"')
        self.assertTrue(open_ones.search('" rank(s) with "'))
        self.assertEqual([], [(str(p.relative_to(ROOT)), m) for p in sources() for m in open_ones.findall(p.read_text())])

    def test_every_test_case_is_run(self):
        """Where a CMakeLists.txt names classes of a script, ctest runs these alone: a class that it forgets never runs."""
        named_somewhere = 0
        for script in sorted((ROOT / 'tests').rglob('*_test.py')):
            cmake = script.parent / 'CMakeLists.txt'
            classes = re.findall(r'^class (\w+)\(.*\):\n(?:(?: .*)?\n)*?    def test_', script.read_text(), re.M)
            named = {name for name in classes if cmake.exists() and re.search(rf'\b{name}\b', cmake.read_text())}
            if named:
                self.assertEqual([], [name for name in classes if name not in named], script)
                named_somewhere += len(named)
        self.assertGreater(named_somewhere, 50)

    def test_a_forbidden_include_is_noticed(self):
        for path, line in (('storage/a.cpp', '#include "shard/b.h"'), ('shard/a.h', '#include "trainer/run/b.h"'),
                           ('trainer/data/a.h', '#include <torch/nn.h>'), ('trainer/run/a.cpp', '#include <torch/torch.h>'),
                           ('new/a.h', ''), ('shard/a.cpp', '#include "b.h"')):
            self.assertEqual(1, len(complaints({path: line}, table())), path)


if __name__ == '__main__':
    unittest.main()
