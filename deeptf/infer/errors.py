"""Errors of a model on labelled frames: what is compared, and sums over any number of batches.

    MAE = sum |d| / n      RMSE = sqrt(sum d^2 / n)      d = predicted - labelled

Every number counts once: an energy per frame, three force components per atom, nine of a virial.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from deeptf.data.batch import Batch


@dataclass(frozen=True)
class Quantity:
    """A quantity that is compared, and how it is named in reports and files."""

    title: str
    unit: str
    suffix: str  # of the detail file
    columns: tuple[str, ...]
    label: str  # in Batch
    output: str  # of the model
    per_frame: bool = True
    per_atom: bool = False  # divided by the number of atoms of the frame


_XYZ = "xyz"
_VIRIAL = tuple(f"v{a}{b}" for a in _XYZ for b in _XYZ)
ENERGY = Quantity("energy", "eV", "e", ("e",), "energy", "energy")
ENERGY_PER_ATOM = Quantity(
    "energy per atom", "eV/atom", "e_peratom", ("e",), "energy", "energy", per_atom=True
)
FORCE = Quantity(
    "force", "eV/A", "f", tuple(f"f{a}" for a in _XYZ), "force", "force", per_frame=False
)
VIRIAL = Quantity("virial", "eV", "v", _VIRIAL, "virial", "virial")
VIRIAL_PER_ATOM = Quantity(
    "virial per atom", "eV/atom", "v_peratom", _VIRIAL, "virial", "virial", per_atom=True
)
ATOM_ENERGY = Quantity(
    "atomic energy", "eV", "ae", ("ae",), "atom_ener", "atom_energy", per_frame=False
)
QUANTITIES = (ENERGY, ENERGY_PER_ATOM, FORCE, VIRIAL, VIRIAL_PER_ATOM)


def compare(
    quantity: Quantity, batch: Batch, predicted: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and predictions [n, columns] of the frames of `batch` that have the label."""
    chosen = batch.has[quantity.label] > 0  # [F]
    atoms = batch.atoms_per_frame
    if not quantity.per_frame:
        chosen = np.repeat(chosen, atoms)  # [N]
    pair = []
    for value in (batch.labels[quantity.label], predicted[quantity.output]):
        rows = value.reshape(len(chosen), len(quantity.columns))[chosen]
        pair.append(rows / atoms[chosen][:, None] if quantity.per_atom else rows)
    return pair[0], pair[1]


@dataclass
class ErrorSum:
    """Sums of the errors of one quantity."""

    count: int = 0
    absolute: float = 0.0
    square: float = 0.0

    def add(self, difference: np.ndarray) -> None:
        """Count an array of differences."""
        self.count += difference.size
        self.absolute += float(np.abs(difference).sum())
        self.square += float((difference**2).sum())

    @property
    def mae(self) -> float:
        """Mean absolute error; NaN without data."""
        return self.absolute / self.count if self.count else float("nan")

    @property
    def rmse(self) -> float:
        """Root mean square error; NaN without data."""
        return float(np.sqrt(self.square / self.count)) if self.count else float("nan")


@dataclass
class Errors:
    """Errors of all quantities on a number of frames."""

    quantities: tuple[Quantity, ...] = QUANTITIES
    num_frames: int = 0
    sums: dict[str, ErrorSum] = field(default_factory=dict)

    def add(self, quantity: Quantity, difference: np.ndarray) -> None:
        """Count differences of a quantity."""
        self.sums.setdefault(quantity.suffix, ErrorSum()).add(difference)

    def __getitem__(self, quantity: Quantity) -> ErrorSum:
        """Return the sums of a quantity; empty ones where no frame has the label."""
        return self.sums.get(quantity.suffix, ErrorSum())

    def include(self, other: Errors) -> None:
        """Add the sums of other frames."""
        self.num_frames += other.num_frames
        for name, one in other.sums.items():
            total = self.sums.setdefault(name, ErrorSum())
            total.count += one.count
            total.absolute += one.absolute
            total.square += one.square

    def lines(self, title: str) -> list[str]:
        """Return a table of the errors."""
        lines = [f"{title}: {self.num_frames} frames", f"{'':18}{'MAE':>14}{'RMSE':>14}"]
        for quantity in self.quantities:
            found = self[quantity]
            if found.count:
                numbers = f"{found.mae:14.6e}{found.rmse:14.6e}  {quantity.unit}"
            else:
                numbers = f"{'no labels':>14}"
            lines.append(f"  {quantity.title:16}{numbers}")
        return lines
