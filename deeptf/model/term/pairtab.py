"""Energies of pairs from a table in a file, which nothing trains.

E_i = 1/2 sum_j u(r_ij; t_i, t_j), see pair_table.py for the file. The types of both atoms count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from deeptf.data.statistics import Collector, Found
from deeptf.model.descriptor.described import Arrays, Lines
from deeptf.model.inputs import Inputs
from deeptf.model.pair_potential import TablePotential
from deeptf.model.parameters import Parameters
from deeptf.model.retyping import Source
from deeptf.model.roles import FUNCTION, run
from deeptf.model.scopes import below, in_scopes
from deeptf.model.stages import TermPlan
from deeptf.model.table import Table
from deeptf.model.term.fixed import Fixed
from deeptf.model.term.term import Needs, TermOutputs
from deeptf.ops.pairs import SortedPairs
from deeptf.properties import ATOM_ENERGY

SCOPE = "pair_table"  # of the arrays


@dataclass(frozen=True)
class PairTab(Fixed):
    """Settings: the file, and the cut-off in A; `sel` has no effect, no neighbour is dropped."""

    type: ClassVar[str] = "pairtab"
    tab_file: str = field(metadata={"role": FUNCTION})
    rcut: float = field(metadata={"role": FUNCTION})
    sel: int | tuple[int, ...] | str = run("auto")

    def __post_init__(self) -> None:
        if not self.rcut > 0:
            raise ValueError(f"`rcut` must be positive, got {self.rcut}")

    @property
    def potential(self) -> TablePotential:
        """The energies of two atoms."""
        return TablePotential(self.tab_file, self.rcut)

    def needs(self) -> Needs:
        """Return that pairs within the cut-off are all that it needs."""
        return Needs(self.rcut)

    def check_types(self, num_types: int) -> None:
        """Accept any number of types: the file tells."""

    def open_types(self) -> int:
        """Return 0: the settings do not speak of types."""
        return 0

    def collectors(self, num_types: int) -> Sequence[Collector]:
        """Return nothing: data have no say in it."""
        return []

    def fixed_arrays(self, type_map: Sequence[str]) -> tuple[Arrays, Lines]:
        """Return all arrays, which no data change: the splines of the table, and lines about it."""
        arrays, lines = self.potential.arrays(type_map)
        return in_scopes({SCOPE: arrays}), lines

    def seen(self, found: Found) -> Arrays:
        """Return nothing."""
        return {}

    def extended(self, arrays: Mapping[str, np.ndarray], found: Found) -> tuple[Arrays, Lines]:
        """Return nothing."""
        return {}, []

    def with_types(self, source: Source) -> PairTab:
        """Return the settings as they are."""
        return self

    def arrays_with_types(
        self, arrays: Mapping[str, np.ndarray], source: Source, type_map: Sequence[str]
    ) -> Arrays:
        """Return the splines for other types; ValueError where the table does not have them."""
        own = self.potential.arrays_with_types(below(arrays, SCOPE), source, type_map)
        return in_scopes({SCOPE: own})

    def build(self, inputs: Inputs, pairs: SortedPairs, parameters: Parameters) -> TermOutputs:
        """Return the energies of the atoms, and their gradient."""
        return TermOutputs(*self.potential.energies(inputs, pairs, parameters.scope(SCOPE)))

    def plan(self, parameters: Parameters, num_types: int) -> list[TermPlan]:
        """Return the one stage."""
        stage = self.potential.stage(parameters.scope(SCOPE))
        return [TermPlan(self.type, [stage], {ATOM_ENERGY.name: stage.gives})]

    def tables(self, parameters: Parameters, num_types: int) -> list[Table]:
        """Return nothing: tables of nets are meant."""
        return []
