"""--preset, --time and the measured --dry-run with real ranks."""
import json
import pathlib
import re
import shutil
import subprocess
import unittest

from programs import BIN, ENVIRONMENT, WithShards, digests, mpirun, mpirun_unlike, newest_checkpoint, stats, train

CHOOSING = pathlib.Path(__file__).resolve().parents[2] / 'docs/choosing.md'
QUIET = ['--threads', '1', '--deterministic', '--metrics-port', 'off', '--holdout', '0.1']


def options_of(run):
    return json.loads((run / 'options.json').read_text())['options']


def chosen_lines(run):
    return [line for line in (run / 'log.txt').read_text().splitlines() if ' chosen --' in line]


class Preset(WithShards):
    def start(self, ranks, run, *flags, shards=None):
        """A command without the small networks of programs.train, so that there is something to choose."""
        launcher = [] if ranks == 1 else mpirun(ranks)
        command = [*launcher, BIN / 'gan-train', '--shards', shards or self.shards, '--run', run, *QUIET, *flags]
        return subprocess.run([str(word) for word in command], env=ENVIRONMENT, capture_output=True, text=True, timeout=300)

    def test_auto_trains_and_a_resume_keeps_what_was_chosen(self):
        run = self.folder / 'auto'
        self.assert_code(0, self.start(2, run, '--preset', 'auto', '--time', '2s'))
        options, lines = options_of(run), chosen_lines(run)
        # In two seconds two cores show nothing wider than the narrowest networks, and half of an update on each rank.
        self.assertEqual(('auto', 64, 8, 16, 32, '2s'),
                         tuple(options[name] for name in ('preset', 'resolution', 'features', 'batch', 'global_batch', 'time')))
        for option in ('resolution 64', 'features 8', 'batch 16', 'lr-g 0.0002', 'r1 0.0', 'augment none', 'ema 10000',
                       'conditional false', f'steps {options["steps"]}'):
            self.assertEqual(1, sum(f'chosen --{option}: ' in line for line in lines), option)
        self.assertEqual(options['steps'], len(stats(run)))

        with self.subTest('the same command ends at the same step, whatever is fast today'):
            self.assert_code(0, self.start(2, run, '--preset', 'auto', '--time', '2s'))
            self.assertEqual(options, options_of(run))
            self.assertEqual(options['steps'], len(stats(run)))
        with self.subTest('with another number of ranks'):
            self.assert_code(0, self.start(1, run, '--steps', options['steps'] + 2))
            later = options_of(run)
            self.assertEqual((8, 32, 1, 'auto'), tuple(later[name] for name in ('features', 'global_batch', 'world_size', 'preset')))
            self.assertEqual([options['steps'] + 2, 32 * (options['steps'] + 2)], [stats(run)[-1][name] for name in ('step', 'images')])
        with self.subTest('a dry run tells what is left'):
            steps = options['steps'] + 12
            done = self.start(1, run, '--steps', steps, '--dry-run', '--json')
            self.assert_code(0, done)
            told = json.loads(done.stdout)
            self.assertEqual((steps, steps - 10, 32, []), tuple(told[name] for name in ('steps', 'steps_done', 'images_per_update', 'chosen')))
            self.assertAlmostEqual(10 * told['seconds_per_step'], told['seconds_left'])
            self.assertEqual(steps - 10, len(stats(run)))
        self.assertEqual(lines, chosen_lines(run), 'a run that resumes chooses nothing')
        with self.subTest('another preset'):
            done = self.start(2, run, '--preset', 'paper', '--time', '2s')
            self.assert_code(2, done)
            self.assertIn('preset ("auto" then, "paper" now)', done.stderr)

    def test_steps_of_a_time_are_the_steps_of_a_run_without_it(self):
        timed, counted = self.folder / 'timed', self.folder / 'counted'
        self.assert_code(0, train(2, self.shards, timed, '--time', '2s', '--ema', 100))
        steps = options_of(timed)['steps']
        of_steps, of_quality = chosen_lines(timed)
        self.assertIn(f'chosen --steps {steps}: --time 2s at ', of_steps)
        self.assertIn('chosen --quality-every 0: only 4 images are held out', of_quality)
        self.assertEqual(steps, len(stats(timed)))
        self.assert_code(0, train(2, self.shards, counted, '--steps', steps, '--ema', 100))
        self.assertEqual(stats(counted), stats(timed))
        self.assertEqual(digests(newest_checkpoint(counted)), digests(newest_checkpoint(timed)))

    def test_flags_win_from_the_command_line_and_from_a_file(self):
        run, config = self.folder / 'wins', self.folder / 'wins.toml'
        config.write_text('r1 = 0.25\nema = 77\n')
        self.assert_code(0, self.start(2, run, '--preset', 'auto', '--steps', 2, '--features', 4, '--config', config))
        options = options_of(run)
        self.assertEqual((4, 0.25, 77, 2), tuple(options[name] for name in ('features', 'r1', 'ema', 'steps')))
        for option in ('features', 'r1', 'ema', 'steps', 'images'):
            self.assertFalse([line for line in chosen_lines(run) if f'chosen --{option} ' in line], option)
        self.assertTrue([line for line in chosen_lines(run) if 'chosen --batch 16: ' in line])

    def test_paper_is_the_recipe_and_flags_win(self):
        done = self.start(1, self.folder / 'paper', '--preset', 'paper', '--dry-run', '--no-measure', '--json')
        self.assert_code(0, done)
        told = json.loads(done.stdout)
        self.assertEqual((12786560, None, '--no-measure'),
                         (told['generator']['parameters'], told['seconds_per_step'], told['why_not_measured']))
        chosen = {one['option']: one['value'] for one in told['chosen']}
        self.assertEqual((128, 64, 'off', 0, 0.0002), tuple(chosen[name] for name in ('resolution', 'features', 'balance', 'ema', 'lr_d')))
        self.assertFalse((self.folder / 'paper').exists())
        run = self.folder / 'small-paper'
        self.assert_code(0, train(2, self.shards, run, '--preset', 'paper', '--steps', 1))
        options = options_of(run)
        self.assertEqual(('paper', 64, 4, 'off', 0), tuple(options[name] for name in ('preset', 'resolution', 'features', 'balance', 'ema')))

    def test_the_document_lists_what_auto_chooses_in_order(self):
        done = self.start(1, self.folder / 'listed', '--preset', 'auto', '--dry-run', '--no-measure', '--json')
        self.assert_code(0, done)
        table = CHOOSING.read_text().split('| flag | choice | reason |\n')[1].split('\n\n')[0]
        listed = [name for row in table.splitlines()[1:] for name in re.findall(r'`--([\w-]+)`', row.split('|')[1])]
        self.assertEqual([one['option'].replace('_', '-') for one in json.loads(done.stdout)['chosen']], listed)

    def test_a_dry_run_measures_with_all_ranks_and_leaves_nothing(self):
        run = self.folder / 'dry'
        done = self.start(2, run, '--preset', 'auto', '--time', '10m', '--dry-run', '--json')
        self.assert_code(0, done)
        told = json.loads(done.stdout)
        seconds = told['seconds_per_step']
        self.assertGreaterEqual(told['measured_steps'], 1)
        self.assertEqual((32, 2, 0, int(600 / seconds)), tuple(told[name] for name in ('images_per_update', 'ranks', 'steps_done', 'steps')))
        self.assertAlmostEqual(32 / seconds, told['images_per_second'])
        self.assertAlmostEqual(told['steps'] * seconds, told['seconds_left'])
        chosen = {one['option']: one for one in told['chosen']}
        self.assertEqual(told['steps'], chosen['steps']['value'])
        self.assertTrue(all(one['why'] for one in chosen.values()))
        text = self.start(1, run, '--epochs', 2, '--features', 4, '--resolution', 64, '--dry-run')
        self.assert_code(0, text)
        self.assertRegex(text.stdout, r'time per step +\S+ s, \d+ images per second')
        self.assertRegex(text.stdout, r'time left +.* for 5 of 5 steps')  # 2 x 36 images in batches of 16
        self.assertFalse(run.exists())

    def test_lengths_and_times_that_are_none_are_usage_errors(self):
        run = self.folder / 'refused'
        for flags in (('--time', '30m', '--steps', 5), ('--time', '30m', '--images', 5), ('--epochs', 1, '--time', '30m'),
                      ('--time', '30'), ('--time', '-5m'), ('--time', '5 m'), ('--time', '0s'), ('--time', '9' * 5000 + 's'),
                      ('--preset', 'best'), ('--no-measure', '--steps', 1)):
            done = self.start(2, run, *flags)
            self.assert_code(2, done)
            self.assertIn('--no-measure' if '--no-measure' in flags else flags[0], done.stderr)
        done = self.start(2, run, '--preset', 'auto', '--resolution', '256', '--time', '1s')
        self.assert_code(2, done)
        self.assertIn('--resolution 256 does not divide the 128 px', done.stderr)
        self.assertFalse(run.exists())

    def test_ranks_with_other_flags_are_told_before_anything_is_measured(self):
        run = self.folder / 'unlike'
        program = [BIN / 'gan-train', '--shards', self.shards, '--run', run, *QUIET, '--preset', 'auto', '--time', '1s', '--features']
        done = subprocess.run(mpirun_unlike([*program, 4], [*program, 8]), env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
        self.assert_code(2, done)
        self.assertIn('features is 8 on rank 1 and 4 on rank 0', done.stderr)
        self.assertFalse(run.exists())

    def test_damaged_data_end_the_measurement_with_the_name_of_the_file(self):
        shards = self.folder / 'damaged'
        shutil.copytree(self.shards, shards)
        victims = sorted(shards.glob('shard-*.gan'))
        for victim in victims:
            data = bytearray(victim.read_bytes())
            for record in range((len(data) - 4096) // 49152):
                data[4096 + 49152 * record] ^= 1
            victim.write_bytes(data)
        run = self.folder / 'from-damaged'
        for flags in (('--time', '5s'), ('--epochs', 1, '--dry-run')):
            done = train(2, shards, run, *flags)
            self.assert_code(3, done)
            self.assertRegex(done.stderr, r'shard-\d+\.gan')
            self.assertFalse(run.exists())
        (shards / 'manifest.json').unlink()
        done = self.start(2, run, '--preset', 'auto', shards=shards)
        self.assert_code(3, done)
        self.assertIn('manifest.json', done.stderr)


if __name__ == '__main__':
    unittest.main()
