"""Reads a shard folder of Equipoise with numpy alone; a data set for PyTorch needs only numpy as well.

    from equipoise import Shards
    pictures = Shards('shards/')
    picture, label = pictures[0]          # uint8 [size, size, 3], an integer
    pictures.labels[label]                # its name

Files are opened at the first use of one of their pictures, and are never sent to another process: each worker of a
DataLoader maps them itself, whatever starts the workers, so the pictures are in memory once.
"""
from __future__ import annotations

import bisect
import json
import os
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch
    from torch.utils.data import Dataset
    _MapStyle = Dataset[tuple[Any, int]]
else:
    _MapStyle = object  # a DataLoader asks only for __len__ and __getitem__

VERSION = 1
HEADER_BYTES = 4096
INDEX = np.dtype([('crc32c', '<u4'), ('label', '<u4'), ('input', '<u8'), ('name_offset', '<u8'), ('name_bytes', '<u4'),
                  ('zero', '<u4')])


class Shard:
    """The records of one shard file: pictures uint8 [n, size, size, 3] as a view of the file, index as in
    docs/shard-format.md."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
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
        self.pictures: NDArray[np.uint8] = (np.memmap(path, np.uint8, 'r', HEADER_BYTES, shape) if self.records else
                                            np.zeros(shape, np.uint8))
        self.pixels = self.pictures.view(np.ndarray)  # the same, but numpy is slower with the elements of a memmap
        self.index: NDArray[np.void] = np.fromfile(path, INDEX, self.records, offset=footer)
        if len(self.index) != self.records:
            raise ValueError(f'{path}: its index is shorter than its header says')
        self.names_at = footer + INDEX.itemsize * self.records
        self.path = path

    def name(self, i: int) -> bytes:
        """The input from which record i was made."""
        with open(self.path, 'rb') as file:
            file.seek(self.names_at + int(self.index['name_offset'][i]))
            return file.read(int(self.index['name_bytes'][i]))


class Shards(_MapStyle):
    """All records of a folder by number: (picture, label), with transform(picture) if a transform is given.

    It is a map-style data set of PyTorch. `labels` has the names of the labels, `label_counts` the number of records of
    each.
    """

    def __init__(self, folder: str | os.PathLike[str], transform: Callable[[NDArray[np.uint8]], Any] | None = None) -> None:
        self.folder = pathlib.Path(folder)
        self.transform = transform
        path = self.folder / 'manifest.json'
        try:
            manifest = json.loads(path.read_bytes())
            version = int(manifest['format_version'])
            if version <= VERSION:
                self.labels = [str(name) for name in manifest['labels']]
                self.label_counts = [int(count) for count in manifest.get('label_counts', [])]
                self.image_size = int(manifest['image_size'])
                self.numbers = [int(shard['number']) for shard in manifest['shards']]
                self.ends: list[int] = np.cumsum([int(shard['records']) for shard in manifest['shards']], dtype=np.int64).tolist()
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError, RecursionError) as error:
            raise ValueError(f'{path}: is no manifest of shards ({type(error).__name__}: {error})') from None
        if version > VERSION:
            raise ValueError(f'{path}: has format version {version}; this program reads up to {VERSION}')
        self._open: dict[int, Shard] = {}

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {'_open': {}}

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    def shard(self, number: int) -> Shard:
        """The shard with this number, as in its file's name. Raises ValueError with the file."""
        if number not in self._open:
            shard = Shard(self.folder / f'shard-{number:05}.gan')
            if shard.size != self.image_size or shard.records != self._records_of(number):
                raise ValueError(f'{shard.path}: is not the shard that the manifest describes')
            self._open[number] = shard
        return self._open[number]

    def _records_of(self, number: int) -> int:
        at = self.numbers.index(number)
        return self.ends[at] - (self.ends[at - 1] if at else 0)

    def place(self, i: int) -> tuple[Shard, int]:
        """(shard, position in it) of record i."""
        if not -len(self) <= i < len(self):
            raise IndexError(i)
        i %= len(self)
        at = bisect.bisect_right(self.ends, i)
        return self.shard(self.numbers[at]), int(i) - (self.ends[at - 1] if at else 0)

    def __getitem__(self, i: int) -> tuple[Any, int]:
        shard, at = self.place(i)
        picture = np.array(shard.pixels[at])
        return picture if self.transform is None else self.transform(picture), int(shard.index['label'][at])

    def __getitems__(self, numbers: Sequence[int]) -> Sequence[Sequence[Any]]:
        """Records for a DataLoader, which calls this instead of reading single ones. Faster if its batches are plain
        pictures."""
        if self.transform not in (None, to_tensor) or type(self).__getitem__ is not Shards.__getitem__:
            return [self[number] for number in numbers]
        from equipoise import batches
        return batches.records_of(self, numbers)

    def __iter__(self) -> Iterator[tuple[Any, int]]:
        return (self[i] for i in range(len(self)))

    def arrays(self) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint32]]]:
        """(pictures uint8 [n, size, size, 3], labels uint32 [n]) of each shard in order, as views of the files: nothing
        is read before its first use, and no transform is applied."""
        for number in self.numbers:
            shard = self.shard(number)
            yield shard.pictures, shard.index['label']

    def label_of_each(self) -> NDArray[np.uint32]:
        """The labels of all records, uint32 [len(self)], without reading a picture."""
        return np.concatenate([np.zeros(0, np.uint32), *(labels for _, labels in self.arrays())])


def to_tensor(picture: NDArray[np.uint8]) -> torch.Tensor:
    """A transform: uint8 [size, size, 3] -> torch.uint8 [3, size, size]. Batches of a DataLoader are then in the memory
    format torch.channels_last."""
    import torch
    return torch.from_numpy(picture).permute(2, 0, 1)
