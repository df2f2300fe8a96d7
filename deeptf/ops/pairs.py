"""Pairs of atoms within the cut-off, and their order by types (core/geometry).

Letters: F frames, N centre atoms, N_all atoms with ghosts, P pairs, T types.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from deeptf.ops.library import library
from deeptf.tf import tf

ANYWHERE = 1e6  # A, a cut-off that no pair of atoms reaches


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


def pairs_of_present(
    coord: tf.Tensor,
    cell: tf.Tensor,
    atom_type: tf.Tensor,
    frame_row: tf.Tensor,
    present: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Find all pairs of atoms that are there, however far apart.

    present [N, 1]: 1 for an atom that is there, 0 for one that is not; the rest is as in
    neighbor_pairs.
    Errors: a frame with a cell; another number in `present`; those of neighbor_pairs.
    """
    frame = _first(tf.reduce_any(tf.not_equal(cell, 0.0), axis=[1, 2]))
    cells = [
        "frame ",
        tf.as_string(frame),
        ": `cell` must be zeros, or be left out: a model with a mask of atoms sees all atoms, and "
        "no images of them; in a system the file `nopbc` says so",
    ]
    there = tf.equal(present[:, 0], 1.0)
    wrong = tf.not_equal(present[:, 0], tf.cast(there, present.dtype))
    atom = _first(wrong)
    of_atom = tf.searchsorted(frame_row[1:], [atom], side="right")[0]
    numbers = [
        "frame ",
        tf.as_string(of_atom),
        ", atom ",
        tf.as_string(atom - frame_row[of_atom]),
        ": `aparam` must be 1 for an atom that is there and 0 for another, got ",
        tf.as_string(tf.pad(present[:, 0], [[0, 1]])[atom], shortest=True),
    ]
    checks = [
        tf.raw_ops.Assert(condition=right, data=[tf.strings.join(message)])
        for right, message in (
            (tf.reduce_all(tf.equal(cell, 0.0)), cells),
            (tf.logical_not(tf.reduce_any(wrong)), numbers),
        )
    ]
    with tf.control_dependencies(checks):
        real = tf.where(there, atom_type, tf.fill(tf.shape(atom_type), -1))
    return neighbor_pairs(coord, cell, real, frame_row, ANYWHERE)


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


def of_centres(values: tf.Tensor, pairs: SortedPairs) -> tf.Tensor:
    """Return for each pair the row of its centre, [P, k].

    values : [N_real, k] float64. Differentiable once, with dense gradients.
    """
    number = tf.shape(pairs.pair_row)[0] - 1  # of atoms

    @tf.custom_gradient
    def take(given: tf.Tensor) -> tuple[tf.Tensor, Any]:
        def grad(upper: tf.Tensor) -> tf.Tensor:
            sums = tf.math.unsorted_segment_sum(upper, pairs.centre, number)
            return tf.gather(sums, pairs.atom_order)

        shape = tf.stack([number, tf.shape(given)[1]])
        of_atoms = tf.scatter_nd(pairs.atom_order[:, None], given, shape)
        return tf.gather(of_atoms, pairs.centre), grad

    return take(values)


def _first(wrong: tf.Tensor) -> tf.Tensor:
    """Return the place of the first of `wrong` [n] that is true; 0 where none is."""
    return tf.argmax(tf.pad(tf.cast(wrong, tf.int32), [[0, 1]]), output_type=tf.int32)
