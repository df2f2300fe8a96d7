"""Nearest neighbours of an atom in a frame of axes that three atoms span (loc_frame.py).

Which neighbours fill the places and span the axes is a choice; what follows from it is plain
TensorFlow, so that forces, virials and the gradients of a loss on them are exact derivatives.

A place is for the n-th nearest neighbour of a type; of each type the first sel_a places are angular
and the next sel_r radial. A rule (class, type, rank) names the candidates for an axis, of which it
takes the rank-th nearest: the angular (class 0) or radial (class 1) places of its type. A negative
type means the three first ones of every type, but for one: -(type + 1) in class 0, -type in class 1
(as models that others have trained have it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from deeptf.ops.pairs import SortedPairs
from deeptf.tf import tf

ANGULAR, RADIAL = 0, 1
OF_EACH = 3  # candidates of each type where a rule leaves one type out
ON_LINE = 1e-6  # sine of two axes, of which smaller ones do not tell a plane
OPPOSITE = 1e-4  # above -1, the cosine of two axes; closer ones have the next atom for the second


class Rule(NamedTuple):
    """Which neighbour an axis points to."""

    row_class: int
    type: int
    rank: int


class Place(NamedTuple):
    """The number-th nearest neighbour of a type among the places of a class."""

    row_class: int
    type: int
    number: int


@dataclass(frozen=True)
class Layout:
    """Places of a centre, the angular ones first; both classes by type and number."""

    sel_a: tuple[int, ...]
    sel_r: tuple[int, ...]

    @property
    def places(self) -> list[Place]:
        """The places in their order."""
        return [
            Place(row_class, t, number)
            for row_class, sel in ((ANGULAR, self.sel_a), (RADIAL, self.sel_r))
            for t, n in enumerate(sel)
            for number in range(n)
        ]

    @property
    def depth(self) -> int:
        """The largest number of places of a type."""
        return max(a + r for a, r in zip(self.sel_a, self.sel_r, strict=True))

    def order(self) -> list[int]:
        """Return for each place how many neighbours, by (type, distance), come before it.

        Types count `depth` neighbours each.
        """
        first = {ANGULAR: [0] * len(self.sel_a), RADIAL: self.sel_a}
        return [p.type * self.depth + first[p.row_class][p.type] + p.number for p in self.places]

    def candidates(self, rule: Rule) -> np.ndarray:
        """Return which places a rule chooses from, [S]."""
        left_out = -(rule.type + 1) if rule.row_class == ANGULAR else -rule.type
        return np.array(
            [
                place.row_class == rule.row_class
                and (
                    place.type == rule.type
                    if rule.type >= 0
                    else place.type != left_out and place.number < OF_EACH
                )
                for place in self.places
            ]
        )


class LocalRows(NamedTuple):
    """What local frames give; real atoms sorted by type, S places."""

    rows: tf.Tensor  # [N_real, width] before it is normalised, 1/A
    lack: tf.Tensor  # [N_real] 0; 1 or 2: that axis has no atom; 3: both axes on one line


def local_rows(
    pairs: SortedPairs, layout: Layout, rules: tuple[tuple[Rule, ...], ...], rcut: float
) -> LocalRows:
    """Return (1/r, z'/r^2, x'/r^2, y'/r^2) of the angular places, then 1/r of the radial ones.

    x', y', z' are the components of the displacement along e1, e2, e3; a place without a neighbour
    closer than rcut in A has zeros. Of equally distant neighbours the first one comes first.

    rules : of both axes, by type of the centre.
    """
    vectors, squared = _nearest(pairs, layout, rcut)
    axes, lack = _axes(pairs, layout, rules, vectors, squared)
    filled = tf.math.is_finite(squared)
    inverse = tf.where_v2(filled, tf.reduce_sum(vectors**2, axis=2), 1.0) ** -0.5
    inverse = tf.where_v2(filled, inverse, 0.0)
    angular = sum(layout.sel_a)
    along = (
        tf.matmul(vectors[:, :angular], axes, transpose_b=True) * inverse[:, :angular, None] ** 2
    )
    parts = [inverse[:, :angular], along[..., 2], along[..., 0], along[..., 1]]
    rows = tf.reshape(tf.stack(parts, axis=2), [-1, 4 * angular])
    return LocalRows(tf.concat([rows, inverse[:, angular:]], axis=1), lack)


def _nearest(pairs: SortedPairs, layout: Layout, rcut: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Return displacements [N_real, S, 3] and squared distances [N_real, S] of the places.

    Without a neighbour they are 0 and infinite.
    """
    squared = tf.reduce_sum(tf.stop_gradient(pairs.displacement) ** 2, axis=1)
    squared = tf.where_v2(squared < rcut**2, squared, np.inf)
    none = tf.shape(squared)[0]  # index of no pair
    squared = tf.concat([squared, [np.inf]], axis=0)
    number = tf.range(tf.maximum(tf.reduce_max(pairs.neighbor_count), layout.depth))
    index = pairs.first_pair[..., None] + number
    index = tf.where(
        number < pairs.neighbor_count[..., None], index, tf.fill(tf.shape(index), none)
    )
    near = tf.math.top_k(-tf.gather(squared, index), layout.depth)  # of equal ones the first
    index = tf.gather(index, near.indices, batch_dims=2)
    types = len(layout.sel_a)
    index = tf.gather(tf.reshape(index, [-1, types * layout.depth]), layout.order(), axis=1)
    squared = tf.gather(squared, index)
    index = tf.where_v2(tf.math.is_finite(squared), index, none)
    displacement = tf.pad(pairs.displacement, [[0, 1], [0, 0]])
    return tf.gather_nd(displacement, index[..., None]), squared


def _axes(
    pairs: SortedPairs,
    layout: Layout,
    rules: tuple[tuple[Rule, ...], ...],
    vectors: tf.Tensor,
    squared: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return e1, e2, e3 as rows [N_real, 3, 3], and what they lack [N_real]."""
    (to_first, _), (has_first, _) = _axis(pairs, layout, rules, 0, vectors, squared)
    (to_second, to_next), (has_second, has_next) = _axis(pairs, layout, rules, 1, vectors, squared)
    product, first_square, second_square = (
        tf.stop_gradient(tf.reduce_sum(a * b, axis=1))
        for a, b in ((to_first, to_second), (to_first, to_first), (to_second, to_second))
    )
    cosine = tf.math.divide_no_nan(product, tf.sqrt(first_square * second_square))
    opposite = cosine < OPPOSITE - 1.0
    to_second = tf.where_v2(opposite[:, None], to_next, to_second)
    has_second = tf.where_v2(opposite, has_next, has_second)
    first = tf.math.l2_normalize(to_first, axis=1, epsilon=0.0)
    across = to_second - tf.reduce_sum(to_second * first, axis=1, keepdims=True) * first
    second = tf.math.l2_normalize(across, axis=1, epsilon=0.0)
    axes = tf.stack([first, second, tf.linalg.cross(first, second)], axis=1)
    height, length = (
        tf.stop_gradient(tf.reduce_sum(vector**2, axis=1)) for vector in (across, to_second)
    )
    lack = tf.where_v2(height > ON_LINE**2 * length, 0, 3)
    for number, there in ((2, has_second), (1, has_first)):
        lack = tf.where_v2(there, lack, number)
    return axes, lack


def _axis(
    pairs: SortedPairs,
    layout: Layout,
    rules: tuple[tuple[Rule, ...], ...],
    axis: int,
    vectors: tf.Tensor,
    squared: tf.Tensor,
) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
    """Return the displacements [N_real, 3] of the atom of an axis and of the next nearest one.

    And whether these are there, [N_real].
    """
    own = [both[axis] for both in rules]
    depth = max(rule.rank for rule in own) + 2
    candidate = tf.repeat(
        np.stack([layout.candidates(rule) for rule in own]), pairs.atom_count, axis=0
    )
    rank = tf.repeat([rule.rank for rule in own], pairs.atom_count)
    distance = tf.where_v2(candidate, squared, np.inf)
    distance = tf.pad(distance, [[0, 0], [0, depth]], constant_values=np.inf)
    near = tf.math.top_k(-distance, depth)  # of equal ones the first
    found, there = [], []
    for k in (rank, rank + 1):
        place = tf.gather(near.indices, k, batch_dims=1)
        chosen = tf.one_hot(place, len(layout.places), dtype=vectors.dtype)
        found.append(tf.reduce_sum(chosen[..., None] * vectors, axis=1))
        there.append(tf.math.is_finite(tf.gather(near.values, k, batch_dims=1)))
    return found, there


def complete(
    found: LocalRows, pairs: SortedPairs, lacks: list[str], frame_row: tf.Tensor | None = None
) -> tf.Tensor:
    """Return the rows; where an atom lacks an axis, an error that names it instead.

    frame_row : [F + 1] for a message that names the frame, and counts atoms in it.
    """
    types = int(pairs.atom_count.shape[0])
    centre_type = tf.repeat(tf.range(types), pairs.atom_count)
    first = tf.argmax(tf.pad(found.lack, [[0, 1]]) > 0)  # or of no atom
    text = tf.pad(len(lacks) // types * centre_type + found.lack, [[0, 1]])[first]
    atom, place = tf.pad(pairs.atom_order, [[0, 1]])[first], ""
    if frame_row is not None:
        frame = tf.searchsorted(frame_row[1:], [atom], side="right")[0]
        atom -= tf.pad(frame_row, [[0, 1]])[frame]
        place = tf.strings.join(["frame ", tf.as_string(frame), ", "])
    message = tf.strings.join([place, "atom ", tf.as_string(atom), ": ", tf.gather(lacks, text)])
    whole = tf.reduce_all(tf.equal(found.lack, 0))
    with tf.control_dependencies([tf.raw_ops.Assert(condition=whole, data=[message])]):
        return tf.identity(found.rows)
