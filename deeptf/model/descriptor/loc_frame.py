"""Local-frame descriptor: neighbours in axes that two of them span (Zhang et al., PRL 120, 143001).

With x', y', z' along e1 = u/|u|, e2 = (w - (w . e1) e1) normalised and e3 = e1 x e2, where u and w
lead to the neighbours that `axis_rule` names for the type of the centre (local_frames.py),

    D_i = ((1/r, z'/r^2, x'/r^2, y'/r^2) of sel_a places of each type, 1/r of sel_r further ones)

normalised by mean and spread of each column over the data: (D - mean_t) / stddev_t. Nothing fades
out at the cut-off, so that energies jump where neighbours change their order or cross it, and they
change under reflection. Neighbours beyond the places count nothing. An atom without the neighbours
that its axes need has no descriptor: that is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from deeptf.data.statistics import Collector, Found
from deeptf.model.descriptor.described import Arrays, Described, Lines
from deeptf.model.descriptor.local_columns import ColumnSums
from deeptf.model.descriptor.local_frames import (
    ANGULAR,
    RADIAL,
    Layout,
    Rule,
    complete,
    local_rows,
)
from deeptf.model.parameters import Parameters
from deeptf.model.retyping import Source
from deeptf.model.roles import FUNCTION, function
from deeptf.model.stages import Axis, Constant, LocalFrames, Stage
from deeptf.model.table import Table
from deeptf.ops.pairs import SortedPairs
from deeptf.tf import tf

AXES = 2
COPIES = 6  # of four numbers of a place, held for the backward pass; an upper bound
OF_PAIR = 96  # bytes: distances and indices by type, before the nearest are taken


@dataclass(frozen=True)
class LocFrame:
    """Settings of the descriptor; the fields are the keys of the input file (lengths in A)."""

    type: ClassVar[str] = "loc_frame"
    needs_type_vectors: ClassVar[bool] = False
    sel_a: tuple[int, ...]  # places of each type with direction
    sel_r: tuple[int, ...]  # further ones, of distances alone
    axis_rule: tuple[int, ...] = field(metadata={"role": FUNCTION})
    rcut: float = function(6.0)

    def __post_init__(self) -> None:
        if not 0 < self.rcut:
            raise ValueError(f"`rcut` must be positive, got {self.rcut}")
        if len(self.sel_a) != len(self.sel_r) or min((*self.sel_a, *self.sel_r), default=-1) < 0:
            raise ValueError(
                "`sel_a` and `sel_r` must hold a number >= 0 for each type, "
                f"got {list(self.sel_a)} and {list(self.sel_r)}"
            )
        numbers = AXES * len(Rule._fields)
        if len(self.axis_rule) != numbers * len(self.sel_a):
            raise ValueError(
                f"`axis_rule` must hold {numbers} numbers for each type of `sel_a`, "
                f"got {len(self.axis_rule)} for {len(self.sel_a)} types"
            )
        for rules in self.rules:
            self._check_rules(rules)

    def _check_rules(self, rules: tuple[Rule, ...]) -> None:
        for rule in rules:
            if rule.row_class not in (ANGULAR, RADIAL) or rule.rank < 0:
                raise ValueError(
                    "`axis_rule` must hold (class, type, rank) with class 0 or 1 and rank >= 0, "
                    f"got {list(rule)}"
                )
            places = int(np.sum(self.layout.candidates(rule)))
            if rule.rank >= places:
                raise ValueError(
                    "`axis_rule` must name a place that `sel_a` or `sel_r` has, got "
                    f"{list(rule)}, for which there are {places} places"
                )
        if rules[0] == rules[1]:
            raise ValueError(
                f"`axis_rule` must name two neighbours of a centre, got {list(rules[0])} twice"
            )

    def check_types(self, num_types: int) -> None:
        """Raise ValueError where `sel_a` does not fit the number of types."""
        if len(self.sel_a) != num_types:
            raise ValueError(
                f"`sel_a` and `sel_r` must have one entry for each of the {num_types} types of "
                f"type_map, got {list(self.sel_a)} and {list(self.sel_r)}"
            )

    @property
    def sel(self) -> tuple[int, ...]:
        """Places of each type."""
        return tuple(a + r for a, r in zip(self.sel_a, self.sel_r, strict=True))

    @property
    def layout(self) -> Layout:
        """The places of a centre."""
        return Layout(self.sel_a, self.sel_r)

    @property
    def rules(self) -> tuple[tuple[Rule, ...], ...]:
        """The rules of both axes, by type of the centre."""
        numbers = np.reshape(self.axis_rule, (-1, AXES, len(Rule._fields))).tolist()
        return tuple(tuple(Rule(*rule) for rule in both) for both in numbers)

    @property
    def width(self) -> int:
        """Length of the descriptor of an atom."""
        return 4 * sum(self.sel_a) + sum(self.sel_r)

    @property
    def pair_bytes(self) -> int:
        """Working memory of a pair."""
        return OF_PAIR

    @property
    def atom_bytes(self) -> int:
        """Working memory of an atom: what its places hold."""
        return tf.float64.size * COPIES * 4 * sum(self.sel)

    def with_open_of(self, old: LocFrame) -> LocFrame:
        """Return the settings: they leave nothing open."""
        return self

    def collectors(self, num_types: int) -> list[Collector]:
        """Return sums of the columns; they also find atoms without axes."""
        return [ColumnSums(self)]

    def decide(self, found: Found) -> tuple[LocFrame, Lines]:
        """Return the settings, and that the energy jumps."""
        note = (
            "note: this descriptor jumps where neighbours change their order or cross the cut-off, "
            "and so does the energy"
        )
        return self, [note]

    def first_arrays(self, found: Found) -> Arrays:
        """Return mean and spread of the columns by type of the centre, [T, width]."""
        sums = ColumnSums(self)
        mean, stddev = sums.normalisation(found.training[sums])
        return {"mean": mean, "stddev": stddev}

    def seen(self, found: Found) -> Arrays:
        """Return nothing: the descriptor has no tables."""
        return {}

    def extended(self, arrays: Mapping[str, np.ndarray], found: Found) -> tuple[Arrays, Lines]:
        """Return nothing: further data change nothing."""
        return {}, []

    def with_types(self, source: Source) -> LocFrame:
        """Raise ValueError: the places of the types make up the descriptor."""
        raise ValueError(
            "`type_map` must be that of the model where the descriptor is loc_frame, which has "
            "numbers of its own for each type"
        )

    def arrays_with_types(self, arrays: Mapping[str, np.ndarray], source: Source) -> Arrays:
        """Return nothing: with_types has refused."""
        return {}

    def build(
        self,
        pairs: SortedPairs,
        atom_type: tf.Tensor,
        parameters: Parameters,
        type_vectors: tf.Tensor | None,
    ) -> Described:
        """Return D [N_real, width] in the order of `pairs.atom_order`.

        An isolated atom has no axes; its D is that of places without neighbours.
        """
        found = local_rows(pairs, self.layout, self.rules, self.rcut)
        rows = complete(found, pairs, self.lacks())
        mean, stddev = (parameters.fixed_array(name) for name in ("mean", "stddev"))

        def normalised(rows: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
            return (rows - tf.repeat(mean, count, axis=0)) / tf.repeat(stddev, count, axis=0)

        def isolated() -> tf.Tensor:
            types = len(self.sel)
            return normalised(tf.zeros([types, self.width], tf.float64), tf.ones([types], tf.int32))

        return Described(normalised(rows, pairs.atom_count), isolated)

    def plan(self, parameters: Parameters, type_vectors: tf.Tensor | None) -> list[Stage]:
        """Return the one stage that gives D."""
        axes = [
            [
                Axis(np.flatnonzero(self.layout.candidates(rule)).tolist(), rule.rank)
                for rule in both
            ]
            for both in self.rules
        ]
        lacks = np.reshape(self.lacks(), (len(self.sel), -1))[:, 1:].tolist()
        names = (Constant(parameters.name(name)) for name in ("mean", "stddev"))
        places = self.rcut, self.sel_a, self.sel_r
        return [LocalFrames(parameters.name("descriptor"), *places, axes, lacks, *names)]

    def tables(self, parameters: Parameters, type_vectors: tf.Tensor | None) -> list[Table]:
        """Return nothing: there are no nets."""
        return []

    def lacks(self) -> list[str]:
        """Return what is wrong with an atom of each type and lack, in the order of both."""
        texts = []
        for centre, rules in enumerate(self.rules):
            texts.append("")
            texts += [
                f"`axis_rule` must name neighbours that are there, but type {centre} has none "
                f"within {self.rcut} A for the rule {list(rule)} of axis {number}: take a larger "
                "`rcut` or another rule"
                for number, rule in enumerate(rules, 1)
            ]
            texts.append(
                f"`axis_rule` must name neighbours in two directions, but those of type {centre}, "
                f"{[list(rule) for rule in rules]}, lie on one line: take other rules"
            )
        return texts
