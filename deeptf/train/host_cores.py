"""The cores of each worker, where launchers let several workers use the same ones.

Threads of two workers that meet on one core make all workers wait for both. Most launchers give
each worker cores of its own; where they do not, workers with the same cores divide them.
"""

from __future__ import annotations

import contextlib
import os
import socket
import zlib
from collections.abc import Callable, Iterator, Sequence, Set

import numpy as np

from deeptf.cores import affinity

WORD = 32  # cores that one number tells exactly
WORDS = 64  # further cores, if a host has any, are not told


def take_cores(rank: int, size: int, total: Callable[[np.ndarray], np.ndarray]) -> int:
    """Keep all threads of worker `rank` of `size` to its share of the cores.

    Returns how many are for it alone, at least 1.

    total : sum over all workers, which must call this together.
    """
    own = affinity()
    told = np.zeros([size, 1 + WORDS])
    told[rank] = [zlib.crc32(socket.gethostname().encode()), *_words(own)]
    told = total(told)
    here = np.flatnonzero(told[:, 0] == told[rank, 0]).tolist()
    share = share_of([set(_cores(told[k, 1:])) for k in here], here.index(rank))
    if share and len(share) < len(own) and hasattr(os, "sched_setaffinity"):
        for thread in os.listdir("/proc/self/task"):
            with contextlib.suppress(ProcessLookupError):  # it has ended
                os.sched_setaffinity(int(thread), share)
    return max(1, len(share))


def share_of(cores: Sequence[Set[int]], process: int) -> list[int]:
    """Return the cores of one of several processes on one host.

    Process k may run on cores[k]. Those that may run on the same ones divide them; none where they
    are more than the cores.
    """
    same = [k for k, other in enumerate(cores) if other == cores[process]]
    share = len(cores[process]) // len(same)
    first = same.index(process) * share
    return sorted(cores[process])[first : first + share]


def _words(cores: Set[int]) -> list[int]:
    return [sum(1 << k for k in range(WORD) if WORD * word + k in cores) for word in range(WORDS)]


def _cores(words: np.ndarray) -> Iterator[int]:
    for place, word in enumerate(words):
        yield from (WORD * place + k for k in range(WORD) if int(word) >> k & 1)
