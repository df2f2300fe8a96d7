"""Atom types: numbers on disk become numbers of the model, by name.

type_map.raw names the numbers of type.raw; without it the numbers are those of the model. -1 marks
a virtual atom, one that is not there. Types that nobody names are called Type_0, Type_1, ...
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from deeptf.data.errors import DataError
from deeptf.data.hdf5 import Hdf5Group
from deeptf.data.storage import Folder

OF_SPIN = "_spin"  # ends names of virtual types of a model with spins (model/spin.py)
MOST_TYPES = 1000  # without names; more of them are a damaged file


def unnamed_types(count: int) -> tuple[str, ...]:
    """Return names for types that have only numbers."""
    return tuple(f"Type_{number}" for number in range(count))


def names_of(type_map: Sequence[str]) -> tuple[str, ...] | None:
    """Return the names of types, or None where they only have numbers."""
    unnamed = all(name in (str(t), f"Type_{t}") for t, name in enumerate(type_map))
    return None if unnamed else tuple(type_map)


def read_types(storage: Folder | Hdf5Group) -> np.ndarray:
    """Return the numbers of type.raw, [N]."""
    if not storage.has("type.raw"):
        raise DataError(f"system {storage.path} must hold the file type.raw, got none")
    words = storage.words("type.raw")
    for word in words:
        if not re.fullmatch(r"[+-]?[0-9]{1,15}", word):
            raise DataError(
                f"{storage.place('type.raw')} must hold one integer per atom, got: {word[:40]!r}; "
                "names are for type_map.raw, whose first one is type 0"
            )
    if not words:
        raise DataError(f"{storage.place('type.raw')} must hold at least one type, got none")
    return np.array([int(word) for word in words], np.int64)


class TypeTable:
    """Renumbers the types of one system.

    type_map : names of the model's types; None keeps the numbers on disk.
    """

    def __init__(self, storage: Folder | Hdf5Group, type_map: Sequence[str] | None) -> None:
        self._storage = storage
        self._names = _read_names(storage) if storage.has("type_map.raw") else None
        self.type_map = tuple(self._names or ()) if type_map is None else tuple(type_map)
        self.named = self._names is not None
        self._known = self.type_map if self._names is None else self._names

    def renumber(
        self, types: np.ndarray, file: str, frames: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the model's types of `types` [N], or [n, N] of the frames `frames` of a set.

        file : where the types come from.
        """
        count = len(self._known) or MOST_TYPES
        wrong = (types < -1) | (types >= count) | (types != np.floor(types))
        if wrong.any():
            place, value = _first(wrong, types, frames)
            source = "type_map" if self._names is None else "type_map.raw"
            named = f", which {source} names as {list(self._known)}" if self._known else ""
            raise DataError(
                f"{file} must hold types from 0 to {count - 1}{named}, got {value:.17g}{place}"
            )
        types = types.astype(np.int32)
        if self._names is None or self._names == self.type_map:
            return types
        number_of = {name: number for number, name in enumerate(self.type_map)}
        table = np.array([number_of.get(name, -2) for name in self._names] + [-1], np.int32)
        result = table[types]  # the last entry serves type -1
        if result.min() == -2:
            place, value = _first(result == -2, types, frames)
            raise DataError(
                f"{file} must hold types in type_map {list(self.type_map)}, got "
                f"{self._names[value]!r}{place} (named in {self._storage.place('type_map.raw')}); "
                f"{self._advice()}"
            )
        return result

    def _advice(self) -> str:
        if self.type_map == unnamed_types(len(self.type_map)):
            return (
                "the model's types have no names: remove type_map.raw if its numbers are those of "
                "the model"
            )
        return "add it to model/type_map or leave the system out"


def _read_names(storage: Folder | Hdf5Group) -> tuple[str, ...]:
    names = tuple(storage.words("type_map.raw"))
    place = storage.place("type_map.raw")
    if not names:
        raise DataError(
            f"{place} must name the types of type.raw, one word each, got none; name them or "
            "remove the file"
        )
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise DataError(f"{place} must name each type once, got {twice[0]!r} twice")
    return names


def _first(
    wrong: np.ndarray, types: np.ndarray, frames: np.ndarray | None
) -> tuple[str, float | int]:
    """Return the place of the first wrong type in words, and the type."""
    index = tuple(np.argwhere(wrong)[0])
    place = f" for atom {index[-1]}"
    if frames is not None:
        place += f" of frame {frames[index[0]]}"
    return place, types[index]
