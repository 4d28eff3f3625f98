"""gan-launch with real ranks: killed, hung, stopped, refused.

EQUIPOISE_KILLS=1000 python supervise_test.py Kills    kills as often as that (default 15); prints what it counted.
EQUIPOISE_SEED=7                                       other moments and victims (default 3)
EQUIPOISE_RANKS=1                                      cheaper ones (default 2)
EQUIPOISE_PATIENCE=900                                 seconds after which something has not happened (default 90), on a busy machine
HANGS=10 python supervise_test.py Hang                 hangs of each kind (default 2)"""
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time
import unittest
import urllib.request

from programs import BIN, ENVIRONMENT, SMALL, WithShards, digests, newest_checkpoint, stats

INTERVAL = 5
HANGS = int(os.environ.get('HANGS', 2))
KILLS = int(os.environ.get('EQUIPOISE_KILLS', 15))
SEED = int(os.environ.get('EQUIPOISE_SEED', 3))
PATIENCE = float(os.environ.get('EQUIPOISE_PATIENCE', 90))
RANKS = int(os.environ.get('EQUIPOISE_RANKS', 2))


def say(text):
    print(text, file=sys.stderr, flush=True)


def children(pid):
    try:
        return [int(c) for c in pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text().split()]
    except FileNotFoundError:
        return []


class Launched(WithShards):
    def command(self, run, *flags, launch=(), ranks=2):
        return [*map(str, [BIN / 'gan-launch', '-np', ranks, '--kill-after', 0, '--backoff', 0.1, *launch,
                           '--oversubscribe', '--bind-to', 'none', '--', 'gan-train', '--shards', self.shards,
                           '--run', run, *SMALL, '--sample-every', 0, *flags])]

    def start(self, run, *flags, **kwargs):
        self.log = self.folder / f'{run.name}.err'
        with self.log.open('ab') as log:
            process = subprocess.Popen(self.command(run, *flags, **kwargs), env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=log)
        self.addCleanup(process.kill)  # after a failed test: the job ends with its supervisor
        return process

    def wait_for(self, condition, pause=0.01, limit=PATIENCE):
        deadline = time.monotonic() + limit
        while not condition():
            self.assertLess(time.monotonic(), deadline, f'waited {limit} s in vain\n' + self.log.read_text()[-3000:])
            time.sleep(pause)

    @staticmethod
    def lines(run):
        path = run / 'stats.jsonl'
        return path.read_bytes().count(b'\n') if path.exists() else 0

    def ranks(self, process):
        """mpirun's own process and its ranks; gan-launch adopts orphans, so mpirun is found by name."""
        for child in children(process.pid):
            try:
                name = pathlib.Path(f'/proc/{child}/comm').read_text().strip()
            except FileNotFoundError:
                continue
            if name in ('mpirun', 'orterun', 'prterun'):
                return child, children(child)
        return None, []

    def saves_begun(self, run):
        folder = run / 'checkpoints'
        return {name for name in os.listdir(folder) if '.tmp-' in name} if folder.exists() else set()


