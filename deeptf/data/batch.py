"""A batch is a bag of atoms: the atoms of all its frames, one after the other.

F frames and N atoms in all; the atoms of frame f are frame_row[f] .. frame_row[f + 1] - 1. Frames
of different size and composition share a batch. Missing labels are zeros; `has` says which.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

LABELS = ("energy", "force", "virial", "atom_ener", "atom_pref")


@dataclass(frozen=True)
class Batch:
    """Frames with their labels; float64, indices int32."""

    coord: np.ndarray  # [N, 3] A
    cell: np.ndarray  # [F, 3, 3] A, rows are cell vectors; zeros where a frame has no cell
    atom_type: np.ndarray  # [N]
    frame_row: np.ndarray  # [F + 1]
    energy: np.ndarray  # [F] eV
    force: np.ndarray  # [N, 3] eV/A
    virial: np.ndarray  # [F, 9] eV
    atom_ener: np.ndarray  # [N] eV
    atom_pref: np.ndarray  # [N] weight of the atom in the force loss with pref_pf
    fparam: np.ndarray  # [F, numb_fparam]
    aparam: np.ndarray  # [N, numb_aparam]
    has: dict[str, np.ndarray]  # label -> [F], 1 where the frame has the label, else 0
    origin: tuple[tuple[str, int], ...]  # (path of the system, frame in the system)

    @property
    def num_frames(self) -> int:
        """Number of frames F."""
        return len(self.frame_row) - 1

    @property
    def num_atoms(self) -> int:
        """Number of atoms N of all frames."""
        return len(self.atom_type)

    @property
    def atoms_per_frame(self) -> np.ndarray:
        """Number of atoms of each frame, [F]."""
        return np.diff(self.frame_row)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        arrays = (*vars(self).values(), *self.has.values())
        return sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))

    def composition(self, num_types: int) -> np.ndarray:
        """Number of atoms of each type in each frame, [F, T]."""
        frame = np.repeat(np.arange(self.num_frames), self.atoms_per_frame)
        count = np.bincount(
            frame * num_types + self.atom_type, minlength=self.num_frames * num_types
        )
        return count.reshape(self.num_frames, num_types)


def join(frames: Sequence[Batch]) -> Batch:
    """Return the frames of all batches as one batch, in order."""
    if len(frames) == 1:
        return frames[0]
    if not frames:
        raise ValueError("`frames` must hold at least one batch, got none")
    counts = np.concatenate([batch.atoms_per_frame for batch in frames])
    names = ("coord", "cell", "atom_type", "fparam", "aparam", *LABELS)
    arrays = {name: np.concatenate([getattr(batch, name) for batch in frames]) for name in names}
    return Batch(
        **arrays,
        frame_row=rows_of(counts),
        has={name: np.concatenate([batch.has[name] for batch in frames]) for name in LABELS},
        origin=tuple(place for batch in frames for place in batch.origin),
    )


def join_to(frames: Iterable[Batch], num_atoms: int) -> Iterator[Batch]:
    """Yield the frames of all batches in order in batches of at most so many atoms, where a batch
    does not have more alone.
    """
    waiting: list[Batch] = []
    for batch in frames:
        if waiting and sum(b.num_atoms for b in waiting) + batch.num_atoms > num_atoms:
            yield join(waiting)
            waiting = []
        waiting.append(batch)
    if waiting:
        yield join(waiting)


def rows_of(counts: Iterable[int]) -> np.ndarray:
    """Return the first index of each of consecutive runs, and the end: [len(counts) + 1] int32."""
    counts = np.asarray(counts)
    row = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(counts, out=row[1:])
    return row
