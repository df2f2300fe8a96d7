"""How much models of the same data disagree (arXiv:1910.12690, eq. 6), and the table that says it.

    deviation = sqrt(mean over models of |y - mean y|^2)

of the force on an atom (eV/A), of each component of the virial per atom (eV) and of the energy per
atom (eV). A relative one is divided by (|mean y| + level). With labels it is the error:
they take the place of the mean.

M models, F frames of N places for atoms; some may be empty, those of virtual atoms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

import numpy as np

COLUMNS = (
    *(f"{name}_devi_{key}" for key in "vf" for name in ("max", "min", "avg")),
    "devi_e",
)
OF_ATOMS = "atm_devi_f(N)"


@dataclass(frozen=True)
class Levels:
    """Levels of relative deviations; None: the deviation is not a relative one."""

    force: float | None = None  # eV/A
    virial: float | None = None  # eV

    def __post_init__(self) -> None:
        for name, level in (("relative", self.force), ("relative_v", self.virial)):
            if level is not None and not 0 <= level < np.inf:
                raise ValueError(f"`{name}` must be a level from 0, got {level}")


@dataclass(frozen=True)
class Deviation:
    """Deviations of frames; zero for a virtual atom."""

    energy: np.ndarray  # [F] eV
    force: np.ndarray  # [F, N] eV/A
    virial: np.ndarray  # [F, 9] eV
    real: np.ndarray  # [F, N] false for virtual atoms

    def table(self, frequency: int = 1, atomic: bool = False) -> np.ndarray:
        """Return the step of each frame, COLUMNS and with `atomic` the forces, [F, 8 or 8 + N].

        The average is that of the forces, but the root mean square of the components of a virial.

        frequency : steps from frame to frame
        """
        columns = [
            np.arange(len(self.energy)) * frequency,
            self.virial.max(axis=1),
            self.virial.min(axis=1),
            np.sqrt(np.mean(self.virial**2, axis=1)),
            np.where(self.real, self.force, 0.0).max(axis=1),
            np.where(self.real, self.force, np.inf).min(axis=1),
            self.force.sum(axis=1) / self.real.sum(axis=1),
            self.energy,
        ]
        return np.column_stack([*columns, *self.force.T] if atomic else columns)


def deviation_of(
    predicted: Mapping[str, np.ndarray],
    real: np.ndarray,
    levels: Levels,
    labels: Mapping[str, np.ndarray] | None = None,
) -> Deviation:
    """Return how much the predictions of M models differ, from one another or from labels.

    predicted : "energy" [M, F], "virial" [M, F, 9] and "force" [M, n, 3] of the n real atoms
    real : [F, N] which places have an atom
    labels : the same without M; NaN where there is no label
    """
    count = real.sum(axis=1)
    centre = {name: predicted[name].mean(axis=0) for name in ("energy", "force", "virial")}
    centre |= labels or {}
    square = {name: np.mean((predicted[name] - centre[name]) ** 2, axis=0) for name in centre}
    energy = np.sqrt(square["energy"]) / count
    force = np.sqrt(square["force"].sum(axis=1))
    virial = np.sqrt(square["virial"]) / count[:, None]
    if levels.force is not None:
        force /= np.linalg.norm(centre["force"], axis=1) + levels.force
    if levels.virial is not None:
        virial /= np.abs(centre["virial"]) / count[:, None] + levels.virial
    placed = np.zeros(real.shape)
    placed[real] = force
    return Deviation(energy, placed, virial, real)


def write_table(stream: IO[str], table: np.ndarray, system: str = "") -> None:
    """Append frames [F, 1 + 7 or more] with a header to a `model_devi.out`.

    The first column is the step; those beyond COLUMNS are of atoms.
    """
    names = [*COLUMNS, OF_ATOMS] if table.shape[1] > 1 + len(COLUMNS) else COLUMNS
    header = f"{system}\n{'step':10s}" + "".join(f"{name:19s}" for name in names)
    form = ["%12d"] + ["%19.6e"] * (table.shape[1] - 1)
    np.savetxt(stream, table, fmt=form, delimiter="", header=header)
