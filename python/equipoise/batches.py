"""What a DataLoader with workers gets of Shards: its process copies each batch out of the page cache itself.

A batch that a worker makes travels through shared memory, which is allocated and mapped anew each time and costs several times
the copy of the records. Here workers read the records, and with them the disk, and send the numbers of the records alone.
"""
from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import default_collate, get_worker_info
from torch.utils.data._utils.collate import default_collate_fn_map

if TYPE_CHECKING:
    from equipoise.shards import Shards

_PAGE = 4096


class Record(Sequence[Any]):
    """(picture, label), as any collate_fn takes it, that is only looked up when somebody asks."""

    def __init__(self, shards: Shards, number: int) -> None:
        self.shards, self.number = shards, number

    def __len__(self) -> int:
        return 2

    def __getitem__(self, part: Any) -> Any:
        return self.shards[self.number][part]


class Batch:
    """Records of a folder that become [pictures, labels] in the process that takes them off the queue."""

    def __init__(self, folder: str, numbers: list[int]) -> None:
        self.folder = folder
        self.numbers = numbers

    def __reduce__(self) -> tuple[Callable[[str, list[int]], Any], tuple[str, list[int]]]:
        return load, (self.folder, self.numbers)


def records_of(shards: Shards, numbers: Sequence[int]) -> list[Record]:
    """Brings them from the disk into the page cache: one byte of each page is read."""
    for number in numbers:
        shard, at = shards.place(number)
        shard.pixels[at].reshape(-1)[::_PAGE].max()
    return [Record(shards, number) for number in numbers]


def load(folder: str, numbers: Sequence[int]) -> list[torch.Tensor]:
    shards = _opened(folder, os.stat(os.path.join(folder, 'manifest.json')).st_mtime_ns)
    side = shards.image_size
    pictures = np.empty((len(numbers), side, side, 3), np.uint8)
    labels = np.empty(len(numbers), np.int64)
    places = [shards.place(number) for number in numbers]
    begin = 0
    for shard, run in itertools.groupby(places, lambda place: place[0]):
        at = [position for _, position in run]
        end = begin + len(at)
        np.take(shard.pixels, at, 0, pictures[begin:end], 'clip')
        labels[begin:end] = shard.index['label'][at]
        begin = end
    return [torch.from_numpy(pictures), torch.from_numpy(labels)]


@functools.lru_cache(maxsize=8)
def _opened(folder: str, written_at: int) -> Shards:
    """`written_at`: a folder that has grown is opened anew."""
    from equipoise.shards import Shards
    return Shards(folder)


def collate(records: Sequence[Record], **_: Any) -> Any:
    folders = {os.path.abspath(record.shards.folder) for record in records}
    if len(folders) > 1:  # of a data set that mixes several
        return default_collate([tuple(record) for record in records])
    folder, numbers = folders.pop(), [record.number for record in records]
    return load(folder, numbers) if get_worker_info() is None else Batch(folder, numbers)


default_collate_fn_map[Record] = collate
