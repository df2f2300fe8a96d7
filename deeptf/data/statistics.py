"""Environment rows and neighbours of a data set, from one pass over its frames, which also finds
whatever is wrong with them: every frame is read, and its pairs are found.

A centre atom of type t has sum(sel) places; a pair at distance r contributes s(r) to the radial
column and s x/r, s y/r, s z/r to the angular ones, an empty place contributes 0. With n_t centres
and N_c = sum(sel):

    mean_t = sum s / (n_t N_c)                                radial; the angular means are 0
    stddev_t = sqrt(sum s^2 / (n_t N_c) - mean_t^2)           radial
    stddev_t = sqrt(sum s^2 / (3 n_t N_c))                    one for the three angular columns

The sums do not depend on `sel`, so one pass serves "sel": "auto" too. A neighbour beyond `sel` is
counted like the others. A system that was looked at before comes from a cache (cache.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from deeptf.data.batch import Batch
from deeptf.data.cache import StatisticsCache, key_of
from deeptf.data.options import batch_sizes, mixed_frames
from deeptf.data.pairs import PairFinder, Pairs
from deeptf.data.system import System
from deeptf.process import on_terminal

MAX_ATOMS = 4096  # atoms whose pairs are searched at a time


@dataclass(frozen=True)
class Statistics:
    """Sums over the sampled frames, and extremes over all frames; lengths in A."""

    centre_count: np.ndarray  # [T] sampled centre atoms of each type
    radial: np.ndarray  # [T] sum of s
    radial_square: np.ndarray  # [T] sum of s^2
    shortest: np.ndarray  # [T, T] A, distance of two atoms by their types; infinite without pairs
    max_neighbors: np.ndarray  # [T] largest number of neighbours of each type of one atom
    numb_frames: int

    @classmethod
    def of_row(cls, row: np.ndarray, num_types: int) -> Statistics:
        """Return what `row` has kept."""
        parts = np.split(row[:-1], np.cumsum([num_types] * 4))
        vectors, shortest = parts[:4], parts[4].reshape(num_types, num_types)
        return cls(*vectors[:3], shortest, vectors[3].astype(np.int64), int(row[-1]))

    def row(self) -> np.ndarray:
        """Return all numbers in one row, [4 T + T^2 + 1]."""
        vectors = (self.centre_count, self.radial, self.radial_square, self.max_neighbors)
        return np.concatenate([*vectors, self.shortest.ravel(), [self.numb_frames]])

    def __add__(self, other: Statistics) -> Statistics:
        """Return the statistics of the frames of both."""
        return Statistics(
            self.centre_count + other.centre_count,
            self.radial + other.radial,
            self.radial_square + other.radial_square,
            np.minimum(self.shortest, other.shortest),
            np.maximum(self.max_neighbors, other.max_neighbors),
            self.numb_frames + other.numb_frames,
        )

    @property
    def min_distance(self) -> float:
        """Smallest distance of two atoms in A; infinite without pairs."""
        return float(self.shortest.min(initial=np.inf))

    def environment(
        self, sel: Sequence[int], protect: float = 0.01, set_davg_zero: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return mean [T, 4] and stddev [T, 4] of environment rows, stddev at least `protect`."""
        places = np.maximum(self.centre_count * sum(sel), 1)
        mean = self.radial / places
        square = self.radial_square / places
        radial = np.sqrt(np.maximum(square - mean**2, 0.0))
        angular = np.sqrt(square / 3.0)
        zero = np.zeros_like(mean)
        centre = np.stack([zero if set_davg_zero else mean, zero, zero, zero], axis=1)
        spread = np.stack([radial, angular, angular, angular], axis=1)
        return centre, np.maximum(spread, protect)


def compute_statistics(
    systems: Sequence[System],
    num_types: int,
    rcut: float,
    rcut_smth: float,
    sampled: Sequence[int] | None = None,
    cache: str | Path | None = None,
) -> Statistics:
    """Return sums of environment rows and extremes of neighbours; a terminal shows progress.

    sampled : number of frames of each system, spread evenly, that enter the sums; None means all.
    cache : .npz file with systems that need not be looked at again; new ones are added.
    Raises DataError for frames without physical sense; it names system, frame and atoms.
    """
    known = None if cache is None else StatisticsCache(cache)
    counts = [len(s.used_frames) for s in systems] if sampled is None else list(sampled)
    keys = [""] * len(systems)
    rows: list[np.ndarray | None] = [None] * len(systems)
    if known is not None:
        settings = (num_types, rcut, rcut_smth)
        keys = [key_of(s, (*settings, n)) for s, n in zip(systems, counts, strict=True)]
        rows = [known.get(key) for key in keys]
    new = [place for place, row in enumerate(rows) if row is None]
    if new:
        chosen = [(systems[place], counts[place]) for place in new]
        found = _visit(chosen, num_types, (rcut, rcut_smth))
        for place, one in zip(new, found, strict=True):
            rows[place] = one.row()
    if known is not None and new:
        known.add({keys[place]: rows[place] for place in new}, keys)
    result = _nothing(num_types)
    for row in rows:
        result += Statistics.of_row(row, num_types)
    return result


