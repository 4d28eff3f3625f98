"""gan-train's threads and CPUs, with the commands as the README has them: nothing about binding or threads in them."""
import os
import pathlib
import re
import signal
import subprocess
import time
import unittest
import unittest.mock

from programs import BIN, ENVIRONMENT, WithShards, stats, train

SHIM = os.environ['EQUIPOISE_HOST_SHIM']
FLAGS = ('--resolution', '64', '--features', '4', '--batch', '4', '--metrics-port', 'off', '--holdout', '0.1')
PLAIN = {name: value for name, value in ENVIRONMENT.items() if not name.startswith(('OMP_', 'MKL_'))}


def cpus_of(process):
    status = pathlib.Path(f'/proc/{process}/status').read_text()
    cpus = set()
    for part in re.search(r'^Cpus_allowed_list:\s*(\S+)', status, re.M)[1].split(','):
        first, _, last = part.partition('-')
        cpus |= set(range(int(first), int(last or first) + 1))
    return cpus


def ranks_under(process):
    """The gan-train processes that descend from it."""
    found = []
    for child in map(int, pathlib.Path(f'/proc/{process}/task/{process}/children').read_text().split()):
        found += [child] if pathlib.Path(f'/proc/{child}/comm').read_text().strip() == 'gan-train' else ranks_under(child)
    return found


def threads_told(run):
    return int(re.search(r'  threads (\d+)', (run / 'log.txt').read_text())[1])


class Commands(WithShards):
    """Requirement: the README's commands use every core of this machine."""

    def check(self, launcher, ranks, run):
        program = [BIN / 'gan-train'] if launcher[:1] != ['gan-launch'] else ['gan-train']
        command = [BIN / launcher[0], *launcher[1:]] if launcher[:1] == ['gan-launch'] else launcher
        command = [*map(str, [*command, *program, '--shards', self.shards, '--run', run, *FLAGS, '--steps', 1000000])]
        process = subprocess.Popen(command, env=PLAIN, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 60
            while not (run / 'stats.jsonl').exists() or not (run / 'stats.jsonl').read_bytes():
                self.assertIsNone(process.poll(), f'{command} ended')
                self.assertLess(time.monotonic(), deadline, 'waited a minute in vain')
                time.sleep(0.02)
            found = [process.pid] if not launcher else ranks_under(process.pid)
            masks = [cpus_of(rank) for rank in found]
        finally:
            process.send_signal(signal.SIGUSR1)
            process.wait(60)
        everything = os.sched_getaffinity(0)
        self.assertEqual(ranks, len(masks))
        self.assertEqual(everything, set.union(*masks))
        self.assertEqual(len(everything) // ranks, threads_told(run))
        self.assertEqual(len(everything), sum(map(len, masks)), 'ranks share a CPU')

    def test_one_process(self):
        self.check([], 1, self.folder / 'alone')

    def test_mpirun_with_one_rank(self):
        self.check(['mpirun', '-np', '1'], 1, self.folder / 'mpirun-1')

    def test_mpirun_with_two_ranks(self):
        self.check(['mpirun', '-np', '2'], 2, self.folder / 'mpirun-2')

    def test_gan_launch_with_one_and_two_ranks(self):
        for ranks in (1, 2):
            with self.subTest(ranks=ranks):
                self.check(['gan-launch', '-np', str(ranks), '--'], ranks, self.folder / f'launch-{ranks}')

    def test_binding_that_was_asked_for_is_kept(self):
        run = self.folder / 'bound'
        command = ['mpirun', '--bind-to', 'core', '-np', '1', BIN / 'gan-train', '--shards', self.shards, '--run', run, *FLAGS,
                   '--steps', '1']
        subprocess.run([*map(str, command)], env=PLAIN, check=True, capture_output=True)
        self.assertEqual(1, threads_told(run))
        self.assertIn('bound as requested', (run / 'log.txt').read_text())


class OtherMachines(WithShards):
    """The programs on a machine of eight CPUs, which a shim imitates on this one."""

    def threads(self, launcher, *, quota='max', own_mask='0-7', name):
        root = self.folder / f'root-{name}'
        for file, text in {'sys/devices/system/cpu/online': '0-7', 'proc/self/cgroup': '0::/job',
                           'sys/fs/cgroup/job/cpu.max': f'{quota} 100000'}.items():
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_text(text + '\n')
        shim = ['env', f'LD_PRELOAD={SHIM}', f'HOST_ROOT={root}', 'HOST_MASK=0-7', f'HOST_OWN_MASK={own_mask}']
        run = self.folder / name
        command = [*launcher, *shim, BIN / 'gan-train', '--shards', self.shards, '--run', run, *FLAGS, '--steps', 1]
        done = subprocess.run([*map(str, command)], env=PLAIN, capture_output=True, text=True, timeout=300)
        self.assert_code(0, done)
        return threads_told(run), (run / 'log.txt').read_text()

    def test_one_process_takes_the_whole_mask(self):
        self.assertEqual(8, self.threads([], name='whole')[0])

    def test_quota_of_the_container_is_kept_to(self):
        threads, log = self.threads([], quota='150000', name='small-quota')
        self.assertEqual(1, threads)
        self.assertIn("quota is 1.5 CPUs", log)
        self.assertEqual(4, self.threads([], quota='400000', name='quota')[0])

    def test_four_ranks_with_one_mask_share_it(self):
        self.assertEqual(2, self.threads(['mpirun', '--oversubscribe', '-np', 4], name='four')[0])

    def test_default_binding_to_one_core_becomes_a_share(self):
        threads, log = self.threads(['mpirun', '-np', 2], own_mask='0', name='two')
        self.assertEqual(4, threads)
        self.assertIn('8 CPUs of this job on this host, shared by 2 ranks', log)


class OpenMp(WithShards):
    """Requirement: variables that withhold threads from OpenMP change no number."""

    def losses(self, name, threads, **variables):
        run = self.folder / name
        with unittest.mock.patch.dict(ENVIRONMENT, variables):
            self.assert_code(0, train(1, self.shards, run, '--steps', 6, '--threads', threads, '--convolutions', 'torch'))
        return stats(run)

    def test_variables_that_can_be_overridden_are(self):
        expected = self.losses('free', 2)
        self.assertEqual(expected, self.losses('dynamic', 2, OMP_DYNAMIC='true'))
        self.assertEqual(expected, self.losses('levels', 2, OMP_MAX_ACTIVE_LEVELS='0'))

    def test_thread_limit_is_kept_to(self):
        self.assertEqual(self.losses('one', 1), self.losses('limit', 2, OMP_THREAD_LIMIT='1'))
        self.assertEqual(1, threads_told(self.folder / 'limit'))
        self.assertIn('OMP_THREAD_LIMIT 1', (self.folder / 'limit' / 'log.txt').read_text())


if __name__ == '__main__':
    unittest.main()
