"""Statistics of systems on disk, so that a run need not look at frames that were looked at before.

An entry belongs to the content of one system and the settings of the pass (`key_of`), so that
inputs of other systems, cut-offs or type maps share a file without harm. A file that is not such a
cache is never written to.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deeptf import __version__
from deeptf.data.digest import new_digest
from deeptf.data.errors import DataError
from deeptf.data.hdf5 import SUFFIXES
from deeptf.data.system import System
from deeptf.files import replacing

MARK = "deeptf_statistics"  # first array of a file, so that a damaged one can be told too
FORMAT = 5
OLDER = {"key", "centre_count", "radial", "radial_square"}  # arrays of a file of FORMAT 2
MOST_NUMBERS = 1 << 24  # of all entries, 128 MB; then the oldest go that a run has not used
# RuntimeError: zip files that say to be encrypted or packed in another way.
DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    AttributeError,
    TypeError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
)


class StatisticsCache:
    """Rows of numbers by key, in one .npz file that a run may read and add to.

    path : None keeps nothing.

    A context manager: entries that are put into `new` are in the file when it is left, unless by
    an error. Raises DataError where `path` is something else.
    """

    def __init__(self, path: str | Path | None) -> None:
        self._path = None if path is None else Path(path)
        self._rows = {} if self._path is None else _read(self._path)
        self._used: list[str] = []
        self.new: dict[str, np.ndarray] = {}

    def __enter__(self) -> StatisticsCache:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self.new and self._path is not None:
            self._write(self._path)

    def get(self, key: str) -> np.ndarray | None:
        """Return the numbers of an entry, or None; what is asked for stays in the file."""
        self._used.append(key)
        return self._rows.get(key)

    def _write(self, path: Path) -> None:
        """Write the file with the new entries; the oldest of those that were not used may go."""
        kept = {key: row for key, row in self._rows.items() if key not in self._used}
        wanted = {**{key: self._rows[key] for key in self._used if key in self._rows}, **self.new}
        room = MOST_NUMBERS - sum(row.size for row in wanted.values())
        for key in list(kept):  # oldest first
            if sum(row.size for row in kept.values()) <= room:
                break
            del kept[key]
        rows = {**kept, **wanted}
        values = np.concatenate([np.zeros(0), *rows.values()])
        ends = np.cumsum([row.size for row in rows.values()])
        with replacing(path) as stream:
            arrays = {"keys": np.array(list(rows)), "ends": ends, "values": values}
            np.savez_compressed(stream, **{MARK: np.array(FORMAT)}, **arrays)


def content_of(system: System) -> str:
    """Return a word for the content of a system."""
    digest = new_digest()
    system.digest(digest)
    return digest.hexdigest()


def key_of(content: str, settings: Sequence[object]) -> str:
    """Return a word for the content of a system and what is collected from it."""
    digest = new_digest()
    digest.update(repr((FORMAT, __version__, content, *settings)).encode())
    return digest.hexdigest()


def _read(path: Path) -> dict[str, np.ndarray]:
    """Return the entries of a file; none where it is missing, damaged or older."""
    if not path.exists():
        if path.suffix in SUFFIXES:
            raise DataError(
                f"`stat_file` must be the name of an .npz file, got {path}: deeptf keeps "
                "statistics in a file of its own kind; give another name"
            )
        return {}
    if not path.is_file():
        raise DataError(
            f"`stat_file` must be the name of a file, got the folder {path}: deeptf keeps "
            "statistics in one .npz file; give another name"
        )
    with open(path, "rb") as stream:
        own = MARK.encode() in stream.read(64 + len(MARK))
    try:
        with np.load(path, allow_pickle=False) as file:
            if own and int(file[MARK]) == FORMAT:
                rows = np.split(file["values"], file["ends"][:-1])
                return dict(zip(file["keys"].tolist(), rows, strict=True))
            own = own or OLDER <= set(file.files)
    except DAMAGED:
        pass
    if not own:
        raise DataError(
            f"{path} must be a statistics file of deeptf, but it is another file, which is left as "
            "it is; move it away or give another name in training/stat_file"
        )
    return {}
