"""A real Slurm of one host: a job is asked to save before its limit, queues itself again, continues and ends with the
weights of a run that nobody interrupted; and srun without PMIx is refused.

Slurm runs as its own user in a folder of its own: no service of this machine is touched.
"""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'end_to_end'))
from programs import BIN, ENVIRONMENT, SMALL, make_shards, newest_checkpoint, train  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOST = socket.gethostname().split('.')[0]
STEPS = 120
# One rank waits for 45 s in step 60, which costs no CPU: Slurm can need 25 s to pass a signal on, and the training must not
# end before.
LATE = ('--inject', 'rank:45@60')
CONFIGURATION = '''
ClusterName=equipoise
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={daemon_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,batch_sched_delay=0
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=10
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
'''


def free_ports(count):
    sockets = [socket.create_server(('127.0.0.1', 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Slurm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix='slurm-'))
        cls.daemons = []
        cls.addClassCleanup(cls.stop)
        (cls.folder / 'state').mkdir()
        (cls.folder / 'spool').mkdir()
        (cls.folder / 'munge.key').write_bytes(os.urandom(128))
        (cls.folder / 'munge.key').chmod(0o400)
        controller_port, daemon_port = free_ports(2)
        import getpass
        (cls.folder / 'slurm.conf').write_text(CONFIGURATION.format(
            host=HOST, user=getpass.getuser(), folder=cls.folder, controller_port=controller_port, daemon_port=daemon_port))
        # Nothing here uses cgroups. With these settings Slurm does not look for them, so the test also runs in a
        # container without them.
        (cls.folder / 'cgroup.conf').write_text('CgroupPlugin=cgroup/v1\n')
        cls.environment = dict(ENVIRONMENT, SLURM_CONF=str(cls.folder / 'slurm.conf'), PATH=f'{BIN}:{ENVIRONMENT["PATH"]}')
        cls.start('munged', '--foreground', '--force', f'--socket={cls.folder}/munge.socket',
                  f'--key-file={cls.folder}/munge.key', f'--pid-file={cls.folder}/munged.pid',
                  f'--log-file={cls.folder}/munged.log', f'--seed-file={cls.folder}/munged.seed')
        cls.wait_for(lambda: (cls.folder / 'munge.socket').exists(), 'munge')
        cls.start('slurmctld', '-D', '-i')
        cls.start('slurmd', '-D', '-N', HOST)
        cls.wait_for(lambda: 'idle' in cls.call('sinfo', '--noheader', '--format=%t'), 'an idle node')
        cls.shards = make_shards(cls.folder)
        cls.flags = [*SMALL, '--steps', STEPS, '--sample-every', 0, '--checkpoint-every', 0, '--balance', 'watch']

    @classmethod
    def stop(cls):
        # The steps of a job outlive Slurm's daemons.
        cls.call('scancel', '--user', str(os.getuid()), '--signal=KILL')
        cls.call('scancel', '--user', str(os.getuid()))
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and cls.call('squeue', '--noheader').strip():
            time.sleep(0.2)
        for daemon in reversed(cls.daemons):
            daemon.terminate()
        for daemon in cls.daemons:
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
        shutil.rmtree(cls.folder)

    @classmethod
    def start(cls, *command):
        # Debian does not have daemons in the PATH of users.
        path = cls.environment['PATH'] + ':/usr/sbin:/sbin'
        log = open(cls.folder / f'{command[0]}.out', 'w')
        cls.daemons.append(subprocess.Popen(command, env=dict(cls.environment, PATH=path), stdout=log, stderr=log))

    @classmethod
    def call(cls, *command):
        return subprocess.run([str(word) for word in command], env=cls.environment, capture_output=True, text=True).stdout

    @classmethod
    def wait_for(cls, condition, what, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            logs = [f'{path.name}:\n{path.read_text(errors="replace")[-1500:]}'
                    for pattern in ('*.out', '*.log') for path in cls.folder.glob(pattern)]
            assert time.monotonic() < deadline, f'never came: {what}\n' + '\n'.join(logs)
            time.sleep(0.2)

    def steps_of(self, run):
        stats = run / 'stats.jsonl'
        return stats.read_text().count('\n') if stats.exists() else 0

    def weights(self, run):
        return [part.read_bytes() for part in sorted(newest_checkpoint(run).glob('part-*'))]

    def uninterrupted(self):
        run = self.folder / 'plain'
        if not run.exists():
            done = train(2, self.shards, run, *self.flags[len(SMALL):])
            self.assertEqual(0, done.returncode, done.stderr)
        return self.weights(run)

    def requeued_and_finished(self, script, name):
        run = self.folder / name
        submitted = self.call('sbatch', '--parsable', '--nodes=1', '--ntasks=2', '--ntasks-per-node=2', '--time=10',
                              f'--output={self.folder}/{name}.out', ROOT / 'cluster' / 'slurm' / script, self.shards, run,
                              *self.flags, *LATE)
        job = submitted.strip()
        self.assertTrue(job.isdigit(), submitted)
        self.wait_for(lambda: self.steps_of(run) >= 20, f'{name}: 20 steps')
        # The signal that Slurm sends when the limit is near (--signal=B:USR1@180).
        self.call('scancel', '--signal=USR1', '--batch', job)
        self.wait_for(lambda: 'Restarts=1' in self.call('scontrol', 'show', 'job', job), f'{name}: queued again')
        saved = self.steps_of(run)
        self.assertLess(saved, STEPS)
        self.wait_for(lambda: 'JobState=COMPLETED' in self.call('scontrol', 'show', 'job', job), f'{name}: the end', 600)
        self.assertEqual(STEPS, self.steps_of(run))
        self.assertIn('resumed from', (run / 'log.txt').read_text())
        self.assertEqual(self.uninterrupted(), self.weights(run))

    def test_srun_over_pmix(self):
        self.requeued_and_finished('train.sbatch', 'srun')

    def test_mpirun_inside_sbatch(self):
        self.requeued_and_finished('train-mpirun.sbatch', 'mpirun')

    def test_srun_without_pmix_is_refused_by_every_rank(self):
        done = subprocess.run([str(word) for word in ['srun', '--mpi=none', '--ntasks=2', '--kill-on-bad-exit=0', 'gan-train', '--shards', self.shards,
                               '--run', self.folder / 'singletons', *self.flags]], env=self.environment,
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(2, done.returncode, done.stderr)
        self.assertEqual(2, done.stderr.count('srun --mpi=pmix'), done.stderr)
        self.assertFalse((self.folder / 'singletons').exists())


if __name__ == '__main__':
    unittest.main()
