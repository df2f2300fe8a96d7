"""Sums over neighbours with embedding nets that are evaluated in full, on every pair.

The formula is in type_nets.py. This is the plain way, in TensorFlow, that tables have to match.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deeptf.model.descriptor.type_nets import TypeNets, empty_row
from deeptf.model.network import precision_of
from deeptf.model.parameters import Parameters
from deeptf.ops.moments import neighbor_sum
from deeptf.ops.pairs import SortedPairs
from deeptf.tf import tf


@dataclass(frozen=True)
class NetworkSums:
    """The sums S of descriptors with these settings and arrays."""

    own: TypeNets
    parameters: Parameters

    def of(self, pairs: SortedPairs, rows: tf.Tensor) -> tf.Tensor:
        """Return S [N_real, W, M] from the environment rows [P, W]."""
        rows = tf.cast(rows, precision_of(self.own.precision))
        if self.own.type_one_side and not self.own.exclude_types:
            return self._all_centres(pairs, rows)
        return self._each_centre_type(pairs, rows)

    def isolated(self) -> tf.Tensor:
        """Return S of an atom without neighbours of each type, [T, W, M]."""
        empty = empty_row(self.parameters)
        radial = []
        for centre in range(len(empty)):
            terms = [
                self.own.sel[t] * self._empty_value(empty[centre : centre + 1], centre, t)
                for t in range(len(empty))
                if not self.own.excludes(centre, t)
            ]
            zero = tf.zeros([1, self.own.neuron[-1]], precision_of(self.own.precision))
            radial.append(tf.add_n([zero, *terms]))
        return self._as_sums(tf.concat(radial, axis=0))

    def _all_centres(self, pairs: SortedPairs, rows: tf.Tensor) -> tf.Tensor:
        """Return S with one net per neighbour type, all centres at once."""
        empty = empty_row(self.parameters)
        num_types = len(empty)
        blocks = tf.split(rows, tf.reduce_sum(pairs.pair_count, axis=1), num=num_types)
        terms = []
        for t, block in enumerate(blocks):
            count = pairs.neighbor_count[:, t]
            terms.append(self._sum_neighbors(count, block, 0, t))
            if self._counts_empty(empty):
                value = self._empty_value(empty, 0, t)  # [T, M]
                value = tf.repeat(value, pairs.atom_count, axis=0)  # [N_real, M]
                terms.append(self._as_sums(self._missing(count, t) * value))
        return tf.add_n(terms)

    def _each_centre_type(self, pairs: SortedPairs, rows: tf.Tensor) -> tf.Tensor:
        """Return S with one net per pair of types (centre, neighbour)."""
        empty = empty_row(self.parameters)
        num_types = len(empty)
        blocks = tf.split(rows, tf.reshape(pairs.pair_count, [-1]), num=num_types**2)
        counts = tf.split(pairs.neighbor_count, pairs.atom_count, num=num_types)
        sums = []
        for centre, count in enumerate(counts):
            shape = [tf.shape(count)[0], self.own.columns, self.own.neuron[-1]]
            terms = [tf.zeros(shape, rows.dtype)]
            for t in range(num_types):
                if self.own.excludes(centre, t):
                    continue
                block = blocks[t * num_types + centre]
                terms.append(self._sum_neighbors(count[:, t], block, centre, t))
                if self._counts_empty(empty[centre]):
                    value = self._empty_value(empty[centre : centre + 1], centre, t)
                    terms.append(self._as_sums(self._missing(count[:, t], t) * value))
            sums.append(tf.add_n(terms))
        return tf.concat(sums, axis=0)

    def _sum_neighbors(
        self, count: tf.Tensor, rows: tf.Tensor, centre: int, neighbor: int
    ) -> tf.Tensor:
        """Return sum_j w_j (x) G(s~_j) of one block of pairs, [n, W, M]."""
        rows = tf.ensure_shape(rows, [None, self.own.columns])
        weight = rows if self.own.columns > 1 else tf.ones_like(rows)
        value = self.own.net(rows[:, :1], centre, neighbor, self.parameters)
        return neighbor_sum(count, weight, value)

    def _counts_empty(self, empty: np.ndarray) -> bool:
        """Return whether empty places with these s~_0 add anything to S."""
        return self.own.columns == 1 or bool(np.any(empty))

    def _missing(self, count: tf.Tensor, neighbor: int) -> tf.Tensor:
        """Return the number of empty places, sel - count (negative beyond `sel`), [n, 1]."""
        return tf.cast(self.own.sel[neighbor] - count, precision_of(self.own.precision))[:, None]

    def _empty_value(self, empty: np.ndarray, centre: int, neighbor: int) -> tf.Tensor:
        """Return w_0 G(s~_0) of one empty place for each row of `empty` [n, 1], [n, M]."""
        s = tf.constant(empty, precision_of(self.own.precision))
        value = self.own.net(s, centre, neighbor, self.parameters)
        return s * value if self.own.columns > 1 else value

    def _as_sums(self, radial: tf.Tensor) -> tf.Tensor:
        """Return [n, W, M] whose first row is `radial` [n, M] and whose others are zero."""
        return tf.pad(radial[:, None, :], [[0, 0], [0, self.own.columns - 1], [0, 0]])
