"""Where a system lies: a folder of text and .npy files, or a group of an HDF5 file with that tree.

    type.raw  type_map.raw  nopbc  set.000/coord.npy  set.000/box.npy  ...

A path that exists as a folder is a folder, whatever its name; `file#/group` is a group of a file.
Rows of arrays are read when they are asked for, of any number of systems. Nothing here knows what
an array means.
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np

from deeptf.data.npy import MAX_OPEN, NpyFile, open_npy

HDF5_SUFFIXES = (".hdf5", ".h5", ".hdf")
READ_BYTES = 1 << 22  # of a file that are read at a time for its digest


class DataError(ValueError):
    """Data on disk are wrong; the message names the file and, where it helps, frame and atom."""


class Digest(Protocol):
    """A hash of hashlib that takes bytes."""

    def update(self, data: Any, /) -> None:
        """Take bytes."""

    def hexdigest(self) -> str:
        """Return the hash."""


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
        """Return whether the file exists; what has its name must be a file."""
        path = self.place(name)
        if os.path.lexists(path) and not os.path.isfile(path):
            found = "a folder" if os.path.isdir(path) else "a link to nothing or a special file"
            raise DataError(f"{path} must be a file, got {found}; repair or remove it")
        return os.path.isfile(path)

    def words(self, name: str) -> list[str]:
        """Return the words of a text file."""
        try:
            return Path(self.place(name)).read_text(encoding="utf-8-sig").split()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{self.place(name)} must be readable text, got: {error}") from error

    def sets(self) -> list[str]:
        """Return the names of the folders of frames, sorted."""
        found = sorted(Path(self.path).glob("set.*"))
        for path in found:
            if not path.is_dir():
                raise DataError(
                    f"{path} must be a folder of frames, got a file or a link to nothing; "
                    "repair, rename or remove it"
                )
        return [path.name for path in found]

    def array(self, name: str) -> NpyFile:
        """Return a .npy file; rows are read when it is indexed."""
        path = self.place(name)
        status = os.stat(path)
        try:
            array = open_npy(path, status.st_mtime_ns, status.st_size)
        except (OSError, ValueError) as error:
            raise DataError(
                f"{path} must be a complete .npy file of numbers, got: {error}"
            ) from error
        return _real(array, path)

    def digest(self, name: str, digest: Digest) -> None:
        """Give the bytes of a file to `digest`."""
        with open(self.place(name), "rb") as stream:
            while block := stream.read(READ_BYTES):
                digest.update(block)


class Hdf5Group:
    """A system in a group of an HDF5 file, written `file.hdf5#/group`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._file, group = split_hdf5(path)
        self._group = group.strip("/") or "/"
        if not isinstance(_hdf5(self._file).get(self._group), h5py.Group):
            raise DataError(f"system {path} must be a group of the HDF5 file, got no such group")

    def _node(self) -> h5py.Group:
        return _hdf5(self._file)[self._group]

    def place(self, name: str) -> str:
        """Return the full name of a dataset, for messages."""
        return f"{self.path.rstrip('/')}/{name}"

    def has(self, name: str) -> bool:
        """Return whether the dataset exists; what has its name must be a dataset."""
        node = self._node()
        if name in node and not isinstance(node.get(name), h5py.Dataset):
            raise DataError(f"{self.place(name)} must be a dataset, got a group; remove it")
        return name in node

    def words(self, name: str) -> list[str]:
        """Return the entries of a dataset of numbers or strings."""
        values = np.ravel(self._node()[name][()])
        try:
            return [
                word
                for value in values.tolist()
                for word in (value.decode() if isinstance(value, bytes) else str(value)).split()
            ]
        except UnicodeDecodeError as error:
            raise DataError(f"{self.place(name)} must be readable text, got: {error}") from error

    def sets(self) -> list[str]:
        """Return the names of the groups of frames, sorted."""
        node = self._node()
        found = sorted(name for name in node if name.startswith("set."))
        for name in found:
            if not isinstance(node.get(name), h5py.Group):
                raise DataError(
                    f"{self.place(name)} must be a group of frames, got a dataset or a link to "
                    "nothing; rename or remove it"
                )
        return found

    def array(self, name: str) -> h5py.Dataset:
        """Return a dataset; rows are read when it is indexed."""
        array = self._node()[name]
        if array.shape is None:
            raise DataError(f"{self.place(name)} must hold numbers, got an empty dataset")
        return _real(array, self.place(name))

    def digest(self, name: str, digest: Digest) -> None:
        """Give kind, shape and numbers of a dataset to `digest`."""
        array = self._node()[name]
        digest.update(f"{array.dtype} {array.shape}".encode())
        if array.dtype.kind not in "fiub" or not array.shape:  # types or their names, in words
            digest.update(repr(np.asarray(array[()]).tolist()).encode())
            return
        rows = max(1, READ_BYTES * len(array) // max(1, array.nbytes))
        for first in range(0, len(array), rows):
            digest.update(np.ascontiguousarray(array[first : first + rows]).view(np.uint8))


def new_digest() -> Digest:
    """Return an empty digest, of a method that takes about a second for one GB."""
    return hashlib.blake2b(digest_size=16)


def open_storage(path: str) -> Folder | Hdf5Group:
    """Return the storage of a system: a folder, or an HDF5 group for `file#group`."""
    if os.path.isdir(path) or not names_hdf5(path):
        return Folder(path)
    return Hdf5Group(path)


def names_hdf5(path: str) -> bool:
    """Return whether a path that is no folder means an HDF5 file or a group of one."""
    return "#" in path or path.endswith(HDF5_SUFFIXES) or os.path.isfile(path)


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

    _hdf5(path).visititems(visit)
    return sorted(found)


def _real(array: NpyFile | h5py.Dataset, place: str) -> NpyFile | h5py.Dataset:
    if array.dtype.kind not in "fiub":
        raise DataError(f"{place} must hold real numbers, got {array.dtype}")
    return array


@lru_cache(maxsize=MAX_OPEN)
def _hdf5(path: str) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise DataError(f"{path} must be a readable HDF5 file, got: {error}") from error
