"""The page in a real browser: what it shows, how it looks, how fast it is there, and what it may not do."""
import json
import math
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import zlib

from browser import Browser

INSPECT = pathlib.Path(os.environ['EQUIPOISE_BIN']) / 'gan-inspect'
SHOTS = pathlib.Path(os.environ['EQUIPOISE_SHOTS'])
HOSTILE = '<img src=x onerror="document.title=\'owned\'"><script>document.title=\'owned\'<'


def png(colour, side=64):
    def chunk(name, data):
        return len(data).to_bytes(4, 'big') + name + data + zlib.crc32(name + data).to_bytes(4, 'big')
    header = side.to_bytes(4, 'big') * 2 + bytes([8, 2, 0, 0, 0])
    rows = b''.join(b'\0' + bytes(colour) * side for _ in range(side))
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')


def step_line(step, steps, rng):
    ahead = 0.3 < step / steps < 0.5
    auc = min(1.0, max(0.4, (0.97 if ahead else 0.8) + rng.gauss(0, 0.03)))
    line = {'step': step, 'images': 32 * step, 'epoch': step / 100, 'loss_d': 1.6 - auc, 'loss_d_real': 0.5,
            'loss_d_fake': 0.4, 'loss_g': auc + 0.3 + rng.gauss(0, 0.1), 'd_real_mean': 0.6, 'd_fake_mean': 0.4,
            'd_accuracy_real': auc, 'd_accuracy_fake': auc - 0.05, 'd_auc': auc, 'grad_norm_g': math.exp(rng.gauss(0, 1)),
            'grad_norm_d': math.exp(rng.gauss(0, 1)), 'lr_g': 2e-4, 'lr_d': 1e-4 if ahead else 2e-4, 'imbalance': 0.2,
            'verdict': 'discriminator_ahead' if ahead else 'balanced',
            'actions': ['lower_d_rate'] if step == int(0.32 * steps) else [], 'step_seconds': 0.4,
            'images_per_second': 80 + rng.gauss(0, 2)}
    if step % 50 == 0:
        line.update(diversity=0.3, diversity_reference=0.35, quality_copies=0.0625, quality_copies_floor=0.125, quality_copies_told=0, quality_copies_p=1)
    if step == int(0.6 * steps):
        line.update(loss_d=None, grad_norm_d=None)
    return line


def make_run(folder, steps):
    rng = random.Random(7)
    (folder / 'checkpoints' / f'step-{steps:08d}').mkdir(parents=True)
    (folder / 'checkpoints' / f'step-{steps:08d}' / 'manifest.json').write_text('{"parts":[{"bytes":46695768}]}')
    lines = [json.dumps(step_line(step, steps, rng)) + '\n' for step in range(1, steps + 1)]
    (folder / 'stats.jsonl').write_text(''.join(lines))
    ranks = [{'rank': r, 'data': 0.01, 'discriminator': 0.2 + 0.02 * r, 'generator': 0.15, 'sync': 0.04, 'total': 0.43,
              'images_per_second': 37.0} for r in range(2)]
    (folder / 'status.json').write_text(json.dumps(
        {'state': 'running', 'step': steps * 4 // 5, 'images': 32 * steps * 4 // 5, 'unix_seconds': time.time(), 'fraction_done': 0.4,
         'seconds_left': 7315, 'ranks': ranks, 'metrics': ''}))
    (folder / 'options.json').write_text(json.dumps({'options': {'batch': 16, 'world_size': 2}, 'build': 'test'}))
    (folder / 'reals.png').write_bytes(png((20, 160, 90)))
    for i, part in enumerate((0, 0.5, 1)):
        (folder / f'fakes-{int(part * steps):08d}.png').write_bytes(png((90 + 50 * i, 20, 160)))
    (folder / f'nearest-{steps // 2:08d}.png').write_bytes(png((200, 200, 20)))
    return folder


