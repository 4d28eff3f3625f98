"""Checks what cluster/ gives to Kubernetes and to container builds against their own schemas and linters."""
import importlib.util
import pathlib
import re
import subprocess
import sys
import unittest

import kubernetes_validate
import yaml
from kubeflow_trainer_api.models import TrainerV1alpha1ClusterTrainingRuntime, TrainerV1alpha1TrainJob

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLUSTER = ROOT / 'cluster'
VERSION = '1.31.0'


def documents(name):
    return list(yaml.safe_load_all((CLUSTER / 'kubernetes' / name).read_text()))


def pod(template):
    return {'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': 'x', **template.get('metadata', {})},
            'spec': template['spec']}


def flags_of(program):
    return set(re.findall(r'--[a-z][a-z0-9-]*', subprocess.run([program, '--help-all'], capture_output=True, text=True).stdout))


class Kubernetes(unittest.TestCase):
    def test_core_objects_are_valid(self):
        spec = importlib.util.spec_from_file_location('configmaps', CLUSTER / 'kubernetes' / 'configmaps.py')
        configmaps = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(configmaps)
        job, = documents('preprocess.yaml')
        for document in [job, *configmaps.config_maps()]:
            kubernetes_validate.validate(document, VERSION, strict=True)

    def test_pods_of_the_mpi_job_are_valid_and_safe(self):
        job, _ = documents('train.yaml')
        self.assertEqual(('kubeflow.org/v2beta1', 'MPIJob'), (job['apiVersion'], job['kind']))
        for role in job['spec']['mpiReplicaSpecs'].values():
            template = role['template']
            kubernetes_validate.validate(pod(template), VERSION, strict=True)
            self.assertTrue(template['spec']['securityContext']['runAsNonRoot'])
            for container in template['spec']['containers']:
                self.assertFalse(container['securityContext']['allowPrivilegeEscalation'])
                self.assertIn('/dev/shm', [mount['mountPath'] for mount in container['volumeMounts']])

    def test_ranks_agree_wherever_they_are_counted(self):
        job, monitor = documents('train.yaml')
        spec = job['spec']
        workers = spec['mpiReplicaSpecs']['Worker']
        container = workers['template']['spec']['containers'][0]
        ranks = spec['slotsPerWorker'] * workers['replicas']
        launcher = spec['mpiReplicaSpecs']['Launcher']['template']['spec']['containers'][0]
        self.assertEqual(str(ranks), launcher['command'][launcher['command'].index('-np') + 1])
        self.assertEqual(str(ranks), launcher['args'][launcher['args'].index('--expect-world-size') + 1])
        self.assertEqual(str(spec['slotsPerWorker']), container['resources']['limits']['nvidia.com/gpu'])
        ports = [port['name'] for port in container['ports']]
        self.assertEqual(spec['slotsPerWorker'], len(ports))
        self.assertEqual(ports, [endpoint['port'] for endpoint in monitor['spec']['podMetricsEndpoints']])
        self.assertEqual(workers['template']['metadata']['labels'], monitor['spec']['selector']['matchLabels'])

    def test_preprocessing_stays_within_its_memory_on_any_node(self):
        """docs/preprocess.md: 80 MB per thread. A container sees all cores of its node."""
        container = documents('preprocess.yaml')[0]['spec']['template']['spec']['containers'][0]
        command, resources = container['command'], container['resources']
        threads = command[command.index('--threads') + 1]
        self.assertEqual(resources['requests']['cpu'], threads)
        self.assertRegex(resources['limits']['memory'], '^[0-9]+Gi$')
        self.assertLess(int(threads) * 80e6, 0.5 * int(resources['limits']['memory'][:-2]) * 2**30)

    def test_every_flag_exists(self):
        launcher = documents('train.yaml')[0]['spec']['mpiReplicaSpecs']['Launcher']['template']['spec']['containers'][0]
        given = {word for word in launcher['args'] if word.startswith('--')}
        self.assertLessEqual(given, flags_of(BIN / 'gan-train'))
        command = documents('preprocess.yaml')[0]['spec']['template']['spec']['containers'][0]['command']
        self.assertLessEqual({word for word in command if word.startswith('--')}, flags_of(BIN / 'gan-preprocess'))


def leaves(value, at=()):
    """{path: value} of everything in a manifest that is no object and no list."""
    if isinstance(value, dict):
        return {path: leaf for key, inner in value.items() for path, leaf in leaves(inner, (*at, key)).items()}
    if isinstance(value, list):
        return {path: leaf for i, inner in enumerate(value) for path, leaf in leaves(inner, (*at, i)).items()}
    return {at: value}


