"""One pass over the frames of a data set, in which every part of a model learns what it wants.

A part hands in collectors: each turns frames and their pairs into a row of numbers and says how the
rows of two sets of frames become that of both. The pass reads every frame and finds its pairs once
for all collectors, so it also finds whatever is wrong with the data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from tqdm import tqdm

from deeptf.data.batch import Batch, Pairs
from deeptf.data.pairs import PairFinder
from deeptf.data.system import System
from deeptf.process import on_terminal

MAX_ATOMS = 4096  # atoms whose pairs are searched at a time


@dataclass(frozen=True)
class Neighbours:
    """Pairs of a batch within the cut-off of a collector, with what follows from them."""

    pairs: Pairs
    centre: np.ndarray  # [P] atom
    distance: np.ndarray  # [P] A

    @classmethod
    def of(cls, pairs: Pairs) -> Neighbours:
        """Return the neighbours that pairs are."""
        centre = np.repeat(np.arange(len(pairs.row) - 1), np.diff(pairs.row))
        return cls(pairs, centre, np.linalg.norm(pairs.displacement, axis=1))

    def within(self, rcut: float) -> Neighbours:
        """Return those closer than `rcut`."""
        near = self.distance < rcut
        if near.all():
            return self
        count = np.bincount(self.centre[near], minlength=len(self.pairs.row) - 1)
        row = np.concatenate([[0], np.cumsum(count)])
        pairs = Pairs(row, self.pairs.neighbor[near], self.pairs.displacement[near])
        return Neighbours(pairs, self.centre[near], self.distance[near])


class Collector(Protocol):
    """What a part of a model wants to know of the data; a frozen dataclass of its settings.

    rcut : pairs up to this distance in A.
    sampled : of the frames that are sampled for statistics only, else of every frame.
    """

    rcut: float
    sampled: bool

    def nothing(self) -> np.ndarray:
        """Return the row [k] of no frames."""

    def collect(self, batch: Batch, neighbours: Neighbours, chosen: np.ndarray) -> np.ndarray:
        """Return the row of those frames of a batch that are `chosen` [F]."""

    def join(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the row of the frames of both."""


@dataclass(frozen=True)
class Extremes:
    """Shortest distance of two atoms and largest number of neighbours, by types and of all.

    And how many pairs and frames there are.
    """

    num_types: int
    rcut: float
    sampled = False

    def nothing(self) -> np.ndarray:
        """Return infinite distances [T, T], zero neighbours [T + 1], zero pairs and frames."""
        return np.concatenate([np.full(self.num_types**2, np.inf), np.zeros(self.num_types + 3)])

    def collect(self, batch: Batch, neighbours: Neighbours, chosen: np.ndarray) -> np.ndarray:
        """Return the row of a batch; every frame counts."""
        neighbor, types = neighbours.pairs.neighbor, self.num_types
        nearest = np.full((types, types), np.inf)
        place = batch.atom_type[neighbours.centre], batch.atom_type[neighbor]
        np.minimum.at(nearest, place, neighbours.distance)
        slot = neighbours.centre * types + batch.atom_type[neighbor]
        count = np.bincount(slot, minlength=batch.num_atoms * types).reshape(-1, types)
        most = [*count.max(axis=0, initial=0), count.sum(axis=1).max(initial=0)]
        return np.concatenate([nearest.ravel(), most, [len(neighbor), len(chosen)]])

    def join(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the row of both."""
        square, end = self.num_types**2, self.num_types**2 + self.num_types + 1
        shortest = np.minimum(a[:square], b[:square])
        return np.concatenate(
            [shortest, np.maximum(a[square:end], b[square:end]), a[end:] + b[end:]]
        )

    def shortest(self, row: np.ndarray) -> np.ndarray:
        """Return the shortest distance in A by types, [T, T]; infinite without pairs."""
        return row[: self.num_types**2].reshape(self.num_types, self.num_types)

    def most_neighbors(self, row: np.ndarray) -> np.ndarray:
        """Return the largest number of neighbours of each type of one atom, [T]."""
        return row[self.num_types**2 : -3].astype(np.int64)

    def most_of_all(self, row: np.ndarray) -> int:
        """Return the largest number of neighbours of one atom."""
        return int(row[-3])

    def num_pairs(self, row: np.ndarray) -> int:
        """Return the number of pairs of all frames."""
        return int(row[-2])

    def num_frames(self, row: np.ndarray) -> int:
        """Return the number of frames."""
        return int(row[-1])


Rows = dict[Collector, np.ndarray]


@dataclass(frozen=True)
class Found:
    """What a look at the data has shown, for the parts of a model that asked."""

    systems: Sequence[System]  # of training
    training: Mapping[Collector, np.ndarray]
    everywhere: Mapping[Collector, np.ndarray]  # in training and validation data
    num_types: int
    protect: float = 0.01  # least spread of frame and atom parameters


def visit(
    systems: Sequence[System],
    sampled: Sequence[int],
    collectors: Sequence[Collector],
    masked: bool = False,
) -> list[Rows]:
    """Return the rows of each system; a terminal shows progress.

    sampled : number of frames of each system, spread evenly, that sampled collectors see.
    masked : aparam says which atoms are there.
    Raises DataError for frames without physical sense; it names system, frame and atoms.
    """
    frames = sum(len(system.used_frames) for system in systems)
    progress = tqdm(
        total=frames, desc="statistics", unit="frame", disable=not on_terminal(), leave=False
    )
    rcut = max(one.rcut for one in collectors)
    with PairFinder(rcut, masked) as find_pairs, progress:
        return [
            _look(system, count, collectors, find_pairs, progress.update)
            for system, count in zip(systems, sampled, strict=True)
        ]


def total(rows: Sequence[Rows], collectors: Sequence[Collector]) -> Rows:
    """Return the rows of all systems together."""
    both = {one: one.nothing() for one in collectors}
    for own in rows:
        both = {one: one.join(both[one], own[one]) for one in collectors}
    return both


def _look(
    system: System,
    count: int,
    collectors: Sequence[Collector],
    find_pairs: Callable[[Batch], Pairs],
    tell: Callable[[int], object],
) -> Rows:
    """Return the rows of one system, `count` of whose frames are sampled."""
    rows = {one: one.nothing() for one in collectors}
    for part, chosen in _blocks(system, count):
        batch = system.batch(part)
        neighbours = Neighbours.of(find_pairs(batch))
        for one in collectors:
            if not one.sampled or chosen.any():
                row = one.collect(batch, neighbours.within(one.rcut), chosen)
                rows[one] = one.join(rows[one], row)
        tell(len(part))
    return rows


def _blocks(system: System, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the used frames in blocks, and which of them are among `count` sampled ones."""
    frames = system.used_frames
    chosen = np.zeros(len(frames), bool)
    chosen[np.linspace(0, len(frames) - 1, count).round().astype(int)] = True
    size = max(1, MAX_ATOMS // system.num_atoms)
    for first in range(0, len(frames), size):
        yield frames[first : first + size], chosen[first : first + size]
