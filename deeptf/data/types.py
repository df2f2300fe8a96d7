"""Atom types: numbers on disk become numbers of the model, by name.

type_map.raw names the numbers of type.raw; without it the numbers are those of the model. -1 marks
a virtual atom, one that is not there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeptf.data.storage import DataError, Folder, Hdf5Group


def read_types(storage: Folder | Hdf5Group) -> np.ndarray:
    """Return the numbers of type.raw, [N]."""
    if not storage.has("type.raw"):
        raise DataError(f"system {storage.path} must hold the file type.raw, got none")
    words = storage.words("type.raw")
    try:
        types = np.array([int(word) for word in words], np.int32)
    except ValueError as error:
        raise DataError(
            f"{storage.place('type.raw')} must hold one integer per atom, got: {error}"
        ) from error
    if not len(types):
        raise DataError(f"{storage.place('type.raw')} must hold at least one type, got none")
    return types


class TypeTable:
    """Renumbers the types of one system.

    type_map : names of the model's types; None keeps the numbers on disk.
    """

    def __init__(self, storage: Folder | Hdf5Group, type_map: Sequence[str] | None) -> None:
        self._storage = storage
        has_names = storage.has("type_map.raw")
        self._names = tuple(storage.words("type_map.raw")) if has_names else None
        self.type_map = tuple(self._names or ()) if type_map is None else tuple(type_map)
        self._known = self.type_map if self._names is None else self._names

    def renumber(self, types: np.ndarray, file: str) -> np.ndarray:
        """Return the model's types; `file` is where `types` come from."""
        types = types.astype(np.int32)
        count = len(self._known) or np.iinfo(np.int32).max
        wrong = types[(types < -1) | (types >= count)]
        if len(wrong):
            source = "type_map" if self._names is None else "type_map.raw"
            raise DataError(
                f"{file} must hold types from 0 to {count - 1}, which {source} names as "
                f"{list(self._known)}, got {wrong[0]}"
            )
        if self._names is None or self._names == self.type_map:
            return types
        place = {name: number for number, name in enumerate(self.type_map)}
        table = np.array([place.get(name, -2) for name in self._names] + [-1], np.int32)
        result = table[types]  # the last entry serves type -1
        if result.min() == -2:
            wrong = self._names[types[result == -2][0]]
            raise DataError(
                f"{file} must hold types in type_map {list(self.type_map)}, got {wrong!r} (named "
                f"in {self._storage.place('type_map.raw')}); add it to model/type_map or leave the "
                "system out"
            )
        return result
