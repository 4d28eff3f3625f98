"""After a kill at any moment the same command continues, and the folder ends up byte-identical. EQUIPOISE_KILLS: number
of kills; EQUIPOISE_SEED: other moments."""
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from run_folder import ENVIRONMENT, command, digest, make_pictures, names, run

KILLS = int(os.environ.get('EQUIPOISE_KILLS', 30))


def say(text):
    print(text, file=sys.stderr, flush=True)


def family(root):
    """The process and all below it that still run."""
    children = {}
    for entry in pathlib.Path('/proc').iterdir():
        try:
            fields = (entry / 'stat').read_text().rpartition(')')[2].split()
            if fields[0] != 'Z':
                children.setdefault(int(fields[1]), []).append(int(entry.name))
        except (OSError, ValueError, IndexError):
            continue
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


class Killed(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.top = pathlib.Path(temporary.name)
        self.random = random.Random(int(os.environ.get('EQUIPOISE_SEED', 20)))
        make_pictures(self.top / 'photos', [f'{c}/{i:02}.jpg' for c in 'abc' for i in range(40)], side=300)
        (self.top / 'photos' / 'b' / 'bad.png').write_bytes(b'nothing')
        make_pictures(self.top / 'photos', ['b/decoded_apart.bmp'])  # a process of its own that may be killed
        self.flags = ['--in', self.top / 'photos', '--images-per-shard', 6, '--threads', 2]

    def seconds(self, out, ranks):
        begin = time.monotonic()
        self.assertEqual(0, run(out, *self.flags, ranks=ranks).returncode)
        return time.monotonic() - begin

    def kill_once(self, out, ranks, longest):
        """True when a process of the run was killed, False when it was done before. `longest`: the last moment."""
        process = subprocess.Popen(command(out, *self.flags, ranks=ranks), env=ENVIRONMENT, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(self.random.uniform(0, longest))
        if process.poll() is not None:
            return False
        victim = self.random.choice(family(process.pid))
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:  # it ended just now
            pass
        self.wait_for_end(process)
        return process.returncode != 0

    def wait_for_end(self, process):
        """Waits for the end of mpirun, or of its ranks when mpirun stays after them (Open MPI 4.1:
        docs/troubleshooting.md)."""
        alone_since = None
        for _ in range(1200):
            if process.poll() is not None:
                return
            if family(process.pid) != [process.pid]:
                alone_since = None
            elif alone_since is None:
                alone_since = time.monotonic()
            elif time.monotonic() - alone_since > 5 and process.args[0] == 'mpirun':
                say('mpirun stayed after its ranks; killed')
                process.kill()
                process.wait()
                return
            time.sleep(0.05)
        self.fail(f'still there a minute after the kill: {family(process.pid)}')

    def wait_until_free(self, out):
        """Ranks whose mpirun was killed end by themselves, a moment later; the folder's lock tells when."""
        for _ in range(200):
            done = run(out, *self.flags)
            if b'in use' not in done.stderr:
                return done
            time.sleep(0.05)
        self.fail('the ranks of a killed mpirun never ended')

    def test_continuations_end_with_the_same_digest(self):
        wanted = self.top / 'wanted'
        longest = {1: self.seconds(wanted, 1), 2: self.seconds(self.top / 'other', 2)}
        shutil.rmtree(self.top / 'other')
        wanted = (digest(wanted), names(wanted))
        kills, rounds, begin = 0, 0, time.monotonic()
        while kills < KILLS:
            out = self.top / f'out-{rounds}'
            ranks = 2 if rounds % 5 == 4 else 1
            rounds += 1
            for _ in range(4):  # killed several times in a row, then finished
                kills += self.kill_once(out, ranks, longest[ranks])
            done = self.wait_until_free(out)
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertEqual(wanted, (digest(out), names(out)), f'round {rounds}')
            self.assertEqual(len(set(names(out))), len(names(out)))
            shutil.rmtree(out)
        say(f'{kills} kills in {rounds} runs, {time.monotonic() - begin:.0f} s: the same digest every time')


class KilledAppending(Killed):
    """Kills with --append: the data set that is extended stays whole all the time."""

    def setUp(self):
        super().setUp()
        make_pictures(self.top / 'before', ['x.png', 'y.png'], seed=9)
        self.before = self.top / 'before-out'
        self.assertEqual(0, run(self.before, '--in', self.top / 'before', '--images-per-shard', 6, '--threads', 2).returncode)
        self.flags += ['--append', '--dedupe', 'exact']

    def test_continuations_end_with_the_same_digest(self):
        wanted = self.top / 'wanted'
        shutil.copytree(self.before, wanted)
        longest = self.seconds(wanted, 1)
        kills, count = 0, max(5, KILLS // 10)
        while kills < count:
            out = self.top / 'out'
            shutil.copytree(self.before, out)
            for _ in range(3):
                kills += self.kill_once(out, 1, longest)
                self.assertIn(len(names(out)), (2, 123), 'the old data set or the new one')
            done = self.wait_until_free(out)
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertEqual((digest(wanted), names(wanted)), (digest(out), names(out)))
            shutil.rmtree(out)
        say(f'{kills} kills')


if __name__ == '__main__':
    unittest.main()
