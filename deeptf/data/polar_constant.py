"""Constants of polarizabilities: how large that of an atom of each type is on average.

The tensors a_t [3, 3] are the least-squares solution of  sum_t n_bt a_t = P_b  over systems b, with
P_b the mean polarizability of a frame and n_bt the atoms of each type in it. A system that labels
the polarizabilities of atoms gives an equation for each type instead. The constant of a type is the
mean of the diagonal of a_t.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeptf.data.system import System
from deeptf.properties import ATOM_POLAR, POLAR

FRAMES = 1000  # of a system that are read, spread evenly


def polar_constant(systems: Sequence[System], types: Sequence[int]) -> np.ndarray:
    """Return the constant of each of the types, [n]; zeros where no data tell it."""
    counts, tensors = [np.zeros((0, len(types)))], [np.zeros((0, 9))]
    for system in systems:
        count, tensor = _equations(system, types)
        counts.append(count)
        tensors.append(tensor)
    count, tensor = np.concatenate(counts), np.concatenate(tensors)
    if not len(count):
        return np.zeros(len(types))
    solution = np.linalg.lstsq(count, tensor, rcond=None)[0]
    return solution.reshape(-1, 3, 3).trace(axis1=1, axis2=2) / 3


def _equations(system: System, types: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the atoms of each type [n, types] and the sums of their tensors [n, 9]."""
    frames = system.used_frames
    frames = frames[:: -(-len(frames) // FRAMES)]
    batch = system.batch(frames)
    own = batch.atom_type[:, None] == np.asarray(types)  # [N, types]
    frame = batch.frame_of_atom
    if batch.has[ATOM_POLAR.label].all():
        label = batch.labels[ATOM_POLAR.label]
        rows = [label[own[:, k]].sum(axis=0) / len(frames) for k in range(len(types))]
        return np.diag(own.sum(axis=0) / len(frames)), np.array(rows)
    if not batch.has[POLAR.label].all():
        return np.zeros((0, len(types))), np.zeros((0, 9))
    count = np.stack([np.bincount(frame, column, len(frames)) for column in own.T], axis=1)
    unique, which = np.unique(count, axis=0, return_inverse=True)
    total = np.zeros((len(unique), 9))
    np.add.at(total, which.ravel(), batch.labels[POLAR.label])
    return unique, total / np.bincount(which.ravel())[:, None]