class Server:
    def __init__(self, run):
        self.process = subprocess.Popen([INSPECT, 'serve', run, '--port', '0'], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split(' ')[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(10) == 0, 'gan-inspect serve ends with 0 when asked to end'
        self.process.stdout.close()


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.run_folder = make_run(cls.folder / '0042', 10_000)
        cls.browser = Browser().__enter__()
        SHOTS.mkdir(parents=True, exist_ok=True)

    @classmethod
    def tearDownClass(cls):
        cls.browser.__exit__()
        cls.temporary.cleanup()

    def open(self, url, **kwargs):
        tab = self.browser.tab(**kwargs)
        tab.open(url)
        return tab

    def assert_clean(self, tab, url):
        self.assertEqual([], tab.complaints)
        self.assertEqual({'GET'}, {method for method, _ in tab.requests})
        self.assertEqual([], [asked for _, asked in tab.requests if not asked.startswith(url)])

    def text(self, tab, selector):
        return tab.run(f"document.querySelector('{selector}').textContent")

    def test_grids_of_classes_name_their_rows(self):
        run = make_run(self.folder / 'classes', 100)
        names = ['coat', HOSTILE, '', 'x' * 300]
        (run / 'options.json').write_text(json.dumps({'options': {}, 'classes': [{'name': n, 'images': 3} for n in names]}))
        with Server(run) as server:
            tab = self.open(server.url)
            for frame in ('#fakes', '#reals'):
                rows = tab.run(f"[...document.querySelector('{frame}').parentNode.querySelectorAll('.rows li')].map((row) => "
                               "[row.querySelector('b').textContent, row.getBoundingClientRect().top + row.offsetHeight / 2])")
                self.assertEqual(['coat', HOSTILE, '(no label)', 'x' * 300], [name for name, _ in rows])
                top, height = tab.run(f"(() => {{ const box = document.querySelector('{frame}').parentNode"
                                      ".getBoundingClientRect(); return [box.top, box.height]; })()")
                for i, (_, middle) in enumerate(rows):
                    self.assertAlmostEqual(top + height * (2 * i + 1) / 8, middle, delta=2)
            self.assertEqual('classes · Equipoise', tab.run('document.title'))
            self.assert_clean(tab, server.url)
        for classes in ('coat', {'a': 1}, [None, 3], None):
            (run / 'options.json').write_text(json.dumps({'classes': classes}))
            with Server(run) as server:
                tab = self.open(server.url)
                self.assertEqual('● running', self.text(tab, '#state'))
                self.assertEqual([], tab.complaints)

    def test_rows_of_generated_classes_say_how_each_does(self):
        run = make_run(self.folder / 'per-class', 100)
        names = ['coat', HOSTILE, 'toString', '__proto__']
        (run / 'options.json').write_text(json.dumps({'options': {}, 'classes': [{'name': n, 'images': 3} for n in names]}))
        measured = {'quality_by_class': {'coat': {'swd': 0.0625, 'coverage': 1}, HOSTILE: {'swd': HOSTILE}}}
        newest = {'class_diversity': {'coat': 0.75, HOSTILE: 0.1, 'toString': None}, 'classes_collapsed': [HOSTILE]}
        with open(run / 'stats.jsonl', 'a') as lines:
            for step, more in ((101, measured | newest), (102, {'quality_by_class': 7} | newest), (103, newest)):
                lines.write(json.dumps(step_line(step, 100, random.Random(step)) | more) + '\n')
        shown = "[...document.querySelector('#{}').parentNode.querySelectorAll('.rows li')].map((row) => row.title)"
        with Server(run) as server:
            tab = self.open(server.url)
            self.assertEqual(['coat: diversity 0.75 · SWD 0.0625', f'{HOSTILE}: ▲ collapsed · diversity 0.10', *names[2:]],
                             tab.run(shown.format('fakes')))
            self.assertEqual(names, tab.run(shown.format('reals')))
            self.assertEqual('per-class · Equipoise', tab.run('document.title'))
            self.assert_clean(tab, server.url)

    def test_copies_of_training_images_are_told_in_words(self):
        run = make_run(self.folder / 'by-heart', 100)
        (run / 'nearest-00000100.png').write_bytes(png((200, 20, 20), 32))
        (run / 'nearest-00000101.png').symlink_to('/etc/passwd')
        shown = "[document.querySelector('#nearest-card').hidden, document.querySelector('#nearest').naturalWidth]"
        wait = "document.querySelector('#nearest').complete && document.querySelector('#nearest').naturalWidth > 0"
        with Server(run) as server:
            tab = self.open(server.url)
            tab.wait_for(wait)
            self.assertEqual([False, 32], tab.run(shown))
            self.assertEqual('No more copies than chance', self.text(tab, '#nearest-verdict'))
            self.assertIn('6 % of the generated images are copies of a training image. Of held-out real images 13 %', self.text(tab, '#nearest-words'))
            self.assert_clean(tab, server.url)
        with open(run / 'stats.jsonl', 'a') as lines:
            lines.write(json.dumps(step_line(101, 100, random.Random(1)) | {'quality_copies': 0.75, 'quality_copies_floor': 0.02, 'quality_copies_told': 1}) + '\n')
            lines.write(json.dumps(step_line(102, 100, random.Random(1)) | {'quality_copies': HOSTILE, 'quality_copies_floor': 1, 'quality_copies_told': 0}) + '\n')
        report = self.folder / 'by-heart.html'
        subprocess.run([INSPECT, 'report', run, report], check=True, stdout=subprocess.DEVNULL)
        tab = self.open(report.as_uri())
        tab.wait_for(wait)
        self.assertEqual([False, 32], tab.run(shown))
        self.assertEqual('▲ Learnt by heart', self.text(tab, '#nearest-verdict'))
        self.assertIn('75 % of the generated images are copies of a training image. Of held-out real images 2 %', self.text(tab, '#nearest-words'))
        self.assertEqual([], tab.complaints)

    def test_a_run_that_looks_for_no_copies_shows_no_card(self):
        run = make_run(self.folder / 'no-nearest', 10)
        (run / 'nearest-00000005.png').unlink()
        with Server(run) as server:
            self.assertTrue(self.open(server.url).run("document.querySelector('#nearest-card').hidden"))

    def test_everything_is_there(self):
        with Server(self.run_folder) as server:
            tab = self.open(server.url)
            self.assertEqual('0042 · Equipoise', tab.run('document.title'))
            self.assertEqual('● running', self.text(tab, '#state'))
            self.assertEqual('Balanced', self.text(tab, '#verdict'))
            tiles = self.text(tab, '#tiles')
            for words in ('10,000', '2 h 1 min', '50.0 % done', 'by 2 ranks', 'step 10,000'):
                self.assertIn(words, tiles)
            titles = tab.run("[...document.querySelectorAll('.chart h3')].map(h => h.textContent)")
            for title in ('Losses', 'Discriminator AUC', 'Discriminator accuracy', 'Gradient norms', 'Sample diversity',
                          'Copies of training images', 'Images per second', 'Learning rates'):
                self.assertIn(title, titles)
            self.assertEqual(len(titles), tab.run("document.querySelectorAll('.chart svg.plot:not([hidden]) path.line').length && "
                                                  "document.querySelectorAll('.chart svg.plot:not([hidden])').length"))
            self.assertGreater(tab.run("document.querySelector('.chart svg.plot path.line').getAttribute('d').length"), 3000)
            self.assertEqual(3, tab.run("document.querySelectorAll('#strip rect[class^=v-]').length"))
            self.assertEqual(1, tab.run("document.querySelectorAll('#strip .action-mark').length"))
            self.assertEqual(1, tab.run("document.querySelectorAll('#strip .nonfinite-mark').length"))
            self.assertIn('lower the discriminator’s learning rate ×1', self.text(tab, '#actions-summary'))
            self.assertEqual(2, tab.run("document.querySelectorAll('#ranks .rank').length"))
            self.assertIn('rank 1430 ms per step · 37.0 images/swaiting for data: 10 ms (2 %)discriminator: 220 ms', self.text(tab, '#ranks'))
            self.assertIn('47 MB', self.text(tab, '#checkpoints'))
            self.assertIn('16', self.text(tab, '#options'))
            self.assert_clean(tab, server.url)

    def test_ten_thousand_steps_are_drawn_from_little_data(self):
        """The time of a first paint grows with the number of bytes that are sent. The times are only printed, because
        they depend on the machine."""
        with Server(self.run_folder) as server:
            tab = self.open(server.url)
            tab.wait_for("performance.getEntriesByName('equipoise-shown').length")
            times = tab.run("['first-contentful-paint', 'equipoise-shown'].map(name => performance.getEntriesByName(name)[0].startTime)")
            sent = tab.run("performance.getEntriesByType('resource').filter(r => !/\\.png/.test(r.name)).reduce((sum, r) => sum + r.decodedBodySize, 0)")
            print('first contentful paint, curves drawn (ms):', times, 'bytes of curves and state:', sent)
            self.assertLess(sent, 1 << 20)
            self.assertLess(sent, (self.run_folder / 'stats.jsonl').stat().st_size / 4)

    def test_it_fits_every_screen_in_light_and_dark(self):
        with Server(self.run_folder) as server:
            for width in (360, 1440):
                backs = set()
                for dark in (False, True):
                    tab = self.open(server.url, width=width, dark=dark)
                    tab.wait_for('[...document.images].every(image => image.complete && image.naturalWidth > 0)')
                    self.assertEqual(width, tab.run('document.documentElement.scrollWidth'), 'nothing sticks out')
                    backs.add(tab.run('getComputedStyle(document.body).backgroundColor'))
                    self.assertGreaterEqual(self.contrast(tab), 4.5)
                    tab.screenshot(SHOTS / f'page-{width}-{"dark" if dark else "light"}.png')
                self.assertEqual(2, len(backs))

    def contrast(self, tab):
        """The least contrast (WCAG 2) between text and its card, over every colour that text has here."""
        return tab.run('''(() => {
          const light = (rgb) => rgb.map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
          const rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
          const card = light(rgb(getComputedStyle(document.querySelector('.card')).backgroundColor));
          const texts = [...document.querySelectorAll('.card, .card .muted, .chip, .verdict, .tile dt, .tile small, .axis')];
          return Math.min(...texts.map((node) => getComputedStyle(node))
            .map((style) => light(rgb(style.fill !== 'rgb(0, 0, 0)' ? style.fill : style.color)))
            .map((ink) => (Math.max(ink, card) + 0.05) / (Math.min(ink, card) + 0.05)));
        })()''')

    def test_charts_are_read_by_keyboard(self):
        with Server(self.run_folder) as server:
            tab = self.open(server.url)
            newest = self.text(tab, '.chart .legend b')
            tab.run("document.querySelector('.chart svg.plot').focus()")
            tab.press('Home')
            self.assertNotEqual(newest, self.text(tab, '.chart .legend b'))
            self.assertIn('step', self.text(tab, '.chart svg.plot'))
            others = tab.run("[...document.querySelectorAll('.chart svg.plot:not([hidden])')].filter(s => s.querySelector('.cursor')).length")
            self.assertGreater(others, 5, 'all charts follow')
            tab.press('Escape')
            self.assertEqual(newest, self.text(tab, '.chart .legend b'))

    def test_the_slider_goes_through_time(self):
        with Server(self.run_folder) as server:
            tab = self.open(server.url)
            self.assertEqual('step 10,000', self.text(tab, '#slider-step'))
            tab.run("document.getElementById('slider').focus()")
            tab.press('ArrowLeft')
            self.assertEqual('step 5,000', self.text(tab, '#slider-step'))
            tab.wait_for("document.getElementById('fakes').complete")
            self.assertTrue(tab.run("document.getElementById('fakes').src.endsWith('/pictures/fakes-00005000.png')"))
            self.assertIn('step 5,000', tab.run("document.getElementById('fakes').alt"))

    def test_lines_and_verdicts_differ_without_colour(self):
        with Server(self.run_folder) as server:
            tab = self.open(server.url)
            dashes = tab.run("[...document.querySelector('.chart').querySelectorAll('svg.plot path.line')].map(p => getComputedStyle(p).strokeDasharray)")
            self.assertEqual(2, len(set(dashes)), dashes)
            hatched = tab.run("document.querySelectorAll('#strip rect[fill^=url]').length")
            self.assertEqual(1, hatched)
            self.assertEqual(['Balanced', 'Discriminator ahead', 'Balanced'],
                             tab.run("[...document.querySelectorAll('#strip .strip-text')].map(t => t.textContent)"))

    def test_new_steps_appear_by_themselves(self):
        run = make_run(self.folder / 'growing', 20)
        with Server(run) as server:
            tab = self.open(server.url)
            with open(run / 'stats.jsonl', 'a') as stats:
                stats.write(json.dumps(step_line(21, 40, random.Random(1))) + '\n')
            tab.wait_for("document.getElementById('tiles').textContent.includes('21')")
            self.assert_clean(tab, server.url)

    def test_a_run_that_is_gone_is_told(self):
        with Server(self.run_folder) as server:
            tab = self.open(server.url)
        tab.wait_for("!document.getElementById('notice').hidden")
        self.assertIn('does not answer', self.text(tab, '#notice'))
        self.assertIn('10,000', self.text(tab, '#tiles'))

    def test_a_silent_run_has_no_time_left(self):
        run = make_run(self.folder / 'silent', 30)
        status = json.loads((run / 'status.json').read_text())
        left = "[...document.querySelectorAll('.tile')].find(tile => tile.textContent.startsWith('Time left')).querySelector('dd').firstChild.data"
        for age, state, words in ((1, '● running', '2 h 1 min'), (3 * 86400 + 60, '▲ no update for 3 d', '–')):
            (run / 'status.json').write_text(json.dumps(status | {'unix_seconds': time.time() - age}))
            with Server(run) as server:
                tab = self.open(server.url)
                self.assertEqual((state, words), (self.text(tab, '#state'), tab.run(left)))
                self.assert_clean(tab, server.url)

    def test_an_empty_run_is_no_error(self):
        run = self.folder / 'empty'
        run.mkdir()
        (run / 'options.json').write_text('{}')
        with Server(run) as server:
            tab = self.open(server.url)
            self.assertEqual('No step yet', self.text(tab, '#verdict'))
            self.assertEqual('This run has not reported times yet', self.text(tab, '#ranks'))
            self.assert_clean(tab, server.url)

    def test_steps_and_values_beyond_exact_numbers_are_drawn(self):
        """Where adding one to a double changes nothing, a loop over the marks of an axis would not end."""
        run = make_run(self.folder / 'far', 3)
        for first, loss in ((2 ** 53, 0.5), (1, 1e16), (1, 3e38), (1, 1e308)):
            lines = [{'step': first + 2 * i, 'images': 1, 'loss_d': loss + 2 * i, 'loss_g': loss} for i in range(3)]
            (run / 'stats.jsonl').write_text(''.join(json.dumps(line) + '\n' for line in lines))
            with self.subTest(first=first, loss=loss), Server(run) as server:
                tab = self.open(server.url)
                self.assertEqual('Losses', self.text(tab, '.chart h3'))
                self.assert_clean(tab, server.url)

    def hostile_run(self):
        run = make_run(self.folder / HOSTILE.replace('/', ''), 30)
        status = json.loads((run / 'status.json').read_text())
        status['state'] = HOSTILE
        (run / 'status.json').write_text(json.dumps(status))
        (run / 'options.json').write_text(json.dumps({'options': {HOSTILE: HOSTILE}, 'build': HOSTILE}))
        with open(run / 'stats.jsonl', 'a') as stats:
            for step, verdict in ((31, 'constructor'), (32, HOSTILE)):
                line = step_line(step, 60, random.Random(2))
                line.update({'verdict': verdict, 'actions': [HOSTILE, '__proto__', 'constructor'], HOSTILE: 1.5, '__proto__': 2})
                stats.write(json.dumps(line) + '\n')
        return run

    def assert_harmless(self, tab):
        self.assertIn(HOSTILE, tab.run('document.title'))
        self.assertEqual(HOSTILE, self.text(tab, '#run-name'))
        self.assertEqual(HOSTILE.replace('_', ' '), self.text(tab, '#verdict'))
        self.assertIn(HOSTILE, self.text(tab, '#options'))
        self.assertNotIn('native code', self.text(tab, '#actions-summary'))
        self.assertEqual(3, tab.run('document.images.length'))
        self.assertEqual(2, tab.run('document.scripts.length'))
        self.assertEqual([], tab.complaints)

    def test_hostile_names_are_text(self):
        run = self.hostile_run()
        with Server(run) as server:
            tab = self.open(server.url)
            self.assert_harmless(tab)
            self.assert_clean(tab, server.url)
        report = self.folder / 'hostile.html'
        subprocess.run([INSPECT, 'report', run, report], check=True, stdout=subprocess.DEVNULL)
        self.assert_harmless(self.open(report.as_uri()))
        shutil.rmtree(run)

    def test_the_policy_stops_what_is_not_ours(self):
        with Server(self.run_folder) as server:
            tab = self.open(server.url)
            tab.run('''(() => { const script = document.createElement('script'); script.textContent = "window.ran = 1";
                       document.body.append(script); document.body.setAttribute('onclick', 'window.ran = 2');
                       document.body.click(); })()''')
            self.assertIsNone(tab.run('window.ran'))
            refused = tab.run("fetch('https://127.0.0.1:1/').then(() => 'asked', (error) => error.name)")
            self.assertEqual('TypeError', refused)
            self.assertTrue(any('Content Security Policy' in words for words in tab.complaints))

    def test_a_report_is_one_file(self):
        report = self.folder / 'report.html'
        subprocess.run([INSPECT, 'report', self.run_folder, report], check=True, stdout=subprocess.DEVNULL)
        tab = self.open(report.as_uri(), dark=True)
        tab.wait_for('[...document.images].every(image => image.complete && image.naturalWidth > 0)')
        self.assertIn('10,000', self.text(tab, '#tiles'))
        self.assertEqual(2, int(tab.run("document.getElementById('slider').max")))
        self.assertEqual([('GET', report.as_uri())], tab.requests)
        self.assertEqual([], tab.complaints)


if __name__ == '__main__':
    unittest.main()
