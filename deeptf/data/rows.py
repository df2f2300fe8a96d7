"""Rows of the arrays of a set of frames, as float64 and checked: shape, finite numbers, volume.

Every message names the file and, for bad numbers, the frame of that file and the atom. A set of one
frame may hold its arrays without the axis of frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deeptf.data.errors import DataError
from deeptf.data.hdf5 import Hdf5Array, Hdf5Group
from deeptf.data.npy import NpyFile
from deeptf.data.storage import Folder
from deeptf.properties import labels

OTHERS = ("coord", "box", "fparam", "aparam")  # files that are no labels
TYPES = "real_atom_types"
COPIES = "numb_copy"  # how often a frame comes in an epoch
SMALLEST_VOLUME = 1e-9  # of the product of the lengths of the cell vectors
DENSEST = 0.05  # A^3 an atom; solids have more than 2, in nm less than this
LARGEST = 1e30  # what is larger is damage, and float32 does not hold its square


@dataclass(frozen=True)
class FrameSet:
    """One folder of frames; `first` is the frame of the system that it begins with."""

    storage: Folder | Hdf5Group
    name: str
    first: int
    num_frames: int
    num_atoms: int
    present: dict[str, str]  # what the set has -> where it lies in the storage

    def file(self, name: str) -> str:
        """Return the full name of one of its files, for messages."""
        return self.storage.place(self.present.get(name, f"{self.name}/{name}.npy"))

    def rows(self, name: str, frames: np.ndarray, width: int, per_atom: int = 0) -> np.ndarray:
        """Return rows [n, width] of one file; `per_atom` of the numbers belong to an atom."""
        if name not in self.present:
            hint = ", or an empty file nopbc for no cell" if name == "box" else ""
            raise DataError(f"{self.file(name)} must exist, got no such file; add it{hint}")
        array = self.storage.array(self.present[name])
        if array.dtype.kind not in "fiub":
            raise DataError(f"{self.file(name)} must hold real numbers, got {array.dtype}")
        shape = array.shape
        alone = self.num_frames == 1 and array.size == width and shape in ((width,), ())
        by_frame = shape[:1] == (self.num_frames,) and array.size == self.num_frames * width
        if not alone and not by_frame:
            raise DataError(
                f"{self.file(name)} must have shape [{self.num_frames}, {width}] "
                f"({self.num_frames} frames of {self.num_atoms} atoms), got {list(shape)}"
            )
        if alone:
            values = np.array(array[0:width] if shape else array[()], np.float64).reshape(1, width)
            rows = np.repeat(values, len(frames), axis=0)
        else:
            rows = _take(array, frames).reshape(len(frames), width)
        good = np.abs(rows) < LARGEST  # neither is nan
        if not good.all():
            row, column = np.argwhere(~good)[0]
            atom = f", atom {column // per_atom}" if per_atom else ""
            wanted = f"below {LARGEST:g}" if np.isfinite(rows[row, column]) else "a finite number"
            raise DataError(
                f"{self.file(name)}: frame {frames[row]}{atom}: must be {wanted}, "
                f"got {rows[row, column]}; repair or remove the frame"
            )
        return rows

    def size(self, name: str) -> int:
        """Return how many numbers a file of the set holds."""
        return self.storage.array(self.present[name]).size

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
            if volume < DENSEST * self.num_atoms:
                raise DataError(
                    f"{self.file('box')}: frame {frame}: the cell must have at least {DENSEST} A^3 "
                    f"for each of {self.num_atoms} atoms, got {volume / self.num_atoms:.3g} A^3: "
                    "lengths are in A (1 nm = 10 A)"
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
        shape = coord.shape
        if not shape or not shape[0]:
            raise DataError(
                f"{storage.place(f'{name}/coord.npy')} must hold at least one frame, got "
                f"{list(shape)}; repair it or remove the folder"
            )
        num_frames = 1 if shape == (3 * num_atoms,) else shape[0]
        present = _present(storage, name)
        sets.append(FrameSet(storage, name, first, num_frames, num_atoms, present))
        first += num_frames
    if not sets:
        hint = ""
        if storage.has("coord.raw"):
            hint = (
                ", but coord.raw: write it anew with dpdata, "
                f"LabeledSystem({storage.path!r}, 'deepmd/raw').to('deepmd/npy', ...)"
            )
        raise DataError(
            f"system {storage.path} must hold frames in set.*/coord.npy (set.000, ...), got none"
            f"{hint}"
        )
    return sets


def _present(storage: Folder | Hdf5Group, folder: str) -> dict[str, str]:
    """Return the files of a set that mean something here, and where they lie."""
    present = {}
    files = {name: (name,) for name in (*OTHERS, TYPES, COPIES)}
    files |= {name: (name, row.other_label) for name, row in labels().items()}
    for name, known_as in files.items():
        for file in filter(None, known_as):
            place = f"{folder}/{file}.npy"
            if name not in present and storage.has(place):
                present[name] = place
    return present


def _take(array: NpyFile | Hdf5Array, frames: np.ndarray) -> np.ndarray:
    """Return rows of a .npy file or HDF5 dataset as float64."""
    if len(frames) == 1:
        return np.array(array[int(frames[0])], np.float64)
    if np.all(np.diff(frames) == 1):
        return np.array(array[int(frames[0]) : int(frames[-1]) + 1], np.float64)
    return np.stack([np.array(array[int(frame)], np.float64) for frame in frames])
