"""Each bad input ends with one clear line, the right exit code, and nothing half-written."""
import fcntl
import os
import shutil
import subprocess
import unittest

from programs import BIN, ENVIRONMENT, WithShards, make_shards, newest_checkpoint, train, train_command


class BadInput(WithShards):
    def setUp(self):
        self.run_folder = self.folder / self.id().rsplit('.', 1)[-1]

    def broken_shards(self, change):
        shards = self.folder / (self.run_folder.name + '-shards')
        shutil.copytree(self.shards, shards)
        change(shards)
        return shards

    def assert_refused(self, code, words, ranks, shards, *flags):
        done = train(ranks, shards, self.run_folder, *flags)
        ours = [line for line in done.stderr.splitlines() if line.startswith('gan-train:')]
        self.assertEqual(code, done.returncode, done.stderr)
        self.assertEqual(1, len(ours), done.stderr)
        self.assertIn(words, ours[0])

    def test_no_shards(self):
        for ranks in (1, 2):
            self.assert_refused(3, 'no such folder', ranks, self.folder / 'nowhere', '--steps', 1)
        self.assertFalse(self.run_folder.exists())

    def test_shard_of_a_newer_version(self):
        def change(shards):
            with open(shards / 'shard-00000.gan', 'r+b') as f:
                f.seek(8)
                f.write((2).to_bytes(4, 'little'))
        self.assert_refused(3, 'version 2', 2, self.broken_shards(change), '--steps', 1)

    def test_truncated_shard(self):
        def change(shards):
            with open(shards / 'shard-00001.gan', 'r+b') as f:
                f.truncate(100_000)
        self.assert_refused(3, 'shard-00001.gan', 2, self.broken_shards(change), '--steps', 1)

    def test_missing_shard(self):
        self.assert_refused(3, 'shard-00001.gan', 2,
                            self.broken_shards(lambda shards: (shards / 'shard-00001.gan').unlink()), '--steps', 1)

    def test_manifest_that_disagrees(self):
        other = make_shards(self.folder / 'other', count=39)
        broken = self.broken_shards(lambda shards: shutil.copy(other / 'manifest.json', shards))
        self.assert_refused(3, 'shard-00002.gan', 2, broken, '--steps', 1)

    def test_manifest_with_a_changed_byte(self):
        def change(shards):
            text = (shards / 'manifest.json').read_text()
            (shards / 'manifest.json').write_text(text.replace('bilinear', 'Bilinear'))
        self.assert_refused(3, 'manifest.json', 2, self.broken_shards(change), '--steps', 1)

    def test_damaged_record_is_found_when_it_is_read(self):
        def change(shards):
            for shard in shards.glob('shard-*.gan'):
                with open(shard, 'r+b') as f:
                    for record in range(8):
                        f.seek(4096 + 49152 * record + 1000)
                        f.write(b'\x01\x02\x03')
        done = train(1, self.broken_shards(change), self.run_folder, '--steps', 20)
        self.assertEqual(3, done.returncode, done.stderr)
        self.assertIn('does not match its checksum', done.stderr)

    def test_wrong_world_size(self):
        self.assert_refused(2, '--expect-world-size', 2, self.shards, '--steps', 1, '--expect-world-size', 4)

    def test_unknown_flag(self):
        self.assert_refused(2, '--no-such-flag', 2, self.shards, '--no-such-flag')

    def test_name_that_is_not_utf8(self):
        shards = self.folder / os.fsdecode(b'sh\xffards')
        for name, flags in (('--run', ('--run', self.folder / os.fsdecode(b'r\xffn'))), ('--shards', ('--shards', shards))):
            done = subprocess.run(train_command(2, self.shards, self.run_folder, '--steps', 1, *flags), capture_output=True,
                                  text=True, errors='surrogateescape', env=ENVIRONMENT, timeout=120)
            self.assert_code(2, done)
            self.assertIn(f'{name}: {flags[1]} is not UTF-8', done.stderr)
            self.assertFalse(self.run_folder.exists())

    def test_run_folder_in_use(self):
        self.run_folder.mkdir()
        with open(self.run_folder / '.lock', 'w') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assert_refused(2, 'in use', 2, self.shards, '--steps', 1)

    def test_gpu_where_there_is_none(self):
        self.assert_refused(2, 'GPU', 1, self.shards, '--steps', 1, '--device', 'cuda')

    def test_resume_with_another_network(self):
        self.assertEqual(0, train(1, self.shards, self.run_folder, '--steps', 2).returncode)
        before = newest_checkpoint(self.run_folder)
        self.assert_refused(2, 'noise_dim (100 then, 50 now)', 1, self.shards, '--steps', 4, '--noise-dim', 50)
        self.assertEqual(before, newest_checkpoint(self.run_folder))

    def test_port_in_use_is_a_warning(self):
        import socket
        with socket.socket() as taken:
            taken.bind(('127.0.0.1', 0))
            taken.listen()
            done = train(1, self.shards, self.run_folder, '--steps', 2, '--metrics-port', taken.getsockname()[1])
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn('no metrics', done.stderr)

    def test_no_room_on_the_disk(self):
        disk = self.folder / 'disk'
        disk.mkdir()
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], check=True)
        try:
            done = subprocess.run([BIN / 'gan-preprocess', '--in', self.folder / 'photos', '--out', disk / 'shards',
                                   '--images-per-shard', '64'], env=ENVIRONMENT, capture_output=True, text=True)
            self.assertEqual(1, done.returncode)
            self.assertIn('No space left on device', done.stderr)
            self.assertEqual([], list((disk / 'shards').glob('*.gan*')))
            self.assertFalse((disk / 'shards' / 'manifest.json').exists())
        finally:
            subprocess.run(['umount', disk], check=True)


if __name__ == '__main__':
    unittest.main()
