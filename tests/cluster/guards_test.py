"""Common mistakes on clusters are refused in one clear line, with the right exit code, before anything is trained."""
import json
import subprocess
import unittest

from programs import BIN, ENVIRONMENT, SMALL, WithShards, mpirun_unlike


class Guards(WithShards):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hostfile = cls.folder / 'hosts'
        cls.hostfile.write_text('localhost slots=2\n')

    def setUp(self):
        self.run_folder = self.folder / self.id().rsplit('.', 1)[-1] / 'run'

    def gan_train(self, *flags):
        return [BIN / 'gan-train', '--shards', self.shards, '--run', self.run_folder, '--steps', 1, *SMALL, *flags]

    def run_command(self, *command, **variables):
        return subprocess.run([*map(str, command)], env={**ENVIRONMENT, **variables}, capture_output=True, text=True,
                              timeout=120)

    def assert_refused(self, done, code, words):
        ours = [line for line in done.stderr.splitlines() if line.startswith('gan-')]
        self.assertEqual(code, done.returncode, done.stderr)
        self.assertEqual(1, len(ours), done.stderr)
        self.assertIn(words, ours[0])

    def two_hosts(self, run):
        """Two ranks that get the same run folder, each in a working folder of its own: here and there."""
        commands = []
        for name in ('here', 'there'):
            folder = self.run_folder.parent / name
            (folder / 'run').mkdir(parents=True)
            commands.append(['sh', '-c', f'cd {folder} && exec "$@"', 'sh', *self.gan_train('--run', run)])
        return self.run_command(*mpirun_unlike(*commands))

    def files(self, name):
        return [path.name for path in (self.run_folder.parent / name).rglob('*') if path.is_file()]

    def test_folder_that_is_not_shared(self):
        """One absolute path that is another folder for each rank, as /scratch is on every host."""
        self.assert_refused(self.two_hosts('/proc/self/cwd/run'), 2, 'is not shared by all hosts')
        self.assertNotIn('stats.jsonl', self.files('here'))
        self.assertEqual([], [name for name in self.files('here') if name.startswith('.probe')])
        self.assertEqual([], self.files('there'))

    def test_a_relative_folder_is_that_of_rank_0(self):
        """On a host without the folder in which mpirun was called, ranks start in the home folder."""
        done = self.two_hosts('run')
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn('stats.jsonl', self.files('here'))
        self.assertEqual([], self.files('there'))

    def test_hostfile_with_fewer_slots_under_gan_launch(self):
        for check in ([], ['--check']):
            done = self.run_command(BIN / 'gan-launch', '-np', 4, '--hostfile', self.hostfile, *check, '--',
                                    *self.gan_train())
            self.assert_refused(done, 2, 'has 2 slots, the job needs 4')
        self.assertFalse(self.run_folder.exists())

    def test_hostfile_with_fewer_slots_under_mpirun(self):
        done = self.run_command('mpirun', '--bind-to', 'none', '--mca', 'btl', '^tcp', '--hostfile', self.hostfile,
                                *self.gan_train('--expect-world-size', 4))
        self.assert_refused(done, 2, 'this job has 2 ranks, --expect-world-size says 4')
        self.assertFalse(self.run_folder.exists())

    def test_launcher_of_another_mpi_library(self):
        """MPICH's mpiexec starts processes of Open MPI as separate worlds of one rank each."""
        done = self.run_command(*self.gan_train(), PMI_SIZE='2', PMI_RANK='1')
        self.assert_refused(done, 2, "MPICH's mpiexec (PMI_SIZE 2)")
        self.assertIn('Open MPI v', done.stderr)
        self.assertFalse(self.run_folder.exists())
        self.assertEqual(0, self.run_command(*self.gan_train(), PMI_SIZE='1', PMI_RANK='0').returncode)

    def test_pmix_launcher_that_is_not_mpirun(self):
        """prterun, the launcher below Open MPI 5's mpirun, does the same with programs that were built for Open MPI
        4."""
        variables = {'PMIX_RANK': '0', 'PMIX_VERSION': '5.0.11'}
        done = self.run_command(*self.gan_train(), **variables)
        self.assert_refused(done, 2, 'prterun of Open MPI 5 (PMIx 5.0.11)')
        self.assertIn('Open MPI v', done.stderr)
        self.assertFalse(self.run_folder.exists())
        self.assertEqual(0, self.run_command(*self.gan_train('--expect-world-size', 1), **variables).returncode)
        other_run = self.gan_train('--run', self.run_folder.parent / 'slurm')
        self.assertEqual(0, self.run_command(*other_run, **variables, SLURM_JOB_ID='1').returncode)

    def test_two_jobs_on_one_run_folder(self):
        first = subprocess.Popen([*map(str, self.gan_train('--steps', 1000000))], env=ENVIRONMENT,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            stats = self.run_folder / 'stats.jsonl'
            for _ in range(600):
                if stats.exists() and stats.read_text().count('\n') > 1:
                    break
                try:
                    first.wait(0.1)
                except subprocess.TimeoutExpired:
                    continue
                self.fail('the first job ended')
            self.assert_refused(self.run_command(*self.gan_train()), 2, 'in use')
            self.assertIsNone(first.poll())
            json.loads(stats.read_text().splitlines()[0])
        finally:
            first.kill()
            first.wait()


if __name__ == '__main__':
    unittest.main()
