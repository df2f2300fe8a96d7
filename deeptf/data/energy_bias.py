"""Energy bias per atom type, and mean and spread of frame and atom parameters.

The bias is the least-squares solution of  sum_t n_ft b_t = E_f  over all frames f with an energy,
each as often as it comes in an epoch, and the one of smallest norm where compositions do not tell
types apart. Given energies are kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeptf.data.system import System

Energies = tuple[np.ndarray, np.ndarray]  # [n] eV, and the numbers of their frames in a system


def energy_bias(
    systems: Sequence[System],
    num_types: int,
    atom_ener: Sequence[float | None] = (),
    rcond: float | None = None,
) -> np.ndarray:
    """Return the energy of an atom of each type in eV, [T]; 0 for types that no frame has.

    atom_ener : energies that are given, None for types to fit; empty means all to fit.
    rcond : singular values below rcond times the largest one count as 0.
    """
    given = [None] * num_types if not atom_ener else list(atom_ener)
    if len(given) != num_types:
        raise ValueError(
            f"`atom_ener` must have one entry for each of {num_types} types, got {given}"
        )
    bias = np.array([0.0 if value is None else value for value in given])
    free = np.array([value is None for value in given])
    left = []
    for system in systems:
        energy, frames = system.energies()
        left.append((energy - system.compositions(num_types)[frames] @ bias, frames))
    return bias + solve_energies(systems, left, free, rcond)


def solve_energies(
    systems: Sequence[System],
    energies: Sequence[Energies],
    free: np.ndarray,
    rcond: float | None = None,
) -> np.ndarray:
    """Return the energy of an atom of each type in eV that fits energies of frames best, [T].

    energies : of each system
    free : [T] whether a type may have one; others have 0
    """
    compositions, values, copies = [np.zeros((0, len(free)))], [np.zeros(0)], [np.zeros(0)]
    for system, (energy, frames) in zip(systems, energies, strict=True):
        compositions.append(system.compositions(len(free))[frames])
        values.append(energy)
        copies.append(system.copies[frames])
    count, energy, weight = map(np.concatenate, (compositions, values, copies))
    found = np.zeros(len(free))
    if len(energy) and free.any():
        found[free] = _least_squares(count[:, free], energy, weight, rcond)
    return found


def parameter_statistics(
    systems: Sequence[System], name: str, protect: float = 0.01
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and stddev (at least `protect`) of "fparam" or "aparam" over all frames."""
    values = np.concatenate([system.parameters(name) for system in systems])
    return values.mean(axis=0), np.maximum(values.std(axis=0), protect)


def _least_squares(
    count: np.ndarray, energy: np.ndarray, copies: np.ndarray, rcond: float | None
) -> np.ndarray:
    """Solve with one equation per composition, weighted by its number of frames."""
    unique, which = np.unique(count, axis=0, return_inverse=True)
    number = np.bincount(which.ravel(), copies)
    mean = np.bincount(which.ravel(), energy * copies) / number
    weight = np.sqrt(number)
    return np.linalg.lstsq(unique * weight[:, None], mean * weight, rcond=rcond)[0]
