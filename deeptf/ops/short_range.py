"""Numbers of each centre that its pairs decide (core/short_range/centre_pairs.h).

Each comes with its gradient in the displacements of all pairs, of which those of its own centre
alone matter to it. There is nothing to train in them, so that the training of forces needs no
further derivative, and there is none.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from deeptf.ops.gradients import unavailable
from deeptf.ops.library import library
from deeptf.ops.pairs import SortedPairs
from deeptf.tf import tf


class CentreValues(NamedTuple):
    """A number of each centre, float64, and its gradient in the displacements of its pairs."""

    value: tf.Tensor  # [N_real]
    pair_gradient: tf.Tensor  # [P, 3]


def pair_table_energies(
    pairs: SortedPairs,
    atom_type: tf.Tensor,
    frame_row: tf.Tensor,
    nodes: tf.Tensor | np.ndarray,
    grid: tf.Tensor | np.ndarray,
) -> CentreValues:
    """Return energies 1/2 sum_j u(r_ij) of centres in eV, with cubics between the nodes of a table.

    nodes : [T (T + 1) / 2, n, 2] u and its slope times the step, by types (0, 0), (0, 1) ... (1, 1)
    grid : [3] A, first distance, step, and the cut-off, from which on u is 0
    Errors: a pair closer than the first distance, by frame, atoms and distance.
    """
    where = pairs.centre, pairs.neighbor, frame_row
    return CentreValues(
        *library().pair_table_energy(*_given(pairs, atom_type), nodes, grid, *where)
    )


def zbl_energies(
    pairs: SortedPairs,
    atom_type: tf.Tensor,
    atomic_number: tf.Tensor | np.ndarray,
    ends: tuple[float, float],
) -> CentreValues:
    """Return half of the ZBL energies of the pairs of each centre, see core's pair_functions.h.

    atomic_number : [T]
    ends : distances in A from which on they are switched off, and are 0
    """
    given = _given(pairs, atom_type)
    return CentreValues(*library().zbl_energy(*given, atomic_number, ends))


def soft_minimum(
    pairs: SortedPairs, atom_type: tf.Tensor, lengths: tuple[float, float, float]
) -> CentreValues:
    """Return s(d_i) from 0 to 1 of the soft minimum d_i of the distances of each centre.

    lengths : A; alpha of the minimum, and the distances up to which s is 1 and from which on it is
        0. Without neighbours it is 0.
    """
    return CentreValues(*library().soft_minimum(*_given(pairs, atom_type), lengths))


def _given(pairs: SortedPairs, atom_type: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """Return what all of them take: displacements, and the pairs of each centre by type."""
    types = tf.gather(atom_type, pairs.atom_order)
    return pairs.displacement, types, pairs.neighbor_count, pairs.first_pair


def _no_gradient(op: tf.Operation, *grads: tf.Tensor) -> list[tf.Tensor | None]:
    what = f"derivative through {op.type}, which gives its own"
    return [unavailable(op.inputs[0], what)] + [None] * (len(op.inputs) - 1)


for _op in ("PairTableEnergy", "ZblEnergy", "SoftMinimum"):
    tf.RegisterGradient(_op)(_no_gradient)
