"""gan-inspect on everything that it knows, whole and damaged."""
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

from PIL import Image, PngImagePlugin

ROOT = pathlib.Path(__file__).resolve().parents[2]
INSPECT, WRITE_SHARDS, WRITE_CHECKPOINTS = (os.environ[name] for name in ('INSPECT', 'WRITE_SHARDS', 'WRITE_CHECKPOINTS'))


def state_of(folder):
    return {p: (p.stat().st_mtime_ns, p.read_bytes() if p.is_file() else None) for p in folder.rglob('*')}


class Inspect(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.shards = self.folder / 'shards'
        self.shards.mkdir()
        subprocess.run([WRITE_SHARDS, self.shards], check=True)
        self.run_folder = self.folder / 'run'
        self.checkpoints = self.run_folder / 'checkpoints'
        self.checkpoints.mkdir(parents=True)
        subprocess.run([WRITE_CHECKPOINTS, self.checkpoints, '1', '2'], check=True)
        (self.run_folder / 'options.json').write_text('{"seed": 1}')
        (self.run_folder / 'stats.jsonl').write_text('{"step": 1}\n{"step": 2}\n{"st')  # the last line being written
        self.part = self.checkpoints / 'step-00000002' / 'part-00000-of-00001.safetensors'
        self.shard = self.shards / 'shard-00001.gan'

    def inspect(self, *arguments):
        return subprocess.run([INSPECT, *map(str, arguments)], capture_output=True, text=True, timeout=30)

    def assert_damaged(self, path, *words):
        """Exit code 3, one line on stderr, and --json says the same."""
        done = self.inspect(path)
        self.assertEqual(3, done.returncode, done)
        self.assertEqual(1, done.stderr.count('\n'), done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        report = json.loads(self.inspect(path, '--json').stdout)
        self.assertFalse(report['intact'])
        self.assertGreater(report['damage_count'], 0)
        self.assertTrue(done.stdout.endswith('damaged\n'))

    def test_whole_things_are_intact_and_left_as_they_are(self):
        before = state_of(self.folder)
        for path, kind in ((self.shards, 'shard folder'), (self.shard, 'shard'), (self.part, 'safetensors file'),
                           (self.part.parent, 'checkpoint'), (self.checkpoints, 'checkpoints'),
                           (self.run_folder, 'run')):
            done = self.inspect(path)
            self.assertEqual((0, ''), (done.returncode, done.stderr))
            self.assertTrue(done.stdout.endswith('intact\n'))
            report = json.loads(self.inspect(path, '--json').stdout)
            self.assertEqual((kind, True, 0), (report['kind'], report['intact'], report['damage_count']))
        self.assertEqual(before, state_of(self.folder))

    def test_facts_are_told(self):
        report = json.loads(self.inspect(self.shards, '--json').stdout)
        self.assertEqual((6, 2, 8), (report['records'], report['shards'], report['image_size']))
        report = json.loads(self.inspect(self.part.parent, '--json').stdout)
        self.assertEqual((2, 64, 2), (report['step'], report['images'], report['tensors']))
        report = json.loads(self.inspect(self.run_folder, '--json').stdout)
        self.assertEqual({'step': 2}, report['last_stats'])
        self.assertEqual(['step-00000002', 'step-00000001'], [c['name'] for c in report['checkpoints']])

    def test_a_terminal_is_shown_no_control_characters(self):
        xmp = ('<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
               'xmlns:a="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:b="%s"><a:DigitalSourceType>x</a:DigitalSourceType>'
               '<a:AISystemUsed>&#27;]0;title&#7;</a:AISystemUsed><b:seeds>1&#10;rm&#155;</b:seeds></rdf:Description></rdf:RDF>')
        names = re.search(r'kRecipeNamespace = "([^"]+)"', (ROOT / 'picture' / 'mark.h').read_text())[1]
        text = PngImagePlugin.PngInfo()
        text.add_itxt('XML:com.adobe.xmp', xmp % names)
        Image.new('RGB', (8, 8)).save(self.folder / 'x.png', pnginfo=text)
        header = json.dumps({'w\x1b[2J': {'dtype': 'F32', 'shape': [2], 'data_offsets': [0, 4]}}).encode()
        (self.folder / 'x.safetensors').write_bytes(len(header).to_bytes(8, 'little') + header + bytes(4))
        for name, words in (('x.png', (r'\x1B]0;title\x07', r"'1\x0Arm\x9B'")), ('x.safetensors', (r'tensor w\x1B[2J has',))):
            done = self.inspect(self.folder / name)
            for word in words:
                self.assertIn(word, done.stdout)
            self.assertRegex(done.stdout + done.stderr, r'\A[^\x00-\x09\x0b-\x1f\x7f-\x9f]*\Z')
        self.assertEqual('1\nrm\x9b', json.loads(self.inspect(self.folder / 'x.png', '--json').stdout)['recipe']['seeds'])

    def test_random_damage_to_shards_is_always_found(self):
        chance = random.Random(1)
        files = sorted(self.shards.iterdir())
        for i in range(150):
            file = chance.choice(files)
            whole = file.read_bytes()
            at = chance.randrange(len(whole))
            flipped = whole[:at] + bytes([whole[at] ^ (1 << chance.randrange(8))]) + whole[at + 1:]
            file.write_bytes(whole[:at] if i % 3 == 0 else flipped)
            done = self.inspect(self.shards)
            self.assertEqual(3, done.returncode, (file.name, at, done))
            self.assertIn(file.name, done.stderr)
            file.write_bytes(whole)
        self.assertEqual(0, self.inspect(self.shards).returncode)

    def test_record_is_named_with_its_offset_and_all_findings_are_listed(self):
        raw = bytearray(self.shard.read_bytes())
        raw[4096 + 5] ^= 1
        raw[4096 + 192 + 5] ^= 1
        self.shard.write_bytes(raw)
        for path in (self.shard, self.shards):
            self.assert_damaged(path, 'shard-00001.gan at byte 4096', '1 more')
            self.assertIn('at byte 4288: record 1', self.inspect(path).stdout)

    def test_missing_swapped_and_renamed_shards_are_found(self):
        first = self.shards / 'shard-00000.gan'
        saved = first.read_bytes()
        shutil.copy(self.shard, first)
        self.assert_damaged(self.shards, 'shard-00000.gan')
        self.assert_damaged(first, 'shard-00000.gan', 'number')
        first.unlink()
        self.assert_damaged(self.shards, 'shard-00000.gan', 'missing')
        first.write_bytes(saved)
        (self.shards / 'manifest.json').unlink()
        self.assert_damaged(self.shards, 'manifest.json')

    def test_damaged_checkpoints_are_found_wherever_one_looks(self):
        whole = self.part.read_bytes()
        for damaged in (whole[:100], whole[:-1] + b'\xff', b''):
            self.part.write_bytes(damaged)
            for path in (self.part.parent, self.checkpoints, self.run_folder):
                self.assert_damaged(path, self.part.name)
        self.assert_damaged(self.part, 'at byte 0')
        self.part.unlink()
        self.assert_damaged(self.run_folder, self.part.name, 'missing')

    def test_set_aside_checkpoints_are_listed_and_no_damage(self):
        self.part.parent.rename(self.checkpoints / 'step-00000002.damaged')
        report = json.loads(self.inspect(self.run_folder, '--json').stdout)
        self.assertTrue(report['intact'])
        self.assertEqual(['step-00000002.damaged'], report['set_aside'])

    def test_a_run_that_goes_on_meanwhile_is_intact(self):
        """A running job removes old checkpoints and renames temporary files while they are inspected."""
        done, saved = threading.Event(), self.folder / 'saved'
        shutil.copytree(self.checkpoints / 'step-00000001', saved)

        def write():
            for i in itertools.count():
                if done.is_set():
                    return
                file = self.run_folder / f'status.json.tmp-{i % 50}'
                file.write_text('{}')
                file.rename(self.run_folder / 'status.json')

        writer = threading.Thread(target=write)
        writer.start()
        self.addCleanup(writer.join)
        self.addCleanup(done.set)
        for i in range(150):
            old = self.checkpoints / 'step-00000000'
            shutil.copytree(saved, old)
            process = subprocess.Popen([INSPECT, self.run_folder], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            time.sleep(random.uniform(0, 0.012))
            old.rename(self.checkpoints / 'step-00000000.deleted-0')
            _, told = process.communicate(timeout=30)
            self.assertEqual(0, process.returncode, told)
            shutil.rmtree(self.checkpoints / 'step-00000000.deleted-0')

    def test_links_that_lead_nowhere_are_no_files_of_a_run(self):
        for name, target in (('circle', 'circle'), ('absent', 'nothing')):
            (self.run_folder / name).symlink_to(target)
        done = self.inspect(self.run_folder, '--json')
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(['options.json', 'stats.jsonl'], [file['name'] for file in json.loads(done.stdout)['files']])

    def test_a_pipe_in_the_place_of_a_file_is_damage(self):
        (self.shards / 'manifest.json').unlink()
        os.mkfifo(self.shards / 'manifest.json')
        self.assert_damaged(self.shards, 'manifest.json: is not a regular file')

    def test_run_without_options_or_with_broken_ones_is_damaged(self):
        (self.run_folder / 'options.json').write_text('{')
        self.assert_damaged(self.run_folder, 'options.json at byte')
        (self.run_folder / 'options.json').unlink()
        self.assert_damaged(self.run_folder, 'options.json', 'missing')

    def test_dump_draws_the_pictures(self):
        out = self.folder / 'out.png'
        self.assertEqual(0, self.inspect(self.shards, '--dump', 5, '--out', out).returncode)
        with Image.open(out) as image:
            self.assertEqual((5 * 10 + 2, 12), image.size)
            self.assertEqual((0, 1, 2), image.getpixel((2, 2)))
            self.assertEqual((50, 51, 52), image.getpixel((12, 2)))

    def test_list_names_every_record_and_its_source(self):
        lines = self.inspect(self.shards, '--list').stdout.splitlines()
        rows = [dict(zip(lines[0].split('\t'), line.split('\t'))) for line in lines[1:]]
        objects = [json.loads(line) for line in self.inspect(self.shards, '--list', '--json').stdout.splitlines()]
        self.assertEqual([str(o['source']) for o in objects], [r['source'] for r in rows])
        self.assertEqual(list(range(len(rows))), [int(r['record']) for r in rows])
        self.assertEqual({'0', '1'}, {r['shard'] for r in rows})
        self.assertEqual(3, self.records(self.shard))
        self.assertEqual(len(rows), self.records(self.shards))

    def records(self, path):
        return json.loads(self.inspect(path, '--json').stdout)['records']

    def test_one_record_is_written_as_it_is(self):
        out = self.folder / 'one.png'
        for number in range(self.records(self.shards)):
            self.assertEqual(0, self.inspect(self.shards, '--record', number, '--out', out).returncode)
            shard, record = divmod(number, self.records(self.shard))
            raw = (self.shards / f'shard-{shard:05}.gan').read_bytes()
            with Image.open(out) as image:
                bytes_each = 3 * image.width * image.height
                self.assertEqual(raw[4096 + record * bytes_each:][:bytes_each], image.tobytes())
            out.unlink()
        done = self.inspect(self.shards, '--record', self.records(self.shards), '--out', out)
        self.assertEqual(2, done.returncode)
        self.assertIn('numbered from 0', done.stderr)
        self.assertFalse(out.exists())

    def test_list_of_what_is_damaged_or_has_no_records(self):
        self.assertEqual(2, self.inspect(self.part.parent, '--list').returncode)
        self.assertEqual(2, self.inspect(self.shards, '--record', 0).returncode)
        self.shard.write_bytes(self.shard.read_bytes()[:-1])
        done = self.inspect(self.shards, '--list')
        self.assertEqual(3, done.returncode)
        self.assertTrue(done.stdout.endswith('damaged\n'))

    def test_dump_of_what_has_no_pictures_is_a_usage_error(self):
        out = self.folder / 'out.png'
        for arguments in ((self.part.parent, '--dump', 1, '--out', out), (self.shards, '--dump', 1),
                          (self.shards, '--out', out), (self.shards, '--dump', 0, '--out', out)):
            self.assertEqual(2, self.inspect(*arguments).returncode, arguments)
        self.assertFalse(out.exists())

    def test_dump_of_damaged_pictures_writes_nothing(self):
        raw = bytearray(self.shard.read_bytes())
        raw[4096] ^= 1
        self.shard.write_bytes(raw)
        out = self.folder / 'out.png'
        self.assertEqual(3, self.inspect(self.shard, '--dump', 1, '--out', out).returncode)
        self.assertFalse(out.exists())

    def test_commands_do_what_the_old_flags_do(self):
        """gan-inspect had flags before it had commands. Both give the same bytes and exit codes."""
        for path in (self.shards, self.shard, self.part, self.part.parent, self.checkpoints, self.run_folder):
            for flags in ((), ('--json',)):
                self.assert_same((path, *flags), ('verify', path, *flags))
        for flags in ((), ('--json',)):
            self.assert_same((self.shards, '--list', *flags), ('list', self.shards, *flags))
        for old, new in ((('--dump', 5), ('--count', 5)), (('--record', 2), ('--record', 2))):
            first, second = self.folder / 'first.png', self.folder / 'second.png'
            self.assertEqual(0, self.inspect(self.shards, *old, '--out', first).returncode)
            done = self.inspect('dump', self.shards, second, *new)
            self.assertEqual((0, f'wrote {second}\n'), (done.returncode, done.stdout))
            self.assertEqual(first.read_bytes(), second.read_bytes())
        for ending, kind in (('png', 'plot'), ('html', 'report')):
            first, second = self.folder / f'first.{ending}', self.folder / f'second.{ending}'
            self.write_stats()
            self.assertEqual(0, self.inspect(f'--{kind}', self.run_folder, first).returncode)
            self.assertEqual(0, self.inspect(kind, self.run_folder, second).returncode)
            now = re.compile(rb'1\d{9}\.\d+')  # the page says when it was made
            self.assertEqual(now.sub(b'', first.read_bytes()), now.sub(b'', second.read_bytes()))

    def assert_same(self, old, new):
        before, now = self.inspect(*old), self.inspect(*new)
        self.assertEqual((before.returncode, before.stdout, before.stderr), (now.returncode, now.stdout, now.stderr), new)
        self.assertTrue(now.stdout)

    def write_stats(self):
        (self.run_folder / 'stats.jsonl').write_text(''.join(f'{{"step": {i}, "loss_d": 1.0, "loss_g": 2.0}}\n' for i in range(1, 9)))

    def test_commands_of_damaged_things_end_with_3(self):
        raw = bytearray(self.shard.read_bytes())
        raw[4096] ^= 1
        self.shard.write_bytes(raw)
        out = self.folder / 'out.png'
        for command in (('verify', self.shards), ('list', self.shards), ('dump', self.shard, out),
                        ('dump', self.shard, out, '--record', 0)):
            done = self.inspect(*command)
            self.assertEqual(3, done.returncode, command)
            self.assertIn('shard-00001.gan', done.stderr)
        self.assertFalse(out.exists())

    def test_commands_refuse_what_they_cannot_do(self):
        out = self.folder / 'out'
        for command, words in ((('dump', self.run_folder, out), 'contains no images'),
                               (('list', self.part.parent), 'contains no images'),
                               (('plot', self.shards, out), 'is not a run folder'),
                               (('report', self.shards, out), 'is not a run folder'),
                               (('serve', self.shards), 'is not a run folder'),
                               (('dump', self.shards), 'OUT is required'),
                               (('plot', self.run_folder), 'OUT is required'),
                               (('verify',), 'PATH is required'),
                               (('dump', self.shards, out, '--count', 1, '--record', 0), '--count excludes --record'),
                               (('dump', self.shards, out, '--count', 0), '--count'),
                               (('dump', self.shards, out, '--record', 1000), 'numbered from 0'),
                               (('dump', self.shards, out / 'missing' / 'a.png'), 'is no folder'),
                               (('plot', self.run_folder, out / 'missing' / 'a.png'), 'is no folder'),
                               (('report', self.run_folder, out / 'missing' / 'a.html'), 'is no folder'),
                               (('dump', self.shards, self.folder), 'is a folder'),
                               (('serve', self.run_folder, '--port', 70000), '--port'),
                               (('verify', self.shards, '--list'), '--list'),
                               (('verify', ''), 'PATH: needs a value')):
            done = self.inspect(*command)
            self.assertEqual(2, done.returncode, (command, done.stderr))
            self.assertIn(words, done.stderr)
            self.assertTrue(done.stderr.startswith(f'gan-inspect {command[0]}: '), done.stderr)
        self.assertFalse(out.exists())
        self.assertEqual(3, self.inspect('verify', self.folder / 'none').returncode)

    def test_a_path_that_is_called_like_a_command_is_still_a_path(self):
        self.shards.rename(self.folder / 'list')
        done = subprocess.run([INSPECT, 'list'], cwd=self.folder, capture_output=True, text=True, timeout=30)
        self.assertEqual((0, ''), (done.returncode, done.stderr))
        self.assertTrue(done.stdout.endswith('intact\n'))
        done = subprocess.run([INSPECT, 'list', 'list'], cwd=self.folder, capture_output=True, text=True, timeout=30)
        self.assertEqual((0, 'record'), (done.returncode, done.stdout.split('\t')[0]))

    def test_help_names_the_commands_and_none_of_the_old_flags(self):
        commands = {'verify', 'list', 'dump', 'plot', 'report', 'serve'}
        for flag in ('--help', '--help-all'):
            text = self.inspect(flag).stdout
            shown = text.split('\nCommands:\n')[1].split('gan-inspect COMMAND')[0]
            self.assertEqual(commands, {line.split()[0] for line in shown.splitlines()})
            flags = re.findall(r'^  (?:-h, )?(--[\w-]+)', text, re.M)
            self.assertFalse({'--serve', '--plot', '--report', '--dump', '--list', '--out'} & set(flags), flag)
        self.assertIn('--password-file', text)  # --help-all: the flags of every command
        for command in commands:
            done = self.inspect(command, '--help')
            self.assertEqual(0, done.returncode)
            self.assertIn(f'Usage: gan-inspect {command} ', done.stdout)

    def test_the_page_is_served_by_the_command(self):
        process = subprocess.Popen([INSPECT, 'serve', self.run_folder, '--port', '0'], stdout=subprocess.PIPE, text=True)
        try:
            url = process.stdout.readline().split()[0]
            self.assertIn(b'<html', urllib.request.urlopen(url, timeout=10).read())
        finally:
            process.send_signal(signal.SIGTERM)
        self.assertEqual(0, process.wait(10))
        process.stdout.close()

    def test_a_page_that_others_can_reach_is_warned_of(self):
        process = subprocess.Popen([INSPECT, 'serve', self.run_folder, '--port', '0', '--address', '0.0.0.0'],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=10)[1]
        self.assertRegex(said, r'^gan-inspect: warning: everybody who can reach \S+ can see this run; --password-file requires')

    def test_what_is_not_there_or_not_ours(self):
        empty = self.folder / 'empty'
        empty.mkdir()
        for path in (self.folder / 'none', empty, '/dev/null'):
            done = self.inspect(path)
            self.assertEqual((3, 1), (done.returncode, done.stderr.count('\n')), done)
        self.assertEqual(2, self.inspect().returncode)


if __name__ == '__main__':
    unittest.main()
