"""The flags of all programs as --help shows them: how many, which are promised, how they are described."""
import json
import pathlib
import re
import subprocess
import tempfile
import unittest

from programs import BIN, ENVIRONMENT, WithShards, train

PROGRAMS = ('gan-preprocess', 'gan-train', 'gan-generate', 'gan-launch', 'gan-inspect')
COMMANDS = ('verify', 'list', 'dump', 'plot', 'report', 'serve')
# Flags on which users and other programs rely. They are never hidden and never renamed.
PROMISED = {
    'gan-train': '--shards --out --run --batch --global-batch --steps --images --epochs --resume --init-from --device --seed '
                 '--preset --time --resolution --features --noise-dim --lr-g --lr-d --beta1 --beta2 --real-label --fake-label --loss --r1 --r2 '
                 '--d-norm --sync-bn --ema --balance --balance-actions --log-every --sample-every --checkpoint-every --keep '
                 '--metrics-port --metrics-address --metrics-password-file --threads --expect-world-size --deterministic --json '
                 '--alert-webhook --alert-command --otlp-endpoint --conditional --stop-when',
    'gan-preprocess': '--in --out --size --filter --decode --background --exif --labels --dedupe --images-per-shard --threads '
                      '--max-pixels --strict --preview --metrics-port --append --json',
    'gan-generate': '--checkpoint --out --export',
    'gan-launch': '--ranks --check --alert-webhook --alert-command',
    'gan-inspect': '--json'}
STANDARD = '--help --help-all --version --config --print-config'
MOST_FLAGS_OF_GAN_TRAIN = 62
MOST_THRESHOLDS = 12
FLAG = re.compile(r'^  (-[\w-]+(?:, -[\w-]+)*)')


def call(program, *flags):
    return subprocess.run([BIN / program, *flags], env=ENVIRONMENT, capture_output=True, text=True, timeout=60)