class Kills(Launched):
    def test_killed_again_and_again_ends_as_uninterrupted(self):
        chance = random.Random(SEED)
        steps = 60 + 12 * KILLS
        flags = ('--steps', steps, '--checkpoint-every', INTERVAL)
        whole, run = self.folder / 'whole', self.folder / 'killed'
        self.assertEqual(0, self.start(whole, *flags, ranks=RANKS).wait(10 * PATIENCE), self.log.read_text())
        counts = {'rank': 0, 'mpirun': 0, 'launcher': 0}
        inside, lost = 0, []  # lost: steps done again after each kill
        process = self.start(run, *flags, launch=('--max-restarts', 100000), ranks=RANKS)
        for kill in range(KILLS):
            self.wait_for(lambda: len(self.ranks(process)[1]) == RANKS or process.poll() is not None)
            if process.poll() is not None:  # three kills in a row before a save: it gave up, and its user starts it again
                self.assertIn('3 restarts in a row have saved no new checkpoint', self.log.read_text())
                process = self.start(run, *flags, launch=('--max-restarts', 100000), ranks=RANKS)
                self.wait_for(lambda: len(self.ranks(process)[1]) == RANKS)
            target = 'launcher' if kill % 10 == 9 else 'mpirun' if kill % 5 == 2 else 'rank'
            abandoned, before = self.saves_begun(run), self.lines(run)
            lowest = before

            def advanced(count):
                nonlocal lowest
                now = self.lines(run)
                lowest = min(lowest, now)  # a resumed run cuts the file first
                return now >= lowest + count and self.resumed(run) > kill or process.poll() is not None

            if kill % 3 == 0:
                self.wait_for(lambda: self.saves_begun(run) - abandoned or process.poll() is not None, 0.0003)
            else:
                wanted = chance.randrange(1, 9)
                self.wait_for(lambda: advanced(wanted), 0.002)
                time.sleep(chance.uniform(0, 0.03))
            self.assertIsNone(process.poll(), 'ended before it was killed\n' + self.log.read_text()[-3000:])
            mpirun, ranks = self.ranks(process)
            inside += bool(self.saves_begun(run) - abandoned)
            reached = self.lines(run)
            victim = {'launcher': process.pid, 'mpirun': mpirun, 'rank': chance.choice(ranks or [mpirun])}[target]
            os.kill(victim, signal.SIGKILL)
            counts[target] += 1
            if target == 'launcher':
                process.wait()
                # The ranks that it left behind end by themselves: nobody kills them.
                self.wait_for(lambda: not any(self.alive(p) for p in [mpirun, *ranks]))
                process = self.start(run, *flags, launch=('--max-restarts', 100000), ranks=RANKS)
            self.wait_for(lambda: self.resumed(run) > kill + 1 or process.poll() is not None)
            lost.append(reached - self.last_resumed_step(run))
        if process.wait(10 * PATIENCE) != 0:  # the last kill was the third in a row
            self.assertIn('3 restarts in a row have saved no new checkpoint', self.log.read_text()[-500:])
            process = self.start(run, *flags, ranks=RANKS)
        self.assertEqual(0, process.wait(10 * PATIENCE), self.log.read_text()[-3000:])
        say(f'kills: {KILLS} ({counts}), inside saves: {inside}; a checkpoint every {INTERVAL} steps, done again at most '
            f'{max(lost)}, more than {INTERVAL} after {sum(n > INTERVAL for n in lost)}')
        self.assertEqual(stats(whole), stats(run))
        self.assertEqual(digests(newest_checkpoint(whole)), digests(newest_checkpoint(run)))
        self.assertEqual([], list((run / 'checkpoints').glob('*.damaged*')))
        self.assertLessEqual(max(lost), 2 * INTERVAL, 'one interval, and the save that was in flight')
        self.assertGreaterEqual(inside, KILLS // 4)

    @staticmethod
    def alive(pid):
        try:
            return pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0] != 'Z'
        except FileNotFoundError:
            return False

    @staticmethod
    def resumed(run):
        """How many attempts have opened the run."""
        log = run / 'log.txt'
        return log.read_text().count(' run folder ') if log.exists() else 0

    @staticmethod
    def last_resumed_step(run):
        found = re.findall(r'resumed from \S*step-(\d+)', (run / 'log.txt').read_text())
        return int(found[-1]) if found else 0


