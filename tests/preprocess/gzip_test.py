"""Tests files as gzip and its relatives write them, made with Python's zlib, and what damaged ones cost."""
import gzip
import io
import random
import struct
import tarfile
import unittest
import zlib

import numpy as np

from pictures import Image, encoded, photo
from run_folder import FolderCase, digest, names, quarantine, records, run

COUNT = 40


def member(data, level=6, name=b'', extra=b'', comment=b'', header_crc=False, strategy=zlib.Z_DEFAULT_STRATEGY, flush_every=0, mem=8):
    """A gzip member (RFC 1952) with everything that its header can hold."""
    flags = (2 if header_crc else 0) | (4 if extra else 0) | (8 if name else 0) | (16 if comment else 0)
    head = b'\x1f\x8b\x08' + bytes([flags]) + struct.pack('<IBB', 7, 0, 3)
    head += struct.pack('<H', len(extra)) + extra if extra else b''
    head += (name + b'\0' if name else b'') + (comment + b'\0' if comment else b'')
    head += struct.pack('<H', zlib.crc32(head) & 0xFFFF) if header_crc else b''
    coder = zlib.compressobj(level, zlib.DEFLATED, -15, mem, strategy)
    step = flush_every or len(data) or 1
    body = b''.join(coder.compress(data[i:i + step]) + (coder.flush(zlib.Z_FULL_FLUSH) if flush_every else b'') for i in range(0, len(data), step))
    return head + body + coder.flush() + struct.pack('<II', zlib.crc32(data), len(data) & 0xFFFFFFFF)


