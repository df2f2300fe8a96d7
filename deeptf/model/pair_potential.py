"""Energies of pairs that nothing trains: from a table, or the repulsion of nuclei (ZBL).

    E_i = 1/2 sum_j u(r_ij; t_i, t_j)

Both classes have the same functions: a term (term/pairtab.py), or what is beside one
(term/short_range.py), has either and does not know which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from deeptf.model.descriptor.described import Arrays, Lines
from deeptf.model.elements import atomic_numbers
from deeptf.model.inputs import Inputs
from deeptf.model.pair_table import GRID, NODES, read_pair_table, with_types
from deeptf.model.parameters import Parameters
from deeptf.model.retyping import Source
from deeptf.model.roles import FUNCTION
from deeptf.model.short_range_stages import PairTable, ZblWall
from deeptf.model.stages import Constant, Stage
from deeptf.ops.pairs import SortedPairs
from deeptf.ops.short_range import CentreValues, pair_table_energies, zbl_energies

NUMBERS = "atomic_number"  # [T]


class PairPotential(Protocol):
    """What gives the energy of two atoms at a distance."""

    def arrays(self, type_map: Sequence[str]) -> tuple[Arrays, Lines]:
        """Return its arrays, and lines about them; ValueError where there are none."""

    def arrays_with_types(
        self, arrays: Mapping[str, np.ndarray], source: Source, type_map: Sequence[str]
    ) -> Arrays:
        """Return its arrays for other types of these names, see retyping.py."""

    def energies(self, inputs: Inputs, pairs: SortedPairs, parameters: Parameters) -> CentreValues:
        """Return the energies of the centres, and their gradient."""

    def stage(self, parameters: Parameters) -> Stage:
        """Return what an engine has to do for the energies."""


@dataclass(frozen=True)
class TablePotential:
    """Energies from the table in a file, up to a cut-off in A."""

    path: str
    rcut: float

    def arrays(self, type_map: Sequence[str]) -> tuple[Arrays, Lines]:
        """Return the splines of the table."""
        return read_pair_table(self.path, len(type_map), self.rcut)

    def arrays_with_types(
        self, arrays: Mapping[str, np.ndarray], source: Source, type_map: Sequence[str]
    ) -> Arrays:
        """Return the splines for other types; ValueError where the table does not have them."""
        if any(t is None for t in source):
            raise ValueError(f"pair table {self.path} must have all types, but lacks new ones")
        columns = len(arrays[NODES])
        num_types = (int(np.sqrt(8 * columns + 1)) - 1) // 2
        return {**arrays, NODES: with_types(arrays[NODES], num_types, source)}

    def energies(self, inputs: Inputs, pairs: SortedPairs, parameters: Parameters) -> CentreValues:
        """Return the energies of the centres, and their gradient."""
        grid = np.append(parameters.array(GRID), self.rcut)
        given = inputs.atom_type, inputs.frame_row, parameters.fixed_array(NODES)
        return pair_table_energies(pairs, *given, grid)

    def stage(self, parameters: Parameters) -> Stage:
        """Return what an engine has to do for the energies."""
        names = (Constant(parameters.name(name)) for name in (NODES, GRID))
        return PairTable(parameters.name("energy"), self.rcut, *names)


@dataclass(frozen=True)
class Zbl:
    """The repulsion of nuclei, switched off from rin to rout in A."""

    rin: float = field(metadata={"role": FUNCTION})
    rout: float = field(metadata={"role": FUNCTION})

    def __post_init__(self) -> None:
        if not 0 < self.rin < self.rout:
            raise ValueError(
                f"`rin` must be positive and below `rout`, got {self.rin} and {self.rout}"
            )

    def arrays(self, type_map: Sequence[str]) -> tuple[Arrays, Lines]:
        """Return the atomic numbers of the types; ValueError for a name of no element."""
        return {NUMBERS: atomic_numbers(type_map)}, []

    def arrays_with_types(
        self, arrays: Mapping[str, np.ndarray], source: Source, type_map: Sequence[str]
    ) -> Arrays:
        """Return the atomic numbers of other types."""
        return self.arrays(type_map)[0]

    def energies(self, inputs: Inputs, pairs: SortedPairs, parameters: Parameters) -> CentreValues:
        """Return the energies of the centres, and their gradient."""
        numbers = parameters.fixed_array(NUMBERS)
        return zbl_energies(pairs, inputs.atom_type, numbers, (self.rin, self.rout))

    def stage(self, parameters: Parameters) -> Stage:
        """Return what an engine has to do for the energies."""
        number = Constant(parameters.name(NUMBERS))
        return ZblWall(parameters.name("energy"), self.rin, self.rout, number)
