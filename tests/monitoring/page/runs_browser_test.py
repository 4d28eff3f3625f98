"""The page of a folder of runs in a real browser: 300 runs of 10,000 steps, what it shows, its speed and its memory.

EQUIPOISE_RUNS=50 python runs_browser_test.py    fewer runs (default 300)"""
import concurrent.futures
import json
import os
import pathlib
import random
import subprocess
import tempfile
import time
import unittest
import urllib.request

from browser import Browser
from browser_test import HOSTILE, INSPECT, SHOTS, Server, png, step_line

RUNS = int(os.environ.get('EQUIPOISE_RUNS', 300))
STEPS = 10_000
KINDS = 6  # different logs; each is linked into many runs, so that a test needs little disk but reads as much


def log_of(kind):
    rng = random.Random(kind)
    lines = []
    for step in range(1, STEPS + 1):
        line = step_line(step, STEPS, rng)
        if step % 500 == 0:
            line['quality_swd'] = 0.2 / (1 + kind) + 0.1 * abs(step - 7000) / STEPS
            line['quality_coverage'] = 0.1 * kind + step / STEPS / 4
        lines.append(json.dumps(line) + '\n')
    return ''.join(lines)


def make_runs(root, logs):
    now = time.time()
    for i in range(RUNS):
        run = root / f'{i:05d}'
        run.mkdir()
        state = 'running' if i % 10 == 0 else 'diverged' if i % 17 == 0 else 'finished'
        (run / 'options.json').write_text(json.dumps({'build': 'test', 'options': {
            'batch': 16, 'lr_d': 1e-4 * (1 + i % 3), 'seed': i % 5, 'loss': ('bce', 'hinge')[i % 2], 'run': str(run), 'world_size': 2}}))
        (run / 'status.json').write_text(json.dumps(
            {'state': state, 'step': STEPS, 'images': 32 * STEPS, 'unix_seconds': now - i, 'fraction_done': 1.0, 'seconds_left': 60, 'ranks': []}))
        if i % 23 == 5:
            (run / 'launch.json').write_text(json.dumps({'state': 'failed', 'why': 'rank 1 was killed', 'unix_seconds': now}))
        for part in (0, 2500, STEPS):
            (run / f'fakes-{part:08d}.png').write_bytes(png((part // 50, 20 * (i % 12), 160)))
        os.link(logs / str(i % KINDS), run / 'stats.jsonl')
    return root


def resident_megabytes(pid):
    status = pathlib.Path(f'/proc/{pid}/status').read_text()
    return int(status.split('VmHWM:')[1].split()[0]) / 1000


class RunsPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        logs = cls.folder / 'logs'
        logs.mkdir()
        for kind in range(KINDS):
            (logs / str(kind)).write_text(log_of(kind))
        (cls.folder / 'runs').mkdir()
        cls.runs = make_runs(cls.folder / 'runs', logs)
        cls.browser = cls.enterClassContext(Browser())
        SHOTS.mkdir(parents=True, exist_ok=True)
        cls.server = cls.enterClassContext(Server(cls.runs))

    def open(self, url, **kwargs):
        tab = self.browser.tab(**kwargs)
        tab.open(url)
        return tab

    def read(self, tab):
        tab.wait_for("document.getElementById('notice').hidden && performance.getEntriesByName('equipoise-curves').length", 60)
        return tab

    def text(self, tab, selector):
        return tab.run(f"document.querySelector({json.dumps(selector)}).textContent")

    def test_first_paint_while_the_logs_are_still_unread(self):
        with Server(self.runs) as server:
            tab = self.open(server.url)
            tab.wait_for("performance.getEntriesByName('first-contentful-paint').length")
            first = tab.run("[performance.getEntriesByName('first-contentful-paint')[0].startTime, performance.getEntriesByName('equipoise-shown')[0].startTime]")
            self.assertEqual(RUNS, tab.run("document.querySelectorAll('#runs tbody tr').length"))
            start = time.monotonic()
            self.read(tab)
            memory = resident_megabytes(server.process.pid)
            print(f'{RUNS} runs: first contentful paint {first[0]:.0f} ms, table {first[1]:.0f} ms, '
                  f'all logs read {time.monotonic() - start:.1f} s later, server {memory:.0f} MB at most')
            self.assertLess(memory, 200)
            self.assertEqual([], tab.complaints)

    def test_memory_stays_bounded_when_much_is_asked_for_at_once(self):
        with Server(self.runs) as server:
            def get(path):
                return urllib.request.urlopen(server.url + path, timeout=60).read()

            while (told := json.loads(get('runs.json')))['read_ratio'] < 1:
                time.sleep(0.1)

            def ask(part):
                for path in ['runs.json', *(f'curves/{name}' for name in told['curves'])]:
                    get(path)
                for run in told['runs'][part:80:8]:
                    while json.loads(get(f"run/{run['name']}/run.json"))['stats']['read_ratio'] < 1:
                        pass
                    for step, _ in run['grids']:
                        get(f"run/{run['name']}/pictures/fakes-{step:08d}.png")
            with concurrent.futures.ThreadPoolExecutor(8) as clients:
                list(clients.map(ask, range(8)))
            memory = resident_megabytes(server.process.pid)
            print(f'after eight clients have asked for every curve, and for 80 runs with their grids: {memory:.0f} MB at most')
            self.assertLess(memory, 200)

    def test_everything_is_there(self):
        tab = self.read(self.open(self.server.url, width=1440))
        self.assertEqual(f'runs · Equipoise', tab.run('document.title'))
        self.assertEqual(f'{RUNS} runs', self.text(tab, '#table-title'))
        heads = tab.run("[...document.querySelectorAll('#runs thead th')].map(h => h.textContent)")
        for words in ('Run', 'State', 'lr d', 'seed', 'loss', 'best swd', 'best coverage', 'Verdict', 'Images', 'Time'):
            self.assertIn(words, heads)
        self.assertNotIn('batch', heads, 'it is the same in all runs')
        rates = tab.run(f"[...document.querySelectorAll('#runs tbody tr')].map(row => row.cells[{heads.index('lr d')}].textContent)")
        self.assertEqual({'0.0001', '0.0002', '0.0003'}, set(rates), 'digits that nobody chose are not shown')
        self.assertEqual(8, tab.run("document.querySelectorAll('#overlay path.line').length"))
        self.assertGreater(tab.run("document.querySelector('#overlay path.line').getAttribute('d').length"), 200)
        self.assertEqual(8, tab.run("new Set([...document.querySelectorAll('#overlay path.line')].map(p => p.getAttribute('class'))).size"))
        self.assertEqual(8, tab.run("document.querySelectorAll('#grids img').length"))
        tab.wait_for("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
        tab.screenshot(SHOTS / 'runs-1440.png')
        self.assertEqual([], tab.complaints)
        self.assertEqual([], [url for _, url in tab.requests if not url.startswith(self.server.url)])

    def test_the_best_run_is_first_after_a_click_on_its_measure(self):
        tab = self.read(self.open(self.server.url))
        tab.run("[...document.querySelectorAll('#runs thead button')].find(b => b.textContent === 'best swd').click()")
        best = tab.run("[...document.querySelectorAll('#runs tbody tr')].map(row => [row.querySelector('a').textContent, row.querySelector('td.best') !== null])")
        self.assertEqual(5, int(best[0][0]) % KINDS)
        self.assertTrue(best[0][1])

    def test_filter_choice_and_grids_at_equally_many_images(self):
        tab = self.read(self.open(self.server.url))
        tab.run("document.getElementById('choose-none').click()")
        self.assertEqual('Choose runs in the table', self.text(tab, '#overlay-empty'))
        tab.run("(() => { const f = document.getElementById('filter'); f.value = 'hinge 00007'; f.dispatchEvent(new Event('input')); })()")
        self.assertEqual(f'1 of {RUNS} runs', self.text(tab, '#table-title'))
        tab.run("document.querySelector('#runs tbody input').click()")
        self.assertEqual(1, tab.run("document.querySelectorAll('#overlay path.line').length"))
        self.assertTrue(tab.run("document.querySelector('#grids img').src").endswith('/run/00007/pictures/fakes-00010000.png'))
        tab.run("(() => { const s = document.getElementById('slider'); s.value = 100; s.dispatchEvent(new Event('input')); })()")
        self.assertTrue(tab.run("document.querySelector('#grids img').src").endswith('/run/00007/pictures/fakes-00002500.png'))
        self.assertIn('80,000 images', self.text(tab, '#grids figcaption'))

    def test_failed_runs_say_why(self):
        tab = self.read(self.open(self.server.url))
        tab.run("(() => { const s = document.getElementById('only'); s.value = 'failed'; s.dispatchEvent(new Event('input')); })()")
        self.assertEqual({'rank 1 was killed'}, set(tab.run("[...document.querySelectorAll('#runs tbody .chip')].map(c => c.title)")))

    def test_one_click_leads_to_a_run_and_back(self):
        tab = self.read(self.open(self.server.url))
        tab.run("performance.clearMarks()")
        tab.run("document.querySelector('#runs a[href=\"run/00003/\"]').click()")
        tab.wait_for("document.title === '00003 · Equipoise' && performance.getEntriesByName('equipoise-shown').length")
        tab.wait_for("document.getElementById('fakes').naturalWidth > 0")
        self.assertIn('10,000', self.text(tab, '#tiles'))
        tab.run("document.getElementById('all-runs').click()")
        tab.wait_for("document.title === 'runs · Equipoise'")
        self.assertEqual([], tab.complaints)

    def test_it_fits_every_screen_in_light_and_dark(self):
        for width in (360, 1440):
            for dark in (False, True):
                tab = self.read(self.open(self.server.url, width=width, dark=dark))
                self.assertEqual(width, tab.run('document.documentElement.scrollWidth'), 'nothing sticks out')
                if dark or width == 360:
                    tab.screenshot(SHOTS / f'runs-{width}-{"dark" if dark else "light"}.png')

    def test_hostile_names_are_text(self):
        root = self.folder / 'hostile'
        run = root / HOSTILE.replace('/', '')
        run.mkdir(parents=True)
        (run / 'options.json').write_text(json.dumps({'options': {HOSTILE: HOSTILE}}))
        (run / 'status.json').write_text(json.dumps({'state': HOSTILE, 'unix_seconds': time.time()}))
        (run / 'stats.jsonl').write_text(json.dumps({'step': 1, 'images': 1, 'verdict': HOSTILE, 'd_auc': 0.5, 'quality_' + HOSTILE: 1}) + '\n')
        (root / 'other').mkdir()
        (root / 'other' / 'options.json').write_text(json.dumps({'options': {'__proto__': 1, 'constructor': 2}}))
        with Server(root) as server:
            tab = self.read(self.open(server.url))
            self.assertIn(HOSTILE.replace('_', ' '), self.text(tab, '#runs'))
            self.assertEqual(2, tab.run('document.scripts.length'))
            self.assertEqual('hostile · Equipoise', tab.run('document.title'))
            self.assertEqual([], tab.complaints)

    def test_new_runs_appear_by_themselves(self):
        root = self.folder / 'growing'
        (root / 'a').mkdir(parents=True)
        (root / 'a' / 'options.json').write_text('{}')
        with Server(root) as server:
            tab = self.read_empty(server)
            (root / 'b').mkdir()
            (root / 'b' / 'options.json').write_text('{}')
            tab.wait_for("document.getElementById('table-title').textContent === '2 runs'", 30)

    def read_empty(self, server):
        tab = self.open(server.url)
        self.assertEqual('1 run', self.text(tab, '#table-title'))
        return tab

    def test_list_says_the_same_as_the_page(self):
        done = subprocess.run([INSPECT, 'list', self.runs, '--json'], check=True, capture_output=True, text=True)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(RUNS, len(rows))
        for i, row in enumerate(rows):
            self.assertEqual(f'{i:05d}', row['name'])
            self.assertEqual(7000, row['best']['quality_swd'][1])
            self.assertAlmostEqual(0.2 / (1 + i % KINDS), row['best']['quality_swd'][0])
            self.assertEqual({'lr_d', 'seed', 'loss'}, set(row['settings']))
        self.assertEqual({'running', 'finished', 'diverged', 'failed'}, {row['state'] for row in rows})
        table = subprocess.run([INSPECT, 'list', self.runs], check=True, capture_output=True, text=True).stdout.splitlines()
        self.assertEqual('run\tstate\tstep\timages\tverdict\tloss\tlr_d\tseed\tbest_quality_coverage\tbest_quality_swd', table[0])
        self.assertEqual(RUNS + 1, len(table))


if __name__ == '__main__':
    unittest.main()
