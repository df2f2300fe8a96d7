"""Tables of pair energies: the file, its way to the cut-off, and cubic splines.

A file has columns r in A and then u in eV of the types (0, 0), (0, 1) ... (0, T - 1), (1, 1) ...,
in rows with one step. Where it ends before the cut-off, it goes on to 0: with zeros where it ends
in zeros, else with a cubic from its last row to the grid point before the cut-off, whose slope at
the beginning is the last difference of energies, per A. Between rows are cubic splines whose slope
is 0 at both ends. This is what deepmd-kit makes of such files.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deeptf.model.descriptor.described import Arrays, Lines

NODES, GRID = "nodes", "grid"  # [T (T + 1) / 2, n, 2] u and its slope times step; [2] first, step
EVEN = 1e-6  # of a step, by which steps may differ


def read_pair_table(path: str | Path, num_types: int, rcut: float) -> tuple[Arrays, Lines]:
    """Return the arrays of a table up to `rcut` in A, and lines about it.

    Raises ValueError that names the file where it cannot be read or is no such table.
    """
    columns = num_types * (num_types + 1) // 2
    try:
        rows = np.loadtxt(path, ndmin=2)
    except OSError as error:
        reason = error.strerror or "no such file"  # numpy has a message alone
        raise ValueError(
            f"pair table must be a text file, got {path}: {reason}; check `use_srtab` or "
            "`tab_file`, which count from the folder of the run"
        ) from error
    except ValueError as error:
        raise ValueError(f"pair table {path} must hold rows of numbers, but: {error}") from error
    if rows.shape[1] != 1 + columns or len(rows) < 2:
        raise ValueError(
            f"pair table {path} must hold at least 2 rows of {1 + columns} numbers, r and u of "
            f"each two of {num_types} types, got {rows.shape[0]} of {rows.shape[1]}"
        )
    if not np.isfinite(rows).all():
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise ValueError(
            f"pair table {path} must hold finite numbers, got {rows[row, column]} in row {row}, "
            f"column {column}, both from 0"
        )
    distance, energy = rows[:, 0], rows[:, 1:]
    steps = np.diff(distance)
    step = steps[0]
    wrong = np.flatnonzero(~(np.abs(steps - step) <= EVEN * step)) if step > 0 else [0]
    if len(wrong):
        row = int(wrong[0]) + 1
        raise ValueError(
            f"pair table {path} must have distances that rise by one step, got "
            f"{distance[row - 1]:g} and {distance[row]:g} in rows {row - 1} and {row}"
        )
    if not (distance[0] >= 0 and distance[0] < rcut):
        raise ValueError(
            f"pair table {path} must begin at a distance from 0 to below the cut-off {rcut} A, got "
            f"{distance[0]:g}"
        )
    lines = _lines(path, distance, energy, rcut)
    energy = _up_to(rcut, distance, energy)
    slopes = _slopes(energy)
    nodes = np.moveaxis(np.stack([energy, slopes], axis=-1), 1, 0)
    return {NODES: np.ascontiguousarray(nodes), GRID: np.array([distance[0], step])}, lines


def with_types(nodes: np.ndarray, num_types: int, source: Sequence[int]) -> np.ndarray:
    """Return the nodes of a table for other types; `source` says which of the old each one is."""
    place = pair_places(num_types)
    return np.stack([nodes[place[a, b]] for k, a in enumerate(source) for b in source[k:]])


def pair_places(num_types: int) -> np.ndarray:
    """Return which of the types (0, 0), (0, 1) ... (1, 1) two types are, [T, T]."""
    place = np.zeros((num_types, num_types), int)
    above = np.triu_indices(num_types)
    place[above] = np.arange(len(above[0]))
    return np.maximum(place, place.T)


def _lines(path: str | Path, distance: np.ndarray, energy: np.ndarray, rcut: float) -> Lines:
    """Return a line about a table whose energies are not 0 at its end or at the cut-off."""
    end = distance[-1]
    if end < rcut and energy[-1].any():
        return [f"note: pair table {path} ends at {end:g} A: cubics go on to 0 at the cut-off"]
    beyond = energy[distance >= rcut]
    if end >= rcut and len(beyond) and beyond[0].any():
        largest = np.abs(beyond[0]).max()
        return [
            f"note: pair table {path} is cut off at {rcut:g} A, where it is up to {largest:g} eV"
        ]
    return []


def _up_to(rcut: float, distance: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Return the energies of a table that reaches as far as it must, [n, columns]."""
    first, step, last = distance[0], distance[1] - distance[0], len(distance) - 1
    end = math.ceil(rcut / step - first / step)  # the grid point at or after the cut-off
    if rcut <= distance[-1] or end <= last:
        return energy
    if not energy[-1].any():
        return np.concatenate([energy, np.zeros((end - last, energy.shape[1]))])
    number = max(end - last - 1, 1)
    length = number * step
    t = (np.arange(1, number + 1) / number)[:, None]
    value, slope = energy[-1], (energy[-1] - energy[-2]) * length
    more = value * (1 - t) ** 2 * (1 + 2 * t) + slope * t * (1 - t) ** 2
    return np.concatenate([energy, more])


def _slopes(energy: np.ndarray) -> np.ndarray:
    """Return the slopes, times the step, of cubic splines that are level at both ends."""
    from scipy.interpolate import CubicSpline  # takes long to load

    return CubicSpline(np.arange(len(energy)), energy, bc_type="clamped")(np.arange(len(energy)), 1)
