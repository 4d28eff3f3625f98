"""Runs every fenced command of README.md and docs/, in a folder of its own for each page, and follows every link.

A block marked `sh` is run line by line and must end with 0; a block marked `python` is run as a whole. Training is shortened:
a wrapper in front of gan-train ends each command with a few steps of a tiny network. Commands that cannot run here are
listed in NOT_RUN with the reason; an entry that no document has any more is an error too.
"""
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'end_to_end'))
from programs import BIN, ENVIRONMENT, make_photos  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').rglob('*.md'))]

BUILDS = 'installs packages and builds: tests/fresh_machine and the continuous integration run it on a bare machine'
CLUSTER = 'needs a cluster; the same flags run under mpirun in tests/end_to_end'
SERVES = 'serves until it is interrupted; tests/end_to_end and tests/monitoring do it'
DOCKER = 'needs a Docker daemon; tests/monitoring runs the same configuration without it'
PACKAGES = 'tests/install and tests/packages run the same in a folder of their own'
WHEEL = 'takes minutes and the network: tests/wheel/check and tests/wheel/bare_debian do it before a release'
CONVERT = 'needs weights of another script; tests/python makes some and runs the same'
NOT_RUN = {
    'cmake --install build/release': PACKAGES,
    'cmake --build build/release --target package': PACKAGES,
    'cpack --config build/release/CPackConfig.cmake': PACKAGES,
    'pip install': WHEEL,
    'setup/wheel.sh': WHEEL,
    'python -m equipoise.convert': CONVERT,
    'gan-generate --checkpoint netG.safetensors': CONVERT,
    './quickstart': BUILDS,
    './check': BUILDS,
    'mpirun --hostfile': CLUSTER,
    'srun ': CLUSTER,
    'gan-launch -np 16 --hostfile': CLUSTER,
    'curl http://127.0.0.1:9400/metrics': SERVES,
    'gan-inspect serve': SERVES,
    'sbatch ': CLUSTER,
    'kubectl ': CLUSTER,
    'cluster/kubernetes/configmaps.py |': CLUSTER,
    'docker ': DOCKER,
}
# Blocks that are no commands: output, layouts, bytes.
NOT_CODE = {'', 'text', 'json', 'toml', 'hex', 'promql', 'yaml', 'cpp', 'cmake', 'jsonl', 'ini'}
PROGRAMS = ('gan-', 'mpirun', 'srun', 'cmake', 'ctest', 'curl', 'docker', 'sbatch', 'kubectl', 'cluster/', './')
LAYERS = ('storage', 'open_mpi', 'picture', 'shard', 'cli', 'monitoring', 'checkpoint', 'preprocess', 'generate', 'inspect', 'launcher',
          'trainer')
SHORTER = ['--features', '2', '--batch', '2', '--global-batch', '0', '--resolution', '64', '--sample-every', '0',
           '--quality-every', '0', '--threads', '1', '--metrics-port', 'off']


class Block:
    def __init__(self, page, line, language, text):
        self.page, self.line, self.language, self.text = page, line, language, text
        self.where = f'{page.relative_to(ROOT)}:{line}'

    def commands(self):
        """Lines without comments, continued ones joined."""
        text = re.sub(r'\\\n\s*', ' ', self.text)
        return [line for line in (re.sub(r'(^|\s+)#.*', '', line).rstrip() for line in text.splitlines()) if line]


def blocks(page):
    found, opened = [], None
    for number, line in enumerate(page.read_text().splitlines(), 1):
        fence = re.match(r'\s*```(\S*)', line)
        if fence and opened is None:
            opened = (number, fence[1], [])
        elif fence:
            found.append(Block(page, opened[0], opened[1], '\n'.join(opened[2]) + '\n'))
            opened = None
        elif opened is not None:
            opened[2].append(line)
    assert opened is None, f'{page}: a block is not closed'
    return found


def reason_not_to_run(command):
    return next((start for start in NOT_RUN if command.startswith(start)), None)


# The real program with the flags of the document, then few steps of a small network; flags given last count.
WRAPPER = f'''#!{sys.executable}
import os, sys
args, kept, skip = sys.argv[1:], [], False
for arg in args:
    if skip:
        skip = False
    elif arg in ('--epochs', '--images', '--steps', '--time'):
        skip = True
    else:
        kept.append(arg)
os.execv({str(BIN / "gan-train")!r}, ['gan-train', *kept, *{SHORTER!r}, '--steps', '3'])
'''


