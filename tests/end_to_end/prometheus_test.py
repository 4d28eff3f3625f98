"""A real Prometheus scrapes a real two-rank run with a discriminator that wins, damaged records and checkpoints.

Every query of every dashboard must have an answer, every metric of the docs' table must arrive, and alerts must fire. The
configuration and the rules are the ones that users run; only their waiting times are shortened.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

from programs import ENVIRONMENT, make_shards, train_command

ROOT = pathlib.Path(__file__).resolve().parents[2]
VARIABLES = {'$job': '.+', '$instance': '.+', '$run': '.+', '$rank': '.+', '$__rate_interval': '15s', '$__range': '1m'}


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def damage_records(shard, numbers):
    with open(shard, 'r+b') as file:
        for number in numbers:
            file.seek(4096 + 49152 * number + 100)
            byte = file.read(1)[0]
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte ^ 0x10]))


def rank_process(rank):
    """The process id of a rank of the run that this test started."""
    for folder in pathlib.Path('/proc').glob('[0-9]*'):
        try:
            variables = (folder / 'environ').read_bytes().split(b'\0')
        except OSError:
            continue
        if f'OMPI_COMM_WORLD_RANK={rank}'.encode() in variables and f'EQUIPOISE_TEST={os.getpid()}'.encode() in variables:
            return int(folder.name)
    raise AssertionError(f'rank {rank} is not there')


class RealPrometheus(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        shards = make_shards(cls.folder, count=120)  # a tenth is held out: enough to measure on
        damage_records(shards / 'shard-00000.gan', range(4))
        cls.run_folder = cls.folder / 'runs' / '0007'
        command = train_command(2, shards, cls.run_folder, '--steps', 1000000, '--checkpoint-every', 20, '--sample-every', 0,
                                '--lr-d', 2e-3, '--lr-g', 1e-7, '--corrupt-records', 'replace',
                                '--quality-every', 10, '--quality-images', 12)
        command[command.index('off')] = '0'  # --metrics-port
        environment = dict(ENVIRONMENT, EQUIPOISE_TEST=str(os.getpid()))
        cls.log = open(cls.folder / 'log', 'w')
        cls.training = subprocess.Popen(command, env=environment, stdout=cls.log, stderr=cls.log)
        try:
            cls.wait_for(lambda: (cls.run_folder / 'prometheus-targets.json').exists(), 'a run')
            cls.start_prometheus()
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def start_prometheus(cls):
        monitoring = cls.folder / 'monitoring'
        shutil.copytree(ROOT / 'monitoring' / 'prometheus', monitoring / 'prometheus')
        shutil.copy(ROOT / 'monitoring' / 'watch.sh', monitoring)
        subprocess.run(['sh', monitoring / 'watch.sh', cls.folder / 'runs'], check=True, stdout=subprocess.DEVNULL)
        config = monitoring / 'prometheus' / 'prometheus.yml'
        config.write_text(config.read_text().replace('scrape_interval: 5s', 'scrape_interval: 1s\n  scrape_timeout: 1s')
                          .replace('evaluation_interval: 15s', 'evaluation_interval: 1s'))
        rules = monitoring / 'prometheus' / 'alerts.yml'
        rules.write_text(re.sub(r'for: \d+m', 'for: 1s', rules.read_text()).replace('> 300', '> 5'))
        cls.port = free_port()
        cls.prometheus = subprocess.Popen(
            ['prometheus', f'--config.file={config}', f'--storage.tsdb.path={cls.folder / "tsdb"}',
             f'--web.listen-address=127.0.0.1:{cls.port}'], stdout=cls.log, stderr=cls.log)
        cls.wait_for(lambda: cls.ask('query', query='count(gan_train_world_size)')['result'], 'the first scrape')

    @classmethod
    def tearDownClass(cls):
        if hasattr(cls, 'prometheus'):
            cls.prometheus.terminate()
            cls.prometheus.wait(30)
        cls.training.send_signal(signal.SIGUSR1)
        cls.training.wait(60)
        cls.log.close()
        cls.temporary.cleanup()

    @classmethod
    def wait_for(cls, condition, what, seconds=90):
        deadline = time.monotonic() + seconds
        while True:
            try:
                if found := condition():
                    return found
            except OSError:
                pass  # not listening yet
            assert time.monotonic() < deadline, f'never came: {what}\n' + (cls.folder / 'log').read_text()[-3000:]
            time.sleep(0.2)

    @classmethod
    def ask(cls, what, **parameters):
        url = f'http://127.0.0.1:{cls.port}/api/v1/{what}?{urllib.parse.urlencode(parameters)}'
        return json.load(urllib.request.urlopen(url, timeout=20))['data']

    def firing(self):
        return {alert['labels']['alertname'] for alert in self.ask('alerts')['alerts'] if alert['state'] == 'firing'}

    def wait_for_alert(self, name):
        self.wait_for(lambda: name in self.firing(), name)

    def has_answer(self, query):
        for name, value in VARIABLES.items():
            query = query.replace(name, value)
        values = [float(sample['value'][1]) for sample in self.ask('query', query=query)['result']]
        return any(value == value for value in values)

    def queries(self):
        for file in sorted((ROOT / 'monitoring' / 'grafana').glob('*.json')):
            for panel in json.loads(file.read_text())['panels']:
                for target in panel.get('targets', []):
                    yield f'{file.name}, {panel["title"]}, {target["refId"]}', target['expr']

    def test_1_the_winning_discriminator_and_the_damaged_records_raise_alerts(self):
        self.wait_for_alert('GanDiscriminatorWinning')
        self.wait_for_alert('GanCorruptRecords')
        self.assertEqual(set(), self.firing() & {'GanStalled', 'GanRankMissing', 'GanCheckpointFailing', 'GanNonFinite'})

    def test_2_every_query_of_every_dashboard_has_an_answer(self):
        self.wait_for(lambda: list((self.run_folder / 'checkpoints').glob('step-????????')), 'a checkpoint')
        empty = dict(self.queries())
        self.assertGreater(len(empty), 30)

        def all_answered():
            for where in [where for where, query in empty.items() if self.has_answer(query)]:
                del empty[where]
            return not empty
        self.wait_for(all_answered, f'answers to {empty}', seconds=40)

    def test_3_every_metric_of_the_docs_arrives(self):
        docs = re.findall(r'^\| `((?:gan|process)_\w+)` \| (\w+) \|', (ROOT / 'docs' / 'monitoring.md').read_text(), re.M)
        self.assertGreater(len(docs), 25)
        names = set(self.ask('label/__name__/values'))
        for name, kind in docs:
            self.assertIn(name + ('_bucket' if kind == 'histogram' else ''), names)
        ranks = {sample['metric']['rank'] for sample in self.ask('query', query='gan_comm_bytes_total')['result']}
        self.assertEqual({'0', '1'}, ranks)

    def test_4_a_rank_that_hangs_is_missing_and_stalls_the_run(self):
        process = rank_process(1)
        os.kill(process, signal.SIGSTOP)
        try:
            self.wait_for_alert('GanRankMissing')
            self.wait_for_alert('GanStalled')
        finally:
            os.kill(process, signal.SIGCONT)
        self.wait_for(lambda: not self.firing() & {'GanRankMissing', 'GanStalled'}, 'the end of the alerts')


if __name__ == '__main__':
    unittest.main()
