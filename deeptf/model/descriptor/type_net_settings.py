"""Settings of descriptors with nets for pairs of types (type_nets.py), and what they mean."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from deeptf.data.statistics import Extremes, Found
from deeptf.model.descriptor.described import Lines
from deeptf.model.network import (
    Style,
    activation_meant,
    check_activation,
    is_smooth,
    precision_meant,
    precision_of,
)
from deeptf.model.retyping import (
    Source,
    pairs_of_types,
    places_of_types,
)
from deeptf.model.roles import beginning, function, run

PAIR_COPIES, ATOM_COPIES = 2.5, 2  # of the values of the nets, held for the backward pass; measured
ROWS = 8  # values of a pair in the precision of the nets: environment row and its gradient


@dataclass(frozen=True)
class TypeNetSettings:
    """Settings that these descriptors share; the fields are keys of the input file (A)."""

    columns: ClassVar[int] = 4  # of S: w is the row R~; 1: w is 1
    needs_type_vectors: ClassVar[bool] = False
    mixed: ClassVar[bool] = False  # whether places without a neighbour have no type
    smooth: ClassVar[bool] = False  # whether gates fade out at the cut-off
    excluded_have_mean: ClassVar[bool] = False  # see dpa1.py
    sel: tuple[int, ...] | str = function("auto")  # places of each type; "auto:factor": by the data
    rcut: float = function(6.0)  # A
    rcut_smth: float = function(0.5)  # A, where s(r) begins to fall to 0
    neuron: tuple[int, ...] = (10, 20, 40)  # widths of the embedding nets
    activation_function: str = function("tanh", activation_meant)
    resnet_dt: bool = False  # whether layers that add their input have a time step
    type_one_side: bool = False  # a net for each neighbour type alone
    precision: str = function("default", precision_meant)  # of nets and sums over neighbours
    trainable: bool = run(True)
    seed: int | None = beginning(None)  # of the first weights
    exclude_types: tuple[tuple[int, ...], ...] = function(
        (), lambda own: {tuple(sorted(pair)) for pair in own.exclude_types}
    )
    set_davg_zero: bool = beginning(False)  # rows are scaled, but no mean is subtracted
    # "table" or "network"; None is a table where the nets are smooth
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

    def excludes(self, centre: int, neighbor: int) -> bool:
        """Return whether pairs of these types are left out."""
        return any(sorted(pair) == sorted((centre, neighbor)) for pair in self.exclude_types)

    def network_name(self, centre: int, neighbor: int) -> str:
        """Return the name of the embedding net of a pair of types."""
        owner = "all" if self.type_one_side else str(centre)
        return f"embedding_{owner}_{neighbor}"

    def with_open_of(self, old: TypeNetSettings) -> Any:
        """Return the settings with `sel`, where it is open, taken from `old`."""
        return self if self.sel_factor is None else self._with_sel(old.sel)

    def decide(self, found: Found) -> tuple[Any, Lines]:
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

    def with_types(self, source: Source) -> Any:
        """Return the settings for other types."""
        excluded = pairs_of_types(self.exclude_types, source)
        return replace(self, sel=self._places_with_types(source), exclude_types=excluded)

    def _places_with_types(self, source: Source) -> Any:
        return places_of_types(self.sel, source)

    def _with_sel(self, sel: Sequence[int]) -> Any:
        return replace(self, sel=tuple(int(n) for n in sel))

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


def _is_auto_factor(text: str) -> bool:
    head, _, factor = text.partition(":")
    try:
        return head == "auto" and float(factor) >= 1.0
    except ValueError:
        return False