class KubeflowTrainer(unittest.TestCase):
    """The models are those of kubeflow-trainer-api. They drop members that they do not know, so everything must come back."""

    def setUp(self):
        self.runtime, = documents('trainer-runtime.yaml')
        self.job, = documents('trainjob.yaml')
        self.jobs = {job['name']: job for job in self.runtime['spec']['template']['spec']['replicatedJobs']}

    def test_the_models_know_every_member(self):
        for model, document in ((TrainerV1alpha1ClusterTrainingRuntime, self.runtime), (TrainerV1alpha1TrainJob, self.job)):
            known = leaves(model.from_dict(document).to_dict())
            for path, value in leaves(document).items():
                self.assertEqual(value, known.get(path), path)

    def test_a_misspelt_member_would_be_noticed(self):
        self.runtime['spec']['mlPolicy']['mpi']['numProcPerNodes'] = 8
        known = leaves(TrainerV1alpha1ClusterTrainingRuntime.from_dict(self.runtime).to_dict())
        self.assertNotIn(('spec', 'mlPolicy', 'mpi', 'numProcPerNodes'), known)

    def test_pods_are_valid_and_safe(self):
        self.assertEqual({'node', 'launcher'}, set(self.jobs))
        for job in self.jobs.values():
            template = job['template']['spec']['template']
            valid = pod(template)
            valid['spec'] = {'restartPolicy': 'Never'} | valid['spec']
            kubernetes_validate.validate(valid, VERSION, strict=True)
            self.assertTrue(template['spec']['securityContext']['runAsNonRoot'])
            container, = template['spec']['containers']
            self.assertEqual('node', container['name'], 'the only name that gets the keys of ssh')
            self.assertFalse(container['securityContext']['allowPrivilegeEscalation'])
            self.assertIn('/dev/shm', [mount['mountPath'] for mount in container['volumeMounts']])

    def test_ranks_agree_wherever_they_are_counted(self):
        trainer, mpi = self.job['spec']['trainer'], self.runtime['spec']['mlPolicy']['mpi']
        ranks = str(trainer['numNodes'] * trainer['numProcPerNode'])
        self.assertEqual(ranks, trainer['command'][trainer['command'].index('-np') + 1])
        self.assertEqual(ranks, trainer['args'][trainer['args'].index('--expect-world-size') + 1])
        node, = self.jobs['node']['template']['spec']['template']['spec']['containers']
        self.assertEqual(str(mpi['numProcPerNode']), node['resources']['limits']['nvidia.com/gpu'])
        self.assertEqual(self.runtime['metadata']['name'], self.job['spec']['runtimeRef']['name'])

    def test_open_mpi_4_and_5_find_the_same_hosts(self):
        launcher, = self.jobs['launcher']['template']['spec']['template']['spec']['containers']
        environment = {variable['name']: variable['value'] for variable in launcher['env']}
        command = self.job['spec']['trainer']['command']
        self.assertEqual(environment['PRTE_MCA_prte_default_hostfile'], command[command.index('--hostfile') + 1])
        reserved = {'OMPI_MCA_orte_default_hostfile', 'OMPI_MCA_plm_rsh_args', 'OMPI_MCA_orte_keep_fqdn_hostnames', 'OMPI_MCA_orte_set_default_slots'}
        self.assertEqual(set(), reserved & set(environment), 'Kubeflow Trainer sets these itself')

    def test_every_flag_exists(self):
        trainer = self.job['spec']['trainer']
        self.assertLessEqual({word for word in trainer['args'] if word.startswith('--')}, flags_of(BIN / 'gan-train'))


class Container(unittest.TestCase):
    dockerfile = CLUSTER / 'container' / 'Dockerfile'

    def test_hadolint_has_no_warning(self):
        done = subprocess.run([pathlib.Path(sys.executable).parent / 'hadolint', self.dockerfile], capture_output=True, text=True)
        self.assertEqual((0, ''), (done.returncode, done.stdout + done.stderr))

    def test_it_builds_with_the_commands_of_quickstart(self):
        quickstart = (ROOT / 'quickstart').read_text()
        build = self.dockerfile.read_text().split('\nFROM ')[1].replace('\\\n', ' ')
        commands = [command.strip() for line in re.findall(r'^RUN (.*)', build, re.M) for command in line.split('&&')]
        self.assertGreaterEqual(len(commands), 5)
        for command in commands:
            start = ' '.join(command.split()[:2]) if command.startswith('cmake') else command.split()[0]
            self.assertTrue(start in quickstart or start == 'cmake --install', command)

    def test_it_has_the_libraries_that_the_programs_load(self):
        """Each Debian package that owns a library of the programs is installed, or comes with one that is. On another Debian
        than the container's, packages have other versions in their names."""
        def stem(package):
            return re.sub(r'(t64|-?[0-9.]+)+$', '', package)
        named = {stem(name) for name in re.findall(r'\b(z?lib[a-z0-9.+-]+)\b', self.dockerfile.read_text().split('\nFROM ')[2])}
        for program in ('gan-preprocess', 'gan-train', 'gan-generate', 'gan-inspect', 'gan-launch'):
            needed = subprocess.run(['objdump', '-p', BIN / program], capture_output=True, text=True, check=True).stdout
            for library in re.findall(r'NEEDED +(\S+)', needed):
                if re.match(r'lib(c|m|stdc\+\+|gcc_s|torch.*|c10.*|gan_.*|mpi.*|open-.*)\.so|ld-', library):
                    continue
                owner = subprocess.run(['dpkg', '-S', f'*/{library}'], capture_output=True, text=True).stdout.split(':')[0]
                self.assertIn(stem(owner), named, f'{program} needs {library}')


if __name__ == '__main__':
    BIN = pathlib.Path(sys.argv.pop())
    unittest.main()
