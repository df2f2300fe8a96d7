"""Pairs of atoms closer than anything in the data of a model: collected, and told in a few words.

What a model says of such pairs has no ground (see ranges.py). The op that sums over neighbours
counts them; here counts of many evaluations come together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike


class Sums(Protocol):
    """Several processes that add up arrays (deeptf.train.workers.Workers)."""

    rank: int
    size: int

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Return the sum of the arrays of all processes."""


class OutsidePairs:
    """Pairs closer than the range of the data, over any number of evaluations.

    type_map : names of the types
    data_end : [T, T] A by centre and neighbour type, where the data of the model end; NaN or None
        for types whose pairs have no net

    count [T, T]: how many, from each of their centres; distance [T, T]: the shortest in A, infinite
    without any.
    """

    def __init__(self, type_map: Sequence[str], data_end: ArrayLike) -> None:
        self.type_map = list(type_map)
        self.data_end = np.array(data_end, np.float64)
        self.count = np.zeros(self.data_end.shape, np.int64)
        self.distance = np.full(self.data_end.shape, np.inf)

    def __bool__(self) -> bool:
        return bool(self.count.any())

    def add(self, count: np.ndarray, distance: np.ndarray) -> None:
        """Add what an evaluation found, in the shapes of the attributes."""
        self.count += count
        self.distance = np.minimum(self.distance, distance)

    def of_all(self, workers: Sums) -> OutsidePairs:
        """Return what all processes have found together."""
        values = np.zeros((1 + workers.size, *self.count.shape))
        values[0], values[1 + workers.rank] = self.count, self.distance
        total = workers.sum(values)
        found = OutsidePairs(self.type_map, self.data_end)
        found.add(total[0].astype(np.int64), total[1:].min(axis=0))
        return found

    def lines(self) -> list[str]:
        """Return a line for each two types that have such pairs; a pair counts once."""
        lines = []
        for a, b in zip(*np.triu_indices(len(self.type_map)), strict=True):
            both = {(a, b), (b, a)}
            number = -(-sum(int(self.count[place]) for place in both) // 2)
            if number:
                closest = min(self.distance[place] for place in both)
                end = np.nanmax([self.data_end[place] for place in both])
                lines.append(
                    f"{number} pair{'s' if number > 1 else ''} of {self.type_map[a]}-"
                    f"{self.type_map[b]} closer than {end:.3f} A, where the data of the model end; "
                    f"closest {closest:.3f} A: the model knows nothing there"
                )
        return lines
