"""Tests what gan-launch --check finds in a container with a memory limit: a mount namespace with control groups of its
own."""
import os
import pathlib
import subprocess
import unittest

from programs import BIN, ENVIRONMENT, SMALL, WithShards

# Files of control groups of version 2 and 1, whichever the kernel has, in which 30 MB of 3 GB are left.
FILES = {'memory.max': 3000000000, 'memory.current': 2970000000, 'memory/memory.limit_in_bytes': 3000000000,
         'memory/memory.usage_in_bytes': 2970000000}


class Container(WithShards):
    def check(self, features):
        groups = pathlib.Path('/sys/fs/cgroup')
        made = ''.join(f'mkdir -p {(groups / name).parent} && echo {number} >{groups / name} && ' for name, number in FILES.items())
        script = f'mount -t tmpfs none {groups} && {made} exec "$@"'
        command = [BIN / 'gan-launch', '--check', '-np', 2, '--', 'gan-train', '--shards', self.shards, '--run',
                   self.folder / 'run', *SMALL, '--features', features]
        return subprocess.run(['unshare', '--mount', 'sh', '-c', script, 'sh', *map(str, command)], env=ENVIRONMENT,
                              capture_output=True, text=True, timeout=120)

    def test_a_memory_limit_is_the_memory(self):
        small = self.check(4)
        self.assertEqual(0, small.returncode, small.stdout + small.stderr)
        self.assertRegex(small.stdout, 'ok      memory of .*: 29 MiB available')
        large = self.check(32)
        self.assertEqual(1, large.returncode, large.stdout + large.stderr)
        self.assertRegex(large.stdout, 'PROBLEM memory of .*: 29 MiB available')


if __name__ == '__main__':
    if os.geteuid() != 0:
        raise SystemExit('container_test makes a mount namespace and needs root')
    unittest.main()
