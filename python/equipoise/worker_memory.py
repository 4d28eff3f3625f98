"""Memory that a worker of a DataLoader shares with its main process and reuses for later batches.

PyTorch allocates and maps shared memory anew for each batch, and the kernel clears it, which costs more than the copy
of the records. It is also in /dev/shm, which is small in containers. Here a worker has a few anonymous files (memfd).
Their first byte is 1 while a batch is in use; the main process, which finds them in /proc, sets it to 0 when the batch
is no longer referenced. The kernel removes them when both processes have ended.
"""
from __future__ import annotations

import mmap
import os
import weakref

import numpy as np
from numpy.typing import NDArray

MOST_FILES, MOST_BYTES = 8, 256 << 20  # per worker
_HEADER = mmap.PAGESIZE

Place = tuple[int, int, int]  # process, its file descriptor, inode


class Slot:
    def __init__(self, size: int) -> None:
        self.size = size
        self._file = os.memfd_create('equipoise-batch')
        try:
            os.ftruncate(self._file, _HEADER + size)
            self._memory = mmap.mmap(self._file, _HEADER + size)
        except BaseException:
            os.close(self._file)
            raise
        self.place: Place = (os.getpid(), self._file, os.fstat(self._file).st_ino)

    @property
    def free(self) -> bool:
        return self._memory[0] == 0

    def mark(self, used: bool) -> None:
        self._memory[0] = used

    def bytes(self, count: int) -> NDArray[np.uint8]:
        return np.frombuffer(self._memory, np.uint8, count, _HEADER)

    def close(self) -> None:
        os.close(self._file)


_own: list[Slot] = []
_mapped: dict[Place, mmap.mmap] = {}


def _forget() -> None:
    """Called in a forked process, because the files belong to its parent."""
    _own.clear()
    _mapped.clear()


os.register_at_fork(after_in_child=_forget)


def take(size: int) -> Slot | None:
    """Returns a slot of this process and marks it as used; None if all of its slots are in use."""
    for slot in _own:
        if slot.free and size <= slot.size:
            slot.mark(True)
            return slot
    for slot in [slot for slot in _own if slot.free]:  # too small
        _own.remove(slot)
        slot.close()
    if len(_own) >= MOST_FILES or sum(slot.size for slot in _own) + size > MOST_BYTES:
        return None
    try:
        slot = Slot(size)
    except OSError:
        return None
    slot.mark(True)
    _own.append(slot)
    return slot


def of_worker(place: Place, size: int) -> NDArray[np.uint8] | None:
    """The bytes of a slot of another process. The slot becomes free when they are no longer referenced. None if there
    is no such slot."""
    if place not in _mapped:
        for old in [old for old in _mapped if not _is_there(old)]:
            del _mapped[old]
        try:
            file = os.open(_path(place), os.O_RDWR)
        except OSError:
            return None
        try:
            status = os.fstat(file)
            if status.st_ino != place[2] or status.st_size < _HEADER + size:
                return None
            _mapped[place] = mmap.mmap(file, status.st_size)
        except (OSError, ValueError):
            return None
        finally:
            os.close(file)
    memory = _mapped[place]
    view = np.frombuffer(memory, np.uint8, size, _HEADER)
    weakref.finalize(view, _give_back, memory, os.getpid()).atexit = False
    return view


def _path(place: Place) -> str:
    return f'/proc/{place[0]}/fd/{place[1]}'


def _is_there(place: Place) -> bool:
    try:
        return os.stat(_path(place)).st_ino == place[2]
    except OSError:
        return False


def _give_back(memory: mmap.mmap, process: int) -> None:
    if os.getpid() == process:  # a forked process drops what its parent still uses
        memory[0] = 0
