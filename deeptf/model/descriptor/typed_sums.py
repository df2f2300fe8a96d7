"""Sums over neighbours with one net that knows the types by vectors (typed_net.py).

    S_i = sum_j w_j (x) G_tc(x_j)  +  sum_k n_ik w_0 (x) G_kc(x_0)                      [W, M]

as in type_nets.py. Places without a neighbour are those of each type, k = t and n_it = sel_t minus
the neighbours of type t, or in `mixed` descriptors they have no type: k = T, whose vector is zero,
and n_i is the number of all places minus that of all neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deeptf.model.descriptor.neighbourhoods import Neighbourhoods, by_centre
from deeptf.model.descriptor.type_nets import TypeNets, empty_row, normalisation
from deeptf.model.descriptor.typed_net import EMBEDDING, TypedNet
from deeptf.model.network import precision_of
from deeptf.model.ranges import SHORTEST
from deeptf.model.table import Outside, Table, build_table, outside_of
from deeptf.model.table_arrays import is_stored
from deeptf.ops.curve import EmbeddingSums
from deeptf.ops.moments import neighbor_sum
from deeptf.ops.pairs import SortedPairs
from deeptf.tf import tf

# Of a frozen model: gates of pairs [T, T, M]; places of centres [T], which neighbours fill them
# [T, T], and w_0 G [T, M] of those without one.
GATES, PLACES, COUNTED, EMPTY_VALUE = "gates", "places", "counted", "empty_value"
# Of the first layer of nets of one number, with vectors in the biases, one for each curve.
FIRST, FIRST_BIAS = "first", "first_bias"
MOST_CURVES = 30  # of types and pairs of types, beyond which nets are evaluated on the pairs


@dataclass(frozen=True)
class TypedSums:
    """The sums S of descriptors with settings `own` and their net."""

    own: TypeNets
    net: TypedNet

    @property
    def tabulated(self) -> bool:
        """Whether the net is a table of curves."""
        if not (self.own.tabulated and self.net.is_curve):
            return False
        return self.own.embedding == "table" or len(self.numbers) <= MOST_CURVES

    @property
    def adds_empty(self) -> bool:
        """Whether places that have no type add anything to S."""
        return self.own.mixed and bool(self._empty.any())

    def of(
        self, pairs: SortedPairs, atom_type: tf.Tensor, rows: tf.Tensor
    ) -> tuple[tf.Tensor, Outside | None]:
        """Return S [N_real, W, M] from the environment rows [P, W], and pairs beyond the data."""
        counts = pairs.neighbor_count, pairs.atom_count
        if self.tabulated:
            share = self._share(rows, tf.gather(atom_type, pairs.centre))
            found, total = self._interpolated(rows, pairs.atom_count, pairs.neighbor_count, share)
            outside = outside_of(found, pairs.displacement)
            return total + self._of_excluded(*counts), outside
        if self.net.parameters.known(SHORTEST) is not None:
            self.net.parameters.array(SHORTEST)  # a later run may have tables
        self._fix()
        around = self.finished(self.around(pairs, rows))
        return self._total(around, *counts) + self._of_excluded(*counts), None

    def finished(self, around: Neighbourhoods) -> Neighbourhoods:
        """Return neighbourhoods with the values that are summed: those of the net."""
        return around

    def finished_alone(self, value: tf.Tensor) -> tf.Tensor:
        """Return what becomes of values [n, M] that no pair changes."""
        return value

    def around(self, pairs: SortedPairs, rows: tf.Tensor) -> Neighbourhoods:
        """Return the neighbourhoods of the centres, with the net evaluated on every pair."""
        order = by_centre(pairs, self._allowed)
        rows = tf.gather(rows, order.place)
        share = self._share(rows, order.centre_type)
        rows = tf.cast(rows, precision_of(self.own.precision))
        share = None if share is None else tf.cast(share, rows.dtype)
        value = self.net.values(rows[:, :1], order.neighbor_type, order.centre_type, share)
        absent = self.own.places - tf.cast(order.count, rows.dtype)
        return Neighbourhoods(order.count, rows, value, share, absent, self._empty_values()[-1])

    def isolated(self) -> tf.Tensor:
        """Return S of an atom without neighbours of each type, [T, W, M]."""
        types, precision = self.net.num_types, precision_of(self.own.precision)
        one, none = tf.ones([types], tf.int32), tf.zeros([types, types], tf.int32)
        if self.tabulated:
            rows = tf.zeros([0, self.own.columns], tf.float64)
            share = tf.zeros([0], tf.float64)
            return self._interpolated(rows, one, none, share)[1]
        alone = Neighbourhoods(
            none[0],
            tf.zeros([0, self.own.columns], precision),
            tf.zeros([0, self.own.neuron[-1]], precision),
            tf.zeros([0], precision) if self.own.smooth else None,
            tf.fill([types], tf.constant(self.own.places, precision)),
            self._empty_values()[-1],
        )
        return self._total(self.finished(alone), none, one)

    def _total(
        self, around: Neighbourhoods, neighbor_count: tf.Tensor, atom_count: tf.Tensor
    ) -> tf.Tensor:
        """Return S of neighbourhoods."""
        found = neighbor_sum(around.count, around.rows, around.value)
        counts = neighbor_count, atom_count
        if self.own.mixed:
            if not self.adds_empty:
                return found
            return found + self._of_mixed_empty(*counts, self._weighted(around.empty_value))
        return found + self._of_typed_empty(*counts, self._weighted(self._empty_values()))

    def table(self) -> Table:
        """Return the table of the curves."""
        own, net = self.own, self.net
        names = [f"{EMBEDDING}_{number}" for number in self.numbers]
        curves = own.ranges(net.parameters, names, self._curve)
        weights = [] if is_stored(net.parameters) else net.curves(self.numbers)
        return build_table(curves, weights, own.neuron, own.style(), net.parameters)

    @property
    def planned(self) -> bool:
        """Whether stages of a plan can evaluate S."""
        return self.net.is_curve and not self.own.excluded_have_mean

    def _fix(self) -> None:
        """Make the constants that stages with nets in full read."""
        parameters = self.net.parameters
        self.layout()
        if self.net.stripped:
            parameters.fixed(GATES, self.net.gate)
        elif self.planned:
            first, biases = self.net.first_of(self.numbers)
            parameters.fixed(FIRST, first)
            parameters.fixed(FIRST_BIAS, biases)

    def layout(self) -> dict[str, tf.Tensor | np.ndarray]:
        """Return what a sum of curves reads beside rows and nets, by name; see TypeNets.layout.

        Places without a neighbour that have no type are added to sums by _of_mixed_empty.
        """
        types, mixed = self.net.num_types, self.own.mixed
        values = {
            "curve": self._curve,
            "sel": np.zeros(types) if mixed else np.array(self.own.sel, np.float64),
            "empty": np.zeros((types, types)) if mixed else np.tile(self._empty[:, 0], (types, 1)),
        }
        return {name: self.net.parameters.fixed(name, value) for name, value in values.items()}

    @cached_property
    def _allowed(self) -> np.ndarray:
        """Whether pairs of these types count, [T, T], neighbour type first."""
        types = range(self.net.num_types)
        return np.array([[not self.own.excludes(c, t) for c in types] for t in types])

    @cached_property
    def numbers(self) -> list[int]:
        """Which curves the pairs have."""
        return sorted({self.net.curve_of(t, c) for t, c in np.argwhere(self._allowed).tolist()})

    @property
    def _curve(self) -> np.ndarray:
        """Place of the curve of each block of pairs among those numbers, [T, T]; -1 for none."""
        curve = np.full(self._allowed.shape, -1, np.int32)
        for t, c in np.argwhere(self._allowed).tolist():
            curve[t, c] = self.numbers.index(self.net.curve_of(t, c))
        return curve

    @property
    def _empty(self) -> np.ndarray:
        """x_0 of a place without a neighbour for every centre type, [T, 1]."""
        return empty_row(self.net.parameters)

    def _share(self, rows: tf.Tensor, centre_type: tf.Tensor) -> tf.Tensor | None:
        """Return the shares p of pairs with these rows, or None where each is 1."""
        if not self.own.smooth:
            return None
        statistics = normalisation(self.net.parameters)
        mean, stddev = (tf.gather(one[:, 0], centre_type) for one in statistics)
        s = rows[:, 0] * stddev + mean
        below = tf.maximum(1.0 - as_written(self.own.rcut_smth) * s, 0.0)
        return 1.0 - below * below * below

    def _interpolated(
        self,
        rows: tf.Tensor,
        atom_count: tf.Tensor,
        neighbor_count: tf.Tensor,
        share: tf.Tensor | None,
    ) -> tuple[EmbeddingSums, tf.Tensor]:
        """Return the sums by the table, and S."""
        own, net, table = self.own, self.net, self.table()
        gate = (net.parameters.fixed(GATES, net.gate), share) if net.stripped else ()
        layout = self.layout().values()
        found = table.sums(rows, *layout, atom_count, neighbor_count, *gate)
        if not self.adds_empty:
            return found, found.sum
        if net.stripped:  # smooth where the pairs go over into places without a neighbour
            weighted = self._of_one_curve(table, self._empty[:, 0])
            weighted = weighted if own.smooth else weighted * (1.0 + net.empty_gate)
        else:
            weighted = self._weighted(self._empty_values()[0])
        return found, found.sum + self._of_mixed_empty(neighbor_count, atom_count, weighted)

    def _of_one_curve(self, table: Table, x: np.ndarray) -> tf.Tensor:
        """Return x G(x) without gates, [T, M], for x [T]; the table has one curve."""
        types = self.net.num_types
        one, none = tf.ones([types], tf.int32), tf.zeros([types, types], tf.int32)
        place = np.arange(types)[:, None] == 0
        alone = [np.where(place, 0, np.full((types, types), -1)).astype(np.int32)]
        alone += [np.where(place[:, 0], 1.0, 0.0), np.tile(x, (types, 1))]
        rows = tf.zeros([0, self.own.columns], tf.float64)
        return table.sums(rows, *alone, one, none).sum[:, 0]

    def _weighted(self, value: tf.Tensor) -> tf.Tensor:
        """Return w_0 G from G [..., T, M] of places without a neighbour, by centre type."""
        return value * tf.constant(self._empty, value.dtype) if self.own.columns > 1 else value

    def _empty_values(self) -> tf.Tensor:
        """Return G of places without a neighbour, [k, T, M]."""
        types, own = self.net.num_types, self.own
        kinds = [types] if own.mixed else range(types)
        neighbor, centre = (
            np.ravel(one) for one in np.meshgrid(kinds, range(types), indexing="ij")
        )
        x = tf.constant(self._empty[centre], precision_of(own.precision))
        share = tf.zeros_like(x[:, 0]) if own.smooth else None
        value = self.net.values(x, neighbor, centre, share)
        return tf.reshape(value, [len(kinds), types, own.neuron[-1]])

    def _of_typed_empty(
        self, neighbor_count: tf.Tensor, atom_count: tf.Tensor, weighted: tf.Tensor
    ) -> tf.Tensor:
        """Return what the empty places of each type add to S, from their w_0 G [T, T, M]."""
        parts = []
        counts = tf.split(neighbor_count, atom_count, num=self.net.num_types)
        for c, count in enumerate(counts):
            absent = (tf.constant(self.own.sel) - count) * self._allowed[:, c].astype(np.int32)
            parts.append(tf.matmul(tf.cast(absent, weighted.dtype), weighted[:, c]))
        return self._as_sums(tf.concat(parts, axis=0))

    def _of_mixed_empty(
        self, neighbor_count: tf.Tensor, atom_count: tf.Tensor, weighted: tf.Tensor
    ) -> tf.Tensor:
        """Return what empty places add to S, from their w_0 G [T, M]."""
        places, counted = self.own.mixed_places(self._allowed)
        fixed = {PLACES: places, COUNTED: counted, EMPTY_VALUE: weighted}
        places, counted, weighted = (
            self.net.parameters.fixed(name, tf.cast(value, weighted.dtype))
            for name, value in fixed.items()
        )
        centre_type = tf.repeat(tf.range(self.net.num_types), atom_count)
        filled = tf.cast(neighbor_count, weighted.dtype)
        filled *= tf.gather(tf.transpose(counted), centre_type)
        absent = tf.gather(places, centre_type) - tf.reduce_sum(filled, axis=1)
        return self._as_sums(absent[:, None] * tf.gather(weighted, centre_type))

    def _as_sums(self, radial: tf.Tensor) -> tf.Tensor:
        """Return [n, W, M] whose first row is `radial` [n, M] and whose others are zero."""
        return tf.pad(radial[:, None, :], [[0, 0], [0, self.own.columns - 1], [0, 0]])

    def _of_excluded(self, neighbor_count: tf.Tensor, atom_count: tf.Tensor) -> tf.Tensor | float:
        """Return what pairs of excluded types add to S where they have the row (m, m, m, m).

        m is the mean value of the first column; the shares of these pairs are 0.
        """
        types, own = self.net.num_types, self.own
        neighbor, centre = np.nonzero(~self._allowed)
        if not (own.mixed and own.excluded_have_mean and len(centre)):
            return 0.0
        of_centre = normalisation(self.net.parameters)[0][:, 0]
        if is_stored(self.net.parameters):
            value = tf.gather(self._of_one_curve(self.table(), of_centre), centre)
        else:
            mean = tf.constant(of_centre[centre, None], precision_of(own.precision))
            value = self.net.values(mean, neighbor, centre, tf.zeros_like(mean[:, 0]))
            value = mean * self.finished_alone(value)
        places = np.stack([neighbor, centre], axis=1)
        value = tf.scatter_nd(places, value, [types, types, own.neuron[-1]])
        counts = tf.split(tf.cast(neighbor_count, value.dtype), atom_count, num=types)
        radial = tf.concat([tf.matmul(n, value[:, c]) for c, n in enumerate(counts)], axis=0)
        return tf.tile(radial[:, None, :], [1, own.columns, 1])


def as_written(length: float) -> float:
    """Return a length; of one that another program has rounded to float32, what it was before."""
    single = np.float32(length)
    return float(str(single)) if float(single) == length else length