class Hang(Launched):
    TIMEOUT = 2

    def test_stopped_rank_is_noticed_and_the_run_goes_on(self):
        run, times = self.folder / 'hang', []
        process = self.start(run, '--steps', 100000, '--checkpoint-every', INTERVAL, '--step-timeout', self.TIMEOUT,
                             '--metrics-port', 0, '--save-timeout', self.TIMEOUT, '--evaluate-timeout', self.TIMEOUT,
                             launch=('--max-restarts', 1000))
        try:
            for hang in range(HANGS):
                self.wait_for(lambda: len(self.ranks(process)[1]) == 2)
                reached = self.lines(run)
                self.wait_for(lambda: self.steps_of_attempt(run, hang + 1) and self.lines(run) > reached + 7)
                ranks = self.ranks(process)[1]
                os.kill(ranks[hang % 2], signal.SIGSTOP)
                start = time.monotonic()
                self.wait_for(lambda: self.log.read_text().count('no sign of life') > hang)
                noticed = time.monotonic() - start
                self.wait_for(lambda: self.steps_of_attempt(run, hang + 2))
                self.assertEqual(hang + 1, self.restarts_by_metric(run))
                times.append((noticed, time.monotonic() - start))
                self.assertLess(noticed, 2 * self.TIMEOUT)
        finally:
            process.send_signal(signal.SIGTERM)
            self.assertEqual(75, process.wait(60), self.log.read_text()[-3000:])
        noticed, repaired = (sorted(t[i] for t in times) for i in (0, 1))
        at = lambda values, q: values[min(len(values) - 1, int(q * len(values)))]
        say(f'{HANGS} hangs, time-out {self.TIMEOUT} s: noticed after p50 {at(noticed, .5):.2f} p95 {at(noticed, .95):.2f} s, '
            f'training again after p50 {at(repaired, .5):.2f} p95 {at(repaired, .95):.2f} s')
        stacks = list(run.glob('stacks-rank-*.txt'))
        self.assertTrue(stacks)
        self.assertIn('gan-train', stacks[0].read_text())
        self.assertIn('thread', stacks[0].read_text())

    def test_rank_that_waits_in_its_loader_or_leaves_the_others_in_a_collective_is_noticed(self):
        times = []
        for hang in range(2 * HANGS):
            kind = ('loader', 'rank')[hang % 2]
            run = self.folder / f'{kind}-{hang}'
            process = self.start(run, '--steps', 12, '--checkpoint-every', 1, '--step-timeout', self.TIMEOUT,
                                 '--inject', f'{kind}:600@8')
            self.wait_for(lambda: self.lines(run) >= 7)
            start = time.monotonic()
            self.wait_for(lambda: 'no sign of life' in self.log.read_text())
            noticed = time.monotonic() - start
            self.assertEqual(0, process.wait(60), self.log.read_text()[-3000:])
            times.append((noticed, time.monotonic() - start))
            self.assertLess(noticed, 2 * self.TIMEOUT)
            self.assertEqual(1, json.loads((run / 'launch.json').read_text())['restarts'])
            self.assertEqual(list(range(1, 13)), [line['step'] for line in stats(run)])
        noticed, repaired = (sorted(t[i] for t in times) for i in (0, 1))
        at = lambda values, q: values[min(len(values) - 1, int(q * len(values)))]
        say(f'{len(times)} hangs in loader and collective: noticed after p50 {at(noticed, .5):.2f} p95 {at(noticed, .95):.2f} s, '
            f'run finished after p50 {at(repaired, .5):.2f} p95 {at(repaired, .95):.2f} s')

    @staticmethod
    def restarts_by_metric(run):
        targets = [t for entry in json.loads((run / 'prometheus-targets.json').read_text()) for t in entry['targets']]
        text = urllib.request.urlopen(f'http://{targets[0]}/metrics', timeout=10).read().decode()
        return int(float(re.search(r'^gan_launch_restarts\{[^}]*\} (\S+)$', text, re.M)[1]))

    @staticmethod
    def steps_of_attempt(run, attempt):
        log = run / 'log.txt'
        parts = log.read_text().split(' run folder ') if log.exists() else []
        return len(parts) > attempt and 'saved' in parts[attempt]


