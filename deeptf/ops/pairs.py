"""Pairs of atoms within the cut-off, and their order by types (core/geometry).

Letters: F frames, N centre atoms, N_all atoms with ghosts, P pairs, T types.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from deeptf.ops.library import library
from deeptf.tf import tf


class SortedPairs(NamedTuple):
    """Pairs in blocks of (neighbour type, centre type), and where those of an atom lie.

    N_real and P' leave out virtual atoms, and centres that are not owned.
    """

    atom_order: tf.Tensor  # [N_real] centres, stably sorted by type
    atom_count: tf.Tensor  # [T] centres of each type
    neighbor_count: tf.Tensor  # [N_real, T] neighbours by type; rows in the order of atom_order
    pair_count: tf.Tensor  # [T, T] pairs of each block; neighbour type first
    centre: tf.Tensor  # [P'] index among all centres, before they are sorted
    neighbor: tf.Tensor  # [P'] index among all atoms, as in atom_type
    displacement: tf.Tensor  # [P', 3] A
    first_pair: tf.Tensor  # [N_real, T] first of the pairs that neighbor_count counts
    pair_row: tf.Tensor  # [N_all + 1] first place in pair_of of each atom as the neighbour
    pair_of: tf.Tensor  # [P'] pairs by neighbour; those of one neighbour ascend


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
    num_owned: tf.Tensor | None = None,
) -> SortedPairs:
    """Sort pairs by (neighbour type, centre type, centre); pairs with a virtual atom drop out.

    row [N + 1], neighbor [P] (below N_all), displacement [P, 3] A, atom_type [N_all]. Of the
    centres the first num_owned count, all of them by default; others drop out with their pairs and
    are neighbours only.
    Errors: a displacement between real atoms that is not finite or shorter than 1e-6 A; num_owned
    below 0 or above N.
    """
    if num_owned is None:
        num_owned = tf.shape(row)[0] - 1
    return SortedPairs(
        *library().sort_pairs(
            row, neighbor, displacement, atom_type, num_owned, num_types=num_types
        )
    )


def pairs_within(pairs: SortedPairs, rcut: float) -> SortedPairs:
    """Return the pairs closer than rcut in A, in their order.

    Differentiable any number of times in the displacement, with dense gradients.
    """
    near = tf.reduce_sum(pairs.displacement**2, axis=1) < rcut**2
    index = tf.where(near)
    before = tf.cumsum(tf.pad(tf.cast(near, tf.int32), [[1, 0]]))  # near pairs before each

    @tf.custom_gradient
    def take(values: tf.Tensor) -> tuple[tf.Tensor, Any]:
        shape = tf.shape(values, out_type=tf.int64)
        return tf.gather_nd(values, index), lambda grad: tf.scatter_nd(index, grad, shape)

    def number(first: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        return tf.gather(before, first + count) - tf.gather(before, first)

    blocks = tf.reshape(pairs.pair_count, [-1])
    pair_count = number(tf.cumsum(blocks, exclusive=True), blocks)
    of_neighbor = tf.gather(near, pairs.pair_of)
    row = tf.cumsum(tf.pad(tf.cast(of_neighbor, tf.int32), [[1, 0]]))
    return pairs._replace(
        neighbor_count=number(pairs.first_pair, pairs.neighbor_count),
        pair_count=tf.reshape(pair_count, tf.shape(pairs.pair_count)),
        centre=tf.gather_nd(pairs.centre, index),
        neighbor=tf.gather_nd(pairs.neighbor, index),
        displacement=take(pairs.displacement),
        first_pair=tf.gather(before, pairs.first_pair),
        pair_row=tf.gather(row, pairs.pair_row),
        pair_of=tf.boolean_mask(tf.gather(before, pairs.pair_of), of_neighbor),
    )
