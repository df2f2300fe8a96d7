"""Descriptors with one embedding net for each pair of types, or each neighbour type.

What they share: settings, the choice of `sel`, normalised environment rows
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
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from deeptf.data.statistics import Collector, Extremes, Found
from deeptf.model.descriptor.described import Arrays, Lines
from deeptf.model.descriptor.row_sums import RowSums
from deeptf.model.embedding import embed
from deeptf.model.network import (
    Style,
    activation_meant,
    check_activation,
    is_smooth,
    precision_meant,
    precision_of,
)
from deeptf.model.parameters import Parameters
from deeptf.model.ranges import SHORTEST, UNKNOWN, Argument, Curves, curves_of, stored_curves
from deeptf.model.retyping import (
    Source,
    by_type,
    nets_by_type,
    pairs_of_types,
    places_of_types,
)
from deeptf.model.roles import beginning, function, run
from deeptf.model.table import (
    NODES,
    RANGE,
    Table,
    build_table,
    is_stored,
    net_weights,
    stored_ends,
)
from deeptf.tf import tf

PAIR_COPIES, ATOM_COPIES = 2.5, 2  # of the values of the nets, held for the backward pass; measured
ROWS = 8  # values of a pair in the precision of the nets: environment row and its gradient


@dataclass(frozen=True)
class TypeNets:
    """Settings that these descriptors share; the fields are keys of the input file (A)."""

    columns: ClassVar[int] = 4  # of S: w is the row R~; 1: w is 1
    needs_type_vectors: ClassVar[bool] = False
    mixed: ClassVar[bool] = False  # whether places without a neighbour have no type
    smooth: ClassVar[bool] = False  # whether gates fade out at the cut-off
    excluded_have_mean: ClassVar[bool] = False  # see dpa1.py
    sel: tuple[int, ...] | str = function("auto")
    rcut: float = function(6.0)
    rcut_smth: float = function(0.5)
    neuron: tuple[int, ...] = (10, 20, 40)
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
        if self.embedding == "table" and not is_smooth(self.activation_function):
            raise ValueError(
                '`embedding` must be "network" with the activation function '
                f'{self.activation_function!r}, whose derivatives jump, got "table"'
            )

    def _check_sel(self) -> None:
        if isinstance(self.sel, str):
            if self.sel != "auto" and not _is_auto_factor(self.sel):
                raise ValueError(
                    f'`sel` must be a list of integers, "auto" or "auto:factor", got {self.sel!r}'
                )
        elif not self.sel or min(self.sel) < 0 or sum(self.sel) < 1:
            raise ValueError(f"`sel` must hold numbers >= 0, not all 0, got {list(self.sel)}")

    def check_types(self, num_types: int) -> None:
        """Raise ValueError where `sel` or `exclude_types` do not fit the number of types."""
        if not isinstance(self.sel, str) and len(self.sel) != num_types:
            raise ValueError(
                f"`sel` must have one entry for each of the {num_types} types of type_map, "
                f"got {list(self.sel)}"
            )
        self.check_excluded(num_types)

    def check_excluded(self, num_types: int) -> None:
        """Raise ValueError where `exclude_types` does not fit the number of types."""
        for pair in self.exclude_types:
            if not all(0 <= t < num_types for t in pair):
                raise ValueError(
                    f"`exclude_types` must hold types from 0 to {num_types - 1}, got {list(pair)}"
                )
        types = range(num_types)
        if all(self.excludes(*pair) for pair in itertools.product(types, types)):
            raise ValueError(
                "`exclude_types` must leave some pair of types, got all pairs of the "
                f"{num_types} types"
            )

    @property
    def places(self) -> int:
        """Places of a centre, N_c."""
        return sum(self.sel)

    @property
    def sel_factor(self) -> float | None:
        """Factor on the largest number of neighbours found, for sel "auto"; else None."""
        if not isinstance(self.sel, str):
            return None
        return float(self.sel.split(":")[1]) if ":" in self.sel else 1.1

    @property
    def tabulated(self) -> bool:
        """Whether the embedding nets are tables; where nothing is said, if they are smooth."""
        if self.embedding is None:
            return is_smooth(self.activation_function)
        return self.embedding == "table"

    @property
    def pair_bytes(self) -> int:
        """Working memory of a pair: hidden values of nets that are no tables."""
        hidden = 0 if self.tabulated else PAIR_COPIES * sum(self.neuron)
        return int(precision_of(self.precision).size * (ROWS + hidden))

    def with_open_of(self, old: TypeNets) -> TypeNets:
        """Return the settings with `sel`, where it is open, taken from `old`."""
        return self if self.sel_factor is None else self._with_sel(old.sel)

    def decide(self, found: Found) -> tuple[TypeNets, Lines]:
        """Return the settings with `sel` decided by the data."""
        extremes = Extremes(found.num_types, self.rcut)
        most = extremes.most_neighbors(found.training[extremes])
        if self.sel_factor is not None:
            decided = self._with_sel([max(4, 4 * math.ceil(self.sel_factor * n / 4)) for n in most])
            return decided, [f"sel {list(decided.sel)}, from the data"]
        if np.any(most > np.array(self.sel)):
            note = (
                f"note: up to {most.tolist()} neighbours, more than sel "
                f"{list(self.sel)}: all of them are used"
            )
            return self, [note]
        return self, []

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

    def with_types(self, source: Source) -> Any:
        """Return the settings for other types."""
        excluded = pairs_of_types(self.exclude_types, source)
        return replace(self, sel=self._places_with_types(source), exclude_types=excluded)

    def _places_with_types(self, source: Source) -> Any:
        return places_of_types(self.sel, source)

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

    def network_name(self, centre: int, neighbor: int) -> str:
        """Return the name of the embedding net of a pair of types."""
        owner = "all" if self.type_one_side else str(centre)
        return f"embedding_{owner}_{neighbor}"

    def excludes(self, centre: int, neighbor: int) -> bool:
        """Return whether pairs of these types are left out."""
        return any(sorted(pair) == sorted((centre, neighbor)) for pair in self.exclude_types)

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

    def _with_sel(self, sel: Sequence[int]) -> Any:
        return replace(self, sel=tuple(int(n) for n in sel))

    def table(self, parameters: Parameters) -> Table:
        """Return the table of all embedding nets."""
        curves = self.curves(parameters)
        style = self.style()
        nets = (
            net_weights(name, self.neuron, style, parameters, self.trainable)
            for name in curves.names
        )
        return build_table(curves, nets, self.neuron, style, parameters)

    def style(self) -> Style:
        """Return how the layers of the nets look."""
        return Style(
            self.activation_function,
            self.resnet_dt,
            time_step=1.0,
            double_width=True,
            precision=precision_of(self.precision),
            seed=self.seed,
        )


def normalisation(parameters: Parameters) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and stddev of the environment rows per centre type, each [T, W]."""
    return parameters.array("mean"), parameters.array("stddev")


def empty_row(parameters: Parameters) -> np.ndarray:
    """Return s~_0 of a place without a neighbour for every centre type, [T, 1]."""
    mean, stddev = normalisation(parameters)
    return -mean[:, :1] / stddev[:, :1]


def _is_auto_factor(text: str) -> bool:
    head, _, factor = text.partition(":")
    try:
        return head == "auto" and float(factor) >= 1.0
    except ValueError:
        return False
