"""One pass over the frames of a data set, in which every part of a model learns what it wants.

A part hands in collectors: each turns frames and their pairs into a row of numbers and says how the
rows of two sets of frames become that of both. The pass reads every frame and finds its pairs once
for all collectors, so it also finds whatever is wrong with the data. Rows of a system that was
looked at before come from a cache (cache.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from tqdm import tqdm

from deeptf.data.batch import Batch, Pairs
from deeptf.data.cache import StatisticsCache, content_of, key_of
from deeptf.data.pairs import PairFinder
from deeptf.data.schedule import BatchSchedule
from deeptf.data.sections import Data
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
    """Shortest distance of two atoms and largest number of neighbours, by types."""

    num_types: int
    rcut: float
    sampled = False

    def nothing(self) -> np.ndarray:
        """Return infinite distances [T, T], zero neighbours [T] and zero frames."""
        return np.concatenate([np.full(self.num_types**2, np.inf), np.zeros(self.num_types + 1)])

    def collect(self, batch: Batch, neighbours: Neighbours, chosen: np.ndarray) -> np.ndarray:
        """Return the row of a batch; every frame counts."""
        neighbor, types = neighbours.pairs.neighbor, self.num_types
        nearest = np.full((types, types), np.inf)
        place = batch.atom_type[neighbours.centre], batch.atom_type[neighbor]
        np.minimum.at(nearest, place, neighbours.distance)
        slot = neighbours.centre * types + batch.atom_type[neighbor]
        count = np.bincount(slot, minlength=batch.num_atoms * types).reshape(-1, types)
        most = count.max(axis=0, initial=0)
        return np.concatenate([nearest.ravel(), most, [len(chosen)]])

    def join(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the row of both."""
        square, end = self.num_types**2, self.num_types**2 + self.num_types
        shortest = np.minimum(a[:square], b[:square])
        return np.concatenate(
            [shortest, np.maximum(a[square:end], b[square:end]), a[end:] + b[end:]]
        )

    def shortest(self, row: np.ndarray) -> np.ndarray:
        """Return the shortest distance in A by types, [T, T]; infinite without pairs."""
        return row[: self.num_types**2].reshape(self.num_types, self.num_types)

    def most_neighbors(self, row: np.ndarray) -> np.ndarray:
        """Return the largest number of neighbours of each type of one atom, [T]."""
        return row[self.num_types**2 : -1].astype(np.int64)

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


def survey(
    data: Data,
    own: Sequence[Collector],
    rcut: float,
    num_batches: int,
    protect: float,
    cache: str | Path,
) -> Found:
    """Look at every frame of a run's data; print the extremes and return all that was found.

    own : collectors of the model.
    num_batches : batches of each system that sampled collectors see.
    Raises DataError for the first frame that cannot be used.
    """
    seen = Extremes(len(data.type_map), rcut)
    sampled = sampled_frames(data.training, num_batches)
    found = collect(data.training.systems, [seen, *own], sampled, cache)
    everywhere = found
    if data.validation is not None:
        asked = [one for one in found if not one.sampled]
        other = collect(data.validation.systems, asked, cache=cache)
        everywhere = {one: one.join(found[one], other[one]) for one in asked}
    closest = "no atom has a neighbour within rcut: all are isolated"
    shortest = seen.shortest(found[seen]).min(initial=np.inf)
    if np.isfinite(shortest):
        closest = f"shortest distance {shortest:.3f} A"
    print(
        f"statistics of {seen.num_frames(found[seen])} frames: {closest}, "
        f"at most {seen.most_neighbors(found[seen]).tolist()} neighbours of each type"
    )
    return Found(data.training.systems, found, everywhere, len(data.type_map), protect)


def collect(
    systems: Sequence[System],
    collectors: Sequence[Collector],
    sampled: Sequence[int] | None = None,
    cache: str | Path | None = None,
) -> Rows:
    """Return the row of each collector over all systems; a terminal shows progress.

    sampled : number of frames of each system, spread evenly, that sampled collectors see; None
        means all.
    cache : .npz file with systems that need not be looked at again; new ones are added.
    Raises DataError for frames without physical sense; it names system, frame and atoms.
    """
    wanted = list(dict.fromkeys(collectors))
    counts = [len(s.used_frames) for s in systems] if sampled is None else list(sampled)
    known = None if cache is None else StatisticsCache(cache)
    keys = _keys(systems, counts, wanted) if known is not None else {}
    rows = {place: known.get(key) for place, key in keys.items()} if known is not None else {}
    new = [k for k in range(len(systems)) if any(rows.get((k, one)) is None for one in wanted)]
    if new:
        found = _visit([(systems[k], counts[k]) for k in new], wanted)
        fresh = {(k, one): own[one] for k, own in zip(new, found, strict=True) for one in wanted}
        rows |= fresh
        if known is not None:
            known.add({keys[place]: row for place, row in fresh.items()}, list(keys.values()))
    total = {one: one.nothing() for one in wanted}
    for k in range(len(systems)):
        total = {one: one.join(total[one], rows[k, one]) for one in wanted}
    return total


def sampled_frames(schedule: BatchSchedule, num_batches: int) -> list[int]:
    """Return the number of frames of `num_batches` batches of each system, at most all it has.

    Batches of several systems ("mixed:N") are shared evenly, with `num_batches` frames of each
    system at least.
    """
    share = math.ceil(schedule.draws / len(schedule.systems))
    return [
        min(len(system.used_frames), num_batches * size * share)
        for system, size in zip(schedule.systems, schedule.batch_sizes, strict=True)
    ]


def _keys(
    systems: Sequence[System], counts: Sequence[int], collectors: Sequence[Collector]
) -> dict[tuple[int, Collector], str]:
    """Return the words under which the rows of systems stand in the cache."""
    keys = {}
    for k, (system, count) in enumerate(zip(systems, counts, strict=True)):
        content = content_of(system)
        for one in collectors:
            keys[k, one] = key_of(content, (one, count if one.sampled else None))
    return keys


def _visit(systems: Sequence[tuple[System, int]], collectors: Sequence[Collector]) -> list[Rows]:
    """Return the rows of each system, with the number of its frames that are sampled."""
    total = sum(len(system.used_frames) for system, _ in systems)
    progress = tqdm(
        total=total, desc="statistics", unit="frame", disable=not on_terminal(), leave=False
    )
    with PairFinder(max(one.rcut for one in collectors)) as find_pairs, progress:
        return [
            _look(system, count, collectors, find_pairs, progress.update)
            for system, count in systems
        ]


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
