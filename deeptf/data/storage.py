"""Where a system lies: a folder of text and .npy files, or a group of an HDF5 file with that tree.

    type.raw  type_map.raw  nopbc  set.000/coord.npy  set.000/box.npy  ...

A path that exists as a folder is a folder, whatever its name; `file#/group` is a group of a file.
Rows of arrays are read when they are asked for, of any number of systems. Nothing here knows what
an array means.
"""

from __future__ import annotations

import os
from pathlib import Path

from deeptf.data.digest import READ_BYTES, Digest
from deeptf.data.errors import DataError
from deeptf.data.hdf5 import Hdf5Group, names_hdf5
from deeptf.data.npy import NpyFile, open_npy


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
            return open_npy(path, status.st_mtime_ns, status.st_size)
        except (OSError, ValueError) as error:
            raise DataError(
                f"{path} must be a complete .npy file of numbers, got: {error}"
            ) from error

    def digest(self, name: str, digest: Digest) -> None:
        """Give the bytes of a file to `digest`."""
        with open(self.place(name), "rb") as stream:
            while block := stream.read(READ_BYTES):
                digest.update(block)


def open_storage(path: str) -> Folder | Hdf5Group:
    """Return the storage of a system: a folder, or an HDF5 group for `file#group`."""
    if os.path.isdir(path) or not names_hdf5(path):
        return Folder(path)
    return Hdf5Group(path)
