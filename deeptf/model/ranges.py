"""Ranges of embedding tables: from the shortest distances in the data to segments of curves.

The argument of an embedding net is x = (s(r) - mean) / stddev, which rises as a pair comes closer.
A curve has two stretches:

* the range of the data, from the cut-off to SAFETY times the shortest distance of the pairs that
  use the net, in FAR segments. Every data set that a model has seen counts.
* beyond it, up to NEAREST, NEAR segments. No data say what is right there, but a simulation that
  goes wrong gets there, and so does a model that is evaluated on other data. A straight line in
  x, which goes as 1/r, has no limit: a model came to 2.4 eV/A at 1.0 A where its nets give 0.1,
  and to an attraction at 0.2 A where they repel. So the table follows the nets there too; they are
  smooth and level off. Forces are large, and errors of the table may be EASE times larger: the
  stretch takes 8 to 17 % more nodes (of 324 to 1,413 nodes on liquid water), and none of them are
  touched unless pairs are that close. Pairs beyond the range of the data are counted and reported.

Beyond NEAREST, where no chemistry is left, a curve is the straight line that continues it: value
and slope stay continuous, so that forces remain derivatives of the energy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deeptf.model.switch import switch_over_distance

SHORTEST = "shortest"  # [T, T] A, shortest distance in the data of each pair of types
UNKNOWN = 1.0  # A, down to which tables reach when the data of a model are not known
SAFETY = 0.8
NEAREST = 0.2  # A
EASE = 500.0
FAR, NEAR = 32, 6
SEGMENTS = FAR + NEAR  # of each curve
DISTANCES = 20_000  # at which the gradient of the argument of the nets is looked up


@dataclass(frozen=True)
class Argument:
    """The argument of the nets by distance (A) and centre type."""

    rcut_smth: float
    rcut: float
    mean: np.ndarray  # [T]
    stddev: np.ndarray  # [T]

    def at(self, distance: np.ndarray | float, centre: int) -> np.ndarray:
        """Return x at distances of pairs with a centre of this type."""
        s = switch_over_distance(distance, self.rcut_smth, self.rcut)
        return (s - self.mean[centre]) / self.stddev[centre]

    def distance(self, x: float, centre: int) -> float:
        """Return the distance in A at which the argument is `x`."""
        low, high = 0.0, self.rcut
        for _ in range(60):  # halvings
            middle = (low + high) / 2
            low, high = (middle, high) if self.at(middle, centre) > x else (low, middle)
        return high


@dataclass(frozen=True)
class Curves:
    """C nets, the range of their argument and where that lies in space."""

    names: tuple[str, ...]
    ends: np.ndarray  # [C, S + 1] arguments where the segments begin and end
    gradient: np.ndarray  # [C, S] largest slope of the argument in a segment, 1/A; see EASE
    data_end: np.ndarray  # [T, T] A, by centre and neighbour: distance where the data end
    table_end: np.ndarray  # [T, T] A, where the segments end; both NaN without a net
    share: np.ndarray | None = None  # [C] tabulated is share x G(x), by asinh x; None: G(x), by x

    def __len__(self) -> int:
        return len(self.names)

    @property
    def segments(self) -> int:
        """Number S of segments of each curve, of which the first FAR are the range of the data."""
        return self.ends.shape[1] - 1

    @property
    def range(self) -> np.ndarray:
        """Arguments at the first node, at the end of the data and at the last node, [C, 3]."""
        return self.ends[:, [0, FAR, -1]]


def curves_of(
    names: Sequence[str], curve: np.ndarray, argument: Argument, shortest: np.ndarray
) -> Curves:
    """Return nets with the ranges that follow from the shortest distances in the data.

    names : of the nets, C
    curve : [T, T] number of the net of each block of pairs, neighbour type first; -1 for none
    shortest : [T, T] A, by centre and neighbour type
    Raises ValueError where `shortest` cannot be distances.
    """
    data = data_distances(shortest, argument.rcut)
    nearest = np.minimum(NEAREST, data / 2)
    ends, gradient = [], np.zeros((len(names), SEGMENTS))
    data_end, table_end = np.full((2, *curve.shape), np.nan)
    for net, largest in enumerate(gradient):
        blocks = [(int(c), int(t)) for t, c in np.argwhere(curve == net)]
        low = min(argument.at(argument.rcut, c) for c, _ in blocks)
        middle = max(argument.at(data[c, t], c) for c, t in blocks)
        high = max(argument.at(nearest[c, t], c) for c, t in blocks)
        places = np.linspace(low, middle, FAR + 1), np.linspace(middle, high, NEAR + 1)[1:]
        ends.append(np.concatenate(places))
        for c in sorted({c for c, _ in blocks}):
            neighbors = [t for centre, t in blocks if centre == c]
            distance = np.linspace(nearest[c, neighbors].min(), argument.rcut, DISTANCES)
            x = argument.at(distance, c)
            segment = np.clip(np.searchsorted(ends[-1], x, "right") - 1, 0, SEGMENTS - 1)
            np.maximum.at(largest, segment, np.abs(np.gradient(x, distance)))
            data_end[c, neighbors] = argument.distance(middle, c)
            table_end[c, neighbors] = argument.distance(high, c)
    gradient[:, FAR:] /= EASE
    return Curves(tuple(names), np.array(ends), gradient, data_end, table_end)


def stored_curves(
    names: Sequence[str], curve: np.ndarray, argument: Argument, ends: np.ndarray
) -> Curves:
    """Return curves that tables are stored of; see curves_of.

    ends : [C, 2] arguments where the range of the data and the table end.
    """
    distances = np.full((2, *curve.shape), np.nan)
    for net, place in enumerate(ends):
        for t, c in np.argwhere(curve == net).tolist():
            distances[:, c, t] = [argument.distance(x, c) for x in place]
    none = np.zeros((len(names), 1))
    return Curves(tuple(names), ends, none, *distances)


def data_distances(shortest: np.ndarray, rcut: float) -> np.ndarray:
    """Return the distances [T, T] in A down to which data with these shortest ones tell something.

    Raises ValueError where they are not positive numbers.
    """
    wrong = np.argwhere(~(np.isfinite(shortest) & (shortest > 0)))
    if len(wrong):
        centre, neighbor = wrong[0]
        raise ValueError(
            f"`{SHORTEST}` must hold positive distances in A, got {shortest[centre, neighbor]} for "
            f"types {centre} and {neighbor}: data in which no pair is closer than the cut-off "
            f"{rcut} A say nothing about it; give a larger rcut or other data"
        )
    return SAFETY * np.minimum(shortest, rcut)
