"""Rows of a .npy file, read when asked for.

The header of a file is read once. Of the files that were read last at most MAX_OPEN stay open, for
any number of systems: where there are more files, a row costs an `open`, not a new look at the
header, which takes a hundred times as long.
"""

from __future__ import annotations

import math
import os
from functools import lru_cache

import numpy as np

MAX_OPEN = 200
MAX_KNOWN = 1 << 16  # files whose headers are kept in memory, less than 1 kB each


class NpyFile:
    """A complete .npy file of numbers; an index along the first axis reads from the disk.

    changed, size : time and length of the file, so that a rewritten file is opened anew.
    Raises OSError or ValueError where the file is damaged.
    """

    def __init__(self, path: str, changed: int, size: int) -> None:
        self._key = (path, changed, size)
        mapped = _mapped(path)
        self.shape, self.dtype = mapped.shape, mapped.dtype
        self.ndim, self.size = mapped.ndim, mapped.size
        self._offset = mapped.offset
        self._by_rows = mapped.ndim > 0 and mapped.flags.c_contiguous

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int | slice) -> np.ndarray:
        """Return a row, or the rows from start to stop; all of them are in the file."""
        if not self._by_rows:
            return _mapped(self._key[0])[index]
        if isinstance(index, slice):
            return self._read(index.start, index.stop - index.start)
        return self._read(index, 1)[0]

    def _read(self, first: int, rows: int) -> np.ndarray:
        """Return rows in memory; several threads may read at a time."""
        values = np.empty((rows, *self.shape[1:]), self.dtype)
        rest = memoryview(values.reshape(-1).view(np.uint8))
        place = self._offset + first * self.dtype.itemsize * math.prod(self.shape[1:])
        file = _opened(*self._key)
        while rest:  # one call reads 2 GB at most
            done = os.preadv(file.number, [rest], place)
            if not done:
                raise OSError(f"{self._key[0]} must not change while it is used, got a shorter one")
            place, rest = place + done, rest[done:]
        return values


def _mapped(path: str) -> np.ndarray:
    """Return the array of a file, whose header and length are right."""
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except OSError:
        raise
    except Exception as error:  # numpy parses a damaged header as Python code and fails like that
        raise ValueError(str(error) or type(error).__name__) from error


open_npy = lru_cache(maxsize=MAX_KNOWN)(NpyFile)


class _Open:
    """An open file, closed with its last reference."""

    def __init__(self, path: str, changed: int, size: int) -> None:
        self.number = os.open(path, os.O_RDONLY)

    def __del__(self) -> None:
        if hasattr(self, "number"):
            os.close(self.number)


_opened = lru_cache(maxsize=MAX_OPEN)(_Open)
