"""Energies of pairs from a table in a file, which nothing trains: E_i = 1/2 sum_j u(r_ij; t_i, t_j).

See pair_table.py for the file. The types of both atoms count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from deeptf.data.energy_bias import Energies
from deeptf.data.statistics import Collector, Found
from deeptf.data.system import System
from deeptf.model.descriptor.described import Arrays, Lines
from deeptf.model.inputs import Inputs
from deeptf.model.pair_potential import TablePotential
from deeptf.model.parameters import Parameters
from deeptf.model.retyping import Source
from deeptf.model.roles import FUNCTION, run
from deeptf.model.stages import TermPlan
from deeptf.model.table import Table
from deeptf.model.term.term import Needs, TermOutputs
from deeptf.ops.pairs import SortedPairs
from deeptf.properties import ATOM_ENERGY

SCOPE = "pair_table"  # of the arrays


@dataclass(frozen=True)
class PairTab:
    """Settings: the file, and the cut-off in A. `sel` is known, but neighbours are never dropped."""

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

    def with_open_of(self, old: PairTab) -> PairTab:
        """Return the settings, which leave nothing open."""
        return self

    def collectors(self, num_types: int) -> Sequence[Collector]:
        """Return nothing: data have no say in it."""
        return []

    def decide(self, found: Found) -> tuple[PairTab, Lines]:
        """Return the settings as they are."""
        return self, []

    def fixed_arrays(self, type_map: Sequence[str]) -> tuple[Arrays, Lines]:
        """Return all arrays, which no data change: the splines of the table, and lines about it."""
        arrays, lines = self.potential.arrays(type_map)
        return {f"{SCOPE}/{name}": array for name, array in arrays.items()}, lines

    def first_arrays(self, found: Found, type_map: Sequence[str]) -> tuple[Arrays, Lines]:
        """Return the splines of the table."""
        return self.fixed_arrays(type_map)

    def seen(self, found: Found) -> Arrays:
        """Return nothing."""
        return {}

    def extended(self, arrays: Mapping[str, np.ndarray], found: Found) -> tuple[Arrays, Lines]:
        """Return nothing."""
        return {}, []

    def refitted(
        self,
        arrays: Mapping[str, np.ndarray],
        systems: Sequence[System],
        left: Sequence[Energies],
        type_map: Sequence[str],
    ) -> tuple[Arrays, Lines]:
        """Return nothing: a table has no energy bias."""
        return {}, []

    def with_types(self, source: Source) -> PairTab:
        """Return the settings as they are."""
        return self

    def arrays_with_types(self, arrays: Mapping[str, np.ndarray], source: Source) -> Arrays:
        """Return the splines for other types; ValueError where the table does not have them."""
        prefix = f"{SCOPE}/"
        own = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
        new = self.potential.arrays_with_types(own, source)
        return {f"{prefix}{name}": array for name, array in new.items()}

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
