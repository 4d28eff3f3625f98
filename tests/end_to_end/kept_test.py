"""A run is never thrown away: not by damage that is none, not by ranks that differ, not by a shell or a reader that leaves."""
import json
import os
import signal
import subprocess
import time
import unittest

from programs import BIN, ENVIRONMENT, SMALL, WithShards, digests, mpirun, mpirun_unlike, newest_checkpoint, stats, train, train_command


def names(run):
    return sorted(path.name for path in (run / 'checkpoints').iterdir())


class Resumed(WithShards):
    FLAGS = ('--checkpoint-every', 2, '--sample-every', 2, '--keep', 100)

    def begun(self, name, *flags):
        run = self.folder / name
        self.assert_code(0, train(1, self.shards, run, '--steps', 4, *self.FLAGS, *flags))
        return run

    def test_all_damaged_ends_with_3_and_nothing_is_changed(self):
        run = self.begun('damaged')
        for part in run.glob('checkpoints/*/part-*'):
            part.write_bytes(part.read_bytes()[:-1])
        lines, before = (run / 'stats.jsonl').read_bytes(), names(run)
        for _ in range(2):
            done = train(2, self.shards, run, '--steps', 6, '--global-batch', 4)
            self.assert_code(3, done)
            self.assertIn('none of them intact', done.stderr)
            self.assertEqual((lines, before), ((run / 'stats.jsonl').read_bytes(), names(run)))

    def test_newer_version_ends_with_3_and_nothing_is_changed(self):
        run = self.begun('newer')
        manifest = newest_checkpoint(run) / 'manifest.json'
        manifest.write_text(manifest.read_text().replace('"format_version": 1', '"format_version": 2'))
        before = names(run)
        done = train(1, self.shards, run, '--steps', 6)
        self.assert_code(3, done)
        self.assertIn('checkpoint format version 2; this program reads up to 1', done.stderr)
        self.assertEqual(before, names(run))

    def test_stray_files_are_no_damage(self):
        run = self.begun('stray')
        for name in ('step-00000006', 'step-00000003', 'notes.txt'):
            (run / 'checkpoints' / name).touch()
        self.assertEqual(0, subprocess.run([BIN / 'gan-inspect', run], capture_output=True, env=ENVIRONMENT).returncode)
        self.assert_code(0, train(1, self.shards, run, '--steps', 6, *self.FLAGS))
        self.assertEqual('step-00000006', newest_checkpoint(run).name)
        self.assertEqual(0, subprocess.run([BIN / 'gan-inspect', newest_checkpoint(run)], capture_output=True, env=ENVIRONMENT).returncode)
        self.assertEqual([], [name for name in names(run) if 'damaged' in name])

    def test_flags_that_are_not_given_come_from_the_run(self):
        run = self.begun('flags', '--lr-g', 0.001, '--loss', 'hinge')
        whole = self.folder / 'flags-whole'
        self.assert_code(0, train(1, self.shards, whole, '--steps', 6, *self.FLAGS, '--lr-g', 0.001, '--loss', 'hinge'))
        done = subprocess.run([BIN / 'gan-train', '--shards', self.shards, '--run', run, '--steps', '6'], capture_output=True,
                              text=True, env=ENVIRONMENT, timeout=120)
        self.assert_code(0, done)
        self.assertRegex(done.stderr, 'flags taken from the run: .*--lr-g 0.001.*--resolution 64')
        self.assertEqual(stats(whole), stats(run))
        self.assertEqual(digests(newest_checkpoint(whole)), digests(newest_checkpoint(run)))
        done = train(1, self.shards, run, '--steps', 8, '--loss', 'bce')
        self.assert_code(2, done)
        self.assertIn('loss ("hinge" then, "bce" now)', done.stderr)

    def test_grids_of_a_branch_that_was_left_are_set_aside_like_its_checkpoints(self):
        run = self.begun('branch')
        self.assert_code(0, train(1, self.shards, run, '--steps', 3, *self.FLAGS, '--resume', run / 'checkpoints' / 'step-00000002'))
        grids = sorted(path.name for path in run.glob('fakes-*'))
        self.assertEqual(['fakes-00000000.png', 'fakes-00000002.png', 'fakes-00000003.png'],
                         [name for name in grids if name.endswith('.png')])
        aside, = (name for name in grids if not name.endswith('.png'))
        self.assertRegex(aside, r'^fakes-00000004\.png\.abandoned-[0-9a-f]{16}$')

    def test_grids_of_nearest_images_are_set_aside_as_well(self):
        measured = ('--quality-every', 1, '--holdout', 0.4)
        run = self.begun('branch-nearest', *measured)
        self.assertEqual([1, 2, 3, 4], sorted(int(path.name[8:16]) for path in run.glob('nearest-*.png')))
        kept = run / 'nearest-4.png'
        kept.write_text('of a user')
        self.assert_code(0, train(1, self.shards, run, '--steps', 3, *self.FLAGS, *measured, '--resume', run / 'checkpoints' / 'step-00000002'))
        self.assertEqual([1, 2, 3], sorted(int(path.name[8:16]) for path in run.glob('nearest-0*.png')))
        self.assertEqual([3, 4], sorted(int(path.name[8:16]) for path in run.glob('nearest-*.abandoned-*')))
        self.assertEqual('of a user', kept.read_text())

    def test_grids_of_a_branch_that_was_rolled_back_are_set_aside(self):
        run = self.folder / 'rolled'
        self.assert_code(0, train(1, self.shards, run, '--steps', 44, '--checkpoint-every', 3, '--sample-every', 2, '--inject', 'weights:nan@21'))
        back = json.loads((run / 'rollbacks.json').read_text())['rollbacks'][0]
        aside = [int(path.name[6:14]) for path in run.glob('fakes-*.abandoned-*')]
        self.assertEqual([step for step in range(2, 44, 2) if back['to_step'] < step < back['from_step']], sorted(aside))

    def test_ranks_with_other_options_are_refused(self):
        for flag, here, there in (('--seed', 1, 2), ('--lr-d', 0.0002, 0.0003)):
            run = self.folder / f'ranks{flag}'
            common = [str(BIN / 'gan-train'), '--shards', str(self.shards), '--run', str(run), *SMALL, '--steps', '2', flag]
            done = subprocess.run(mpirun_unlike([*common, here], [*common, there]), env=ENVIRONMENT, capture_output=True, text=True,
                                  timeout=120)
            self.assert_code(2, done)
            self.assertIn(f'{flag[2:].replace("-", "_")} is {there} on rank 1 and {here} on rank 0', done.stderr)
            self.assertFalse(run.exists())


