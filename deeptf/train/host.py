"""Memory that the workers on one host share, and how each sees that another has ended.

Both are open files that the others open again by /proc of Linux: the memory is one of the leader
(memfd), and every worker has a pipe of which it alone holds the end for writing, so that the others
find the pipe closed when the worker ends in whatever way. op/train/meeting.h uses them.

A worker opens them once, a file for every other worker. Each sum then has a place of its own in the
memory, which costs nothing until something is written there.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from contextlib import ExitStack

import numpy as np

from deeptf.ops.host import Host

Sum = Callable[[np.ndarray], np.ndarray]  # over all workers, each with an array of one shape

ROOM = 1 << 36  # bytes of a place
PLACES = 1 << 10
PATIENCE = 60.0  # s, see Host


class SharedMemory:
    """What worker `rank` has opened of all workers on its host.

    memory : open file, the same in all workers, zeros at the beginning.
    pipes, processes : see Host.
    """

    def __init__(self, rank: int, memory: int, pipes: list[int], processes: list[int]) -> None:
        self._rank, self._memory = rank, memory
        self._pipes, self._processes = pipes, processes
        self._places = itertools.count()

    def place(self) -> Host:
        """Return the workers with a place in the memory that no sum has had before.

        All workers must take their places in the same order.
        """
        offset = ROOM * next(self._places)
        file = f"/proc/self/fd/{self._memory}"
        return Host(file, offset, ROOM, self._rank, self._pipes, self._processes, PATIENCE)


def open_memory(rank: int, size: int, total: Sum, files: ExitStack) -> SharedMemory | None:
    """Return what worker `rank` of `size` has opened of all.

    Nothing where they cannot see each other's processes. All workers must call it together, in
    processes on one host.

    files : closes what is opened here; the others then find that this worker has ended.
    """
    offers = np.zeros([size, 2, 3])
    offers[rank] = _offer(files)
    offers = total(offers)
    opened: list[int] = []
    try:
        for pipe in offers[:, 0]:
            opened.append(_open(pipe, os.O_RDONLY | os.O_NONBLOCK, files))
        opened.append(_open(offers[0, 1], os.O_RDWR, files))
    except OSError:
        opened.clear()
    if total(np.array(float(bool(opened)))) < size:
        return None
    *pipes, memory = opened
    return SharedMemory(rank, memory, pipes, offers[:, 0, 0].astype(int).tolist())


def hand_over(data: bytes | None, total: Sum) -> bytes:
    """Return the bytes of the one worker that has some.

    All workers must call it together, where they share memory.
    """
    with ExitStack() as files:
        offer = np.zeros(3)
        if data is not None:
            file = _new_file(files)
            with open(file, "wb", closefd=False) as stream:
                stream.write(data)
            offer = _named(file)
        offer = total(offer)
        if data is None:
            with open(_open(offer, os.O_RDONLY, files), "rb", closefd=False) as stream:
                data = stream.read()
        total(np.zeros(1))  # all have read it
        return data


def _offer(files: ExitStack) -> np.ndarray:
    """Return a pipe and memory of this process, zeros where the system gives none."""
    try:
        reads, writes = os.pipe()
        files.callback(os.close, reads)
        files.callback(os.close, writes)
        memory = _new_file(files)
        os.ftruncate(memory, ROOM * PLACES)
    except OSError:
        return np.zeros([2, 3])
    return np.array([_named(reads), _named(memory)])


def _new_file(files: ExitStack) -> int:
    """Open an empty file that lies in memory."""
    file = os.memfd_create("deeptf")
    files.callback(os.close, file)
    return file


def _named(file: int) -> np.ndarray:
    """Return what names an open file to other processes: process, file, identity."""
    return np.array([os.getpid(), file, os.fstat(file).st_ino], float)


def _open(name: np.ndarray, flags: int, files: ExitStack) -> int:
    """Open a file of another process; OSError where that process is not seen from here."""
    process, file, identity = map(int, name)
    opened = os.open(f"/proc/{process}/fd/{file}", flags)
    files.callback(os.close, opened)
    if os.fstat(opened).st_ino != identity:
        raise OSError(f"process {process} is another one here")
    return opened
