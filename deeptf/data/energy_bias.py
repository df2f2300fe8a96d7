"""Energy bias per atom type, and mean and spread of frame and atom parameters.

The bias is the least-squares solution of  sum_t n_ft b_t = E_f  over all frames f with an energy,
each as often as it comes in an epoch, and the one of smallest norm where compositions do not tell
types apart. Given energies are kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeptf.data.system import System

FAR = 10.0  # eV an atom; cohesion has less
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


def tell_far_energies(
    training: Sequence[System], validation: Sequence[System], num_types: int
) -> None:
    """Print how many frames have an energy that is FAR from what their composition says.

    That is the bias of the training data, and the median of what is left of it.
    """
    systems = [*training, *validation]
    bias = energy_bias(training, num_types)
    left = []
    for system in systems:
        energy, frames = system.energies()
        count = system.compositions(num_types)[frames]
        left.append((energy - count @ bias) / np.maximum(count.sum(axis=1), 1))
    trained = np.concatenate([np.zeros(0), *left[: len(training)]])
    middle = np.median(trained) if len(trained) else 0.0
    far = [np.flatnonzero(np.abs(values - middle) > FAR) for values in left]
    first = next((k for k, found in enumerate(far) if len(found)), None)
    if first is None:
        return
    place, system, number = far[first][0], systems[first], sum(map(len, far))
    print(
        f"note: energies of {number} frame{'s' if number > 1 else ''} are more than {FAR:g} "
        "eV/atom away from what compositions say, frame "
        f"{system.energies()[1][place]} of {system.path} by {left[first][place] - middle:.4g} "
        "eV/atom: are they in eV, and of these types?"
    )


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