class Stop(Launched):
    def test_term_and_int_and_usr1_save_and_end_with_75_and_mpirun_does_not_sleep_on(self):
        for name in ('SIGTERM', 'SIGINT', 'SIGUSR1'):
            with self.subTest(signal=name):
                run = self.folder / name
                process = self.start(run, '--steps', 100000, '--checkpoint-every', 0, launch=('--kill-after', 60))
                self.wait_for(lambda: self.lines(run) >= 5)
                start = time.monotonic()
                process.send_signal(getattr(signal, name))
                self.assertEqual(75, process.wait(60), self.log.read_text())
                say(f'{name} to exit: {time.monotonic() - start:.2f} s')
                self.assertEqual(stats(run)[-1]['step'], int(newest_checkpoint(run).name[5:]))
                self.assertEqual('stopped', json.loads((run / 'launch.json').read_text())['state'])

    def test_second_int_ends_at_once_and_leaves_nobody(self):
        run = self.folder / 'twice'
        process = self.start(run, '--steps', 100000, '--checkpoint-every', 0)
        self.wait_for(lambda: self.lines(run) >= 3)
        mpirun, ranks = self.ranks(process)
        os.kill(ranks[0], signal.SIGSTOP)  # so that it cannot save
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        self.assertIsNone(process.poll())
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        self.assertEqual(130, process.wait(10))
        self.assertLess(time.monotonic() - start, 2)
        self.assertFalse([p for p in [mpirun, *ranks] if Kills.alive(p)])


