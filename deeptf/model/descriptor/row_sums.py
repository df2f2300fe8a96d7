"""Mean and spread of environment rows over the data, for their normalisation.

A centre atom of type t has N_c = sum(sel) places; a pair at distance r contributes s(r) to the
radial column and s x/r, s y/r, s z/r to the angular ones, an empty place contributes 0. With n_t
centres:

    mean_t = sum s / (n_t N_c)                                radial; the angular means count as 0
    stddev_t = sqrt(sum s^2 / (n_t N_c) - mean_t^2)           radial
    stddev_t = sqrt(sum s^2 / (3 n_t N_c) - a_t^2)            one for the three angular columns,
    a_t = sum s (x + y + z) / (3 r n_t N_c)                   which depends a little on directions

The sums do not depend on `sel`, so one pass serves "sel": "auto" too. A neighbour beyond `sel` is
counted like the others, and one of an excluded pair of types like an empty place. A type without
atoms has mean 0 and spread 1/rcut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deeptf.data.batch import Batch
from deeptf.data.statistics import Neighbours
from deeptf.model.switch import switch_over_distance

LEAST = 0.01  # spread


@dataclass(frozen=True)
class RowSums:
    """Number of centres and sums of the sampled frames, by type of the centre.

    The sums are those of s, of s^2 and of s (x + y + z) / (3 r).
    """

    num_types: int
    rcut: float
    rcut_smth: float
    exclude_types: tuple[tuple[int, ...], ...] = ()
    sampled = True

    def nothing(self) -> np.ndarray:
        """Return zeros, [4 T]."""
        return np.zeros(4 * self.num_types)

    def collect(self, batch: Batch, neighbours: Neighbours, chosen: np.ndarray) -> np.ndarray:
        """Return the sums over the chosen frames of a batch."""
        used = np.repeat(chosen, batch.atoms_per_frame)  # [N]
        s = switch_over_distance(neighbours.distance, self.rcut_smth, self.rcut)
        s = s * used[neighbours.centre]
        centre_type = batch.atom_type[neighbours.centre]
        neighbor_type = batch.atom_type[neighbours.pairs.neighbor]
        for a, b in self.exclude_types:
            excluded = (centre_type == a) & (neighbor_type == b)
            s = np.where(excluded | ((centre_type == b) & (neighbor_type == a)), 0.0, s)
        direction = neighbours.pairs.displacement.mean(axis=1) / neighbours.distance
        return np.concatenate(
            [
                np.bincount(batch.atom_type[used], minlength=self.num_types),
                np.bincount(centre_type, s, minlength=self.num_types),
                np.bincount(centre_type, s * s, minlength=self.num_types),
                np.bincount(centre_type, s * direction, minlength=self.num_types),
            ]
        )

    def join(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the sums over both."""
        return a + b

    def normalisation(
        self, row: np.ndarray, sel: Sequence[int], set_davg_zero: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return mean [T, 4] and spread [T, 4] of environment rows."""
        centres, radial, radial_square, direction = row.reshape(4, -1)
        places = np.maximum(centres * sum(sel), 1)
        mean = radial / places
        square = radial_square / places
        spread = np.sqrt(np.maximum(square - mean**2, 0.0))
        angular = np.sqrt(np.maximum(square / 3.0 - (direction / places) ** 2, 0.0))
        zero = np.zeros_like(mean)
        centre = np.stack([zero if set_davg_zero else mean, zero, zero, zero], axis=1)
        stddev = np.maximum(np.stack([spread, angular, angular, angular], axis=1), LEAST)
        return centre, np.where((centres > 0)[:, None], stddev, 1.0 / self.rcut)
