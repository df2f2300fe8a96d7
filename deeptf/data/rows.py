"""Rows of the arrays of a set of frames, as float64 and checked: shape, finite numbers, volume.

Every message names the file and, for bad numbers, the frame of that file and the atom.
"""

from __future__ import annotations

from dataclasses import dataclass

import h5py
import numpy as np

from deeptf.data.npy import NpyFile
from deeptf.data.storage import DataError, Folder, Hdf5Group

NAMES = ("box", "energy", "force", "virial", "atom_ener", "atom_pref", "fparam", "aparam")
TYPES = "real_atom_types"
SMALLEST_VOLUME = 1e-9  # of the product of the lengths of the cell vectors


@dataclass(frozen=True)
class FrameSet:
    """One folder of frames; `first` is the frame of the system that it begins with."""

    storage: Folder | Hdf5Group
    name: str
    first: int
    num_frames: int
    num_atoms: int
    present: frozenset[str]

    def file(self, name: str) -> str:
        """Return the full name of one of its files, for messages."""
        return self.storage.place(f"{self.name}/{name}.npy")

    def rows(self, name: str, frames: np.ndarray, width: int, per_atom: int = 0) -> np.ndarray:
        """Return rows [n, width] of one file; `per_atom` of the numbers belong to an atom."""
        if name not in self.present:
            hint = ", or an empty file nopbc for no cell" if name == "box" else ""
            raise DataError(f"{self.file(name)} must exist, got no such file; add it{hint}")
        array = self.storage.array(f"{self.name}/{name}.npy")
        size = array.size if array.ndim else 0
        if array.ndim == 0 or len(array) != self.num_frames or size != self.num_frames * width:
            raise DataError(
                f"{self.file(name)} must have shape [{self.num_frames}, {width}] "
                f"({self.num_frames} frames of {self.num_atoms} atoms), got {list(array.shape)}"
            )
        rows = _take(array, frames).reshape(len(frames), width)
        if not np.isfinite(rows).all():
            row, column = np.argwhere(~np.isfinite(rows))[0]
            atom = f", atom {column // per_atom}" if per_atom else ""
            raise DataError(
                f"{self.file(name)}: frame {frames[row]}{atom}: must be a finite number, "
                f"got {rows[row, column]}; repair or remove the frame"
            )
        return rows

    def cells(self, frames: np.ndarray) -> np.ndarray:
        """Return cells [n, 9], each with a volume."""
        cells = self.rows("box", frames, 9)
        for frame, cell in zip(frames, cells.tolist(), strict=True):
            a, b, c, d, e, f, g, h, i = cell
            volume = abs(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g))
            squares = (a * a + b * b + c * c) * (d * d + e * e + f * f) * (g * g + h * h + i * i)
            if volume <= SMALLEST_VOLUME * squares**0.5:
                raise DataError(
                    f"{self.file('box')}: frame {frame}: the cell must have a volume, got {cell}; "
                    "for no cell put an empty file nopbc beside type.raw"
                )
        return cells


def find_sets(storage: Folder | Hdf5Group, num_atoms: int) -> list[FrameSet]:
    """Return the sets of a system in sorted order, at least one."""
    sets, first = [], 0
    for name in storage.sets():
        if not storage.has(f"{name}/coord.npy"):
            raise DataError(
                f"{storage.place(f'{name}/coord.npy')} must exist, got no such file; "
                "add it or remove the folder"
            )
        coord = storage.array(f"{name}/coord.npy")
        num_frames = len(coord) if coord.ndim else 0
        if num_frames:
            present = {x for x in (*NAMES, TYPES) if storage.has(f"{name}/{x}.npy")} | {"coord"}
            sets.append(FrameSet(storage, name, first, num_frames, num_atoms, frozenset(present)))
            first += num_frames
    if not sets:
        raise DataError(
            f"system {storage.path} must hold frames in set.*/coord.npy (set.000, ...), got none"
        )
    return sets


def _take(array: NpyFile | h5py.Dataset, frames: np.ndarray) -> np.ndarray:
    """Return rows of a .npy file or HDF5 dataset as float64."""
    if len(frames) == 1:
        return np.array(array[int(frames[0])], np.float64)
    if np.all(np.diff(frames) == 1):
        return np.array(array[int(frames[0]) : int(frames[-1]) + 1], np.float64)
    return np.stack([np.array(array[int(frame)], np.float64) for frame in frames])
