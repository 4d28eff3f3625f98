"""How much memory a run takes at most, by what the kernel counted."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from PIL import Image

from run_folder import ENVIRONMENT, command, make_pictures, names, quarantine

MB = 1 << 20
# A process counts the memory of the one that started it as its own until it is another program, so a small one starts it.
STARTER = """import os, sys
process = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(process, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))"""


def peak_of(arguments):
    """Bytes of the largest resident set of a run that succeeds."""
    done = subprocess.run([sys.executable, '-S', '-c', STARTER, *arguments], env=ENVIRONMENT, capture_output=True, text=True,
                          timeout=100)
    assert done.returncode == 0, done.stderr
    kilobytes = int(done.stdout.splitlines()[-1])
    print(f'{kilobytes / 1024:.0f} MB', file=sys.stderr)
    return kilobytes * 1024


class Memory(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.top = pathlib.Path(temporary.name)
        self.out = self.top / 'out'

    def peak(self, *flags, size=32):
        return peak_of(command(self.out, *flags, size=size))

    def test_giants_are_decoded_one_at_a_time(self):
        photos = self.top / 'photos'
        photos.mkdir()
        side = 6000
        Image.new('RGB', (side, side), (9, 99, 200)).save(photos / '0.png', compress_level=1)
        for i in range(1, 6):
            os.link(photos / '0.png', photos / f'{i}.png')
        self.assertLess(self.peak('--in', photos, '--threads', 4), 200 * MB + 7 * side * side)
        self.assertEqual(6, len(names(self.out)))

    def test_baseline_jpegs_are_never_whole_in_memory(self):
        photos = self.top / 'photos'
        photos.mkdir()
        Image.new('RGB', (7000, 8000), (9, 99, 200)).save(photos / '0.jpg')
        for i in range(1, 4):
            os.link(photos / '0.jpg', photos / f'{i}.jpg')
        self.assertLess(self.peak('--in', photos, '--threads', 4), 80 * MB)

    def test_shards_are_not_kept(self):
        make_pictures(self.top, ['one.png'])
        (self.top / 'list').write_text(f'{self.top}/one.png\n' * 1200)
        self.assertLess(self.peak('--list', self.top / 'list', '--threads', 2, size=256), 80 * MB)
        self.assertGreater((self.out / 'shard-00000.gan').stat().st_size, 200 * MB)

    def test_rejected_inputs_are_not_kept(self):
        make_pictures(self.top, ['one.png'])
        lines = [f'{self.top}/a folder that is not there/{i:080}.png' for i in range(100_000)]
        (self.top / 'list').write_text('\n'.join([*lines, f'{self.top}/one.png']))
        self.assertLess(self.peak('--list', self.top / 'list', '--threads', 2), 90 * MB)
        self.assertEqual(100_000, len(quarantine(self.out)))


if __name__ == '__main__':
    unittest.main()
