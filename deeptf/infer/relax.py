"""`deeptf relax`: atoms, and the cell, to where no force acts on them (LBFGS).

The cell moves with the atoms (UnitCellFilter: with the logarithm of its deformation in the place of
the deformation itself it takes the same steps, and scipy most of the time). It
counts as relaxed where stress times volume is below `fmax` too, in eV.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase.filters import UnitCellFilter
from ase.io import write
from ase.io.formats import UnknownFileTypeError, filetype, ioformats
from ase.optimize import LBFGS

from deeptf.infer.deep_pot import DeepPot
from deeptf.infer.md.integrator import BAR
from deeptf.infer.structure import check_cell, check_new, open_structure

if TYPE_CHECKING:
    from ase import Atoms


def relax(
    structure: str | Path,
    model: str | Path,
    output: str | Path,
    *,
    cell: bool = False,
    pressure: float = 0.0,
    fmax: float = 0.01,
    steps: int = 1000,
    supercell: Sequence[int] = (1, 1, 1),
    threads: int | None = None,
) -> bool:
    """Relax the atoms in a file, write them to `output` and return whether no force is left.

    cell : relax the cell too, at `pressure` in bar
    fmax : largest force that may be left in eV/A
    steps : most steps
    supercell : copies of the cell along each of its vectors

    Raises ValueError and OSError with a message for the user.
    """
    output = Path(output)
    _check(output, fmax, steps, pressure)
    with DeepPot(model, threads) as pot:
        atoms = open_structure(structure, pot, supercell)
        if cell:
            check_cell(atoms, str(structure), "a cell that relaxes")
        start = atoms.get_potential_energy()
        target = UnitCellFilter(atoms, scalar_pressure=pressure * BAR) if cell else atoms
        converged = False
        optimizer = LBFGS(target, logfile=None)
        for relaxed in optimizer.irun(fmax, steps):
            print(_line(optimizer.nsteps, atoms), flush=True)
            converged = bool(relaxed)
        output.parent.mkdir(parents=True, exist_ok=True)
        write(output, atoms)
        gained = atoms.get_potential_energy() - start
    state = "relaxed" if converged else f"not relaxed to {fmax:g} eV/A in {steps} steps"
    print(f"{output}: {state}, energy {gained:+.6g} eV from the start", flush=True)
    return converged


def _line(step: int, atoms: Atoms) -> str:
    force = np.linalg.norm(atoms.get_forces(), axis=1).max(initial=0.0)
    parts = [
        f"step {step:5d}",
        f"E {atoms.get_potential_energy():.6f} eV",
        f"largest force {force:.4f} eV/A",
    ]
    if atoms.pbc.all() and atoms.cell.volume:
        parts.append(f"p {-atoms.get_stress()[:3].mean() / BAR:.0f} bar")
        parts.append(f"V {atoms.cell.volume:.3f} A^3")
    return " | ".join(parts)


def _check(output: Path, fmax: float, steps: int, pressure: float) -> None:
    """Raise ValueError before the work where it could not be done, or not be written."""
    if not 0 < fmax < math.inf:
        raise ValueError(f"`fmax` must be a positive force in eV/A, got {fmax}")
    if steps < 0:
        raise ValueError(f"`steps` must be at least 0, got {steps}")
    if not math.isfinite(pressure):
        raise ValueError(f"`pressure` must be a number of bar, got {pressure}")
    check_new(output)
    try:
        known = ioformats[filetype(str(output), read=False)].can_write
    except (UnknownFileTypeError, KeyError):  # no name like a file of a format; no such format
        known = False
    if not known:
        raise ValueError(
            f"`output` must end as a format that ASE writes, such as .extxyz, .cif or .vasp, got "
            f"{output}"
        )
