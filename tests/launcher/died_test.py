"""gan-launch says why a job died: which rank was first, where it was, and the cause. Eleven causes are injected; the
twelfth, a lost host, is in tests/cluster/lost_host_test.py.

EQUIPOISE_DEATHS=10 python died_test.py Died       each cause as often (default 1); prints what was right
EQUIPOISE_CAUSES=hang,port python died_test.py Died only these
EQUIPOISE_HEALTHY=100 python died_test.py Healthy  as many healthy runs (default 3)"""
import collections
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import unittest

from programs import BIN, ENVIRONMENT, SMALL
from supervise_test import Launched

DEATHS = int(os.environ.get('EQUIPOISE_DEATHS', 1))
HEALTHY = int(os.environ.get('EQUIPOISE_HEALTHY', 3))
SHIM = os.environ['EQUIPOISE_FAULT_SHIM']


class Died(Launched):
    photos = 60

    def setUp(self):
        self.counts = collections.Counter()

    def launch(self, run, *flags, program='gan-train', launcher=(), shards=None, **environment):
        """Starts gan-launch with two ranks and without restarts. Returns the process."""
        command = [BIN / 'gan-launch', '-np', 2, '--max-restarts', 0, '--kill-after', 0, '--oversubscribe', '--bind-to', 'none', *launcher,
                   '--', program, '--shards', shards or self.shards, '--run', run, *SMALL, '--sample-every', 0, '--checkpoint-every', 0, *flags]
        self.log = self.folder / f'{run.name}.err'
        with self.log.open('wb') as log:
            return subprocess.Popen([*map(str, command)], env=ENVIRONMENT | environment, stdout=subprocess.DEVNULL, stderr=log)

    def training(self, process, run):
        """The ranks' processes, in order, when the run is at work."""
        self.wait_for(lambda: self.lines(run) >= 3 or process.poll() is not None)
        self.assertIsNone(process.poll(), self.log.read_text()[-2000:])
        return sorted(self.ranks(process)[1], key=self.rank_of)

    @staticmethod
    def rank_of(process):
        variables = pathlib.Path(f'/proc/{process}/environ').read_bytes().split(b'\0')
        return int(dict(v.split(b'=', 1) for v in variables if b'=' in v)[b'OMPI_COMM_WORLD_RANK'])

    def wrapper(self, rank, before):
        """A program that runs `before` in one rank only and is gan-train then."""
        script = self.folder / f'wrapper-{time.monotonic_ns()}.sh'
        script.write_text(f'#!/bin/sh\nif [ "$OMPI_COMM_WORLD_RANK" = {rank} ]; then\n{before}\nfi\nexec {BIN}/gan-train "$@"\n')
        script.chmod(0o755)
        return script

    def killed(self, run, rank, by):
        process = self.launch(run, '--steps', 100000, '--step-timeout', 2, '--start-timeout', 60)
        os.kill(self.training(process, run)[rank], by)
        return process

    # Each starts a job that dies, and returns its process and the ranks that may be named.
    def signal(self, run, rank):
        return self.killed(run, rank, (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT)[rank]), {rank}

    def out_of_memory(self, run, rank):
        group = self.memory_group(f'equipoise-{os.getpid()}-{run.name}', 48 << 20)
        before = f'echo $$ > {group}/cgroup.procs' if group else 'ulimit -v 560000'
        return self.launch(run, '--steps', 100000, program=self.wrapper(rank, before)), {rank}

    def memory_group(self, name, limit):
        """A control group in which the kernel kills what needs more; None where this user may make none."""
        for root, file in (('/sys/fs/cgroup/memory', 'memory.limit_in_bytes'), ('/sys/fs/cgroup', 'memory.max')):
            group = pathlib.Path(root) / name
            try:
                group.mkdir()
                (group / file).write_text(str(limit))
            except OSError:
                continue
            self.addCleanup(group.rmdir)
            return group

    def bus_error(self, run, rank):
        return self.killed(run, rank, signal.SIGBUS), {rank}

    def full_disk(self, run, rank):
        shim = (f'export LD_PRELOAD={SHIM} FAULT_PREFIX={self.folder} FAULT_CALLS=write FAULT_NTH=12 '
                f'FAULT_ERROR=ENOSPC FAULT_STICKY=1 FAULT_COUNT={run}.count')
        return self.launch(run, '--steps', 20, program=self.wrapper(0, shim)), {0}

    def not_a_number(self, run, rank):
        return self.launch(run, '--steps', 40, '--balance', 'watch', '--inject', 'pictures:nan@3+40'), {None}

    def hang(self, run, rank):
        if rank == 0:
            # It cannot report anything, and the one that waits for it does.
            return self.killed(run, 1, signal.SIGSTOP), {1}
        return self.launch(run, '--steps', 40, '--step-timeout', 2, '--inject', 'loader:600@5'), {1}

    def other_mpi(self, run, rank):
        path = self.folder / f'{run.name}.path'
        path.mkdir()
        (path / 'mpirun').write_text('#!/bin/sh\necho "HYDRA build details:"\n')
        (path / 'mpirun').chmod(0o755)
        run.mkdir()
        return self.launch(run, '--steps', 1, PATH=f'{path}:{os.environ["PATH"]}'), {None}

    def bad_flag(self, run, rank):
        return self.launch(run, '--steps', 1, '--batch', '0' if rank else 'many'), {None, 0, 1}

    def damaged_data(self, run, rank):
        shards = self.folder / f'{run.name}.shards'
        shutil.copytree(self.shards, shards)
        for shard in shards.glob('*.gan'):
            content = bytearray(shard.read_bytes())
            content[4096 + 5000::49152] = bytes(255 - byte for byte in content[4096 + 5000::49152])
            shard.write_bytes(content)
        return self.launch(run, '--steps', 20, shards=shards), {0, 1}

    def port(self, run, rank):
        taken = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(taken.close)
        # One of our programs in a rank, which cannot run without its port.
        other = self.folder / f'{run.name}.served'
        other.mkdir()
        (other / 'options.json').write_text('{}')
        serve = f'exec {BIN}/gan-inspect serve {other} --port {taken.getsockname()[1]}'
        return self.launch(run, '--steps', 100000, program=self.wrapper(rank, serve)), {rank, None}

    def library_missing(self, run, rank):
        here = self.folder / f'{run.name}.program'
        here.mkdir()
        (here / 'gone.c').write_text('int gone(void) { return 0; }\n')
        (here / 'main.c').write_text('int gone(void);\nint main(void) { return gone(); }\n')
        subprocess.run(['gcc', '-shared', '-fPIC', '-o', here / 'libgone.so', here / 'gone.c'], check=True)
        subprocess.run(['gcc', '-o', here / 'main', here / 'main.c', f'-L{here}', '-lgone'], check=True)
        (here / 'libgone.so').unlink()
        return self.launch(run, '--steps', 100000, program=self.wrapper(rank, f'exec {here}/main')), {rank, None}

    def diagnose(self, cause, turn):
        run = self.folder / f'{cause}-{turn}'
        process, ranks = getattr(self, cause)(run, turn % 2)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            return {'cause': 'it did not die', 'sentence': ''}, False
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        died = json.loads((run / 'launch.json').read_text())['died']
        return died, died is not None and died['cause'] == cause and died['rank'] in ranks

    def test_the_rank_and_the_cause_of_every_death_are_told(self):
        causes = os.environ['EQUIPOISE_CAUSES'].split(',') if 'EQUIPOISE_CAUSES' in os.environ else ('signal', 'out_of_memory', 'full_disk', 'bus_error', 'not_a_number', 'hang', 'other_mpi', 'bad_flag',
                  'damaged_data', 'port', 'library_missing')
        wrong = []
        for cause in causes:
            for turn in range(DEATHS):
                died, right = self.diagnose(cause, turn)
                self.counts[cause] += right
                if not right:
                    wrong.append((cause, turn, died, self.log.read_text()[-1500:]))
                elif cause in ('signal', 'hang', 'bus_error'):
                    self.assertEqual('step', died['section'])
                    self.assertTrue(died['host'])
                if right and died['sentence'] and cause != 'other_mpi':
                    self.assertIn('why: ' + died['sentence'].split(':')[0], self.log.read_text())
            print(f'{cause}: {self.counts[cause]} of {DEATHS}; {died["sentence"] if died else None}', flush=True)
        for one in wrong:
            print(*one)
        self.assertGreaterEqual(sum(self.counts.values()), 0.95 * len(causes) * DEATHS)


class Healthy(Launched):
    def test_a_healthy_run_has_no_cause(self):
        told = []
        for turn in range(HEALTHY):
            run = self.folder / f'healthy-{turn}'
            process = self.start(run, '--steps', 3)
            self.assertEqual(0, process.wait(120), self.log.read_text())
            died = json.loads((run / 'launch.json').read_text())['died']
            if died is not None or 'why: ' in self.log.read_text():
                told.append(died)
        print(f'{len(told)} false causes in {HEALTHY} healthy runs')
        self.assertEqual([], told)

    def test_a_run_that_is_asked_to_stop_has_no_cause(self):
        run = self.folder / 'asked'
        process = self.start(run, '--steps', 100000)
        self.wait_for(lambda: self.lines(run) >= 2)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(75, process.wait(60), self.log.read_text())
        self.assertIsNone(json.loads((run / 'launch.json').read_text())['died'])


if __name__ == '__main__':
    unittest.main()