def help_of(*words):
    done = call(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def entries(text):
    """{names: description} of the flags that a help text lists, one entry per flag."""
    found, names = {}, None
    for line in text.splitlines():
        match = FLAG.match(line)
        if match:
            names = match[1]
            found[names] = line[28:] if len(line) > 28 and line[26:28] == '  ' else ''
        elif names and line.startswith(' ' * 28):
            found[names] += ' ' + line.strip()
        else:
            names = None
    return found


def names(text):
    return {name for entry in entries(text) for name in entry.split(', ')}


class Help(unittest.TestCase):
    def test_gan_train_shows_few_flags_and_help_all_the_rest(self):
        shown, every = entries(help_of('gan-train', '--help')), entries(help_of('gan-train', '--help-all'))
        print(f'gan-train: {len(shown)} flags in --help, {len(every)} in --help-all')
        self.assertLessEqual(len(shown), MOST_FLAGS_OF_GAN_TRAIN)
        self.assertGreater(len(every), len(shown) + 15)
        self.assertLessEqual(set(shown), set(every))
        self.assertIn('--inject', set(every) - set(shown))

    def test_flags_that_are_promised_are_shown(self):
        for program, promised in PROMISED.items():
            self.assertEqual(set(), set(f'{promised} {STANDARD}'.split()) - names(help_of(program, '--help')), program)

    def test_every_flag_is_described_in_whole_sentences_within_80_columns(self):
        texts = {program: help_of(program, '--help-all') for program in PROGRAMS}
        texts |= {command: help_of('gan-inspect', command, '--help') for command in COMMANDS}
        for program, text in texts.items():
            for line in text.splitlines():
                self.assertLessEqual(len(line), 80, f'{program}: {line}')
            for flag, description in entries(text).items():
                description = description.strip()
                self.assertRegex(description, r'^[A-Z0-9].*?\.( |$)', f'{program} {flag}')
                self.assertTrue(description.endswith('.'), f'{program} {flag}')

    def test_few_thresholds_are_shown_with_their_defaults(self):
        text = help_of('gan-train', '--help')
        shown = re.findall(r'^ {28}(\w+)=([-0-9.e]+): ', text, re.M)
        print(f'gan-train: {len(shown)} thresholds in --help')
        self.assertLessEqual(len(shown), MOST_THRESHOLDS)
        self.assertIn(('d_ahead_auc', '0.98'), shown)

    def test_the_metrics_flags_are_described_alike(self):
        train_flags, preprocess_flags = (entries(help_of(program, '--help')) for program in ('gan-train', 'gan-preprocess'))
        for flag in ('--metrics-port', '--metrics-address', '--metrics-password-file'):
            texts = [re.sub(r'Default: \S+\.', '', flags[flag]) for flags in (train_flags, preprocess_flags)]
            self.assertEqual(*texts)

    def test_what_help_all_calls_a_default_is_the_default(self):
        config = dict(line.split('=', 1) for line in help_of('gan-train', '--print-config').splitlines())
        checked = 0
        for flag, description in entries(help_of('gan-train', '--help-all')).items():
            match = re.search(r'Default: (\S+)\.(?: |$)', description)
            if match and (name := flag.split(', ')[0].removeprefix('--')) in config:
                self.assertEqual(match[1], config[name].strip('"'), flag)
                checked += 1
        self.assertGreater(checked, 40)


    def test_a_printed_configuration_says_the_same_when_it_is_read(self):
        with tempfile.TemporaryDirectory() as folder:
            for flags in ([], ['--quality-every', '0'], ['--quality-every', '250'], ['--quality-every', 'auto']):
                printed = help_of('gan-train', *flags, '--print-config')
                self.assertIn(f'quality-every={flags[1] if flags[1:] not in ([], ["auto"]) else chr(34) + "auto" + chr(34)}\n', printed)
                config = pathlib.Path(folder) / 'printed.toml'
                config.write_text(printed)
                self.assertEqual(printed, help_of('gan-train', '--config', str(config), '--print-config'))


class Values(WithShards):
    def test_an_empty_value_is_a_usage_error_for_every_flag_of_every_program(self):
        needed = {'gan-train': ['--shards', self.shards], 'gan-preprocess': ['--in', 'x', '--out', self.folder / 'none'],
                  'gan-generate': ['--checkpoint', 'x'], 'gan-launch': [], 'gan-inspect': ['x']}
        checked = 0
        for program in PROGRAMS:
            text = help_of(program, '--help-all').split('\nUsage: gan-inspect verify')[0]
            with_value = re.findall(r'^  (?:-\w, )?(--[\w-]+) \S', text, re.M)
            for flag in with_value:
                done = call(program, *needed[program], *([flag, ''] if checked % 2 else [flag + '=']))
                self.assertEqual(2, done.returncode, (program, flag, done.stderr))
                self.assertIn(f'{flag}: needs a value', done.stderr, program)
                checked += 1
        self.assertGreater(checked, 90)
        self.assertFalse((self.folder / 'none').exists())

    def test_words_and_ports_that_are_none_are_named(self):
        for flags, words in ((('--loss', 'l2'), 'bce, hinge, wgan-gp, rpgan'), (('--loss', '1'), '--loss'),
                             (('--device', 'tpu'), 'auto, cpu, cuda'), (('--metrics-port', '65536'), 'neither a port'),
                             (('--keep-best', 'beauty'), 'coverage'), (('--balance-rule', 'dice'), 'accuracies'),
                             (('--cuda-graphs', 'auto', '--gradient-sync', 'bucketed'), 'needs --gradient-sync flat'),
                             (('--json',), '--json: needs --dry-run')):
            done = train(1, self.shards, self.folder / 'refused', '--steps', 1, *flags)
            self.assert_code(2, done)
            self.assertIn(words, done.stderr)
        self.assertFalse((self.folder / 'refused').exists())

    def test_rare_flags_work_and_no_actions_can_be_asked_for(self):
        run = self.folder / 'rare'
        self.assert_code(0, train(1, self.shards, run, '--steps', 3, '--inject', 'loss:2@2', '--r1-every', 2, '--d-steps', 2,
                                  '--balance-actions', 'none'))
        options = json.loads((run / 'options.json').read_text())['options']
        self.assertEqual(('loss:2@2', 2, 2, 'none'),
                         tuple(options[name] for name in ('inject', 'r1_every', 'd_steps', 'balance_actions')))

    def test_faults_that_cannot_be_injected_are_usage_errors(self):
        for fault in ('loss:e@3', 'loss:1-2@3', 'loss:1e999@3', 'latents:1e30@3', 'rank:1e300@3', 'loader:-5@3', 'loss:2@3+',
                      'loss:' + 60_000 * '1' + '@3'):
            done = train(1, self.shards, self.folder / 'faults', '--steps', 1, '--inject', fault)
            self.assert_code(2, done)
            self.assertIn(f'gan-train: --inject {fault}: ', done.stderr)

    def test_dry_run_prints_one_json_object(self):
        flags = ('--dry-run', '--no-measure', '--resolution', 128, '--features', 64, '--batch', 8)
        for ranks in (1, 2):
            done = train(ranks, self.shards, self.folder / 'dry', *flags, '--json', '--global-batch', 32)
            self.assert_code(0, done)
            cost = json.loads(done.stdout)
            self.assertEqual((32, ranks, 4 // ranks, 8),
                             tuple(cost[name] for name in ('images_per_update', 'ranks', 'micro_batches', 'batch')))
            # 100*1024*16 + 1024*512*16 + ... + 64*3*16 weights, and two per channel of each batch norm.
            self.assertEqual(12786560, cost['generator']['parameters'])
            parts = cost['state_bytes_per_rank'] + cost['activation_bytes_per_rank'] + cost['exchanged_bytes_per_step_and_rank']
            self.assertEqual(parts, cost['memory_bytes_per_rank'])
            text = train(ranks, self.shards, self.folder / 'dry', *flags, '--global-batch', 32).stdout
            self.assertIn(f'{round(cost["memory_bytes_per_rank"] / 2 ** 20)} MiB', text)
            self.assertIn(f'{round(cost["checkpoint_bytes"] / 2 ** 20)} MiB', text)
        self.assertFalse((self.folder / 'dry').exists())


if __name__ == '__main__':
    unittest.main()
