"""Tests what a run reports: croissant.json, channel statistics, the closing summary, metrics while it runs."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest
import urllib.request

import mlcroissant
import numpy as np

from run_folder import BIN, ENVIRONMENT, command, make_pictures, records, run


class Facts(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.top = pathlib.Path(temporary.name)
        self.photos, self.out = self.top / 'photos', self.top / 'out'
        make_pictures(self.photos, [f'{i}.png' for i in range(9)])

    def test_croissant_is_valid_and_lists_the_rejected(self):
        self.assertEqual(0, run(self.out, '--in', self.photos).returncode)
        clean = mlcroissant.Dataset(jsonld=str(self.out / 'croissant.json'))
        self.assertEqual(['shards', 'manifest', 'record-list', 'quarantine'], [d.id for d in clean.metadata.distribution])
        (self.photos / 'bad.png').write_bytes(b'nothing')
        self.assertEqual(0, run(self.top / 'out2', '--in', self.photos).returncode)
        dataset = mlcroissant.Dataset(jsonld=str(self.top / 'out2' / 'croissant.json'))
        self.assertFalse(dataset.metadata.issues.errors)
        rows = list(dataset.records('rejected'))
        self.assertEqual([(b'bad.png', b'not_a_picture')],
                         [(row['rejected/path'], row['rejected/reason']) for row in rows])
        self.assertIn('9 RGB pictures of 32 x 32 pixels', dataset.metadata.description)

    def test_croissant_iterates_records_with_labels(self):
        make_pictures(self.photos, [f'{kind}/{i}.png' for kind in ('cat', '007') for i in range(46)], seed=1)
        self.assertEqual(0, run(self.out, '--in', self.photos, '--labels', 'folder', '--images-per-shard', 30).returncode)
        dataset = mlcroissant.Dataset(jsonld=str(self.out / 'croissant.json'))
        rows = list(dataset.records('records'))
        wanted = records(self.out)
        self.assertEqual(101, len(rows))
        names = json.loads((self.out / 'manifest.json').read_text())['labels']
        self.assertEqual([(name.encode(), label) for name, label, _, _ in wanted],
                         [(row['records/source'], names[row['records/label']]) for row in rows])
        self.assertIn(b'cat', {row['records/label_name'] for row in rows})
        self.assertEqual([(3, 10)], [(row['records/shard'], row['records/position']) for row in rows[-1:]])

    def test_a_broken_croissant_would_be_noticed(self):
        self.assertEqual(0, run(self.out, '--in', self.photos).returncode)
        broken = json.loads((self.out / 'croissant.json').read_text())
        del broken['distribution'][0]['encodingFormat']
        (self.out / 'croissant.json').write_text(json.dumps(broken))
        with self.assertRaises(mlcroissant.ValidationError):
            mlcroissant.Dataset(jsonld=str(self.out / 'croissant.json'))

    def test_channel_statistics_are_those_of_the_records(self):
        self.assertEqual(0, run(self.out, '--in', self.photos, '--images-per-shard', 2).returncode)
        manifest = json.loads((self.out / 'manifest.json').read_text())
        pixels = np.concatenate([np.frombuffer(r[3], np.uint8).reshape(-1, 3) for r in records(self.out)]).astype(float)
        self.assertTrue(np.allclose(pixels.mean(0), manifest['channel_mean'], rtol=1e-12))
        self.assertTrue(np.allclose(pixels.std(0), manifest['channel_std'], rtol=1e-9))

    def test_summary_as_json(self):
        (self.photos / 'text.png').write_bytes(b'nothing')
        told = [json.loads(run(self.out, '--in', self.photos, '--json').stdout) for _ in range(2)]
        self.assertEqual([False, True], [t['already_complete'] for t in told])
        self.assertEqual((str(self.out), 10, 9, {'not_a_picture': 1}, 9, 0),
                         tuple(told[0][k] for k in ('out', 'inputs', 'accepted', 'rejected', 'records', 'inputs_done_before')))
        self.assertEqual(sum(p.stat().st_size for p in self.photos.iterdir()), told[0]['bytes_read'])
        self.assertGreater(told[0]['seconds'], 0)
        self.assertEqual(9, told[1]['records'])

    def test_summary_names_what_was_accepted_and_why_others_were_not(self):
        for i in range(2):
            (self.photos / f'text{i}.png').write_bytes(b'nothing')
        (self.photos / 'cut.png').write_bytes((self.photos / '0.png').read_bytes()[:-6])
        text = run(self.out, '--in', self.photos).stdout.decode()
        self.assertRegex(text, r'^9 of 12 pictures in \S+, 2 not_a_picture, 1 truncated  \([0-9]+ images/s, [0-9.]+ MB/s, ')
        self.assertIn('quarantine.jsonl', text)

    def test_metrics_are_served_while_it_runs(self):
        (self.photos / 'bad.png').write_bytes(b'nothing')
        make_pictures(self.photos, ['large.jpg'], side=600)
        make_pictures(self.photos, ['small.png'], side=9)
        listed = [self.photos / 'bad.png'] * 3 + [self.photos / 'small.png'] * 2 + [self.photos / 'large.jpg'] * 600
        (self.top / 'list').write_text(''.join(f'{path}\n' for path in listed))
        process = subprocess.Popen(command(self.out, '--list', self.top / 'list', '--threads', 1, '--min-side', 10, '--metrics-port', 0),
                                   env=ENVIRONMENT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        try:
            url = re.search(r'http://\S+', process.stderr.readline()).group()
            text, deadline = '', time.monotonic() + 30
            while not re.search(r'result="accepted".*} [1-9]', text) and time.monotonic() < deadline:
                text = urllib.request.urlopen(url, timeout=5).read().decode()
            running = process.poll() is None
        finally:
            process.communicate(timeout=60)
        self.assertEqual(0, process.returncode)
        self.assertTrue(running, 'the counts were seen while it ran')
        self.assertRegex(text, r'gan_preprocess_images_total\{[^}]*run="out"[^}]*result="not_a_picture"[^}]*\} 3\n')
        self.assertRegex(text, r'gan_preprocess_images_total\{[^}]*result="too_small"[^}]*\} 2\n')
        self.assertNotIn('gan_train_', text)
        subprocess.run([os.environ['PROMTOOL'], 'check', 'metrics'], input=text, text=True, check=True, capture_output=True)

    def test_bad_metrics_flags_are_usage_errors(self):
        for port in ('x', '70000', '-3', ''):
            self.assertEqual(2, run(self.out, '--in', self.photos, f'--metrics-port={port}').returncode, port)
        self.assertFalse((self.out / 'manifest.json').exists())


if __name__ == '__main__':
    unittest.main()
