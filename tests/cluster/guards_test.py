"""What goes wrong on clusters is refused in one clear line, with the right exit code, before anything is trained."""
import json
import subprocess
import unittest

from programs import BIN, ENVIRONMENT, SMALL, WithShards


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

    def run_command(self, *command):
        return subprocess.run([*map(str, command)], env=ENVIRONMENT, capture_output=True, text=True, timeout=120)

    def assert_refused(self, done, code, words):
        ours = [line for line in done.stderr.splitlines() if line.startswith('gan-')]
        self.assertEqual(code, done.returncode, done.stderr)
        self.assertEqual(1, len(ours), done.stderr)
        self.assertIn(words, ours[0])

    def two_hosts(self, second):
        """Rank 0 as it is; rank 1 in a mount namespace of its own, where `second` has been run."""
        one = [*map(str, self.gan_train())]
        other = ['unshare', '--mount', 'sh', '-c', second + ' && exec "$@"', 'sh', *one]
        return self.run_command('mpirun', '--oversubscribe', '--bind-to', 'none', '--mca', 'btl', 'self,vader',
                                '-np', 1, *one, ':', '-np', 1, *other)

    def test_folder_that_is_not_shared(self):
        self.run_folder.parent.mkdir()
        done = self.two_hosts(f'mount -t tmpfs tmpfs {self.run_folder.parent}')
        self.assert_refused(done, 2, 'is not shared by all hosts')
        self.assertFalse((self.run_folder / 'stats.jsonl').exists())
        self.assertEqual([], [*self.run_folder.glob('.probe*')])

    def test_two_hosts_that_share_the_folder_train(self):
        self.run_folder.parent.mkdir()
        done = self.two_hosts('true')
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertTrue((self.run_folder / 'stats.jsonl').exists())

    def test_a_relative_folder_is_that_of_rank_0(self):
        """mpirun begins in the home folder of a host that does not have the one it was called in."""
        here, there = self.run_folder.parent / 'here', self.run_folder.parent / 'there'
        ranks = []
        for folder in (here, there):
            folder.mkdir(parents=True)
            ranks.append(['sh', '-c', f'cd {folder} && exec "$@"', 'sh', *map(str, self.gan_train('--run', 'run'))])
        done = self.run_command('mpirun', '--oversubscribe', '--bind-to', 'none', '--mca', 'btl', 'self,vader',
                                '-np', 1, *ranks[0], ':', '-np', 1, *ranks[1])
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertTrue((here / 'run/stats.jsonl').exists())
        self.assertEqual([], [*there.iterdir()])

    def test_hostfile_with_fewer_slots_under_gan_launch(self):
        for check in ([], ['--check']):
            done = self.run_command(BIN / 'gan-launch', '-np', 4, '--hostfile', self.hostfile, *check, '--',
                                    *self.gan_train())
            self.assert_refused(done, 2, 'has 2 slot(s), the job needs 4')
        self.assertFalse(self.run_folder.exists())

    def test_hostfile_with_fewer_slots_under_mpirun(self):
        done = self.run_command('mpirun', '--bind-to', 'none', '--mca', 'btl', 'self,vader', '--hostfile', self.hostfile,
                                *self.gan_train('--expect-world-size', 4))
        self.assert_refused(done, 2, 'this job has 2 rank(s), --expect-world-size says 4')
        self.assertFalse(self.run_folder.exists())

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