class Gzip(FolderCase):
    def setUp(self):
        super().setUp()
        self.photos = self.top
        self.plain = io.BytesIO()
        with tarfile.open(fileobj=self.plain, mode='w') as archive:
            for i in range(COUNT):
                info = tarfile.TarInfo(f'{i:03}.{"png" if i % 2 else "bmp"}')
                data = encoded(Image.fromarray(photo(130, 90 + i, seed=i)), 'PNG' if i % 2 else 'BMP')
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        self.plain = self.plain.getvalue()
        self.assertGreater(len(self.plain), 1 << 20, 'several blocks')

    def read(self, data, *flags):
        (self.top / 'a.tar.gz').write_bytes(data)
        return self.out('--in', self.top / 'a.tar.gz', *flags)

    def test_every_way_to_compress_gives_the_same_records(self):
        plain = self.plain
        wanted = records(self.read(plain))
        self.assertEqual(COUNT, len(wanted))
        step = len(plain) // 7 + 1
        parts = [plain[i:i + step] for i in range(0, len(plain), step)]
        cases = {f'level {level}': member(plain, level) for level in (0, 1, 6, 9)}
        cases |= {
            'only Huffman': member(plain, strategy=zlib.Z_HUFFMAN_ONLY), 'fixed trees': member(plain, strategy=zlib.Z_FIXED),
            'runs': member(plain, strategy=zlib.Z_RLE), 'small blocks': member(plain, mem=1),
            'flushed as pigz does': member(plain, flush_every=50_000),
            'all of a header': member(plain, name=b'a.tar', extra=bytes(999), comment=b'words', header_crc=True),
            'a header beyond a block': member(plain, name=b'n' * 300_000, extra=bytes(65_535), comment=b'c' * 300_000),
            'members': b''.join(map(member, parts)), 'members of a byte': b''.join(member(plain[i:i + 1]) for i in range(600)) + member(plain[600:]),
            'empty members': member(b'') + b''.join(member(part) + member(b'') for part in parts),
            'bgzip': b''.join(member(plain[i:i + 65_280], extra=b'BC\2\0\0\0') for i in range(0, len(plain), 65_280)) + member(b'', extra=b'BC\2\0\0\0'),
            'padding': member(plain) + bytes(10_000), 'other bytes behind it': member(plain) + b'words',
            'by gzip of Python': gzip.compress(plain)}
        for name, data in cases.items():
            with self.subTest(name):
                self.assertEqual(plain, gzip.decompress(data.removesuffix(b'words')), 'the test is right')
                self.assertEqual(wanted, records(self.read(data, '--threads', 2)))

    def test_a_member_may_end_anywhere_in_a_block(self):
        """Blocks have 256 KiB on both sides."""
        wanted = records(self.read(self.plain))
        for block in (1 << 18, 1 << 19):
            for off in (-9, -8, -4, -1, 0, 1, 2):
                packed = member(self.plain[:block + off], 0)  # stored: about as long
                self.assertEqual(wanted, records(self.read(packed + member(self.plain[block + off:]))), (block, off))
                first = member(self.plain[:100_000], 0)
                pad = block + off - len(first) - len(member(b'')) - 1
                filled = first + member(b'', name=b'x' * pad)
                self.assertEqual(block + off, len(filled))
                self.assertEqual(wanted, records(self.read(filled + member(self.plain[100_000:]))), (block, off))

    def test_a_header_may_go_on_in_the_next_block(self):
        wanted = records(self.read(self.plain))
        parts = {'name': b'name', 'extra': b'extra', 'comment': b'comment'}
        for chosen in ({}, {'extra', 'name'}, {'extra', 'comment'}, set(parts)):
            whole = member(self.plain, header_crc=True, **{part: parts[part] for part in chosen})
            for before in (1, 9, 10, 11, 12, 14, 17, 20, 22, 24, 29, 31):
                first = member(b'', name=b'x' * ((1 << 18) - len(member(b'')) - 1 - before))
                self.assertEqual((1 << 18) - before, len(first))
                with self.subTest(parts=chosen, before=before):
                    self.assertEqual(wanted, records(self.read(first + whole)))

    def test_damage_costs_what_comes_after_it_and_is_the_same_each_time(self):
        whole = member(self.plain)
        wanted = {name: pixels for name, _, _, pixels in records(self.read(whole))}
        flipped = bytearray(whole)
        flipped[len(whole) // 2] ^= 0x5A
        cases = {f'cut at {at}': (whole[:at], 'truncated') for at in (len(whole) // 3, len(whole) - 9, len(whole) - 1)}
        cases |= {'wrong checksum': (whole[:-8] + bytes(4) + whole[-4:], 'corrupt'), 'wrong length': (whole[:-4] + bytes(4), 'corrupt'),
                  'a broken block': (bytes(flipped), 'corrupt'), 'a second member that is none': (member(self.plain[:-1024]) + b'\x1f\x8b\x08\0' + bytes(6) + b'\xff' * 40, 'corrupt')}
        for name, (data, reason) in cases.items():
            with self.subTest(name):
                outs = [self.read(data, '--threads', threads, '--images-per-shard', 7) for threads in (1, 3, 1)]
                self.assertEqual(1, len({digest(out) for out in outs}))
                found = {name: pixels for name, _, _, pixels in records(outs[0])}
                self.assertGreater(len(found), COUNT // 4)
                self.assertEqual(reason, quarantine(outs[0])['a.tar.gz'])
                if name != 'a broken block':  # it can unpack to something else before anybody notices
                    self.assertEqual({k: wanted[k] for k in found}, found)

    def test_random_damage_never_ends_the_program(self):
        rng = random.Random(28)
        whole = member(self.plain[:200_000])
        for turn in range(40):
            data = bytearray(whole)
            for _ in range(rng.randrange(1, 20)):
                data[rng.randrange(len(data) if turn % 2 else 40)] = rng.randrange(256)
            (self.top / 'a.tar.gz').write_bytes(data)
            out = self.top / f'damaged{turn}'
            self.assertIn(run(out, '--in', self.top / 'a.tar.gz', timeout=30).returncode, (0, 3), turn)

    def test_what_unpacks_to_too_much_is_cut_off(self):
        bomb = io.BytesIO()
        with tarfile.open(fileobj=bomb, mode='w') as archive:
            for name, data in (('first.png', encoded(Image.fromarray(photo(40, 40)), 'PNG')), ('bomb.bmp', bytes(200_000_000)), ('last.png', b'')):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        out = self.read(member(bomb.getvalue(), 9))
        self.assertEqual((['first.png'], {'a.tar.gz': 'too_large'}), (names(out), quarantine(out)))

    def test_arrays(self):
        pictures = np.random.default_rng(0).integers(0, 256, (900, 32, 32), np.uint8)
        data = struct.pack('>HBBIII', 0, 8, 3, *pictures.shape) + pictures.tobytes()
        for packed in (member(data), b''.join(member(data[i:i + 100_000]) for i in range(0, len(data), 100_000))):
            (self.top / 'images-idx3-ubyte.gz').write_bytes(packed)
            found = records(self.out('--in', self.top / 'images-idx3-ubyte.gz'))
            self.assertEqual([np.repeat(p[..., None], 3, 2).tobytes() for p in pictures], [pixels for *_, pixels in found])


if __name__ == '__main__':
    unittest.main()
