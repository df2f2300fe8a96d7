"""The ops of geometry of deepmd-kit that give environment rows, in NumPy, on given pairs.

With r = r_j - r_i, places (slots) sorted by neighbour type, empty ones 0 before normalisation:

    R = (s, s x/r, s y/r, s z/r)    s = sw(r)/r    R~ = (R - mean) / stddev    D = -dR~/dr

or R = s alone for radial descriptors (W = 1 column in place of 4), and
    F_i -= dE/dR~ . D     F_j += dE/dR~ . D     W_ab += (dE/dR~ . D_a) r_b

sw falls from 1 at r0 to 0 at r0 + w, with r0 = float32(rcut_smth) and w = float32(rcut - r0). They
define what a converted model has to give; nothing else uses them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Frame:
    """Atoms whose neighbours are given: N centres sorted by type, then a ghost for each pair."""

    atom_type: np.ndarray  # [N + P]
    row: np.ndarray  # [N + 1] first pair of each centre
    displacement: np.ndarray  # [P, 3] A; for each centre sorted by the type of the neighbour
    fparam: np.ndarray  # [1, numb_fparam]
    aparam: np.ndarray  # [N, numb_aparam], or [N + P, 1] where it is a mask

    @property
    def num_centres(self) -> int:
        """Number of atoms with an energy, N."""
        return len(self.row) - 1

    @property
    def neighbor(self) -> np.ndarray:
        """Ghost of each pair, [P]."""
        return np.arange(self.num_centres, len(self.atom_type), dtype=np.int32)

    @property
    def centre(self) -> np.ndarray:
        """Centre of each pair, [P]."""
        return np.repeat(np.arange(self.num_centres), np.diff(self.row))


@dataclass(frozen=True)
class Environment:
    """Outputs of the environment op; S places for neighbours."""

    rows: np.ndarray  # [N, S, W] R~
    derivative: np.ndarray  # [N, S, W, 3] D, 1/A
    displacement: np.ndarray  # [N, S, 3] A
    neighbor: np.ndarray  # [N, S], -1 for an empty place
    neighbor_type: np.ndarray | None = None  # [N, S], T for an empty place; of mixed types only

    def outputs(self) -> list[np.ndarray]:
        """Return the outputs in the order and shape of the op."""
        arrays = [self.rows, self.derivative, self.displacement, self.neighbor]
        if self.neighbor_type is not None:
            arrays += [self.neighbor_type, self.neighbor >= 0]
        return [array.reshape(1, -1) for array in arrays]

    def of_force(self) -> list[np.ndarray]:
        """Return what the op of the force gets of them."""
        return [self.derivative, self.neighbor]

    def of_virial(self) -> list[np.ndarray]:
        """Return what the op of the virial gets of them."""
        return [self.derivative, self.displacement, self.neighbor]

    def force(self, gradient: np.ndarray, num_atoms: int) -> np.ndarray:
        """Return F [num_atoms, 3] from dE/dR~ [N, S, W]."""
        pull = self._pull(gradient)
        filled = self.neighbor >= 0
        result = np.zeros((num_atoms, 3))
        result[: len(pull)] -= pull.sum(axis=1)
        np.add.at(result, self.neighbor[filled], pull[filled])
        return result

    def atom_virial(self, gradient: np.ndarray, num_atoms: int) -> np.ndarray:
        """Return the part of W of each atom, [num_atoms, 9]; that of a pair is its neighbour's."""
        pull = self._pull(gradient)
        filled = self.neighbor >= 0
        pairs = pull[filled][:, :, None] * self.displacement[filled][:, None, :]
        result = np.zeros((num_atoms, 9))
        np.add.at(result, self.neighbor[filled], pairs.reshape(-1, 9))
        return result

    def _pull(self, gradient: np.ndarray) -> np.ndarray:
        """Return dE/dR~ . D of each place, [N, S, 3]."""
        gradient = gradient.reshape(self.rows.shape)
        return np.einsum("nsc,nscd->nsd", gradient, self.derivative)


