"""A model from a file as a part of another: its arrays are constants, which nothing trains.

Beside a term that is trained (linear_ener) it is what that learns the difference to. Its settings
and arrays come from the file once (exchange/model_parts.py); a model that has it needs no file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from deeptf.data.statistics import Collector, Found
from deeptf.model.descriptor.described import Arrays, Lines
from deeptf.model.inputs import Inputs
from deeptf.model.parameters import Parameters
from deeptf.model.retyping import Source
from deeptf.model.roles import BEGINNING
from deeptf.model.stages import TermPlan
from deeptf.model.table import Table
from deeptf.model.term.fixed import Fixed
from deeptf.model.term.part import Part
from deeptf.model.term.short_range import ShortRange
from deeptf.model.term.term import Needs, TermOutputs
from deeptf.ops.pairs import SortedPairs
from deeptf.properties import Property


@dataclass(frozen=True)
class Frozen(Fixed):
    """The file, and the settings of the model in it."""

    type: ClassVar[str] = "frozen"
    model_file: str = field(metadata={"role": BEGINNING})
    model: Part

    @property
    def short_range(self) -> ShortRange | None:
        """What the model in the file has where atoms are near."""
        return self.model.short_range or getattr(self.model.term, "short_range", None)

    def needs(self) -> Needs:
        """Return what the model in the file needs."""
        return self.model.needs()

    def gives(self, num_types: int) -> Sequence[Property]:
        """Return what the model in the file gives."""
        return self.model.gives(num_types)

    def check_types(self, num_types: int) -> None:
        """Raise ValueError where the model in the file has another number of types."""
        self.model.check_types(num_types)

    def check_names(self, type_map: Sequence[str]) -> None:
        """Raise ValueError where the model in the file needs other names."""
        self.model.check_names(type_map)

    def open_types(self) -> int:
        """Return the least number of types that the settings speak of."""
        return self.model.open_types()

    def collectors(self, num_types: int) -> Sequence[Collector]:
        """Return what says how far its tables must reach."""
        return self.model.collectors(num_types)

    def fixed_arrays(self, type_map: Sequence[str]) -> tuple[Arrays, Lines]:
        """Return nothing: all arrays come from the file."""
        return {}, []

    def seen(self, found: Found) -> Arrays:
        """Return those arrays that say which data the model has seen."""
        return self.model.seen(found)

    def extended(self, arrays: Mapping[str, np.ndarray], found: Found) -> tuple[Arrays, Lines]:
        """Return those arrays that further data change: the reach of tables."""
        return self.model.extended(arrays, found)

    def with_types(self, source: Source) -> Frozen:
        """Return the settings for other types."""
        return replace(self, model=self.model.with_types(source))

    def arrays_with_types(
        self, arrays: Mapping[str, np.ndarray], source: Source, type_map: Sequence[str]
    ) -> Arrays:
        """Return the arrays for other types; ValueError for a type that the file does not have."""
        if any(t is None for t in source):
            raise ValueError(f"a frozen model has no new types, got some for {self.model_file}")
        return self.model.arrays_with_types(arrays, source, type_map)

    def build(self, inputs: Inputs, pairs: SortedPairs, parameters: Parameters) -> TermOutputs:
        """Return what the model in the file says, with constants for all arrays."""
        return self.model.build(inputs, pairs, parameters.untrained())

    def plan(self, parameters: Parameters, num_types: int) -> list[TermPlan] | None:
        """Return the plan of the model in the file."""
        return self.model.plan(parameters, num_types)

    def tables(self, parameters: Parameters, num_types: int) -> list[Table]:
        """Return the tables of its nets."""
        return self.model.tables(parameters.untrained(), num_types)
