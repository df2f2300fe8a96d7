"""What a trajectory says of structure and motion: g(r) and mean square displacements.

    g_ab(r) = mean of V / (N_a (N_b - [a = b])) sum over a, b of delta(r - r_ab) / (4 pi r^2)
    MSD_a(t) = mean over atoms a and origins s of |x(s + t) - x(s)|^2,  x from the centre of mass

The motion of the first part of a trajectory is counted like the rest: begin from an equilibrated
structure. Distances up to half the smallest width of the cell count.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np
from ase.neighborlist import neighbor_list

if TYPE_CHECKING:
    from ase import Atoms

FARTHEST, WIDTH = 10.0, 0.05  # A; of g(r), and of a bin
MOST_LAGS = 200  # times between frames


def radial_distribution(frames: Sequence[Atoms]) -> dict[str, np.ndarray]:
    """Return "r" in A and g for each pair of elements, such as "H-O", at the middles of bins.

    Frames must have a periodic cell.
    """
    end = min(FARTHEST, *(_half_width(atoms) for atoms in frames))
    edges = np.arange(0.0, end + 1e-9, WIDTH)
    shells = 4 / 3 * np.pi * np.diff(edges**3)
    symbols = np.array(frames[0].get_chemical_symbols())
    pairs = list(combinations_with_replacement(sorted(set(symbols)), 2))
    found = {"r": (edges[1:] + edges[:-1]) / 2} | {f"{a}-{b}": 0.0 for a, b in pairs}
    for atoms in frames:
        centre, neighbor, distance = neighbor_list("ijd", atoms, edges[-1])
        for a, b in pairs:
            chosen = distance[(symbols[centre] == a) & (symbols[neighbor] == b)]
            number = np.count_nonzero(symbols == a) * (np.count_nonzero(symbols == b) - (a == b))
            ideal = shells * max(number, 1) / atoms.cell.volume * len(frames)
            found[f"{a}-{b}"] = found[f"{a}-{b}"] + np.histogram(chosen, edges)[0] / ideal
    return found


def mean_square_displacement(frames: Sequence[Atoms]) -> dict[str, np.ndarray]:
    """Return "time" in ps and the displacement of each element in A^2.

    Frames must be equally apart in time. Times up to half of the trajectory, so that each has
    origins enough.
    """
    times = np.array([atoms.info["time"] for atoms in frames]) / 1000
    place = np.array([atoms.positions - atoms.get_center_of_mass() for atoms in frames])
    symbols = np.array(frames[0].get_chemical_symbols())
    last = len(frames) // 2
    lags = np.unique(np.linspace(0, last, min(last, MOST_LAGS) + 1).astype(int))
    square = np.array(
        [((place[lag:] - place[: len(place) - lag]) ** 2).sum(axis=2).mean(axis=0) for lag in lags]
    )  # [lags, N]
    of_elements = {a: square[:, symbols == a].mean(axis=1) for a in sorted(set(symbols))}
    return {"time": times[lags] - times[0], **of_elements}


def _half_width(atoms: Atoms) -> float:
    """Return half the smallest distance between opposite faces of the cell in A."""
    return 0.5 / np.linalg.norm(atoms.cell.reciprocal(), axis=1).max()
