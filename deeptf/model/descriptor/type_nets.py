"""Descriptors with one embedding net for each pair of types, or each neighbour type.

What they share: settings (type_net_settings.py), normalised environment rows
R~ = (R - mean) / stddev, and sums over the neighbours of a centre,

    S_i = sum_j w_j (x) G_t(s~_j)  +  sum_t (sel_t - n_it) w_0 (x) G_t(s~_0)            [W, M]

with nets evaluated in full or as tables (table.py). The second sum gives each of the sel_t - n_it
places without a neighbour the row of a neighbour at the cut-off, s~_0 = -mean_0/stddev_0: smooth
when an atom crosses the cut-off, equal to the formula with padded rows, and valid (with a negative
count) when there are more neighbours than `sel`. No neighbour is dropped. What w is (`columns`)
and what becomes of S is said in the file of each descriptor.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deeptf.data.statistics import Collector, Extremes, Found
from deeptf.model.descriptor.described import Arrays, Lines
from deeptf.model.descriptor.row_sums import RowSums
from deeptf.model.descriptor.type_net_settings import TypeNetSettings
from deeptf.model.embedding import embed
from deeptf.model.parameters import Parameters
from deeptf.model.ranges import SHORTEST, UNKNOWN, Argument, Curves, curves_of, stored_curves
from deeptf.model.retyping import (
    Source,
    by_type,
    nets_by_type,
)
from deeptf.model.table import Table, build_table, net_weights
from deeptf.model.table_arrays import NODES, RANGE, is_stored, stored_ends
from deeptf.tf import tf


@dataclass(frozen=True)
class TypeNets(TypeNetSettings):
    """What these descriptors learn of the data, and their nets, in full or as tables."""

    def collectors(self, num_types: int) -> list[Collector]:
        """Return extremes of neighbours and sums of environment rows."""
        return [Extremes(num_types, self.rcut), self._row_sums(num_types)]

    def _row_sums(self, num_types: int) -> RowSums:
        return RowSums(num_types, self.rcut, self.rcut_smth, self.exclude_types)

    def first_arrays(self, found: Found) -> Arrays:
        """Return the normalisation of the rows and the shortest distances in the data."""
        sums = self._row_sums(found.num_types)
        places = [self.places]
        mean, stddev = sums.normalisation(found.training[sums], places, self.set_davg_zero)
        columns = slice(self.columns)
        return {"mean": mean[:, columns], "stddev": stddev[:, columns], **self.seen(found)}

    def seen(self, found: Found) -> Arrays:
        """Return the shortest distances in the data.

        Pairs of types that do not occur get the shortest distance of all.
        """
        extremes = Extremes(found.num_types, self.rcut)
        shortest = extremes.shortest(found.everywhere[extremes])
        least = shortest.min(initial=np.inf)
        if not np.isfinite(least):
            least = min(UNKNOWN, self.rcut)
        return {SHORTEST: np.where(np.isfinite(shortest), shortest, least)}

    def extended(self, arrays: Mapping[str, np.ndarray], found: Found) -> tuple[Arrays, Lines]:
        """Return lower shortest distances, where the data have closer pairs than the model knew."""
        extremes = Extremes(found.num_types, self.rcut)
        shortest = extremes.shortest(found.everywhere[extremes])
        before = arrays.get(SHORTEST, np.full_like(shortest, UNKNOWN))
        after = np.minimum(before, shortest)
        if not (after < before).any():
            return {}, []
        note = (
            f"note: atoms come as close as {after[after < before].min():.3f} A, closer than in the "
            "data of the model so far: its tables reach further"
        )
        return {SHORTEST: after}, [note]

    def arrays_with_types(self, arrays: Mapping[str, np.ndarray], source: Source) -> Arrays:
        """Return the arrays for other types; tables are measured anew."""
        of_types = {"mean": 1, "stddev": 1, SHORTEST: 2}
        found = {
            name: by_type(arrays[name], source, axes)
            for name, axes in of_types.items()
            if name in arrays
        }
        old = itertools.product(range(len(arrays["mean"])), repeat=2)
        of_nets = {self.network_name(*pair) for pair in old}
        changed = {*of_types, NODES, RANGE}
        found |= {
            name: array
            for name, array in arrays.items()
            if name not in changed and name.partition("/")[0] not in of_nets
        }
        known = [(new, old) for new, old in enumerate(source) if old is not None]
        names = {
            self.network_name(c, t): self.network_name(old_c, old_t)
            for (c, old_c), (t, old_t) in itertools.product(known, known)
        }
        return found | nets_by_type(arrays, names.items())

    def tables(self, parameters: Parameters, type_vectors: tf.Tensor | None) -> list[Table]:
        """Return the one table of all embedding nets, or none."""
        return [self.table(parameters)] if self.tabulated else []

    def curves(self, parameters: Parameters) -> Curves:
        """Return the embedding nets, the blocks of pairs that use them and their ranges."""
        return self.ranges(parameters, *self.blocks(len(empty_row(parameters))))

    def ranges(self, parameters: Parameters, names: Sequence[str], curve: np.ndarray) -> Curves:
        """Return nets with the ranges that follow from the blocks of pairs that use them."""
        mean, stddev = (array[:, 0] for array in normalisation(parameters))
        shortest = parameters.array(SHORTEST, np.full((len(mean), len(mean)), UNKNOWN))
        argument = Argument(self.rcut_smth, self.rcut, mean, stddev)
        if is_stored(parameters):
            return stored_curves(names, curve, argument, stored_ends(parameters, len(names)))
        return curves_of(names, curve, argument, shortest)

    def blocks(self, num_types: int) -> tuple[list[str], np.ndarray]:
        """Return the names of the embedding nets, and which of them each block of pairs uses.

        The latter is [T, T], neighbour type first, -1 for excluded ones.
        """
        names: list[str] = []
        curve = np.full((num_types, num_types), -1, np.int32)
        for t, centre in itertools.product(range(num_types), range(num_types)):
            if not self.excludes(centre, t):
                name = self.network_name(centre, t)
                if name not in names:
                    names.append(name)
                curve[t, centre] = names.index(name)
        return names, curve

    def layout(self, parameters: Parameters) -> dict[str, tf.Tensor | np.ndarray]:
        """Return what a sum reads beside rows and nets, by name.

        That is the net of each block of pairs, the places of each neighbour type, and s~_0 of a
        place without a neighbour of each block.
        """
        empty = empty_row(parameters)[:, 0]
        values = {
            "curve": self.blocks(len(empty))[1],
            "sel": np.array(self.sel, np.float64),
            "empty": np.tile(empty, (len(empty), 1)),  # by centre type
        }
        return {name: parameters.fixed(name, value) for name, value in values.items()}

    def net(self, x: tf.Tensor, centre: int, neighbor: int, parameters: Parameters) -> tf.Tensor:
        """Return G(x) of the net of a pair of types, [n, M], for x [n, 1]."""
        name = self.network_name(centre, neighbor)
        return embed(x, name, self.neuron, self.style(), parameters, self.trainable)

    def table(self, parameters: Parameters) -> Table:
        """Return the table of all embedding nets."""
        curves = self.curves(parameters)
        style = self.style()
        nets = (
            net_weights(name, self.neuron, style, parameters, self.trainable)
            for name in curves.names
        )
        return build_table(curves, nets, self.neuron, style, parameters)


def normalisation(parameters: Parameters) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and stddev of the environment rows per centre type, each [T, W]."""
    return parameters.array("mean"), parameters.array("stddev")


def empty_row(parameters: Parameters) -> np.ndarray:
    """Return s~_0 of a place without a neighbour for every centre type, [T, 1]."""
    mean, stddev = normalisation(parameters)
    return -mean[:, :1] / stddev[:, :1]
