"""A system: frames that share a folder, and in all formats but the mixed one also their atoms.

Formats: deepmd/npy, deepmd/npy/mixed (types differ from frame to frame) and deepmd/hdf5. Frames are
read when asked for and checked when read (rows.py). Virtual atoms (type -1) are left out of the
batches. Labels are those of properties.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from deeptf.data.batch import Batch, rows_of
from deeptf.data.digest import Digest
from deeptf.data.errors import DataError
from deeptf.data.rows import COPIES, TYPES, FrameSet, find_sets
from deeptf.data.storage import open_storage
from deeptf.data.types import TypeTable, read_types
from deeptf.properties import ENERGIES, FORCE_WEIGHT, FRAME, Property

LABELS = tuple(row for row in (*ENERGIES, FORCE_WEIGHT) if row.label)  # unless others are wanted
MOST_COPIES = 1_000_000  # of a frame in an epoch


class System:
    """Frames of one folder or HDF5 group.

    path : folder, or `file.hdf5#/group`.
    type_map : names of the model's types; types are renumbered by name. None keeps those on disk.
    numb_fparam, numb_aparam : numbers per frame and per atom in fparam.npy and aparam.npy to read.
    wanted : labels to read, by default those of energies; with `types`, files may hold the numbers
        of the atoms of these types alone.

    `atom_type` [num_atoms] are the types; in the mixed format they are those of the first frame.
    `copies` [num_frames] says how often each frame comes in an epoch, from numb_copy.npy, else 1.
    """

    def __init__(
        self,
        path: str | Path,
        type_map: Sequence[str] | None = None,
        numb_fparam: int = 0,
        numb_aparam: int = 0,
        wanted: Sequence[Property] = LABELS,
    ) -> None:
        self.path = str(path)
        self._wanted = tuple(wanted)
        self._storage = open_storage(self.path)
        types = read_types(self._storage)
        self.num_atoms = len(types)
        self._sets = find_sets(self._storage, self.num_atoms)
        self._firsts = np.array([part.first for part in self._sets])
        self.num_frames = sum(part.num_frames for part in self._sets)
        self.periodic = not self._storage.has("nopbc")
        self.mixed = self._is_mixed()
        self.copies = np.concatenate([_copies(part) for part in self._sets])
        if not self.copies.any():
            raise DataError(f"system {self.path} must use some frame, got numb_copy.npy of zeros")
        self._taken_off: dict[str, np.ndarray] = {}  # label -> [num_frames, width], see take_off
        self._widths = {"fparam": numb_fparam, "aparam": numb_aparam}
        self._table = TypeTable(self._storage, type_map)
        self.type_map, self.names_types = self._table.type_map, self._table.named
        if self.mixed:
            self.atom_type = self._types(self._sets[0], np.array([0]))[0]
        else:
            self.atom_type = self._table.renumber(types, self._storage.place("type.raw"))

    def __repr__(self) -> str:
        return f"System({self.path!r}, {self.num_frames} frames, {self.num_atoms} atoms)"

    @property
    def used_frames(self) -> np.ndarray:
        """Frames that come in an epoch at all: all but those with 0 copies."""
        return np.flatnonzero(self.copies)

    def frame(self, index: int) -> Batch:
        """Return one frame."""
        return self.batch([index])

    def batch(self, indices: Sequence[int]) -> Batch:
        """Return the frames `indices`, in that order."""
        parts = [self._read(part, frames) for part, frames in self._by_set(indices)]
        data = parts[0]
        if len(parts) > 1:
            data = {name: np.concatenate([part[name] for part in parts]) for name in data}
        return self._assemble(data, indices)

    def take_off(self, labels: Mapping[str, np.ndarray]) -> None:
        """Subtract numbers from labels wherever they are read from now on.

        labels : by the names of their files, [num_frames, width] or [num_frames, num_atoms * width]
            for all atoms, virtual ones too.
        """
        self._taken_off.update(labels)

    def present(self, label: str) -> bool:
        """Return whether some used frame has a label."""
        return any(label in part.present for part, _ in self._used())

    def number_with(self, rows: Sequence[Property]) -> int:
        """Return how many used frames have all of the labels, and atoms that have them."""
        labels, number = {row.label for row in rows}, 0
        for part, frames in self._used():
            if part.present.keys() >= labels:
                types = self._types(part, frames) if self.mixed else self.atom_type[None]
                there = [np.isin(types, row.types).any(axis=1) for row in rows if row.types]
                number += int(np.broadcast_to(np.all(there, axis=0), len(frames)).sum())
        return number

    def real_atoms(self, frame: int) -> np.ndarray:
        """Return the numbers of the atoms of a frame that are there, [n]; others are virtual."""
        ((part, frames),) = self._by_set([frame])
        return np.flatnonzero(self._types(part, frames)[0] >= 0)

    def energies(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the energies [n] of the used frames that have one, and their numbers [n]."""
        values, frames = [np.zeros(0)], [np.zeros(0, np.int64)]
        for part, own in self._used():
            if "energy" in part.present:
                values.append(self._changed("energy", part, own, part.rows("energy", own, 1))[:, 0])
                frames.append(part.first + own)
        return np.concatenate(values), np.concatenate(frames)

    def compositions(self, num_types: int) -> np.ndarray:
        """Return the number of atoms of each type in each frame, [num_frames, T]."""
        if not self.mixed:
            count = np.bincount(self.atom_type[self.atom_type >= 0], minlength=num_types)
            return np.broadcast_to(count, (self.num_frames, num_types))
        types = np.concatenate([self._types(p, np.arange(p.num_frames)) for p in self._sets])
        return np.stack([(types == t).sum(axis=1) for t in range(num_types)], axis=1)

    def parameters(self, name: str) -> np.ndarray:
        """Return "fparam" of all used frames or "aparam" of all their atoms, [rows, numbers]."""
        columns = self._widths[name]
        parts = []
        for part, frames in self._used():
            if name == "fparam":
                parts.append(part.rows(name, frames, columns))
            else:
                rows = part.rows(name, frames, columns * self.num_atoms, columns)
                parts.append(rows.reshape(-1, columns)[self._types(part, frames).ravel() >= 0])
        return np.concatenate(parts)

    def digest(self, digest: Digest) -> None:
        """Give all that the frames are made of to `digest`: types, names, cells, arrays."""
        digest.update(repr((self.periodic, self.type_map, self._widths)).encode())
        for name in ("type.raw", "type_map.raw"):
            digest.update(f" {name} ".encode())
            if self._storage.has(name):
                self._storage.digest(name, digest)
        for label in sorted(self._taken_off):
            digest.update(f" without {label} ".encode())
            digest.update(np.ascontiguousarray(self._taken_off[label]))
        for part in self._sets:
            for name in sorted(part.present):
                if self._widths.get(name, 1):  # 0 for parameters that are not read
                    digest.update(f" {part.num_frames} {name} ".encode())
                    self._storage.digest(part.present[name], digest)

    def num_types(self) -> int:
        """Return the largest type of an atom plus 1."""
        if not self.mixed:
            return int(self.atom_type.max()) + 1
        parts = [self._types(part, frames) for part, frames in self._used()]
        return 1 + max(int(types.max()) for types in parts)

    def _used(self) -> Iterator[tuple[FrameSet, np.ndarray]]:
        """Yield each set with those of its frames that are used, where there are any."""
        for part in self._sets:
            frames = np.flatnonzero(self.copies[part.first : part.first + part.num_frames])
            if len(frames):
                yield part, frames

    def _is_mixed(self) -> bool:
        """Return whether types differ from frame to frame, in all sets or in none."""
        with_types = [TYPES in part.present for part in self._sets]
        if any(with_types) and not all(with_types):
            raise DataError(
                f"{self._sets[with_types.index(False)].file(TYPES)} must exist, since other sets "
                "of the system have such a file, got none; add it or make it a system of its own"
            )
        return all(with_types)

    def _by_set(self, indices: Sequence[int]) -> Iterator[tuple[FrameSet, np.ndarray]]:
        """Split frames into runs that lie in one set, numbered within it."""
        index = np.asarray(indices, np.int64)
        if not len(index) or index.min() < 0 or index.max() >= self.num_frames:
            raise DataError(
                f"frames of {self.path} must be from 0 to {self.num_frames - 1}, "
                f"got {list(indices)}"
            )
        owner = np.searchsorted(self._firsts, index, side="right") - 1
        cuts = [0, *(np.flatnonzero(owner[1:] != owner[:-1]) + 1), len(index)]
        for begin, end in zip(cuts[:-1], cuts[1:], strict=True):
            part = self._sets[owner[begin]]
            yield part, index[begin:end] - part.first

    def _types(self, part: FrameSet, frames: np.ndarray) -> np.ndarray:
        """Return the types of frames of a set, [n, num_atoms]."""
        if not self.mixed:
            return np.repeat(self.atom_type[None], len(frames), axis=0)
        types = part.rows(TYPES, frames, self.num_atoms, 1)
        return self._table.renumber(types, part.file(TYPES), frames)

    def _read(self, part: FrameSet, frames: np.ndarray) -> dict[str, np.ndarray]:
        """Return all arrays of frames of one set, [n, ...] with every atom, and `has_*` [n]."""
        n, atoms = len(frames), self.num_atoms
        data = {"types": self._types(part, frames)}
        data["coord"] = part.rows("coord", frames, 3 * atoms, 3)
        data["cell"] = part.cells(frames) if self.periodic else np.zeros((n, 9))
        for row in self._wanted:
            present = row.label in part.present
            data[f"has_{row.label}"] = np.full(n, float(present))
            width = row.width * (1 if row.of == FRAME else atoms)
            values = self._label(part, frames, row) if present else np.zeros((n, width))
            data[row.label] = self._changed(row.label, part, frames, values) if present else values
        for name, columns in self._widths.items():
            per_atom = columns if name == "aparam" else 0
            data[name] = np.zeros((n, 0))
            if columns:
                data[name] = part.rows(name, frames, per_atom * atoms or columns, per_atom)
        return data

    def _changed(
        self, label: str, part: FrameSet, frames: np.ndarray, values: np.ndarray
    ) -> np.ndarray:
        """Return a label of frames of a set without what is taken off."""
        if label not in self._taken_off:
            return values
        return values - self._taken_off[label][part.first + frames]

    def _label(self, part: FrameSet, frames: np.ndarray, row: Property) -> np.ndarray:
        """Return a label of frames of a set, [n, width] or [n, num_atoms * width]."""
        if row.of == FRAME:
            return part.rows(row.label, frames, row.width)
        whole = row.width * self.num_atoms
        own = np.flatnonzero(np.isin(self.atom_type, row.types))
        few = len(own) * row.width
        size = part.size(row.label)
        if not row.types or size == part.num_frames * whole:
            return part.rows(row.label, frames, whole, row.width)
        if self.mixed or size != part.num_frames * few:
            others = f"or {few}, of the {len(own)} that have one by `sel_type`"
            if self.mixed:
                others = f"since {TYPES}.npy gives each frame types of its own"
            raise DataError(
                f"{part.file(row.label)} must have {whole} numbers a frame, of all "
                f"{self.num_atoms} atoms, {others}, got {size} in {part.num_frames} frames"
            )
        values = np.zeros((len(frames), self.num_atoms, row.width))
        rows = part.rows(row.label, frames, few, row.width)
        values[:, own] = rows.reshape(len(frames), len(own), row.width)
        return values.reshape(len(frames), whole)

    def _assemble(self, data: dict[str, np.ndarray], indices: Sequence[int]) -> Batch:
        """Return a batch of rows [n, ...], without virtual atoms."""
        n = len(indices)
        real = data["types"] >= 0
        counts = real.sum(axis=1)
        if not counts.all():
            raise DataError(
                f"system {self.path}: frame {indices[int(counts.argmin())]} must have an atom, got "
                "virtual ones (type -1) only; remove the frame"
            )
        keep = slice(None) if real.all() else real.ravel()

        def atoms(name: str, *shape: int) -> np.ndarray:
            return data[name].reshape(n * self.num_atoms, *shape)[keep]

        return Batch(
            coord=atoms("coord", 3),
            cell=data["cell"].reshape(n, 3, 3),
            atom_type=atoms("types"),
            frame_row=rows_of(counts),
            fparam=data["fparam"],
            aparam=atoms("aparam", self._widths["aparam"]),
            labels={
                row.label: data[row.label].reshape(n, *row.shape)
                if row.of == FRAME
                else atoms(row.label, *row.shape)
                for row in self._wanted
            },
            has={row.label: data[f"has_{row.label}"] for row in self._wanted},
            origin=tuple((self.path, int(index)) for index in indices),
        )


def _copies(part: FrameSet) -> np.ndarray:
    """Return how often each frame of a set comes in an epoch, [num_frames]."""
    if COPIES not in part.present:
        return np.ones(part.num_frames, np.int64)
    copies = part.rows(COPIES, np.arange(part.num_frames), 1)[:, 0]
    wrong = (copies < 0) | (copies != np.floor(copies)) | (copies > MOST_COPIES)
    if wrong.any():
        frame = np.flatnonzero(wrong)[0]
        raise DataError(
            f"{part.file(COPIES)}: frame {frame}: must be an integer from 0 to {MOST_COPIES}, "
            f"got {copies[frame]:g}"
        )
    return copies.astype(np.int64)
