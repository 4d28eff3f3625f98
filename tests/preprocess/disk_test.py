"""Makes each call on the output folder fail in turn and expects a clear error, its exit code, and a later run that
completes to the same digest."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import faults
from run_folder import ENVIRONMENT, command, digest, make_pictures, run


class EveryCall(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.top = pathlib.Path(temporary.name).resolve()
        self.watched, self.count = self.top / 'watched', self.top / 'count'
        make_pictures(self.top / 'photos', [f'{i}.png' for i in range(4)])
        (self.top / 'photos' / 'bad.png').write_bytes(b'nothing')
        make_pictures(self.top / 'more', ['z.png'], seed=3)
        self.flags = ['--threads', 1, '--images-per-shard', 3]

    def fail_each(self, prepare, flags, calls, error, words, sticky=False):
        """Returns how many calls failed. `prepare` gives the output folder as it is before the command."""
        out, nth = self.watched / 'out', 1
        prepare(out)
        self.assertEqual(0, run(out, *flags).returncode)
        wanted = digest(out)
        while True:
            shutil.rmtree(self.watched)
            self.watched.mkdir()
            prepare(out)
            self.count.unlink(missing_ok=True)
            shim = faults.environment(self.watched, calls=calls, nth=nth, error=error, sticky=sticky, count=self.count)
            done = subprocess.run(command(out, *flags), env=ENVIRONMENT | shim, capture_output=True, text=True, timeout=60)
            if faults.counted(self.count) < nth:
                self.assertEqual(0, done.returncode, done.stderr)
                return nth - 1
            with self.subTest(error=error, calls=calls, nth=nth):
                if error == 'KILL':
                    self.assertEqual(-9, done.returncode)
                elif error == 'SHORT':
                    self.assertEqual(0, done.returncode, done.stderr)  # continued
                elif done.returncode != 0:
                    self.assertEqual(1, done.returncode, done.stderr)
                    self.assertRegex(done.stderr, rf'^gan-preprocess: [a-z]+ {self.watched}.*{words}\n$')
                    self.assertEqual([], [p.name for p in out.rglob('*.tmp-*') if not sticky])
                if done.returncode == 0:
                    self.assertEqual(wanted, digest(out), 'a run that says it is done is')
                again = run(out, *flags)
                self.assertEqual(0, again.returncode, again.stderr)
                self.assertEqual(wanted, digest(out))
            nth += 1

    def new(self, out):
        out.parent.mkdir(exist_ok=True)

    def finished(self, out):
        out.parent.mkdir(exist_ok=True)
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(self.top / 'base', out)

    def test_of_a_new_folder(self):
        total = 0
        flags = ['--in', self.top / 'photos', *self.flags]
        for error, words in (('ENOSPC', 'No space left on device'), ('EIO', 'Input/output error')):
            for calls in (['write'], ['sync'], ['close'], ['rename']):
                failed = self.fail_each(self.new, flags, calls, error, words)
                self.assertGreater(failed, 3, calls)
                total += failed
        total += self.fail_each(self.new, flags, ['write'], 'SHORT', '')
        total += self.fail_each(self.new, flags, [], 'KILL', '')
        total += self.fail_each(self.new, flags, ['write'], 'ENOSPC', 'No space left on device', sticky=True)
        print(f'{total} failing calls', file=sys.stderr)

    def test_of_append(self):
        self.assertEqual(0, run(self.top / 'base', '--in', self.top / 'photos', *self.flags).returncode)
        flags = ['--in', self.top / 'more', '--append', *self.flags]
        for error, words in (('ENOSPC', 'No space left on device'), ('KILL', '')):
            self.assertGreater(self.fail_each(self.finished, flags, [], error, words), 10)


if __name__ == '__main__':
    unittest.main()
