"""What the log says of a step: one number a column, and their names and units."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase import units

from deeptf.infer.ensemble import Ensemble
from deeptf.infer.md.integrator import BAR, Integrator

if TYPE_CHECKING:
    from deeptf.infer.ase import DP

COLUMNS = {  # unit of each
    "step": "",
    "time": "ps",
    "temperature": "K",
    "pressure": "bar",
    "potential": "eV",
    "total": "eV",
    "drift": "meV/atom",
    "volume": "A^3",
    "deviation": "eV/A",
    "outside": "pairs",
}


class Sampler:
    """Takes samples of a run.

    drift : by how much the conserved energy of the integrator has changed since `conserved_start`,
        which the first sample sets where it is None; NaN where nothing is conserved
    deviation : the largest one of the force on an atom (deviation.py), NaN for one model; only here
        all models are evaluated, the first one drives the run
    outside : evaluations of pairs closer than the data of the first model, since the last sample
    """

    def __init__(self, integrator: Integrator, calculator: DP, ensemble: Ensemble) -> None:
        self.conserved_start: float | None = None
        self._integrator, self._calculator, self._ensemble = integrator, calculator, ensemble
        self._outside = self._count()

    def take(self, step: int, timestep: float) -> dict[str, float]:
        """Return a number for each of COLUMNS; timestep in fs."""
        atoms = self._integrator.dynamics.atoms
        conserved = self._integrator.conserved_energy()
        if self.conserved_start is None:
            self.conserved_start = conserved
        kinetic, potential = atoms.get_kinetic_energy(), atoms.get_potential_energy()
        before, self._outside = self._outside, self._count()
        return {
            "step": step,
            "time": step * timestep / 1000,
            "temperature": 2 * kinetic / (self._integrator.degrees * units.kB),
            "pressure": self._pressure(),
            "potential": potential,
            "total": potential + kinetic,
            "drift": 1000 * (conserved - self.conserved_start) / len(atoms),
            "volume": atoms.cell.volume if atoms.pbc.all() else np.nan,
            "deviation": self._deviation(),
            "outside": self._outside - before,
        }

    def _pressure(self) -> float:
        """Return the pressure in bar, that of the velocities included; NaN for an open system."""
        atoms = self._integrator.dynamics.atoms
        if not atoms.pbc.all():
            return np.nan
        return -atoms.get_stress(include_ideal_gas=True)[:3].mean() / BAR

    def _deviation(self) -> float:
        if len(self._ensemble.models) == 1:
            return np.nan
        atoms = self._integrator.dynamics.atoms
        return self._ensemble.deviation(**self._calculator.frame(atoms)).force.max()

    def _count(self) -> int:
        outside = self._calculator.pot.outside
        return 0 if outside is None else -(-int(outside.count.sum()) // 2)


def header() -> str:
    """Return the first line of a log."""
    names = [f"{name}[{unit}]" if unit else name for name, unit in COLUMNS.items()]
    return "#" + " ".join(f"{name:>18s}" for name in names)[1:] + "\n"


def line(sample: dict[str, float]) -> str:
    """Return a line of a log; numbers as they are, so that the line can be compared."""
    return " ".join(f"{sample[name]:18.10g}" for name in COLUMNS) + "\n"


def parts(sample: dict[str, float]) -> list[str]:
    """Return what is said of a sample while the run goes on."""
    texts = {
        "T": f"{sample['temperature']:.1f} K",
        "p": f"{sample['pressure']:.0f} bar",
        "E": f"{sample['total']:.6g} eV",
        "drift": f"{sample['drift']:.3g} meV/atom",
        "deviation": f"{sample['deviation']:.3g} eV/A",
    }
    said = [f"{name} {text}" for name, text in texts.items() if not text.startswith("nan")]
    return said + ([f"outside {sample['outside']}"] if sample["outside"] else [])


def read_log(path: Path) -> dict[str, np.ndarray]:
    """Return the columns of a log."""
    table = np.loadtxt(path, ndmin=2)
    return dict(zip(COLUMNS, table.T, strict=True))