class Endings(Launched):
    def test_exit_codes_pass_through_without_restart(self):
        for code, flags in ((0, ('--steps', 2)), (2, ('--steps', 2, '--resolution', 77)),
                            (3, ('--steps', 2, '--shards', self.folder))):
            with self.subTest(code=code):
                run = self.folder / f'code-{code}'
                self.assertEqual(code, self.start(run, *flags).wait(60), self.log.read_text())
                self.assertEqual(0, json.loads((run / 'launch.json').read_text())['restarts'])

    def test_mpirun_that_breaks_after_its_ranks_have_ended(self):
        """Imitates Open MPI's use after free at its end with a stand-in, which stays for ever or dies of a signal."""
        for name, end in (('stuck', 'time.sleep(600)'), ('crash', 'time.sleep(0.5); os.kill(os.getpid(), 11)')):
            with self.subTest(name):
                folder = self.folder / name
                folder.mkdir()
                (folder / 'mpirun').write_text(f'#!/bin/sh\n(exit 3) &\nexec {sys.executable} -c "import os, time; {end}"\n')
                (folder / 'mpirun').chmod(0o755)
                done = subprocess.run(
                    [str(BIN / 'gan-launch'), '-np', '1', '--', 'gan-train', '--run', str(folder / 'run')],
                    env=ENVIRONMENT | {'PATH': f'{folder}:{os.environ["PATH"]}'}, capture_output=True, text=True, timeout=60)
                self.assertEqual(3, done.returncode, done.stderr)
                self.assertIn('ended with exit code 3', done.stderr)

    def test_three_restarts_without_progress_are_the_end(self):
        run = self.folder / 'crash'
        done = subprocess.run([str(BIN / 'gan-launch'), '-np', '1', '--kill-after', '0', '--backoff', '0.05', '--', 'sh',
                               '-c', 'sleep 0.2; exit 9', '--run', str(run)], env=ENVIRONMENT, capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(9, done.returncode, done.stderr)
        last = json.loads((run / 'launch.json').read_text())
        self.assertEqual(('failed', 3), (last['state'], last['restarts']))
        self.assertIn('saved no new checkpoint', (run / 'launch.log').read_text())

    def test_the_command_of_an_alert_outlives_the_next_attempt(self):
        """The alert's command takes longer than the second attempt, at whose end gan-launch ends all of its other
        children."""
        program, told = self.folder / 'fails', self.folder / 'told.jsonl'
        program.write_text('#!/bin/sh\nsleep 0.5\necho "gan-train: cannot go on" >&2\nexit 1\n')
        program.chmod(0o755)
        done = subprocess.run([*map(str, [BIN / 'gan-launch', '-np', 1, '--oversubscribe', '--max-restarts', 1, '--backoff', 0, '--kill-after', 0,
                                          '--alert-command', f'sleep 1.5; echo "$(cat)" >> {told}', '--', program, '--run', self.folder / 'alerted'])],
                              env=ENVIRONMENT, capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(1, done.returncode, done.stderr)
        self.assertNotIn('alert-command failed', done.stderr)
        self.assertCountEqual(['rank_failed', 'job_failed'], [json.loads(line)['event'] for line in told.read_text().splitlines()])

    def test_without_run_it_refuses(self):
        done = subprocess.run([str(BIN / 'gan-launch'), '-np', '1', '--', 'gan-train', '--shards', 'x'], env=ENVIRONMENT,
                              capture_output=True, text=True)
        self.assertEqual(2, done.returncode)
        self.assertIn('--run', done.stderr)

    def test_link_in_place_of_the_log_is_not_followed(self):
        run = self.folder / 'link'
        run.mkdir()
        (run / 'launch.log').symlink_to(self.folder / 'elsewhere')
        self.assertEqual(1, self.start(run, '--steps', 2).wait(60))
        self.assertFalse((self.folder / 'elsewhere').exists())

    def test_listens_on_loopback_alone(self):
        run = self.folder / 'ports'
        process = self.start(run, '--steps', 100000, '--checkpoint-every', 0, '--metrics-port', 0)
        try:
            self.wait_for(lambda: self.lines(run) >= 2)
            mpirun, ranks = self.ranks(process)
            listing = subprocess.run(['ss', '-Hltnp'], capture_output=True, text=True, check=True).stdout.splitlines()
            ours = [line for line in listing
                    if any(f'pid={pid},' in line for pid in (process.pid, mpirun, *ranks))]
            self.assertTrue(ours, 'the metrics at least must be found')
            say('\n'.join(ours))
            # mpirun's own port for its daemons has no option for its address: docs/security.md names it.
            for line in [line for line in ours if f'pid={mpirun},' not in line]:
                self.assertRegex(line.split()[3], r'^(127\.0\.0\.1|\[::1\]):')
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


class Mistakes(Launched):
    """Mistakes of users, each of which is refused or reported at once."""

    def refused(self, *command, path=None):
        environment = ENVIRONMENT | ({'PATH': path} if path else {})
        done = subprocess.run([str(BIN / 'gan-launch'), '-np', '1', '--backoff', '60', *map(str, command)], env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=50)
        return done.returncode, done.stderr

    def test_what_cannot_begin_is_told_at_once(self):
        run = self.folder / 'never'
        refused = subprocess.run(['mpirun', '--no-such-flag', '3', 'true'], env=ENVIRONMENT, capture_output=True).returncode
        self.assertNotIn(refused, (0, 2))
        for code, says, path, *command in (
                (2, 'gan-trian after -- is neither', None, '--', 'gan-trian', '--run', run),
                (2, 'mpirun is not in PATH', '/nonexistent', '--', 'gan-train', '--run', run),
                (2, 'no program', None, '--'),
                (2, '--backoff', None, '--backoff', 'soon', '--', 'gan-train', '--run', run),
                (refused, 'restart would not help; 0 restart', None, '--no-such-flag', '3', '--', 'gan-train', '--run', run)):
            with self.subTest(says):
                found, told = self.refused(*command, path=path)
                self.assertEqual(code, found, told)
                self.assertIn(says, told)

    def test_second_launcher_on_the_same_run_is_refused_and_the_first_goes_on(self):
        run = self.folder / 'shared'
        first = self.start(run, '--steps', 100000, '--checkpoint-every', 0)
        try:
            self.wait_for(lambda: self.lines(run) >= 3)
            second = subprocess.run(self.command(run, '--steps', 5), env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
            self.assertEqual(2, second.returncode, second.stderr)
            self.assertIn('in use by another process', second.stderr)
            self.assertIsNone(first.poll())
            self.assertFalse((run / 'launch.json').exists(), 'the last words are those of the first')
        finally:
            first.send_signal(signal.SIGTERM)
            self.assertEqual(75, first.wait(60), self.log.read_text())

    def test_started_again_in_the_moment_it_was_killed(self):
        run = self.folder / 'at-once'
        for turn in range(6):
            process = self.start(run, '--steps', 100000, '--checkpoint-every', INTERVAL)
            self.wait_for(lambda: Kills.resumed(run) > turn)
            if turn < 5:
                process.kill()
                process.wait()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(75, process.wait(60), self.log.read_text())

    def test_reader_of_its_log_that_leaves_does_not_end_it(self):
        run = self.folder / 'head'
        reading, writing = os.pipe()
        process = subprocess.Popen([str(BIN / 'gan-launch'), '-np', '1', '--', 'sh', '-c', 'sleep 1; exit 3', '--run', str(run)],
                                   env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=writing)
        os.close(writing)
        os.close(reading)
        self.assertEqual(3, process.wait(60))
        self.assertEqual('failed', json.loads((run / 'launch.json').read_text())['state'])


class Check(Launched):
    def check(self, run, *flags, **kwargs):
        command = self.command(run, *flags, launch=('--check', *kwargs.pop('launch', ())), **kwargs)
        return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)

    def test_everything_in_order(self):
        run = self.folder / 'all' / 'is' / 'fine'
        done = self.check(run)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        for what in ('program and flags', 'shards', 'disk', 'ranks: 2 of 2', 'memory of', 'all-reduce'):
            self.assertIn(what, done.stdout)
        self.assertFalse((self.folder / 'all').exists(), 'a check leaves nothing behind')

    def test_needs_are_those_of_the_dry_run(self):
        run = self.folder / 'needs'
        command = self.command(run)
        dry = subprocess.run([BIN / 'gan-train', *command[command.index('gan-train') + 1:], '--dry-run', '--json'],
                             env=ENVIRONMENT, capture_output=True, text=True, check=True)
        cost = json.loads(dry.stdout)
        said = self.check(run).stdout
        self.assertIn(f'2 ranks want about {2 * cost["memory_bytes_per_rank"] / 2 ** 20:.0f} MiB', said)
        self.assertIn(f'three checkpoints take {3.6 * cost["checkpoint_bytes"] / 2 ** 20:.0f} MiB', said)

    def test_a_program_that_does_not_say_what_it_needs_is_a_problem(self):
        program = self.folder / 'silent'
        program.write_text('#!/bin/sh\necho "{}"; echo "memory per rank 5 MiB"\n')
        program.chmod(0o755)
        command = [str(program) if word == 'gan-train' else word for word in self.command(self.folder / 'quiet', launch=('--check',))]
        done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
        self.assertEqual(1, done.returncode, done.stdout + done.stderr)
        self.assertIn('PROBLEM program and flags: --dry-run --json printed no JSON object', done.stdout)

    def test_damaged_shard_is_named(self):
        shards = self.folder / 'shards'
        victim = next(shards.glob('shard-*.gan'))
        good = victim.read_bytes()
        bad = bytearray(good)
        bad[5000] ^= 1
        victim.write_bytes(bad)
        try:
            done = self.check(self.folder / 'damaged')
        finally:
            victim.write_bytes(good)
        self.assertEqual(3, done.returncode, done.stdout + done.stderr)
        self.assertIn(victim.name, done.stdout)

    def test_bad_flag_and_too_few_slots_are_problems(self):
        self.assertIn('PROBLEM program and flags', self.check(self.folder / 'flag', '--resolution', 77).stdout)
        command = [str(BIN / 'gan-launch'), '--check', '-np', '9999', '--', 'gan-train', '--shards', str(self.shards),
                   '--run', str(self.folder / 'many')]
        done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
        self.assertEqual(1, done.returncode)
        self.assertIn('PROBLEM ranks', done.stdout)


class WrongSum(Launched):
    def test_a_rank_with_a_wrong_sum_is_named(self):
        command = self.command(self.folder / 'sums', launch=('--check',))
        environment = ENVIRONMENT | {'LD_PRELOAD': os.environ['EQUIPOISE_WRONG_SUM']}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        self.assertEqual(1, done.returncode, done.stdout + done.stderr)
        problems = [line for line in done.stdout.splitlines() if line.startswith('PROBLEM')]
        self.assertEqual(1, len(problems), done.stdout)
        self.assertRegex(problems[0], 'rank 1 on .*: all-reduce gave a wrong sum')


if __name__ == '__main__':
    unittest.main()