class Alone(WithShards):
    """gan-train without a launcher, started by a shell that somebody leaves."""

    FLAGS = ('--steps', 100000, '--checkpoint-every', 0, '--sample-every', 0)

    def start(self, run, **options):
        process = subprocess.Popen(train_command(1, self.shards, run, *self.FLAGS), env=ENVIRONMENT, start_new_session=True, **options)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    @staticmethod
    def lines(run):
        return (run / 'stats.jsonl').read_bytes().count(b'\n') if (run / 'stats.jsonl').exists() else 0

    def wait_for_steps(self, run, count):
        self.wait_for(lambda: self.lines(run) >= count)

    def wait_for(self, condition):
        deadline = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), deadline, 'waited a minute in vain')
            time.sleep(0.02)

    def assert_saved(self, run):
        self.assertEqual('stopped', json.loads((run / 'status.json').read_text())['state'])
        self.assertEqual(stats(run)[-1]['step'], int(newest_checkpoint(run).name[5:]))

    def test_a_terminal_that_closes_asks_to_save_and_stop(self):
        run = self.folder / 'hup'
        process = self.start(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_for_steps(run, 3)
        os.killpg(process.pid, signal.SIGHUP)
        self.assertEqual(75, process.wait(60))
        self.assert_saved(run)

    def test_under_nohup_it_outlives_the_shell_and_its_terminal(self):
        self.outlives_its_shell('nohup', ENVIRONMENT)

    def test_under_nohup_it_does_so_too_where_a_library_takes_the_signal(self):
        library = {'LD_PRELOAD': os.environ['EQUIPOISE_HOST_SHIM'], 'HOST_MASK': '0-1', 'HOST_TAKES_HANGUP': '1'}
        self.outlives_its_shell('nohup-library', ENVIRONMENT | library)

    def outlives_its_shell(self, name, environment):
        run = self.folder / name
        command = ' '.join(train_command(1, self.shards, run, *self.FLAGS))
        shell = subprocess.Popen(['sh', '-c', f'nohup {command} >/dev/null 2>&1 & echo $!; wait'], env=environment,
                                 stdout=subprocess.PIPE, start_new_session=True)
        orphan = int(shell.stdout.readline())
        shell.stdout.close()
        self.addCleanup(lambda: os.path.exists(f'/proc/{orphan}') and os.kill(orphan, signal.SIGKILL))
        self.wait_for_steps(run, 3)
        shell.kill()
        shell.wait()
        os.kill(orphan, signal.SIGHUP)
        self.wait_for_steps(run, self.lines(run) + 10)  # the parent is looked at ten times per second
        time.sleep(0.5)
        self.wait_for_steps(run, self.lines(run) + 1)
        os.kill(orphan, signal.SIGUSR1)
        self.wait_for(lambda: json.loads((run / 'status.json').read_text())['state'] == 'stopped')
        self.assert_saved(run)

    def test_a_reader_of_the_log_that_leaves_does_not_end_it(self):
        run = self.folder / 'reader'
        process = self.start(run, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        process.stderr.readline()
        process.stderr.close()
        self.wait_for_steps(run, 3)
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(75, process.wait(60))
        self.assert_saved(run)
        self.assertIn('stopped after', (run / 'log.txt').read_text())


if __name__ == '__main__':
    unittest.main()
