"""The balance at work in real runs: each action on request, rollback, and the same decisions on any ranks and after a resume."""
import json
import pathlib
import re
import shutil
import signal
import subprocess
import time
import unittest

from programs import BIN, ENVIRONMENT, WithShards, newest_checkpoint, stats, train, train_command

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Thresholds that give every step a verdict. So the tests show what an action does, and not whether it is needed.
AT_ONCE = 'warmup_steps=1,raise_steps=1,g_raise_steps=1,smoothing_steps=1,action_interval=2,'
D_AHEAD = AT_ONCE + 'd_ahead_auc=0,d_ahead_clear_auc=0,g_ahead_auc=-1,g_ahead_clear_auc=-1,d_ahead_excess=99,d_ahead_clear_excess=99'
G_AHEAD = AT_ONCE + 'd_ahead_auc=3,d_ahead_clear_auc=3,g_ahead_auc=2,g_ahead_clear_auc=2,g_ahead_excess=-9,g_ahead_clear_excess=-9'


def actions(run):
    return [action for line in stats(run) for action in line['actions']]


class Balance(WithShards):
    def train(self, ranks, name, *flags, code=0):
        done = train(ranks, self.shards, self.folder / name, '--sample-every', 0, *flags)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return self.folder / name

    def options(self, run):
        return json.loads((newest_checkpoint(run) / 'manifest.json').read_text())['state']['options']

    def test_the_remedies_on_request_come_in_their_order(self):
        run = self.train(2, 'remedies', '--steps', 9, '--check-every', 1, '--balance-actions', 'r1,wgan-gp,feature-matching',
                         '--balance-set', D_AHEAD)
        self.assertEqual(['r1_on', 'wgan_gp_on', 'feature_matching_on'], actions(run))
        lines = {line['step']: line for line in stats(run)}
        first = {action: step for step, line in lines.items() for action in line['actions']}
        self.assertEqual(0, lines[first['r1_on']]['penalty_d'])
        self.assertGreater(lines[first['r1_on'] + 1]['penalty_d'], 0)
        self.assertEqual(0, lines[first['feature_matching_on']]['matching_g'])
        self.assertGreater(lines[first['feature_matching_on'] + 1]['matching_g'], 0)

    def test_lazy_penalties_have_their_turn_in_every_second_update_of_d(self):
        run = self.train(1, 'lazy', '--steps', 24, '--r1', 10, '--r1-every', 2, '--balance-actions', 'd-every',
                         '--balance-set', D_AHEAD + ',max_d_every=2')
        self.assertEqual(['d_less_often'], actions(run))
        updates = [line['penalty_d'] > 0 for line in stats(run)[4:] if line['grad_norm_d'] is not None]
        self.assertLess(len(updates), 12)
        self.assertEqual(len(updates) // 2, sum(updates))

    def test_d_is_restarted_and_the_run_resumes_bit_for_bit(self):
        flags = ['--check-every', 1, '--checkpoint-every', 1, '--balance-actions', 'restart-d', '--balance-set',
                 D_AHEAD + ',restart_interval=3']
        whole = self.train(2, 'restarted', '--steps', 10, *flags)
        self.assertGreaterEqual(actions(whole).count('restart_d'), 2)
        self.train(2, 'restarted-halves', '--steps', 5, *flags)
        halves = self.train(2, 'restarted-halves', '--steps', 10, *flags)
        self.assertEqual(stats(whole), stats(halves))

    def test_steering_is_the_same_after_a_resume(self):
        # In double precision, so that the amount of steering does not depend on the order of sums, which differs
        # between processors.
        flags = ['--lr-d', '2e-3', '--precision', 'fp64', '--balance-set', 'steer_gain=2,steer_smoothing=1,smoothing_steps=2']
        whole = self.train(2, 'steered', '--steps', 50, *flags)
        steered = [line['augment_probability'] for line in stats(whole)]
        self.assertGreater(max(steered), 0.5)
        # The controller acts before and after the resume.
        self.assertGreater(max(steered[:27]), 0.05)
        self.assertGreater(max(steered[27:]), 0.05)
        self.train(2, 'steered-halves', '--steps', 27, *flags)
        halves = self.train(2, 'steered-halves', '--steps', 50, *flags)
        self.assertEqual(stats(whole), stats(halves))

    def test_a_run_that_ends_diverged_says_so(self):
        flags = ['--steps', 60, '--checkpoint-every', 0, '--inject', 'weights:1000@20']
        for mode in ('watch', 'act'):
            run = self.train(1, f'ends-diverged-{mode}', *flags, '--balance', mode, code=4)
            self.assertEqual('diverged', json.loads((run / 'status.json').read_text())['state'])

    def test_d_is_widened_once_and_the_run_resumes_bit_for_bit(self):
        flags = ['--check-every', 1, '--checkpoint-every', 1, '--balance-actions', 'widen-d', '--balance-set', G_AHEAD]
        whole = self.train(2, 'widened', '--steps', 10, *flags)
        self.assertEqual(['widen_d'], actions(whole))
        self.assertEqual(2, self.options(whole)['d_width'])
        self.train(2, 'widened-halves', '--steps', 5, *flags)
        halves = self.train(2, 'widened-halves', '--steps', 10, *flags)
        self.assertEqual(stats(whole), stats(halves))

    def test_a_blown_up_loss_rolls_back_and_is_told(self):
        flags = ['--steps', 80, '--checkpoint-every', 10, '--inject', 'loss:1000@65']
        one = self.train(1, 'blown-up', *flags)
        self.assertIn('rollback', actions(one))
        self.assertEqual(list(range(1, 81)), [line['step'] for line in stats(one)])
        told, = json.loads((one / 'rollbacks.json').read_text())['rollbacks']
        self.assertEqual((66, 60, True), (told['from_step'], told['to_step'], told['done']))
        self.assertRegex((one / 'log.txt').read_text(), 'a loss has blown up: back to step 60')
        plain = self.train(1, 'plain', *flags[:-2])
        self.assertEqual(stats(plain)[:60], stats(one)[:60])
        self.assertNotEqual(stats(plain)[60], stats(one)[60])  # other noise from there
        self.assertNotIn('rollback', actions(self.train(1, 'watched', *flags, '--balance', 'watch')))

    def test_a_collapse_rolls_back_once_and_is_borne_while_its_cause_lasts(self):
        run = self.train(1, 'collapsed', '--steps', 90, '--checkpoint-every', 5, '--keep', 100, '--inject', 'latents:1@70+20',
                         '--balance-actions', 'rollback-collapse', '--balance-set',
                         AT_ONCE + 'collapse_least=0,collapse_diversity=0.01')
        told, = json.loads((run / 'rollbacks.json').read_text())['rollbacks']
        self.assertRegex(told['cause'], 'mode collapse')
        self.assertTrue(told['done'])
        self.assertLessEqual(told['to_step'], told['from_step'] - 60)
        after = [line['verdict'] for line in stats(run) if line['step'] > told['to_step']]
        self.assertIn('mode_collapse', after)  # the fault lasts for some steps, and no second rollback comes
        self.assertNotEqual('mode_collapse', after[-1])

    def test_the_other_way_after_a_collapse_survives_a_kill(self):
        flags = ['--steps', 90, '--checkpoint-every', 5, '--keep', 100, '--inject', 'latents:1@70+20', '--balance-set',
                 AT_ONCE + 'collapse_least=0,collapse_diversity=0.01']
        whole = self.train(1, 'detour', *flags)
        told = json.loads((whole / 'rollbacks.json').read_text())['rollbacks']
        self.assertEqual(1, len(told))
        after = [line['augment_probability'] for line in stats(whole) if line['step'] > told[0]['to_step']]
        self.assertEqual({1}, set(after), 'augmentation stays at full strength')
        command = train_command(1, self.shards, self.folder / 'detour-killed', '--sample-every', 0, *flags)
        process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not (self.folder / 'detour-killed' / 'rollbacks.json').exists() and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed = self.train(1, 'detour-killed', *flags)
        without_actions = [[{k: v for k, v in line.items() if k != 'actions'} for line in stats(run)] for run in (whole, killed)]
        self.assertEqual(*without_actions)

    def test_what_a_collapse_has_changed_survives_another_rollback_to_the_same_checkpoint(self):
        flags = ['--checkpoint-every', 10, '--keep', 100, '--inject', 'latents:1@74+1,loss:1000@80', '--balance-set',
                 AT_ONCE + 'collapse_least=0,collapse_diversity=0.01']
        run = self.train(1, 'twice', '--steps', 76, *flags)
        told = json.loads((run / 'rollbacks.json').read_text())['rollbacks']
        self.assertEqual([10, 10], [one['to_step'] for one in told])
        self.assertRegex(told[1]['cause'], 'blown up')
        self.assertEqual({1}, {line['augment_probability'] for line in stats(run) if line['step'] > 10})
        # A process that is killed before the first checkpoint of the new branch resumes with a lineage of its own.
        for later in (run / 'checkpoints').glob('step-000000[2-9]?'):
            shutil.rmtree(later)
        self.train(1, 'twice', '--steps', 20, *flags)
        lineages = {json.loads((run / 'checkpoints' / name / 'manifest.json').read_text())['lineage']
                    for name in ('step-00000010', 'step-00000020')}
        self.assertEqual(2, len(lineages))

    def test_a_collapse_without_a_way_back_has_none_after_a_resume(self):
        flags = ['--checkpoint-every', 20, '--keep', 100, '--inject', 'latents:1@70+200', '--balance-set',
                 AT_ONCE + 'collapse_least=0,collapse_diversity=0.01']
        whole = self.train(1, 'no-way', '--steps', 96, *flags)
        self.assertEqual('mode_collapse', stats(whole)[-1]['verdict'])
        self.assertIn('no healthy checkpoint', (whole / 'log.txt').read_text())
        self.train(1, 'no-way-halves', '--steps', 90, *flags)
        halves = self.train(1, 'no-way-halves', '--steps', 96, *flags)
        self.assertEqual(stats(whole), stats(halves))

    def test_weights_that_are_no_numbers_roll_back_and_none_is_saved(self):
        run = self.train(2, 'nan', '--steps', 60, '--checkpoint-every', 10, '--inject', 'weights:nan@25')
        told, = json.loads((run / 'rollbacks.json').read_text())['rollbacks']
        self.assertEqual(20, told['to_step'])
        self.assertEqual(60, stats(run)[-1]['step'])
        self.assertTrue(all(line['loss_d'] is not None for line in stats(run)))

    def test_without_a_checkpoint_it_ends_as_diverged(self):
        run = self.train(1, 'hopeless', '--steps', 60, '--checkpoint-every', 0, '--inject', 'weights:nan@25', code=4)
        self.assertIn('no healthy checkpoint', (run / 'log.txt').read_text())

    def test_ranks_decide_alike_and_so_does_a_killed_run(self):
        flags = ['--steps', 80, '--checkpoint-every', 10, '--inject', 'loss:1000@65', '--lr-d', '2e-3', '--check-every', 5]
        whole = self.train(4, 'four', *flags)
        self.assertIn('rollback', actions(whole))
        command = train_command(4, self.shards, self.folder / 'killed', '--sample-every', 0, *flags)
        process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        journal = self.folder / 'killed' / 'rollbacks.json'
        while not journal.exists() and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)  # in the middle of the rollback
        process.wait()
        subprocess.run(['pkill', '-KILL', '-f', str(self.folder / 'killed')], check=False)
        time.sleep(0.5)
        killed = self.train(4, 'killed', *flags)
        self.assertEqual(actions(whole), actions(killed) if 'rollback' in actions(killed) else ['rollback', *actions(killed)])
        without_actions = [[{k: v for k, v in line.items() if k != 'actions'} for line in stats(run)] for run in (whole, killed)]
        self.assertEqual(*without_actions)

    def test_every_documented_threshold_is_one_and_others_are_refused(self):
        public, studies = (re.findall(r'^\| `(\w+)` \| ([-0-9.]+) \|', (ROOT / 'docs' / name).read_text(), re.M)
                           for name in ('balance.md', 'balance-study.md'))
        rows = public + studies
        self.assertEqual((58, 58), (len(rows), len(dict(rows))))
        shown = subprocess.run([BIN / 'gan-train', '--help'], capture_output=True, text=True, check=True).stdout
        in_help = re.findall(r'^ {28}(\w+)=([-0-9.e]+): ', shown, re.M)
        self.assertEqual({name: float(value) for name, value in public}, {name: float(value) for name, value in in_help})
        self.train(1, 'documented', '--dry-run', '--balance-set', ','.join(f'{name}={value}' for name, value in rows))
        for wrong in ('beauty=1', 'smoothing_steps', 'smoothing_steps=x', 'lr_factor=2', 'mode=1'):
            self.train(1, 'wrong', '--steps', 1, '--balance-set', wrong, code=2)
        self.train(1, 'wrong', '--steps', 1, '--balance-actions', 'pray', code=2)


if __name__ == '__main__':
    unittest.main()
