"""Frames are a bag of atoms: the atoms of all frames, one after the other.

F frames and N atoms in all; the atoms of frame f are frame_row[f] .. frame_row[f + 1] - 1. Frames
of different size and composition go together. A batch has labels too; missing ones are zeros, and
`has` says which. Coordinates are in A, indices int32, all other numbers float64.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Pairs:
    """Neighbours of every centre in CSR form: centre i owns pairs row[i] to row[i + 1]."""

    row: np.ndarray  # [N + 1]
    neighbor: np.ndarray  # [P]
    displacement: np.ndarray  # [P, 3] A, neighbour minus centre

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return self.row.nbytes + self.neighbor.nbytes + self.displacement.nbytes


@dataclass(frozen=True)
class Frames:
    """What a model is evaluated on."""

    coord: np.ndarray  # [N, 3] A
    cell: np.ndarray  # [F, 3, 3] A, rows are cell vectors; zeros where a frame has no cell
    atom_type: np.ndarray  # [N]; ghosts of an MD engine may follow
    frame_row: np.ndarray  # [F + 1]
    fparam: np.ndarray | None = None  # [F, numb_fparam]
    aparam: np.ndarray | None = None  # [N, numb_aparam]

    @property
    def num_frames(self) -> int:
        """Number of frames F."""
        return len(self.frame_row) - 1

    @property
    def num_atoms(self) -> int:
        """Number of atoms N of all frames."""
        return int(self.frame_row[-1])

    @property
    def atoms_per_frame(self) -> np.ndarray:
        """Number of atoms of each frame, [F]."""
        return np.diff(self.frame_row)

    @property
    def frame_of_atom(self) -> np.ndarray:
        """Frame of each atom, [N]."""
        return np.repeat(np.arange(self.num_frames), self.atoms_per_frame)

    def part(self, first: int, last: int) -> Frames:
        """Return the frames from `first` to `last - 1`."""
        a, b = self.frame_row[first], self.frame_row[last]
        return Frames(
            self.coord[a:b],
            self.cell[first:last],
            self.atom_type[a:b],
            self.frame_row[first : last + 1] - a,
            None if self.fparam is None else self.fparam[first:last],
            None if self.aparam is None else self.aparam[a:b],
        )


@dataclass(frozen=True)
class Batch(Frames):
    """Frames with their labels, by the names of their files (properties.py).

    pairs : those closer than the cut-off of the model, where they are known already.
    """

    labels: Mapping[str, np.ndarray] = field(default_factory=dict)  # [F, ...] or [N, ...]
    has: Mapping[str, np.ndarray] = field(default_factory=dict)  # [F], 1 with the label, else 0
    origin: tuple[tuple[str, int], ...] = ()  # (path of the system, frame in the system)
    pairs: Pairs | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays but the pairs."""
        arrays = (*vars(self).values(), *self.labels.values(), *self.has.values())
        return sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))


def join(frames: Sequence[Batch]) -> Batch:
    """Return the frames of all batches as one batch, in order."""
    if len(frames) == 1:
        return frames[0]
    if not frames:
        raise ValueError("`frames` must hold at least one batch, got none")
    names = ("coord", "cell", "atom_type", "fparam", "aparam")
    arrays = {name: np.concatenate([getattr(batch, name) for batch in frames]) for name in names}
    first = frames[0]
    return Batch(
        **arrays,
        frame_row=rows_of(np.concatenate([batch.atoms_per_frame for batch in frames])),
        labels={k: np.concatenate([batch.labels[k] for batch in frames]) for k in first.labels},
        has={k: np.concatenate([batch.has[k] for batch in frames]) for k in first.has},
        origin=tuple(place for batch in frames for place in batch.origin),
        pairs=_join_pairs(frames),
    )


def _join_pairs(frames: Sequence[Batch]) -> Pairs | None:
    """Return the pairs of all batches, in order, or None where those of one are not known."""
    pairs = [batch.pairs for batch in frames]
    if any(own is None for own in pairs):
        return None
    first = rows_of([batch.num_atoms for batch in frames])
    return Pairs(
        rows_of(np.concatenate([np.diff(own.row) for own in pairs])),
        np.concatenate([own.neighbor + k for own, k in zip(pairs, first[:-1], strict=True)]),
        np.concatenate([own.displacement for own in pairs]),
    )


def join_to(frames: Iterable[Batch], num_atoms: int) -> Iterator[Batch]:
    """Yield all frames in order in batches of at most so many atoms.

    A batch that has more atoms alone is yielded as it is.
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
