"""Pairs of atoms within the cut-off, and their order by types (core/geometry).

Letters: F frames, N centre atoms, N_all atoms with ghosts, P pairs, T types.
"""

from __future__ import annotations

from typing import NamedTuple

from deeptf.ops.library import library
from deeptf.tf import tf


class SortedPairs(NamedTuple):
    """Pairs in blocks of (neighbour type, centre type); N_real and P' leave virtual atoms out."""

    atom_order: tf.Tensor  # [N_real] centres, stably sorted by type
    atom_count: tf.Tensor  # [T] centres of each type
    neighbor_count: tf.Tensor  # [N_real, T] neighbours by type; rows in the order of atom_order
    pair_count: tf.Tensor  # [T, T] pairs of each block; neighbour type first
    centre: tf.Tensor  # [P'] atom index
    neighbor: tf.Tensor  # [P'] atom index
    displacement: tf.Tensor  # [P', 3] A


def neighbor_pairs(
    coord: tf.Tensor, cell: tf.Tensor, atom_type: tf.Tensor, frame_row: tf.Tensor, rcut: float
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Find all pairs closer than rcut, images included.

    coord [N, 3] A; cell [F, 3, 3] A, rows are cell vectors, zeros for no cell; atom_type [N], below
    0 for virtual atoms, which have no pairs; frame_row [F + 1] first atom of each frame.
    Returns row [N + 1], neighbor [P] and displacement [P, 3] = r_neighbor - r_centre (+ image), for
    each centre sorted by (neighbour type, neighbour index, image).
    Errors: a cell without volume, coordinates that are not finite, atoms on top of each other.
    """
    return tuple(library().neighbor_pairs(coord, cell, atom_type, frame_row, rcut))


def sort_pairs(
    row: tf.Tensor,
    neighbor: tf.Tensor,
    displacement: tf.Tensor,
    atom_type: tf.Tensor,
    num_types: int,
) -> SortedPairs:
    """Sort pairs by (neighbour type, centre type, centre); pairs with a virtual atom drop out.

    row [N + 1], neighbor [P] (below N_all), displacement [P, 3] A, atom_type [N_all].
    Errors: a displacement between real atoms that is not finite or shorter than 1e-6 A.
    """
    return SortedPairs(
        *library().sort_pairs(row, neighbor, displacement, atom_type, num_types=num_types)
    )
