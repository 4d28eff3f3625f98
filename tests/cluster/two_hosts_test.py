"""Preprocessing and training on two hosts, one of which vanishes: two network namespaces, mpirun over ssh."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

from programs import BIN, ENVIRONMENT, SMALL, make_photos, stats
from two_hosts import TwoHosts


class TwoHostsTest(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)
        make_photos(self.folder / 'photos')
        self.hosts = TwoHosts(self.folder)
        self.hosts.__enter__()
        self.addCleanup(self.hosts.__exit__)
        (self.folder / 'hosts').write_text(''.join(f'{name} slots=1\n' for name in self.hosts.names))
        self.environment = ENVIRONMENT | self.hosts.environment()

    def on_first(self, *command, **kwargs):
        return subprocess.run(self.hosts.on(self.hosts.names[0], *command), env=self.environment, capture_output=True,
                              text=True, timeout=120, **kwargs)

    def test_both_work_and_one_goes_on_when_the_other_is_cut_off(self):
        mpirun = ['mpirun', '-np', 2, '--hostfile', self.folder / 'hosts']
        names = self.on_first(*mpirun, 'hostname')
        self.assertEqual(set(self.hosts.names), set(names.stdout.split()), names.stderr)

        done = self.on_first(*mpirun, BIN / 'gan-preprocess', '--in', self.folder / 'photos', '--out', self.folder / 'shards',
                             '--images-per-shard', 16)
        self.assertEqual(0, done.returncode, done.stderr)
        alone = self.on_first(BIN / 'gan-preprocess', '--in', self.folder / 'photos', '--out', self.folder / 'alone',
                              '--images-per-shard', 16)
        self.assertEqual(0, alone.returncode, alone.stderr)
        for file in sorted(path.name for path in (self.folder / 'alone').glob('*.gan')):
            self.assertEqual((self.folder / 'alone' / file).read_bytes(), (self.folder / 'shards' / file).read_bytes())

        run, log = self.folder / 'run', self.folder / 'launch.txt'
        launch = [BIN / 'gan-launch', '-np', 2, '--hostfile', self.folder / 'hosts', '--allow-fewer-ranks', 1, '--backoff', 0.1,
                  '--kill-after', 1, '--', 'gan-train', '--shards', self.folder / 'shards', '--run', run, *SMALL,
                  '--global-batch', 8, '--sample-every', 0, '--checkpoint-every', 10, '--step-timeout', 5, '--steps', 100000]
        with log.open('w') as errors:
            supervisor = subprocess.Popen(self.hosts.on(self.hosts.names[0], *launch), env=self.environment,
                                          stdout=subprocess.DEVNULL, stderr=errors)
        self.addCleanup(supervisor.kill)

        def newest():
            steps = [int(path.name[5:]) for path in run.glob('checkpoints/step-????????')]
            return max(steps, default=0)

        def wait_for(condition, limit):
            deadline = time.monotonic() + limit
            while not condition():
                self.assertIsNone(supervisor.poll(), log.read_text())
                self.assertLess(time.monotonic(), deadline, log.read_text())
                time.sleep(0.05)

        wait_for(lambda: newest() >= 20, 60)
        cut_time = time.monotonic()
        self.hosts.cut_off(self.hosts.names[1])
        wait_for(lambda: 'continuing without' in log.read_text(), 60)
        noticed, saved = time.monotonic() - cut_time, newest()
        wait_for(lambda: newest() >= saved + 40, 60)
        print(f'from the cut to the restart {noticed:.1f} s, to the next checkpoints {time.monotonic() - cut_time:.1f} s')
        self.assertIn(f'{self.hosts.names[1]} cannot be reached; continuing without, with 1 rank', log.read_text())
        self.assertTrue(re.search(r'resumed from \S*step-0*[1-9]', (run / 'log.txt').read_text()))
        self.assertGreaterEqual(json.loads((run / 'launch.json').read_text())['restarts'], 1)
        # The job stops on request, and no step was lost or done twice.
        subprocess.run(['kill', '-TERM', *[pid for pid in subprocess.run(
            ['pgrep', '-x', 'gan-launch', '--ns', str(supervisor.pid), '--nslist', 'net'], capture_output=True,
            text=True).stdout.split()]], check=True)
        self.assertEqual(75, supervisor.wait(30), log.read_text())
        self.assertEqual(list(range(1, len(stats(run)) + 1)), [line['step'] for line in stats(run)])

    def test_hosts_in_the_environment_are_reached(self):
        """The MPI operator of Kubernetes names the hosts in a variable and no network interface."""
        self.environment = {name: value for name, value in self.environment.items() if 'include' not in name}
        for variable in ('OMPI_MCA_orte_default_hostfile', 'PRTE_MCA_prte_default_hostfile'):
            self.environment[variable] = str(self.folder / 'hosts')
        shards, run = self.folder / 'shards', self.folder / 'run'
        made = self.on_first(BIN / 'gan-preprocess', '--in', self.folder / 'photos', '--out', shards)
        self.assertEqual(0, made.returncode, made.stderr)
        done = self.on_first(BIN / 'gan-launch', '-np', 2, '--max-restarts', 0, '--', 'gan-train', '--shards', shards, '--run', run,
                             *SMALL, '--expect-world-size', 2, '--sample-every', 0, '--steps', 2)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual([1, 2], [line['step'] for line in stats(run)])


if __name__ == '__main__':
    if os.geteuid() != 0:
        raise SystemExit('two_hosts_test makes network namespaces and needs root')
    unittest.main()
