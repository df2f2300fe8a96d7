"""Stop a run whose atoms fly apart, and say which ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase import units

if TYPE_CHECKING:
    from ase import Atoms

FARTHEST = 0.5  # A in a step; hydrogen at 300 K moves 0.03 A in a long one of 1 fs
_MOST_NAMED = 5
ADVICE = (
    "relax the structure first (`deeptf relax`), take a shorter `timestep`, or train the model "
    "with configurations like these"
)


def check_step(atoms: Atoms, timestep: float) -> None:
    """Raise ValueError where an atom moves farther than FARTHEST in `timestep` (fs)."""
    speed = np.linalg.norm(atoms.get_velocities(), axis=1) * units.fs  # A/fs
    moves = speed * timestep
    if moves.max() <= FARTHEST:  # not so for NaN
        return
    far = np.flatnonzero(~(moves <= FARTHEST))
    order = far[np.argsort(-np.nan_to_num(moves[far], nan=np.inf), kind="stable")]
    symbols, force = atoms.get_chemical_symbols(), np.linalg.norm(atoms.get_forces(), axis=1)
    named = ", ".join(
        f"{symbols[i]} {i} ({moves[i]:.3g} A, force {force[i]:.3g} eV/A)"
        for i in order[:_MOST_NAMED]
    )
    raise ValueError(
        f"atoms must stay together, got {len(far)} of {len(atoms)} that move farther in it "
        f"than {FARTHEST} A: {named}, atoms counted from 0; {ADVICE}"
    )


def reason(atoms: Atoms, error: ValueError) -> str:
    """Return why a step failed with `error`: often since atoms had no finite places any more."""
    lost = ~np.isfinite(atoms.positions).all(axis=1)
    if not lost.any():
        return str(error)
    return (
        f"atoms must stay together, got {lost.sum()} of {len(atoms)} at places that are not "
        f"finite; {ADVICE}"
    )
