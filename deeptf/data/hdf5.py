"""A system in a group of an HDF5 file, `file.hdf5#/group`, with the tree of storage.py in it.

A damaged file fails in the library with errors of many kinds; all of them become one that names it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import h5py
import numpy as np

from deeptf.data.digest import READ_BYTES, Digest
from deeptf.data.errors import DataError
from deeptf.data.npy import MAX_OPEN

SUFFIXES = (".hdf5", ".h5", ".hdf")


class Hdf5Array:
    """A dataset of numbers; an index along the first axis reads from the disk."""

    def __init__(self, dataset: h5py.Dataset, place: str) -> None:
        self._dataset, self._place = dataset, place
        self.shape, self.dtype = tuple(dataset.shape), dataset.dtype
        self.ndim, self.size = len(self.shape), int(dataset.size)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int | slice) -> np.ndarray:
        """Return a row, or the rows from start to stop."""
        with _reading(self._place):
            return self._dataset[index]


class Hdf5Group:
    """A system in a group of an HDF5 file."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._file, group = split_hdf5(path)
        self._group = group.strip("/") or "/"
        with _reading(path):
            found = _open(self._file).get(self._group)
        if not isinstance(found, h5py.Group):
            raise DataError(f"system {path} must be a group of the HDF5 file, got no such group")

    def _node(self) -> h5py.Group:
        return _open(self._file)[self._group]

    def place(self, name: str) -> str:
        """Return the full name of a dataset, for messages."""
        return f"{self.path.rstrip('/')}/{name}"

    def has(self, name: str) -> bool:
        """Return whether the dataset exists; what has its name must be a dataset."""
        with _reading(self.place(name)):
            exists, found = name in self._node(), self._node().get(name)
        if exists and not isinstance(found, h5py.Dataset):
            raise DataError(f"{self.place(name)} must be a dataset, got a group; remove it")
        return exists

    def words(self, name: str) -> list[str]:
        """Return the entries of a dataset of numbers or strings."""
        with _reading(self.place(name)):
            values = np.ravel(self._node()[name][()]).tolist()
            texts = [v.decode() if isinstance(v, bytes) else str(v) for v in values]
        return [word for text in texts for word in text.split()]

    def sets(self) -> list[str]:
        """Return the names of the groups of frames, sorted."""
        with _reading(self.path):
            node = self._node()
            names = sorted(name for name in node if name.startswith("set."))
            wrong = [name for name in names if not isinstance(node.get(name), h5py.Group)]
        if wrong:
            raise DataError(
                f"{self.place(wrong[0])} must be a group of frames, got a dataset or a link to "
                "nothing; rename or remove it"
            )
        return names

    def array(self, name: str) -> Hdf5Array:
        """Return a dataset; rows are read when it is indexed."""
        place = self.place(name)
        with _reading(place):
            dataset = self._node()[name]
            if dataset.shape is None:
                raise DataError(f"{place} must hold numbers, got an empty dataset")
            return Hdf5Array(dataset, place)

    def digest(self, name: str, digest: Digest) -> None:
        """Give kind, shape and numbers of a dataset to `digest`."""
        with _reading(self.place(name)):
            array = self._node()[name]
            digest.update(f"{array.dtype} {array.shape}".encode())
            if array.dtype.kind not in "fiub" or not array.shape:  # types or names, in words
                digest.update(repr(np.asarray(array[()]).tolist()).encode())
                return
            rows = max(1, READ_BYTES * len(array) // max(1, array.nbytes))
            for first in range(0, len(array), rows):
                digest.update(np.ascontiguousarray(array[first : first + rows]).view(np.uint8))


def names_hdf5(path: str) -> bool:
    """Return whether a path that is no folder means an HDF5 file or a group of one."""
    return "#" in path or path.endswith(SUFFIXES) or os.path.isfile(path)


def split_hdf5(path: str) -> tuple[str, str]:
    """Return file and group of `file#group`; the file may lie in a folder with `#` in its name."""
    ends = [place for place, letter in enumerate(path) if letter == "#"] + [len(path)]
    end = next((end for end in ends if os.path.isfile(path[:end])), ends[0])
    return path[:end], path[end + 1 :]


def hdf5_systems(path: str) -> list[str]:
    """Return `file#/group` of every group with type.raw in an HDF5 file."""
    found: list[str] = []

    def visit(name: str, node: Any) -> None:
        if name.rsplit("/", 1)[-1] == "type.raw":
            found.append(f"{path}#/{name.rpartition('/')[0]}")

    with _reading(path):
        _open(path).visititems(visit)
    return sorted(found)


@contextmanager
def _reading(place: str) -> Iterator[None]:
    """Name the place of whatever goes wrong in a file."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:  # of a damaged file: KeyError, RuntimeError, TypeError, ...
        raise DataError(f"{place} must be in a readable HDF5 file, got: {error}") from error


@lru_cache(maxsize=MAX_OPEN)
def _open(path: str) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise DataError(f"{path} must be a readable HDF5 file, got: {error}") from error
