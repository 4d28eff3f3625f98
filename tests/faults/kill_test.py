"""Killed again and again at chosen places, a run with two rollbacks ends as the undisturbed one, bit for bit.

EQUIPOISE_KILLS=300 python kill_test.py    kills as often as that (default 12); prints how often in each place.
EQUIPOISE_SEED=7                           other ranks and moments (default 2)"""
import collections
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

import faults
from programs import ENVIRONMENT, WithShards, digests, newest_checkpoint, stats, train_command

KILLS = int(os.environ.get('EQUIPOISE_KILLS', 12))
SEED = int(os.environ.get('EQUIPOISE_SEED', 2))
# Every fifth step is saved and every tenth kept: there are prunes, and checkpoints to set aside when the single latent
# of step 74 looks like a collapse and the run goes back to step 10. Later a loss blows up, and it goes back once more.
FLAGS = ('--steps', 80, '--checkpoint-every', 5, '--sample-every', 10, '--keep', 2, '--keep-every', 10,
         '--inject', 'latents:1@74+1,loss:1000@132', '--balance-set',
         'collapse_least=0,collapse_diversity=0.01,smoothing_steps=1,raise_steps=1')
# place -> the calls of rank 0, the files, and how many of these calls an attempt gets past at most
PLACES = {
    'save': (faults.CHANGES, r'/checkpoints/step-\d+(\.tmp-.*)?$', 80),
    'prune': (faults.CHANGES, r'/checkpoints/step-\d+\.deleted-', 30),
    'rollback': (faults.CHANGES, r'/rollbacks\.json|\.abandoned-', 14),
    'load': (('open', 'read', 'map'), r'/checkpoints/step-\d+/', 20),
    'any write': (faults.CHANGES, '', 400),
}
ORDER = ('save', 'rollback', 'prune', 'any write', 'save', 'load')


def say(text):
    print(text, file=sys.stderr, flush=True)


class Kills(WithShards):
    def setUp(self):
        self.count, self.log = self.folder / 'count', self.folder / 'log'

    def start(self, run, **fault):
        """mpirun kills the other rank at once, not a second later."""
        self.count.unlink(missing_ok=True)
        environment = faults.environment(run, rank=0, count=self.count, **fault) if fault else {}
        with self.log.open('wb') as log:
            return subprocess.Popen(train_command(2, self.shards, run, *FLAGS), stdout=log, stderr=log,
                                    env=ENVIRONMENT | {'OMPI_MCA_odls_base_sigkill_timeout': '0'} | environment)

    def finish(self, run):
        self.assertEqual(0, self.start(run).wait(1800), self.log.read_text())

    def outcome(self, run):
        """The word 'rollback' is in the line after it: lost when the run is killed before it saves that line."""
        lines = stats(run)
        for line in lines:
            line['actions'] = [action for action in line['actions'] if action != 'rollback']
        return lines, digests(newest_checkpoint(run)), json.loads((run / 'rollbacks.json').read_text())

    def reached(self, nth):
        return self.count.exists() and self.count.stat().st_size and faults.counted(self.count) >= nth

    def kill_other(self, process, nth):
        """Kills rank 1 while rank 0 waits before its n-th call."""
        while not self.reached(nth):
            if process.poll() is not None:
                return
            time.sleep(0.002)
        for pid in pathlib.Path(f'/proc/{process.pid}/task/{process.pid}/children').read_text().split():
            if b'OMPI_COMM_WORLD_RANK=1' in pathlib.Path(f'/proc/{pid}/environ').read_bytes().split(b'\0'):
                os.kill(int(pid), signal.SIGKILL)

    def attempt(self, run, place, victim, nth):
        """Whether `victim` was killed, at the n-th call of rank 0 in `place`. Else the run has ended well."""
        calls, match, _ = PLACES[place]
        how = {'error': 'KILL'} if victim == 0 else {'error': 'SLEEP', 'seconds': 1000}
        process = self.start(run, calls=calls, match=match, nth=nth, **how)
        if victim == 1:
            self.kill_other(process, nth)
        code = process.wait(1800)
        if not self.reached(nth):
            self.assertEqual(0, code, self.log.read_text())
            return False
        self.assertNotEqual(0, code)
        self.assertRegex(self.log.read_text(), rf'rank {victim} .*exited on\s+signal 9')
        return True

    def assert_like(self, undisturbed, run):
        self.assertEqual(undisturbed, self.outcome(run))
        names = [path.name for path in (run / 'checkpoints').iterdir()]
        self.assertEqual([], [name for name in names if re.search(r'\.(damaged|tmp-|deleted-)', name)])

    def test_killed_in_saves_prunes_rollbacks_and_loads_ends_as_undisturbed(self):
        whole = self.folder / 'whole'
        self.finish(whole)
        undisturbed = self.outcome(whole)
        went_back = [(one['from_step'], one['to_step']) for one in undisturbed[2]['rollbacks']]
        self.assertEqual([(75, 10), (68, 65)], went_back)
        chance = random.Random(SEED)
        kills, victims, runs, attempts = collections.Counter(), collections.Counter(), 1, 0
        run = self.folder / 'run-1'
        while kills.total() < KILLS:
            place, victim = ORDER[attempts % len(ORDER)], chance.randrange(2)
            attempts += 1
            if self.attempt(run, place, victim, chance.randint(1, PLACES[place][-1])):
                kills[place] += 1
                victims[victim] += 1
                continue
            self.assert_like(undisturbed, run)
            say(f'run {runs} has ended as the undisturbed one, after {dict(kills)}')
            runs += 1
            run = self.folder / f'run-{runs}'
        self.finish(run)
        self.assert_like(undisturbed, run)
        say(f'{KILLS} kills, {dict(kills)}, of rank 0 and 1 {victims[0]} and {victims[1]}; {runs} runs ended as the undisturbed one')
        self.assertEqual(set(PLACES), set(kills))


if __name__ == '__main__':
    unittest.main()
