"""Reads a shard folder of Equipoise with numpy alone; a data set for PyTorch needs no more than this either.

    from equipoise_shards import Shards
    pictures = Shards('shards/')
    picture, label = pictures[0]          # uint8 [size, size, 3], an integer
    pictures.labels[label]                # its name

Files are opened when a picture of them is first asked for, and never travel to another process: each worker of a
DataLoader maps them itself, whatever starts the workers, so the pictures are in memory once.
"""
import bisect
import json
import os
import pathlib

import numpy as np

VERSION = 1
HEADER_BYTES = 4096
INDEX = np.dtype([('crc32c', '<u4'), ('label', '<u4'), ('input', '<u8'), ('name_offset', '<u8'), ('name_bytes', '<u4'),
                  ('zero', '<u4')])


class Shard:
    """The records of one file: pictures uint8 [n, size, size, 3] as a view of the file, index as in docs/shard-format.md."""

    def __init__(self, path):
        header = np.fromfile(path, np.uint8, 56)
        if header.size < 56 or header[:8].tobytes() != b'GANSHARD':
            raise ValueError(f'{path}: is no shard')
        version = int(header[8:12].view('<u4')[0])
        if version > VERSION:
            raise ValueError(f'{path}: has format version {version}; this program reads up to {VERSION}')
        self.size = int(header[16:20].view('<u4')[0])
        self.records, footer, footer_bytes = (int(n) for n in header[24:48].view('<u8'))
        if os.path.getsize(path) != footer + footer_bytes or footer != HEADER_BYTES + 3 * self.size ** 2 * self.records:
            raise ValueError(f'{path}: its length does not fit its header')
        shape = (self.records, self.size, self.size, 3)
        self.pictures = np.memmap(path, np.uint8, 'r', HEADER_BYTES, shape) if self.records else np.zeros(shape, np.uint8)
        self.index = np.fromfile(path, INDEX, self.records, offset=footer)
        self.names_at = footer + INDEX.itemsize * self.records
        self.path = path

    def name(self, i):
        """The input that record i was made of, as bytes."""
        with open(self.path, 'rb') as file:
            file.seek(self.names_at + int(self.index['name_offset'][i]))
            return file.read(int(self.index['name_bytes'][i]))


class Shards:
    """All records of a folder by number: (picture, label), as transform(picture) where one is given."""

    def __init__(self, folder, transform=None):
        self.folder = pathlib.Path(folder)
        self.transform = transform
        manifest = json.loads((self.folder / 'manifest.json').read_text())
        if manifest['format_version'] > VERSION:
            raise ValueError(f'{folder}: has format version {manifest["format_version"]}; this program reads up to {VERSION}')
        self.labels = manifest['labels']
        self.label_counts = manifest.get('label_counts', [])
        self.image_size = manifest['image_size']
        self.ends = np.cumsum([shard['records'] for shard in manifest['shards']]).tolist()
        self._open = {}

    def __getstate__(self):
        return self.__dict__ | {'_open': {}}

    def __len__(self):
        return self.ends[-1] if self.ends else 0

    def shard(self, number):
        if number not in self._open:
            self._open[number] = Shard(self.folder / f'shard-{number:05}.gan')
        return self._open[number]

    def place(self, i):
        """(shard, position in it) of record i."""
        if not -len(self) <= i < len(self):
            raise IndexError(i)
        i %= len(self)
        number = bisect.bisect_right(self.ends, i)
        return self.shard(number), i - (self.ends[number - 1] if number else 0)

    def __getitem__(self, i):
        shard, at = self.place(i)
        picture = np.array(shard.pictures[at])
        return picture if self.transform is None else self.transform(picture), int(shard.index['label'][at])


def to_tensor(picture):
    """A transform: uint8 [size, size, 3] -> torch.uint8 [3, size, size]."""
    import torch
    return torch.from_numpy(picture).permute(2, 0, 1)
