"""Where a system lies: a folder of text and .npy files, or a group of an HDF5 file with that tree.

    type.raw  type_map.raw  nopbc  set.000/coord.npy  set.000/box.npy  ...

Rows of arrays are read when they are asked for, of any number of systems. Nothing here knows what
an array means.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from deeptf.data.npy import MAX_OPEN, NpyFile, open_npy

HDF5_SUFFIXES = (".hdf5", ".h5", ".hdf")


class DataError(ValueError):
    """Data on disk are wrong; the message names the file and, where it helps, frame and atom."""


class Folder:
    """A system in a folder."""

    def __init__(self, path: str) -> None:
        self.path = path.rstrip("/") or path
        if not os.path.isdir(path):
            raise DataError(f"system {path} must be a folder with type.raw, got no such folder")

    def place(self, name: str) -> str:
        """Return the full name of a file, for messages."""
        return f"{self.path}/{name}"

    def has(self, name: str) -> bool:
        """Return whether the file exists."""
        return os.path.isfile(self.place(name))

    def words(self, name: str) -> list[str]:
        """Return the words of a text file."""
        try:
            return Path(self.place(name)).read_text(encoding="utf-8").split()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{self.place(name)} must be readable text, got: {error}") from error

    def sets(self) -> list[str]:
        """Return the names of the folders of frames, sorted."""
        return sorted(path.name for path in Path(self.path).glob("set.*") if path.is_dir())

    def array(self, name: str) -> NpyFile:
        """Return a .npy file; rows are read when it is indexed."""
        path = self.place(name)
        status = os.stat(path)
        try:
            array = open_npy(path, status.st_mtime_ns, status.st_size)
        except (OSError, ValueError, EOFError) as error:
            raise DataError(
                f"{path} must be a complete .npy file of numbers, got: {error}"
            ) from error
        if array.dtype.kind not in "fiub":
            raise DataError(f"{path} must hold real numbers, got {array.dtype}")
        return array


class Hdf5Group:
    """A system in a group of an HDF5 file, written `file.hdf5#/group`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._file, _, group = path.partition("#")
        self._group = group.strip("/") or "/"
        if self._group not in _hdf5(self._file):
            raise DataError(f"system {path} must be a group of the HDF5 file, got no such group")

    def _node(self) -> h5py.Group:
        return _hdf5(self._file)[self._group]

    def place(self, name: str) -> str:
        """Return the full name of a dataset, for messages."""
        return f"{self.path.rstrip('/')}/{name}"

    def has(self, name: str) -> bool:
        """Return whether the dataset exists."""
        return name in self._node()

    def words(self, name: str) -> list[str]:
        """Return the entries of a dataset of numbers or strings."""
        values = np.ravel(self._node()[name][()])
        return [
            word
            for value in values.tolist()
            for word in (value.decode() if isinstance(value, bytes) else str(value)).split()
        ]

    def sets(self) -> list[str]:
        """Return the names of the groups of frames, sorted."""
        return sorted(name for name in self._node() if name.startswith("set."))

    def array(self, name: str) -> h5py.Dataset:
        """Return a dataset; rows are read when it is indexed."""
        return self._node()[name]


def open_storage(path: str) -> Folder | Hdf5Group:
    """Return the storage of a system: an HDF5 group for `file#group`, else a folder."""
    if "#" in path or path.endswith(HDF5_SUFFIXES):
        return Hdf5Group(path)
    return Folder(path)


def hdf5_systems(path: str) -> list[str]:
    """Return `file#/group` of every group with type.raw in an HDF5 file."""
    found: list[str] = []

    def visit(name: str, node: Any) -> None:
        if name.rsplit("/", 1)[-1] == "type.raw":
            found.append(f"{path}#/{name.rpartition('/')[0]}")

    _hdf5(path).visititems(visit)
    return sorted(found)


@lru_cache(maxsize=MAX_OPEN)
def _hdf5(path: str) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise DataError(f"{path} must be a readable HDF5 file, got: {error}") from error
