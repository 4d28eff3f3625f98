"""Threads and ranks share the work and change no byte."""
import pathlib
import resource
import subprocess
import tempfile
import time
import unittest

from run_folder import BIN, digest, make_pictures, run


class Ranks(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.top = pathlib.Path(temporary.name)
        self.photos = self.top / 'photos'
        make_pictures(self.photos, [f'{c}/{i}.png' for c in 'ab' for i in range(15)])
        (self.photos / 'a' / 'bad.png').write_bytes(b'nothing')

    def test_same_bytes_for_every_number_of_threads_and_ranks(self):
        subprocess.run(['tar', '-C', self.photos, '-czf', self.top / 'more.tar.gz', '.'], check=True)
        digests = {}
        for ranks in (1, 2, 3):
            for threads in (1, 2, 8):
                out = self.top / f'{ranks}-{threads}'
                done = run(out, '--in', self.photos, '--in', self.top / 'more.tar.gz', '--images-per-shard', 4, '--labels',
                           'folder', '--threads', threads, ranks=ranks)
                self.assertEqual(0, done.returncode, done.stderr)
                self.assertEqual(1, done.stdout.count(b'next:'), 'rank 0 alone speaks')
                digests[ranks, threads] = digest(out)
        self.assertEqual(1, len(set(digests.values())), digests)

    def test_more_ranks_than_shards(self):
        outs = [self.top / str(ranks) for ranks in (1, 3)]
        for out, ranks in zip(outs, (1, 3)):
            self.assertEqual(0, run(out, '--in', self.photos, ranks=ranks).returncode)
        self.assertEqual(digest(outs[0]), digest(outs[1]))

    def test_run_begun_by_one_is_continued_by_three(self):
        wanted, out = self.top / 'wanted', self.top / 'out'
        flags = ['--in', self.photos, '--images-per-shard', 4]
        self.assertEqual(0, run(wanted, *flags).returncode)
        (self.photos / 'b' / '9.png').rename(self.top / '9.png')
        (self.photos / 'b' / '9.png').write_bytes(b'x' * (self.top / '9.png').stat().st_size)  # the same size
        self.assertEqual(3, run(out, *flags, '--strict').returncode)
        (self.top / '9.png').rename(self.photos / 'b' / '9.png')
        self.assertEqual(0, run(out, *flags, ranks=3).returncode)
        self.assertEqual(digest(wanted), digest(out))

    def test_error_of_one_rank_ends_all_with_its_exit_code(self):
        begin = time.monotonic()
        done = run(self.top / 'out', '--in', self.photos, '--images-per-shard', 4, '--strict', ranks=2)
        self.assertEqual(3, done.returncode, done.stderr)
        self.assertIn(b'not_a_picture', done.stderr)
        self.assertLess(time.monotonic() - begin, 20)
        self.assertEqual(2, run(self.top / 'out2', '--in', self.top / 'nowhere', ranks=2).returncode)

    def test_mpi_is_loaded_only_under_mpirun(self):
        maps = subprocess.run(['ldd', BIN / 'gan-preprocess'], capture_output=True, text=True, check=True).stdout
        self.assertNotIn('libmpi', maps)
        best = min(self.seconds_of_version() for _ in range(10))
        print(f'--version: {1000 * best:.1f} ms')
        self.assertLess(best, 0.020)

    def seconds_of_version(self):
        """Seconds of processor time, so that it does not matter how busy the machine is."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([BIN / 'gan-preprocess', '--version'], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == '__main__':
    unittest.main()