def neighbor_statistics(
    systems: Sequence[System], num_types: int, rcut: float
) -> tuple[float, np.ndarray]:
    """Return the smallest distance of two atoms (A) and the most neighbours of each type [T]."""
    found = compute_statistics(systems, num_types, rcut, 0.0, [0] * len(systems))
    return found.min_distance, found.max_neighbors


def sampled_frames(
    systems: Sequence[System], num_batches: int, batch_size: int | str | Sequence[int] = "auto"
) -> list[int]:
    """Return the number of frames of `num_batches` batches of each system, at most all it has.

    Batches of several systems ("mixed:N") are shared evenly, with `num_batches` frames of each
    system at least.
    """
    frames = [len(system.used_frames) for system in systems]
    sizes = batch_sizes(batch_size, frames, [system.num_atoms for system in systems])
    if mixed := mixed_frames(batch_size):
        sizes = [math.ceil(mixed / len(systems))] * len(systems)
    return [min(n, num_batches * size) for n, size in zip(frames, sizes, strict=True)]


def switch_over_distance(r: np.ndarray, rcut_smth: float, rcut: float) -> np.ndarray:
    """Return s(r): 1/r up to rcut_smth, then 1/r times a polynomial that ends smoothly at rcut."""
    u = np.clip((r - rcut_smth) / (rcut - rcut_smth), 0.0, 1.0)
    return (u**3 * (-6.0 * u**2 + 15.0 * u - 10.0) + 1.0) / r


def _nothing(num_types: int) -> Statistics:
    zeros = np.zeros(num_types)
    nearest = np.full((num_types, num_types), np.inf)
    return Statistics(zeros, zeros, zeros, nearest, np.zeros(num_types, np.int64), 0)


def _visit(
    systems: Sequence[tuple[System, int]], num_types: int, radii: tuple[float, float]
) -> list[Statistics]:
    """Return the statistics of each system, with the number of its frames that enter the sums."""
    total = sum(len(system.used_frames) for system, _ in systems)
    progress = tqdm(
        total=total, desc="statistics", unit="frame", disable=not on_terminal(), leave=False
    )
    with PairFinder(radii[0]) as find_pairs, progress:
        return [
            _collect(system, num_types, radii, count, find_pairs, progress.update)
            for system, count in systems
        ]


def _collect(
    system: System,
    num_types: int,
    radii: tuple[float, float],
    count: int,
    find_pairs: Callable[[Batch], Pairs],
    tell: Callable[[int], object],
) -> Statistics:
    """Return the statistics of one system, `count` of whose frames enter the sums."""
    sums = np.zeros((3, num_types))
    most = np.zeros(num_types, np.int64)
    nearest = np.full((num_types, num_types), np.inf)
    frames = system.used_frames
    chosen = np.zeros(system.num_frames, bool)
    chosen[frames[np.linspace(0, len(frames) - 1, count).round().astype(int)]] = True
    for part in _blocks(frames, system.num_atoms):
        batch = system.batch(part)
        pairs = find_pairs(batch)
        distance = np.linalg.norm(pairs.displacement, axis=1)
        _note_shortest(batch, pairs, distance, nearest)
        most = np.maximum(most, _most_neighbors(batch, pairs, num_types))
        if chosen[part].any():
            sums += _row_sums(batch, pairs, distance, chosen[part], radii, num_types)
        tell(len(part))
    return Statistics(*sums, nearest, most, len(frames))


def _row_sums(
    batch: Batch,
    pairs: Pairs,
    distance: np.ndarray,
    chosen: np.ndarray,
    radii: tuple[float, float],
    num_types: int,
) -> np.ndarray:
    """Return number of centres, sum of s and sum of s^2 of the chosen frames by type, [3, T]."""
    rcut, rcut_smth = radii
    used = np.repeat(chosen, batch.atoms_per_frame)  # [N]
    s = switch_over_distance(distance, rcut_smth, rcut)
    centre = np.repeat(np.arange(batch.num_atoms), np.diff(pairs.row))
    centre_type = batch.atom_type[centre]
    s = s * used[centre]
    return np.stack(
        [
            np.bincount(batch.atom_type[used], minlength=num_types),
            np.bincount(centre_type, s, minlength=num_types),
            np.bincount(centre_type, s * s, minlength=num_types),
        ]
    )


def _note_shortest(batch: Batch, pairs: Pairs, distance: np.ndarray, nearest: np.ndarray) -> None:
    """Lower `nearest` [T, T] to the shortest distances of the batch."""
    centre = np.repeat(batch.atom_type, np.diff(pairs.row))
    np.minimum.at(nearest, (centre, batch.atom_type[pairs.neighbor]), distance)


def _most_neighbors(batch: Batch, pairs: Pairs, num_types: int) -> np.ndarray:
    """Return the largest number of neighbours of each type of one atom, [T]."""
    centre = np.repeat(np.arange(batch.num_atoms), np.diff(pairs.row))
    place = centre * num_types + batch.atom_type[pairs.neighbor]
    count = np.bincount(place, minlength=batch.num_atoms * num_types)
    return count.reshape(-1, num_types).max(axis=0, initial=0)


def _blocks(frames: np.ndarray, num_atoms: int) -> Iterator[np.ndarray]:
    size = max(1, MAX_ATOMS // num_atoms)
    for first in range(0, len(frames), size):
        yield frames[first : first + size]
