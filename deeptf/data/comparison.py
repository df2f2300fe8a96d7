"""Predictions against labels: what is compared, and sums of errors over any number of batches.

    MAE = sum |d| / n      RMSE = sqrt(sum d^2 / n)      d = predicted - labelled

Every number counts once: an energy per frame, three force components per atom, nine of a virial.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from deeptf.data.batch import Batch
from deeptf.properties import DIPOLE, FRAME, Property

TENSOR = DIPOLE.key  # of all tensors of frames
TITLE_WIDTH = 16  # of the first column of a table


@dataclass(frozen=True)
class Quantity:
    """A property that is compared, as it is or divided by the number of atoms of its frame."""

    property: Property
    per_atom: bool = False

    @property
    def title(self) -> str:
        """Name in reports."""
        return self.property.title + (" per atom" if self.per_atom else "")

    @property
    def unit(self) -> str:
        """Unit of the numbers."""
        return self.property.unit + ("/atom" if self.per_atom else "")

    @property
    def suffix(self) -> str:
        """Name of its sums of errors, and in detail files (`PREFIX.e_peratom.out`)."""
        return self.property.key + ("_peratom" if self.per_atom else "")

    @property
    def file(self) -> str:
        """What detail files have behind their prefix."""
        return ".out" if self.suffix == TENSOR else f".{self.suffix}.out"


def quantities(rows: Sequence[Property]) -> tuple[Quantity, ...]:
    """Return what is compared of these properties; extensive ones per atom too."""
    found = []
    for row in rows:
        found += [Quantity(row), Quantity(row, True)] if row.extensive else [Quantity(row)]
    return tuple(found)


def compare(
    quantity: Quantity, batch: Batch, predicted: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and predictions [n, columns] of the frames of `batch` that have the label."""
    row = quantity.property
    chosen = batch.has[row.label] > 0  # [F]
    atoms = batch.atoms_per_frame
    if row.of != FRAME:
        chosen = np.repeat(chosen, atoms)  # [N]
        if row.types:  # others have none
            chosen &= np.isin(batch.atom_type, row.types)
    pair = []
    for value in (batch.labels[row.label], predicted[row.name]):
        rows = value.reshape(len(chosen), row.width)[chosen]
        pair.append(rows / atoms[chosen][:, None] if quantity.per_atom else rows)
    return pair[0], pair[1]


@dataclass
class ErrorSum:
    """Sums of the errors of one quantity."""

    count: int = 0
    absolute: float = 0.0
    square: float = 0.0
    largest: float = 0.0

    def add(self, difference: np.ndarray) -> None:
        """Count an array of differences."""
        self.count += difference.size
        self.absolute += float(np.abs(difference).sum())
        self.square += float((difference**2).sum())
        self.largest = max(self.largest, float(np.abs(difference).max(initial=0.0)))

    def include(self, other: ErrorSum) -> None:
        """Add the sums of other numbers."""
        self.count += other.count
        self.absolute += other.absolute
        self.square += other.square
        self.largest = max(self.largest, other.largest)

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
    """Errors of all quantities on a number of frames; `errors["e_peratom"]` are those of one."""

    quantities: tuple[Quantity, ...]
    num_frames: int = 0
    sums: dict[str, ErrorSum] = field(init=False)

    def __post_init__(self) -> None:
        self.sums = {quantity.suffix: ErrorSum() for quantity in self.quantities}

    def __getitem__(self, suffix: str) -> ErrorSum:
        """Return the sums of a quantity; empty ones where no frame has the label."""
        return self.sums[suffix]

    def include(self, other: Errors) -> None:
        """Add the sums of other frames."""
        self.num_frames += other.num_frames
        for suffix, found in other.sums.items():
            self.sums[suffix].include(found)

    def lines(self, title: str) -> list[str]:
        """Return a table of the errors."""
        width = max([TITLE_WIDTH, *(len(quantity.title) for quantity in self.quantities)])
        lines = [f"{title}: {self.num_frames} frames", f"{'':{width + 2}}{'MAE':>14}{'RMSE':>14}"]
        for quantity in self.quantities:
            found = self[quantity.suffix]
            if found.count:
                numbers = (
                    f"{found.mae:14.6e}{found.rmse:14.6e}  {quantity.unit or 'unit of the labels'}"
                )
            else:
                numbers = f"{'no labels':>14}"
            lines.append(f"  {quantity.title:{width}}{numbers}")
        return lines
