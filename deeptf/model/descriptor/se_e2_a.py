"""DeepPot-SE two-body descriptor (Zhang et al., NeurIPS 2018, arXiv:1805.09003).

For a centre i with neighbours j of type t_j and normalised environment rows
R~_j = (R_j - mean) / stddev:

    T_i = 1/N_c [ sum_j R~_j (x) G_t(s~_j)  +  sum_t (sel_t - n_it) R~_0 (x) G_t(s~_0) ]      [4, M]
    D_i = T_i^T T_i[:, :axis_neuron]                                                      [M, axis]

N_c = sum(sel). The second sum gives each of the sel_t - n_it places without a neighbour the row of
a neighbour at the cut-off, R~_0 = (-mean_0/stddev_0, 0, 0, 0): smooth when an atom crosses the
cut-off, equal to the formula with padded rows, and valid (with a negative count) when there are
more neighbours than `sel`. No neighbour is dropped.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from deeptf.model.embedding import embed
from deeptf.model.network import (
    NOT_SMOOTH,
    Style,
    activation_meant,
    check_activation,
    precision_meant,
    precision_of,
)
from deeptf.model.parameters import Parameters
from deeptf.model.ranges import SHORTEST, Argument, Curves, curves_of
from deeptf.model.roles import beginning, function, run
from deeptf.model.table import Outside, Table, build_table, outside_of
from deeptf.ops.curve import EmbeddingSums
from deeptf.ops.environment import environment
from deeptf.ops.moments import moment_product, neighbor_sum
from deeptf.ops.pairs import SortedPairs
from deeptf.tf import tf

UNKNOWN_DISTANCE = 1.0  # A, down to which tables reach when the data of a model are not known


@dataclass(frozen=True)
class SeE2A:
    """Settings of the descriptor; the fields are the keys of the input file (lengths in A)."""

    type: ClassVar[str] = "se_e2_a"
    sel: tuple[int, ...] | str = function("auto")
    rcut: float = function(6.0)
    rcut_smth: float = function(0.5)
    neuron: tuple[int, ...] = (10, 20, 40)
    axis_neuron: int = 4
    activation_function: str = function("tanh", activation_meant)
    resnet_dt: bool = False
    type_one_side: bool = False
    precision: str = function("default", precision_meant)
    trainable: bool = run(True)
    seed: int | None = beginning(None)
    exclude_types: tuple[tuple[int, ...], ...] = function(
        (), lambda own: {tuple(sorted(pair)) for pair in own.exclude_types}
    )
    set_davg_zero: bool = beginning(False)
    embedding: str | None = run(None, lambda own: own.tabulated)

    def __post_init__(self) -> None:
        if not 0 < self.rcut:
            raise ValueError(f"`rcut` must be positive, got {self.rcut}")
        if not 0 <= self.rcut_smth < self.rcut:
            raise ValueError(
                f"`rcut_smth` must be at least 0 and below rcut = {self.rcut}, got {self.rcut_smth}"
            )
        if not self.neuron or min(self.neuron) < 1:
            raise ValueError(f"`neuron` must hold positive widths, got {list(self.neuron)}")
        if not 1 <= self.axis_neuron <= self.neuron[-1]:
            raise ValueError(
                f"`axis_neuron` must be from 1 to the last width {self.neuron[-1]}, "
                f"got {self.axis_neuron}"
            )
        check_activation(self.activation_function)
        precision_of(self.precision)
        self._check_embedding()
        self._check_sel()
        if self.seed is not None and self.seed < 0:
            raise ValueError(f"`seed` must be at least 0, got {self.seed}")
        if any(len(pair) != 2 for pair in self.exclude_types):
            raise ValueError(
                f"`exclude_types` must be a list of pairs of types, got {self.exclude_types}"
            )

    def _check_embedding(self) -> None:
        if self.embedding not in (None, "table", "network"):
            raise ValueError(f'`embedding` must be "table" or "network", got {self.embedding!r}')
        if self.embedding == "table" and self.activation_function.lower() in NOT_SMOOTH:
            raise ValueError(
                '`embedding` must be "network" with the activation function '
                f'{self.activation_function!r}, whose slope jumps, got "table"'
            )

    def _check_sel(self) -> None:
        if isinstance(self.sel, str):
            if self.sel != "auto" and not _is_auto_factor(self.sel):
                raise ValueError(
                    f'`sel` must be a list of integers, "auto" or "auto:factor", got {self.sel!r}'
                )
        elif not self.sel or min(self.sel) < 0 or sum(self.sel) < 1:
            raise ValueError(f"`sel` must hold numbers >= 0, not all 0, got {list(self.sel)}")

    @property
    def sel_factor(self) -> float | None:
        """Factor on the largest number of neighbours found, for sel "auto"; None for a given
        sel.
        """
        if not isinstance(self.sel, str):
            return None
        return float(self.sel.split(":")[1]) if ":" in self.sel else 1.1

    def with_sel(self, sel: tuple[int, ...]) -> SeE2A:
        """Return the same settings with `sel` decided."""
        return replace(self, sel=tuple(int(n) for n in sel))

    def check_types(self, num_types: int) -> None:
        """Raise ValueError where `sel` or `exclude_types` do not fit the number of types."""
        if not isinstance(self.sel, str) and len(self.sel) != num_types:
            raise ValueError(
                f"`sel` must have one entry for each of the {num_types} types of type_map, "
                f"got {list(self.sel)}"
            )
        for pair in self.exclude_types:
            if not all(0 <= t < num_types for t in pair):
                raise ValueError(
                    f"`exclude_types` must hold types from 0 to {num_types - 1}, got {list(pair)}"
                )
        types = range(num_types)
        if all(self._excluded(*pair) for pair in itertools.product(types, types)):
            raise ValueError(
                "`exclude_types` must leave some pair of types, got all pairs of the "
                f"{num_types} types"
            )

    @property
    def tabulated(self) -> bool:
        """Whether the embedding nets are tables; where nothing is said, if they are smooth."""
        if self.embedding is None:
            return self.activation_function.lower() not in NOT_SMOOTH
        return self.embedding == "table"

    @property
    def width(self) -> int:
        """Length of the descriptor of an atom."""
        return self.neuron[-1] * self.axis_neuron

    def network_name(self, centre: int, neighbor: int) -> str:
        """Name of the embedding net of a pair of types."""
        owner = "all" if self.type_one_side else str(centre)
        return f"descriptor/embedding_{owner}_{neighbor}"

    def build(
        self, pairs: SortedPairs, atom_type: tf.Tensor, parameters: Parameters
    ) -> tuple[tf.Tensor, Outside | None]:
        """Return D [N_real, width] in the order of `pairs.atom_order` and, with tables, the pairs
        outside the ranges of their curves.

        `parameters` holds descriptor/mean [T, 4] and descriptor/stddev [T, 4]: the normalisation of
        the environment rows per centre type.
        """
        mean, stddev = _normalisation(parameters)
        rows = environment(
            pairs.displacement, pairs.centre, atom_type, mean, stddev, self.rcut_smth, self.rcut
        )  # [P, 4]
        if self.tabulated:
            counts = pairs.atom_count, pairs.neighbor_count
            sums = self._tabulated_sum(rows, *counts, parameters)
            return self._contract(sums.sum), outside_of(sums, pairs.displacement)
        if parameters.known(SHORTEST) is not None:
            parameters.array(SHORTEST)  # a later run may have tables
        rows = tf.cast(rows, precision_of(self.precision))
        if self.type_one_side and not self.exclude_types:
            return self._contract(self._all_centres(pairs, rows, parameters)), None
        return self._contract(self._each_centre_type(pairs, rows, parameters)), None

    def build_isolated(self, parameters: Parameters) -> tf.Tensor:
        """Return the descriptor of an atom without neighbours, [T, width]."""
        empty = _empty_row(parameters)
        num_types = len(empty)
        if self.tabulated:
            no_pairs = tf.zeros([0, 4], tf.float64)
            alone = tf.ones([num_types], tf.int32), tf.zeros([num_types, num_types], tf.int32)
            return self._contract(self._tabulated_sum(no_pairs, *alone, parameters).sum)
        radial = []
        for centre in range(num_types):
            terms = [
                self.sel[t] * self._empty_value(empty[centre : centre + 1], centre, t, parameters)
                for t in range(num_types)
                if not self._excluded(centre, t)
            ]
            zero = tf.zeros([1, self.neuron[-1]], precision_of(self.precision))
            radial.append(tf.add_n([zero, *terms]))
        return self._contract(_as_moments(tf.concat(radial, axis=0)))

    def table(self, parameters: Parameters) -> Table:
        """Return the table of all embedding nets."""
        curves = self.curves(parameters)
        return build_table(curves, self.neuron, self._style(), parameters, self.trainable)

    def curves(self, parameters: Parameters) -> Curves:
        """Return the embedding nets, the blocks of pairs that use them and their ranges."""
        mean, stddev = (array[:, 0] for array in _normalisation(parameters))
        types = range(len(mean))
        shortest = parameters.array(SHORTEST, np.full((len(mean), len(mean)), UNKNOWN_DISTANCE))
        names: list[str] = []
        curve = np.full((len(mean), len(mean)), -1, np.int32)
        for t, centre in itertools.product(types, types):
            if self._excluded(centre, t):
                continue
            name = self.network_name(centre, t)
            if name not in names:
                names.append(name)
            curve[t, centre] = names.index(name)
        argument = Argument(self.rcut_smth, self.rcut, mean, stddev)
        return curves_of(names, curve, argument, shortest)

    def _tabulated_sum(
        self,
        rows: tf.Tensor,
        atom_count: tf.Tensor,
        neighbor_count: tf.Tensor,
        parameters: Parameters,
    ) -> EmbeddingSums:
        """Return the sums over neighbours by interpolation."""
        empty = _empty_row(parameters)[:, 0]
        empty = np.broadcast_to(empty, (len(empty), len(empty)))  # by centre type
        sel = np.array(self.sel, np.float64)
        return self.table(parameters).sums(rows, sel, empty, atom_count, neighbor_count)

    def _all_centres(
        self, pairs: SortedPairs, rows: tf.Tensor, parameters: Parameters
    ) -> tf.Tensor:
        """Sum over neighbours with one net per neighbour type, all centres at once, [N_real, 4,
        M].
        """
        empty = _empty_row(parameters)
        num_types = len(empty)
        blocks = tf.split(rows, tf.reduce_sum(pairs.pair_count, axis=1), num=num_types)
        terms = []
        for t, block in enumerate(blocks):
            count = pairs.neighbor_count[:, t]
            terms.append(self._sum_neighbors(count, block, 0, t, parameters))
            if np.any(empty):
                value = self._empty_value(empty, 0, t, parameters)  # [T, M]
                value = tf.repeat(value, pairs.atom_count, axis=0)  # [N_real, M]
                terms.append(_as_moments(self._missing(count, t) * value))
        return tf.add_n(terms)

    def _each_centre_type(
        self, pairs: SortedPairs, rows: tf.Tensor, parameters: Parameters
    ) -> tf.Tensor:
        """Sum over neighbours with one net per pair of types (centre, neighbour), [N_real, 4,
        M].
        """
        empty = _empty_row(parameters)
        num_types = len(empty)
        blocks = tf.split(rows, tf.reshape(pairs.pair_count, [-1]), num=num_types**2)
        counts = tf.split(pairs.neighbor_count, pairs.atom_count, num=num_types)
        moments = []
        for centre, count in enumerate(counts):
            terms = [tf.zeros([tf.shape(count)[0], 4, self.neuron[-1]], rows.dtype)]
            for t in range(num_types):
                if self._excluded(centre, t):
                    continue
                block = blocks[t * num_types + centre]
                terms.append(self._sum_neighbors(count[:, t], block, centre, t, parameters))
                if np.any(empty[centre]):
                    value = self._empty_value(empty[centre : centre + 1], centre, t, parameters)
                    terms.append(_as_moments(self._missing(count[:, t], t) * value))
            moments.append(tf.add_n(terms))
        return tf.concat(moments, axis=0)

    def _sum_neighbors(
        self, count: tf.Tensor, rows: tf.Tensor, centre: int, neighbor: int, parameters: Parameters
    ) -> tf.Tensor:
        """Return sum_j R~_j (x) G(s~_j) of one block of pairs, [n, 4, M]."""
        rows = tf.ensure_shape(rows, [None, 4])
        return neighbor_sum(count, rows, self._net(rows[:, :1], centre, neighbor, parameters))

    def _missing(self, count: tf.Tensor, neighbor: int) -> tf.Tensor:
        """Number of empty places, sel - count (negative beyond `sel`), [n, 1]."""
        return tf.cast(self.sel[neighbor] - count, precision_of(self.precision))[:, None]

    def _empty_value(
        self, empty: np.ndarray, centre: int, neighbor: int, parameters: Parameters
    ) -> tf.Tensor:
        """Contribution s~_0 G(s~_0) of one empty place for each row of `empty` [n, 1], [n, M]."""
        s = tf.constant(empty, precision_of(self.precision))
        return s * self._net(s, centre, neighbor, parameters)

    def _net(self, x: tf.Tensor, centre: int, neighbor: int, parameters: Parameters) -> tf.Tensor:
        name = self.network_name(centre, neighbor)
        return embed(x, name, self.neuron, self._style(), parameters, self.trainable)

    def _style(self) -> Style:
        return Style(
            self.activation_function,
            self.resnet_dt,
            time_step=1.0,
            double_width=True,
            precision=precision_of(self.precision),
            seed=self.seed,
        )

    def _excluded(self, centre: int, neighbor: int) -> bool:
        return any(sorted(pair) == sorted((centre, neighbor)) for pair in self.exclude_types)

    def _contract(self, moments: tf.Tensor) -> tf.Tensor:
        """Return D [n, M * axis] from the sums over neighbours [n, 4, M]."""
        moments = tf.cast(moments, precision_of(self.precision))  # those of tables are float64
        product = moment_product(moments / sum(self.sel), self.axis_neuron)
        return tf.reshape(product, [-1, self.width])


def _normalisation(parameters: Parameters) -> tuple[np.ndarray, np.ndarray]:
    return parameters.array("descriptor/mean"), parameters.array("descriptor/stddev")


def _empty_row(parameters: Parameters) -> np.ndarray:
    """Return s~_0 of a place without a neighbour for every centre type, [T, 1]."""
    mean, stddev = _normalisation(parameters)
    return -mean[:, :1] / stddev[:, :1]


def _as_moments(radial: tf.Tensor) -> tf.Tensor:
    """Return [n, 4, M] whose radial row is `radial` [n, M] and whose angular rows are zero."""
    return tf.pad(radial[:, None, :], [[0, 0], [0, 3], [0, 0]])


def _is_auto_factor(text: str) -> bool:
    head, _, factor = text.partition(":")
    try:
        return head == "auto" and float(factor) >= 1.0
    except ValueError:
        return False
