"""Batches of Shards for a DataLoader with workers: the workers copy them into memory that they reuse (worker_memory).

Where that is not possible, workers read the records from the disk into the page cache and send only their numbers. The
process that takes the batch from the queue then copies it out of the page cache.
"""
from __future__ import annotations

import bisect
import functools
import math
import os
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import default_collate, get_worker_info
from torch.utils.data._utils.collate import default_collate_fn_map

from equipoise import worker_memory

if TYPE_CHECKING:
    from equipoise.shards import Shard, Shards

Filled = tuple[worker_memory.Place, tuple[int, ...], bytes]  # place of the pictures, their shape, labels as int64

_PAGE = 4096
_MOST_FREE = 4
_free: list[bytearray] = []


class Record(Sequence[Any]):
    """A pair (picture, label), as any collate_fn expects it. It is read only at its first use."""

    def __init__(self, shards: Shards, number: int) -> None:
        self.shards, self.number = shards, number

    def __len__(self) -> int:
        return 2

    def __getitem__(self, part: Any) -> Any:
        return self.shards[self.number][part]


class Batch:
    """Records of a folder that become [pictures, labels] in the process that takes them from the queue."""

    def __init__(self, folder: str, numbers: list[int], planes: bool, filled: Filled | None) -> None:
        self.content = folder, numbers, planes, filled

    def __reduce__(self) -> tuple[Callable[[str, list[int], bool, Filled | None], Any], tuple[str, list[int], bool, Filled | None]]:
        return receive, self.content


def records_of(shards: Shards, numbers: Sequence[int]) -> list[Record]:
    return [Record(shards, number) for number in numbers]


def batch_of(shards: Shards, folder: str, numbers: list[int], planes: bool) -> Batch:
    """`planes`: pictures from to_tensor, [3, size, size] each, without a copy."""
    shape = (len(numbers), shards.image_size, shards.image_size, 3)
    size = math.prod(shape)
    slot = worker_memory.take(size)
    if slot is None:
        for shard, _, at in _by_shard(shards, numbers):  # reading one byte of each page brings it into the page cache
            shard.pixels.reshape(shard.records, -1)[:, ::_PAGE][at]
        return Batch(folder, numbers, planes, None)
    labels = np.empty(len(numbers), np.int64)
    try:
        _fill(shards, numbers, slot.bytes(size).reshape(shape), labels)
    except BaseException:
        slot.mark(False)
        raise
    return Batch(folder, numbers, planes, (slot.place, shape, labels.tobytes()))


def receive(folder: str, numbers: list[int], planes: bool, filled: Filled | None) -> list[torch.Tensor]:
    if filled is not None:
        place, shape, labels = filled
        pictures = worker_memory.of_worker(place, math.prod(shape))
        if pictures is not None:
            return _tensors(pictures.reshape(shape), np.frombuffer(bytearray(labels), np.int64), planes)
    return load(folder, numbers, planes)


def load(folder: str, numbers: Sequence[int], planes: bool) -> list[torch.Tensor]:
    shards = _opened(folder, os.stat(os.path.join(folder, 'manifest.json')).st_mtime_ns)
    side = shards.image_size
    pictures = _memory(len(numbers) * side * side * 3).reshape(len(numbers), side, side, 3)
    labels = np.empty(len(numbers), np.int64)
    _fill(shards, numbers, pictures, labels)
    return _tensors(pictures, labels, planes)


def _tensors(pictures: NDArray[np.uint8], labels: NDArray[np.int64], planes: bool) -> list[torch.Tensor]:
    batch = torch.from_numpy(pictures)
    return [batch.permute(0, 3, 1, 2) if planes else batch, torch.from_numpy(labels)]


def _fill(shards: Shards, numbers: Sequence[int], pictures: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
    for shard, rows, at in _by_shard(shards, numbers):
        label_of = shard.index['label']
        if rows is None:
            np.take(shard.pixels, at, 0, pictures, 'clip')
            labels[:] = label_of[at]
            continue
        labels[rows] = label_of[at]
        for row, i in zip(rows.tolist(), at.tolist()):
            pictures[row] = shard.pixels[i]


def _by_shard(shards: Shards, numbers: Sequence[int]) -> Iterator[tuple[Shard, NDArray[np.int64] | None, NDArray[np.int64]]]:
    """(shard, those of `numbers` that it contains or None for all, their positions in it). Raises IndexError. The copy
    of a batch empties the processor's caches, so each step here takes several times as long as in a separate loop."""
    wanted = np.asarray(numbers, np.int64)
    records, lowest, highest = len(shards), min(numbers), max(numbers)
    if lowest < -records or highest >= records:
        raise IndexError(lowest if lowest < -records else highest)
    if lowest < 0:
        wanted = np.where(wanted < 0, wanted + records, wanted)
        lowest, highest = wanted.min(), wanted.max()
    ends = shards.ends
    first = bisect.bisect_right(ends, lowest)
    if highest < ends[first]:
        yield shards.shard(shards.numbers[first]), None, wanted - (ends[first - 1] if first else 0)
        return
    of = np.searchsorted(ends, wanted, 'right')
    for place in sorted(set(of.tolist())):
        rows = np.flatnonzero(of == place)
        yield shards.shard(shards.numbers[place]), rows, wanted[rows] - (ends[place - 1] if place else 0)


def _memory(size: int) -> NDArray[np.uint8]:
    """`size` bytes, reused from a batch that is no longer referenced if there is one. The kernel clears each page of
    new memory, which takes as long as the copy of the records."""
    memory = _free.pop() if _free else bytearray()
    if not size <= len(memory) <= 2 * size:
        _free.clear()
        memory = bytearray(size)
    view = np.frombuffer(memory, np.uint8, size)
    weakref.finalize(view, _give_back, memory).atexit = False
    return view


def _give_back(memory: bytearray) -> None:
    _free.append(memory)
    del _free[:-_MOST_FREE]


@functools.lru_cache(maxsize=8)
def _opened(folder: str, written_at: int) -> Shards:
    """`written_at`: a folder that has grown is opened again."""
    from equipoise.shards import Shards
    return Shards(folder)


def collate(records: Sequence[Record], **_: Any) -> Any:
    data_sets = {id(record.shards): record.shards for record in records}
    kinds = {(os.path.abspath(shards.folder), shards.transform is not None) for shards in data_sets.values()}
    if len(kinds) > 1:  # a data set with several kinds of pictures
        return default_collate([tuple(record) for record in records])
    (folder, planes), numbers = kinds.pop(), [record.number for record in records]
    if get_worker_info() is None:
        return load(folder, numbers, planes)
    return batch_of(records[0].shards, folder, numbers, planes)


default_collate_fn_map[Record] = collate