class Commands(unittest.TestCase):
    def sandbox(self, page, folder):
        make_photos(folder / 'photos', count=24)
        for i, kind in enumerate('ab'):
            make_photos(folder / 'kinds' / kind, count=12, seed=i)
        wrappers = folder / 'wrappers'
        wrappers.mkdir()
        (wrappers / 'gan-train').write_text(WRAPPER)
        (wrappers / 'gan-train').chmod(stat.S_IRWXU)
        for program in ('gan-launch', 'gan-rank-check'):  # they start the gan-train beside them
            shutil.copy(BIN / program, wrappers)
        shutil.copytree(ROOT / 'monitoring', folder / 'monitoring')
        environment = dict(ENVIRONMENT, PATH=f'{wrappers}:{BIN}:{ENVIRONMENT["PATH"]}', HOME=str(folder),
                           PYTHONPATH=str(ROOT / 'python'),
                           OMPI_MCA_btl='^tcp',
                           # More ranks than cores, and no binding: for Open MPI 4 and for 5.
                           OMPI_MCA_rmaps_base_oversubscribe='1', OMPI_MCA_hwloc_base_binding_policy='none',
                           PRTE_MCA_rmaps_default_mapping_policy=':oversubscribe',
                           PRTE_MCA_hwloc_default_binding_policy='none')
        # The files that a page expects, unless its own commands make them.
        text = page.read_text()
        for used, made, command in (('shards|runs/first', '--out shards/', 'gan-preprocess --in photos/ --out shards/'),
                                    ('runs/first', '--run runs/first', 'gan-train --shards shards/ --run runs/first')):
            if re.search(used, text) and made not in text:
                self.run_command(command, folder, environment, 'the sandbox')
        return environment

    def run_command(self, command, folder, environment, where):
        done = subprocess.run(['bash', '-ec', command], cwd=folder, env=environment, capture_output=True, text=True,
                              timeout=300)
        self.assertEqual(0, done.returncode, f'{where}: {command}\n{done.stdout}{done.stderr}')

    def test_every_fenced_command_runs(self):
        used = set()
        for page in PAGES:
            mine = [block for block in blocks(page) if block.language in ('sh', 'python')]
            if not mine:
                continue
            with self.subTest(page.name), tempfile.TemporaryDirectory() as temporary:
                folder = pathlib.Path(temporary)
                environment = self.sandbox(page, folder)
                for block in mine:
                    if block.language == 'python':
                        (folder / 'block.py').write_text(block.text)
                        self.run_command(f'{ROOT}/.deps/python block.py', folder, environment, block.where)
                        continue
                    for command in block.commands():
                        start = reason_not_to_run(command)
                        if start:
                            used.add(start)
                        else:
                            self.run_command(command, folder, environment, block.where)
        self.assertEqual(set(NOT_RUN), used, 'entries of NOT_RUN that no document has')

    def test_no_command_hides_in_an_unmarked_block(self):
        for page in PAGES:
            for block in blocks(page):
                if block.language in ('sh', 'python'):
                    continue
                self.assertIn(block.language, NOT_CODE, block.where)
                for line in block.text.splitlines():
                    self.assertFalse(line.startswith(PROGRAMS), f'{block.where}: mark it sh, or put it in NOT_RUN: {line}')


def anchors(page):
    """GitHub's anchors of the headings."""
    headings = re.findall(r'^#+ (.*)$', re.sub(r'```.*?```', '', page.read_text(), flags=re.S), re.M)
    return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-') for heading in headings}


class Links(unittest.TestCase):
    def test_every_link_leads_to_a_file_and_a_heading_of_the_repository(self):
        pages = [*PAGES, ROOT / 'CONTRIBUTING.md', ROOT / 'CHANGELOG.md', ROOT / 'cluster/README.md']
        seen = 0
        for page in pages:
            text = re.sub(r'```.*?```', '', page.read_text(), flags=re.S)
            for target in re.findall(r'\[[^\]]*\]\(([^)\s]+)\)', text):
                if re.match(r'https?:|mailto:', target):
                    continue
                seen += 1
                path, _, anchor = target.partition('#')
                file = (page.parent / path).resolve() if path else page
                self.assertTrue(file.exists(), f'{page.relative_to(ROOT)}: {target}')
                if anchor and file.suffix == '.md':
                    self.assertIn(anchor, anchors(file), f'{page.relative_to(ROOT)}: {target}')
        self.assertGreater(seen, 5)

    def test_every_page_is_reached_from_the_readme(self):
        reached, todo = set(), [ROOT / 'README.md']
        while todo:
            page = todo.pop()
            if page in reached or page.suffix != '.md' or not page.is_file():
                continue
            reached.add(page)
            todo += [(page.parent / target.partition('#')[0]).resolve()
                     for target in re.findall(r'\]\(([^)\s:]+)\)', page.read_text())]
        missing = [str(page.relative_to(ROOT)) for page in PAGES if page not in reached and 'decisions' not in page.parts]
        self.assertEqual([], missing)


class Troubleshooting(unittest.TestCase):
    """A message in the first column is one that a program can print."""

    # The parts that a program fills in: words in capitals, numbers, and places that the page leaves out.
    FILLED_IN = re.compile(r'\b[A-Z]\b|…|\(A then, B now\)|\b\d+\b|\(s\)')

    def test_every_message_is_one_of_ours(self):
        sources = ''.join(path.read_text() for folder in LAYERS for path in sorted((ROOT / folder).rglob('*.cpp')))
        sources = re.sub(r'"\s*\n\s*"', '', sources)  # literals that go over several lines
        rows = re.findall(r'^\| `([^`]+)`', (ROOT / 'docs/troubleshooting.md').read_text(), re.M)
        self.assertGreater(len(rows), 10)
        for message in rows:
            for part in self.FILLED_IN.split(message):
                self.assertTrue(part.strip(" :") in sources, message)


if __name__ == '__main__':
    unittest.main()