def switch(r: np.ndarray, rcut_smth: float, rcut: float) -> tuple[np.ndarray, np.ndarray]:
    """Return sw(r) and its derivative, with the two lengths rounded as the op does."""
    start = np.float32(rcut_smth)
    width = np.float32(rcut) - start
    return smooth_step(r, float(start), float(width))


def smooth_step(r: np.ndarray, start: float, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a quintic from 1 at `start` to 0 behind `width`, and its derivative in r."""
    u = np.clip((r - start) / width, 0.0, 1.0)
    value = u**3 * (-6.0 * u**2 + 15.0 * u - 10.0) + 1.0
    return value, -30.0 * u**2 * (u - 1.0) ** 2 / width


def environment(
    frame: Frame,
    sel: tuple[int, ...],
    lengths: tuple[float, float],
    mean: np.ndarray,
    stddev: np.ndarray,
    mixed: bool = False,
) -> Environment:
    """Return what the environment op gives for a frame.

    sel : places for neighbours of each type, not exceeded; mixed : of all types, one number
    lengths : rcut_smth and rcut in A; pairs beyond the latter are left out
    mean, stddev : [T, S W].
    """
    near = np.linalg.norm(frame.displacement, axis=1) <= np.float32(lengths[1])
    displacement, neighbor, centre = (
        array[near] for array in (frame.displacement, frame.neighbor, frame.centre)
    )
    neighbor_type = frame.atom_type[neighbor]
    shape = (frame.num_centres, sum(sel))
    place = (
        _places_by_distance(centre, displacement)
        if mixed
        else (_places(centre, neighbor_type, sel))
    )
    at = centre, place
    columns = mean.shape[1] // sum(sel)
    raw, slope = np.zeros((*shape, columns)), np.zeros((*shape, columns, 3))
    rows, derivative = _rows(displacement, *lengths)
    raw[at], slope[at] = rows[:, :columns], derivative[:, :columns]
    there, number = np.zeros((*shape, 3)), np.full(shape, -1, np.int32)
    there[at], number[at] = displacement, neighbor
    types = None
    if mixed:
        types = np.full(shape, len(mean), np.int32)
        types[at] = neighbor_type
    centre_type = frame.atom_type[: frame.num_centres]
    mean, stddev = (array[centre_type].reshape(*shape, columns) for array in (mean, stddev))
    rows = (raw - mean) / stddev
    return Environment(rows, -slope / stddev[..., None], there, number, types)


def _places(centre: np.ndarray, neighbor_type: np.ndarray, sel: tuple[int, ...]) -> np.ndarray:
    """Return the place of each pair among those of its centre; pairs are sorted by both."""
    block = centre * len(sel) + neighbor_type
    first = np.searchsorted(block, block)
    return np.concatenate([[0], np.cumsum(sel)])[neighbor_type] + np.arange(len(block)) - first


def _places_by_distance(centre: np.ndarray, displacement: np.ndarray) -> np.ndarray:
    """Return the place of each pair among those of its centre, the nearest first."""
    order = np.lexsort((np.linalg.norm(displacement, axis=1), centre))
    place = np.empty(len(centre), int)
    place[order] = np.arange(len(centre)) - np.searchsorted(centre, centre)
    return place


def _rows(displacement: np.ndarray, rcut_smth: float, rcut: float) -> tuple[np.ndarray, np.ndarray]:
    """Return R [P, 4] and dR/dr [P, 4, 3]."""
    r = np.linalg.norm(displacement, axis=1)[:, None]
    sw, slope = switch(r, rcut_smth, rcut)
    unit = displacement / r
    radial, angular = sw / r, sw / r**2  # R = (radial, angular x, angular y, angular z)
    rows = np.hstack([radial, angular * displacement])
    gradient = np.empty((len(r), 4, 3))
    gradient[:, 0] = (slope / r - sw / r**2) * unit
    gradient[:, 1:] = angular[..., None] * np.eye(3)
    change = (slope / r**2 - 2.0 * sw / r**3) * displacement
    gradient[:, 1:] += change[:, :, None] * unit[:, None, :]
    return rows, gradient
