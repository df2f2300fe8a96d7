"""The pairs of each centre one behind the other, whatever their types.

Sorted pairs lie in blocks of two types. Where one net serves all pairs, and where the pairs of a
centre attend to each other, the pairs of a centre are wanted together; those of types that are left
out drop out on the way.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from deeptf.ops.pairs import SortedPairs
from deeptf.tf import tf


class PairsByCentre(NamedTuple):
    """P' pairs that count, by centre, and within one in the order of their types."""

    place: tf.Tensor  # [P'] of each among the sorted pairs
    count: tf.Tensor  # [N_real] pairs of each centre
    neighbor_type: tf.Tensor  # [P']
    centre_type: tf.Tensor  # [P']


class Neighbourhoods(NamedTuple):
    """What the centres see: one value for each pair, and for places without a neighbour.

    All of it is in the precision of the nets.
    """

    count: tf.Tensor  # [N_real] pairs of each centre, which lie one behind the other
    rows: tf.Tensor  # [P', 4] normalised environment rows
    value: tf.Tensor  # [P', M] G
    share: tf.Tensor | None  # [P'] of a pair, 0 at the cut-off, in smooth models
    absent: tf.Tensor  # [N_real] places without a pair that counts; negative beyond `sel`
    empty_value: tf.Tensor  # [T, M] G of a place without a neighbour, by type of the centre


def by_centre(pairs: SortedPairs, allowed: np.ndarray) -> PairsByCentre:
    """Return the pairs of the blocks that are `allowed` [T, T] (neighbour type first)."""
    num_types = len(allowed)
    centre_type = tf.repeat(tf.range(num_types), pairs.atom_count)  # [N_real]
    counted = tf.gather(tf.constant(allowed.T.astype(np.int32)), centre_type)  # [N_real, T]
    count = tf.reshape(pairs.neighbor_count * counted, [-1])  # [N_real T]
    shift = tf.reshape(pairs.first_pair, [-1]) - tf.cumsum(count, exclusive=True)
    total = tf.reduce_sum(count)
    types = tf.tile(tf.range(num_types), [tf.size(centre_type)])
    of_centre = tf.reduce_sum(tf.reshape(count, [-1, num_types]), axis=1)
    return PairsByCentre(
        tf.range(total) + tf.repeat(shift, count),
        of_centre,
        tf.repeat(types, count),
        tf.repeat(centre_type, of_centre),
    )
