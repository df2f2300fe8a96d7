"""Memory that the workers on one machine share, and how each sees that another has ended.

Both are open files that the others open again by /proc of Linux: the memory is one of the leader
(memfd), and every worker has a pipe of which it alone holds the end for writing, so that the others
find the pipe closed when the worker ends in whatever way. op/core/meeting.h uses them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack

import numpy as np

from deeptf import ops

Sum = Callable[[np.ndarray], np.ndarray]  # over all workers, each with an array of one shape


def open_node(rank: int, size: int, total: Sum, files: ExitStack) -> ops.Node | None:
    """Return what worker `rank` of `size` knows of all, or nothing where they cannot see each
    other's processes.

    All workers must call it together, in processes on one machine. The memory is all zeros.
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
    return ops.Node(f"/proc/self/fd/{memory}", rank, pipes)


def _offer(files: ExitStack) -> np.ndarray:
    """Return a pipe and memory of this process, each as process, file and identity; zeros where the
    system gives none.
    """
    try:
        reads, writes = os.pipe()
        files.callback(os.close, reads)
        files.callback(os.close, writes)
        memory = os.memfd_create("deeptf")
        files.callback(os.close, memory)
    except OSError:
        return np.zeros([2, 3])
    return np.array([(os.getpid(), file, os.fstat(file).st_ino) for file in (reads, memory)])


def _open(offer: np.ndarray, flags: int, files: ExitStack) -> int:
    """Open a file of another process; OSError where that process is not seen from here."""
    process, file, identity = map(int, offer)
    opened = os.open(f"/proc/{process}/fd/{file}", flags)
    files.callback(os.close, opened)
    if os.fstat(opened).st_ino != identity:
        raise OSError(f"process {process} is another one here")
    return opened
