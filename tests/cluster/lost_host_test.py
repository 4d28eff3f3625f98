"""A host that is lost ends a job: gan-launch names the host and its rank. Two network namespaces, mpirun over ssh.

EQUIPOISE_DEATHS=10 python lost_host_test.py    as many losses (default 2); prints what was right. In turns a cable is
                                                pulled, and all processes of the host are killed as a power failure does"""
import json
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

from programs import BIN, ENVIRONMENT, SMALL, make_photos
from two_hosts import TwoHosts

DEATHS = int(os.environ.get('EQUIPOISE_DEATHS', 2))


class LostHost(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        make_photos(self.folder / 'photos')
        subprocess.run([BIN / 'gan-preprocess', '--in', self.folder / 'photos', '--out', self.folder / 'shards'], check=True,
                       env=ENVIRONMENT, stdout=subprocess.DEVNULL)

    def lose(self, turn):
        """Returns what gan-launch reported about the death of rank 1 with its host, and the name of the host."""
        place = self.folder / str(turn)
        place.mkdir()
        run, log = place / 'run', place / 'launch.txt'
        with TwoHosts(place) as hosts:
            (place / 'hosts').write_text(''.join(f'{name} slots=1\n' for name in hosts.names))
            launch = [BIN / 'gan-launch', '-np', 2, '--hostfile', place / 'hosts', '--max-restarts', 0, '--kill-after', 1, '--',
                      'gan-train', '--shards', self.folder / 'shards', '--run', run, *SMALL, '--sample-every', 0,
                      '--checkpoint-every', 0, '--step-timeout', 5, '--steps', 100000]
            with log.open('w') as errors:
                job = subprocess.Popen(hosts.on(hosts.names[0], *launch), env=ENVIRONMENT | hosts.environment(),
                                       stdout=subprocess.DEVNULL, stderr=errors)
            try:
                self.wait_for(lambda: (run / 'stats.jsonl').exists() and (run / 'stats.jsonl').read_bytes().count(b'\n') >= 3, job, log)
                if turn % 2:
                    hosts.kill(hosts.names[1])
                else:
                    hosts.cut_off(hosts.names[1])
                job.wait(90)
            finally:
                job.kill()
                job.wait()
            return json.loads((run / 'launch.json').read_text())['died'], hosts.names[1], log.read_text()

    def wait_for(self, condition, job, log):
        deadline = time.monotonic() + 60
        while not condition():
            self.assertIsNone(job.poll(), log.read_text())
            self.assertLess(time.monotonic(), deadline, log.read_text())
            time.sleep(0.05)

    def test_the_host_that_was_lost_is_told(self):
        wrong = []
        for turn in range(DEATHS):
            died, host, log = self.lose(turn)
            if not died or (died['cause'], died['host'], died['rank']) != ('lost_host', host, 1):
                wrong.append((turn, died, log))
            print(f'{turn}: {died["sentence"] if died else None}', flush=True)
        for one in wrong:
            print(*one)
        print(f'lost_host: {DEATHS - len(wrong)} of {DEATHS}')
        self.assertLessEqual(len(wrong), 0.05 * DEATHS)


if __name__ == '__main__':
    if os.geteuid() != 0:
        raise SystemExit('lost_host_test makes network namespaces and needs root')
    unittest.main()
