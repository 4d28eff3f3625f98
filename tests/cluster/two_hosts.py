"""Two hosts on one machine: network namespaces with addresses, names and an sshd each, a cable between them.

Needs root, `ip` and sshd. Everything that it makes is removed on leaving, whatever happened.
"""
import os
import pathlib
import subprocess
import time


def run(*command, **kwargs):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, **kwargs)
    if done.returncode != 0:
        raise RuntimeError(f'{command}: {done.stdout}{done.stderr}')
    return done.stdout


class TwoHosts:
    """`names` are host names that each of the two can resolve and reach over ssh as the user who runs the test."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.names = [f'eq-{side}-{os.getpid()}' for side in 'ab']
        self.addresses = ['10.213.0.1', '10.213.0.2']
        self.daemons = []

    def __enter__(self):
        try:
            self._keys()
            for name in self.names:
                run('ip', 'netns', 'add', name)
                etc = pathlib.Path('/etc/netns') / name
                etc.mkdir(parents=True)
                known = [f'{a} {n}' for a, n in zip(self.addresses, self.names)]
                (etc / 'hosts').write_text('\n'.join(['127.0.0.1 localhost', *known, '']))
            run('ip', 'link', 'add', 'eq0', 'netns', self.names[0], 'type', 'veth', 'peer', 'name', 'eq0', 'netns', self.names[1])
            for name, address in zip(self.names, self.addresses):
                run('ip', '-n', name, 'address', 'add', f'{address}/24', 'dev', 'eq0')
                run('ip', '-n', name, 'link', 'set', 'lo', 'up')
                run('ip', '-n', name, 'link', 'set', 'eq0', 'up')
                self._sshd(name, address)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in self.names:
            self.kill(name)
            subprocess.run(['ip', 'netns', 'delete', name], stderr=subprocess.DEVNULL)
            etc = pathlib.Path('/etc/netns') / name
            (etc / 'hosts').unlink(missing_ok=True)
            if etc.exists():
                etc.rmdir()
        for daemon in self.daemons:
            daemon.wait()

    def _keys(self):
        for name in ('host', 'user'):
            run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', self.folder / f'{name}_key')
        (self.folder / 'authorized').write_text((self.folder / 'user_key.pub').read_text())
        (self.folder / 'ssh_config').write_text(
            f'Host *\n  IdentityFile {self.folder}/user_key\n  IdentitiesOnly yes\n  StrictHostKeyChecking no\n'
            '  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n')

    def _sshd(self, name, address):
        config = self.folder / f'sshd_{name}'
        config.write_text(f'ListenAddress {address}\nPort 22\nHostKey {self.folder}/host_key\nUsePAM no\nStrictModes no\n'
                          f'AuthorizedKeysFile {self.folder}/authorized\nPermitRootLogin prohibit-password\n'
                          f'PasswordAuthentication no\nPidFile none\nMaxStartups 100\n')
        pathlib.Path('/run/sshd').mkdir(exist_ok=True)
        with (self.folder / f'{name}.sshd.log').open('w') as log:
            self.daemons.append(subprocess.Popen(self.on(name, '/usr/sbin/sshd', '-D', '-e', '-f', config), stderr=log))
        deadline = time.monotonic() + 20
        while not run('ip', 'netns', 'exec', name, 'ss', '-Hltn', 'sport', '=', ':22'):
            if time.monotonic() > deadline:
                raise RuntimeError((self.folder / f'{name}.sshd.log').read_text())
            time.sleep(0.05)

    def on(self, name, *command):
        """The command line that runs `command` on a host, under its name."""
        return ['ip', 'netns', 'exec', name, 'unshare', '--uts', 'sh', '-c', f'hostname {name}; exec "$@"', 'sh',
                *map(str, command)]

    def environment(self):
        """For mpirun and gan-launch: ssh with the keys of these hosts, in the words of Open MPI 4 and of 5."""
        ssh = f'ssh -F {self.folder}/ssh_config'
        return {'OMPI_MCA_plm_rsh_agent': ssh, 'OMPI_MCA_oob_tcp_if_include': 'eq0', 'OMPI_MCA_btl_tcp_if_include': 'eq0',
                'PRTE_MCA_plm_ssh_agent': ssh, 'PRTE_MCA_prte_if_include': 'eq0'}

    def kill(self, name):
        """Ends all processes of the host."""
        for pid in subprocess.run(['ip', 'netns', 'pids', name], capture_output=True, text=True).stdout.split():
            subprocess.run(['kill', '-KILL', pid], stderr=subprocess.DEVNULL)

    def cut_off(self, name):
        """Pulls the cable on this side; the host's processes continue without knowing it."""
        run('ip', '-n', name, 'link', 'set', 'eq0', 'down')
