"""Several descriptors side by side: D = (D_0, D_1, ...), each with settings and arrays of its own.

Part k has its own cut-off, statistics and nets, in the scope "k". A part with a shorter cut-off
than the longest gets the pairs within its own alone: one beyond it equals an empty place, so that
dropping it changes nothing but the time. On liquid water (se_e2_a of 6 A beside se_e3 of 4 A) a
step of training then takes 0.35 times as long. Parts may be hybrids again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from deeptf.data.statistics import Collector, Found
from deeptf.model.descriptor.described import Arrays, Described, Lines
from deeptf.model.parameters import Parameters
from deeptf.model.retyping import Source
from deeptf.model.scopes import below, in_numbered_scopes
from deeptf.model.stages import Concatenation, Stage, with_pairs_within
from deeptf.model.table import Table, joined
from deeptf.ops.pairs import SortedPairs, pairs_within
from deeptf.tf import tf

PARTS: dict[str, type] = {}  # what a part may be: all descriptors, see descriptor/__init__.py


@dataclass(frozen=True)
class Hybrid:
    """Settings of the parts."""

    type: ClassVar[str] = "hybrid"
    list: tuple[Any, ...] = field(metadata={"variants": PARTS})

    def __post_init__(self) -> None:
        if not self.list:
            raise ValueError("`list` must hold the parts of a hybrid descriptor, got none")

    @property
    def needs_type_vectors(self) -> bool:
        """Whether a part needs vectors of the types."""
        return any(part.needs_type_vectors for part in self.list)

    @property
    def rcut(self) -> float:
        """The longest cut-off in A."""
        return max(part.rcut for part in self.list)

    @property
    def sel(self) -> tuple[int, ...] | str:
        """The `sel` of a part that has one for each type, else "auto"."""
        given = [getattr(part, "sel", "auto") for part in self.list]
        return max((one for one in given if isinstance(one, tuple)), key=len, default="auto")

    @property
    def width(self) -> int:
        """Length of the descriptor of an atom."""
        return sum(part.width for part in self.list)

    @property
    def pair_bytes(self) -> int:
        """Working memory of a pair."""
        return sum(part.pair_bytes for part in self.list)

    @property
    def atom_bytes(self) -> int:
        """Working memory of an atom."""
        return sum(part.atom_bytes for part in self.list)

    @property
    def num_axes(self) -> int:
        """Number of vectors of all parts that turn with the atoms; 0 where one has none."""
        numbers = [getattr(part, "num_axes", 0) for part in self.list]
        return sum(numbers) if all(numbers) else 0

    def check_types(self, num_types: int) -> None:
        """Raise ValueError where a part does not fit the number of types."""
        for number, part in enumerate(self.list):
            try:
                part.check_types(num_types)
            except ValueError as error:
                raise ValueError(f"part {number} of `list`: {error}") from error

    def with_open_of(self, old: Hybrid) -> Hybrid:
        """Return the settings with what parts leave open taken from those of `old`."""
        if [type(part) for part in self.list] != [type(part) for part in old.list]:
            return self
        pairs = zip(self.list, old.list, strict=True)
        return replace(self, list=tuple(part.with_open_of(one) for part, one in pairs))

    def collectors(self, num_types: int) -> Sequence[Collector]:
        """Return what the parts want to know of the data."""
        return [one for part in self.list for one in part.collectors(num_types)]

    def decide(self, found: Found) -> tuple[Hybrid, Lines]:
        """Return the settings with nothing left open."""
        decided, notes = zip(*(part.decide(found) for part in self.list), strict=True)
        lines = [f"part {k}: {line}" for k, own in enumerate(notes) for line in own]
        return replace(self, list=decided), lines

    def with_net_decided(self, found: Found) -> tuple[Hybrid, Lines]:
        """Return the settings with parts that have decided what types with vectors leave open."""
        decided, lines = [], []
        for number, part in enumerate(self.list):
            notes: Lines = []
            if hasattr(part, "with_net_decided"):
                part, notes = part.with_net_decided(found)
            decided.append(part)
            lines += [f"part {number}: {line}" for line in notes]
        return replace(self, list=tuple(decided)), lines

    def with_net_of(self, old: Hybrid) -> Hybrid:
        """Return the settings with what parts leave open there taken from those of `old`."""
        if [type(part) for part in self.list] != [type(part) for part in old.list]:
            return self
        pairs = zip(self.list, old.list, strict=True)
        parts = (one.with_net_of(o) if hasattr(one, "with_net_of") else one for one, o in pairs)
        return replace(self, list=tuple(parts))

    def first_arrays(self, found: Found) -> Arrays:
        """Return the arrays of a new model that follow from data."""
        return in_numbered_scopes(part.first_arrays(found) for part in self.list)

    def seen(self, found: Found) -> Arrays:
        """Return those of them that say which data the model has seen."""
        return in_numbered_scopes(part.seen(found) for part in self.list)

    def extended(self, arrays: Mapping[str, np.ndarray], found: Found) -> tuple[Arrays, Lines]:
        """Return those arrays of a trained model that further data change."""
        changed, lines = [], []
        for number, part in enumerate(self.list):
            new, notes = part.extended(below(arrays, str(number)), found)
            changed.append(new)
            lines += [note for note in notes if note not in lines]
        return in_numbered_scopes(changed), lines

    def with_types(self, source: Source) -> Hybrid:
        """Return the settings for other types."""
        return replace(self, list=tuple(part.with_types(source) for part in self.list))

    def arrays_with_types(self, arrays: Mapping[str, np.ndarray], source: Source) -> Arrays:
        """Return the arrays for other types."""
        return in_numbered_scopes(
            part.arrays_with_types(below(arrays, str(number)), source)
            for number, part in enumerate(self.list)
        )

    def build(
        self,
        pairs: SortedPairs,
        atom_type: tf.Tensor,
        parameters: Parameters,
        type_vectors: tf.Tensor | None,
    ) -> Described:
        """Return the descriptors of the parts side by side, and what belongs to them."""
        parts = [
            part.build(self._pairs_of(part, pairs), atom_type, scope, type_vectors)
            for part, scope in self._in_scopes_of(parameters)
        ]
        moments = [part.moments for part in parts]
        return Described(
            _beside([part.descriptor for part in parts]),
            lambda: _beside([part.isolated() for part in parts]),
            None if any(one is None for one in moments) else _beside(moments),
            joined(part.outside for part in parts),
        )

    def plan(
        self, parameters: Parameters, type_vectors: tf.Tensor | None
    ) -> Sequence[Stage] | None:
        """Return the stages of the parts, and the one that puts what they give side by side."""
        stages: Sequence[Stage] = []
        given = []
        for part, scope in self._in_scopes_of(parameters):
            own = part.plan(scope, type_vectors) if hasattr(part, "plan") else None
            if own is None:
                return None
            if part.rcut < self.rcut:
                own = with_pairs_within(own, part.rcut, scope.name("pairs"))
            stages = [*stages, *own]
            given.append(own[-1].gives)
        return [*stages, Concatenation(given, parameters.name("descriptor"))]

    def tables(self, parameters: Parameters, type_vectors: tf.Tensor | None) -> Sequence[Table]:
        """Return the tables of all parts."""
        each = self._in_scopes_of(parameters)
        return [table for part, scope in each for table in part.tables(scope, type_vectors)]

    def _in_scopes_of(self, parameters: Parameters) -> Iterator[tuple[Any, Parameters]]:
        return ((part, parameters.scope(str(k))) for k, part in enumerate(self.list))

    def _pairs_of(self, part: Any, pairs: SortedPairs) -> SortedPairs:
        return pairs if part.rcut >= self.rcut else pairs_within(pairs, part.rcut)


def _beside(parts: Sequence[tf.Tensor]) -> tf.Tensor:
    """Return tensors side by side along their last axis, in the highest precision of them."""
    dtype = max((part.dtype for part in parts), key=lambda one: one.size)
    return tf.concat([tf.cast(part, dtype) for part in parts], axis=-1)
