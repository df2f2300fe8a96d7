"""A term and what there is beside it, or in its place, where atoms are near (short_range.py).

A model has one, and so have the parts of a sum (linear_ener.py) and a model from a file
(frozen.py): in each of them it stands for the energies of its term.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptf import properties
from deeptf.data.energy_bias import Energies
from deeptf.data.statistics import Collector, Found
from deeptf.data.system import System
from deeptf.model.descriptor.described import Arrays, Lines
from deeptf.model.inputs import Inputs
from deeptf.model.pair_potential import TablePotential, Zbl
from deeptf.model.parameters import Parameters
from deeptf.model.retyping import Source
from deeptf.model.roles import FUNCTION
from deeptf.model.stages import TermPlan
from deeptf.model.table import Table
from deeptf.model.term.short_range import ShortRange
from deeptf.model.term.standard import Standard
from deeptf.model.term.term import Needs, TermOutputs, gives_of, plan_of
from deeptf.ops.pairs import SortedPairs
from deeptf.properties import Property
from deeptf.tf import tf

if TYPE_CHECKING:
    from typing_extensions import Self

TERMS: dict[str, type] = {}  # by their types; filled in term/__init__.py
LENGTHS = ("smin_alpha", "sw_rmin", "sw_rmax")


def _key(default: Any) -> Any:
    """Return a field of `WithShortRange`."""
    return field(default=default, kw_only=True, metadata={"role": FUNCTION, "sparse": True})


@dataclass(frozen=True)
class WithShortRange:
    """The keys of a term, and those of what is where atoms are near.

    use_srtab : file of a table of pair energies that takes the place of the nets where atoms are
        near, by smin_alpha, sw_rmin and sw_rmax in A
    zbl : repulsion of nuclei in its place with these three lengths, or without them beside the nets
    """

    term: Any = field(metadata={"variants": TERMS, "default_type": Standard.type, "inline": True})
    use_srtab: str | None = _key(None)
    smin_alpha: float | None = _key(None)
    sw_rmin: float | None = _key(None)
    sw_rmax: float | None = _key(None)
    srtab_add_bias: bool = _key(True)
    zbl: Zbl | None = _key(None)

    @property
    def short_range(self) -> ShortRange | None:
        """What there is beside the term where atoms are near."""
        if self.use_srtab is None and self.zbl is None:
            return None
        potential = self.zbl or TablePotential(self.use_srtab, self.term.needs().rcut)
        if self.smin_alpha is None:
            return ShortRange(potential)
        lengths = self.smin_alpha, self.sw_rmin, self.sw_rmax
        return ShortRange(potential, lengths, self.srtab_add_bias)

    @property
    def short_range_key(self) -> str:
        """The key that says what there is."""
        return "use_srtab" if self.zbl is None else "zbl"


@dataclass(frozen=True)
class Part(WithShortRange):
    """Settings of a term with these keys; its functions are those of a term (term.py)."""

    def __post_init__(self) -> None:
        self._check_lengths()
        if self.short_range is not None:
            self._check_short_range()

    def _check_lengths(self) -> None:
        """Raise ValueError where a blend lacks lengths, or they cannot be those of one."""
        lengths = {name: getattr(self, name) for name in LENGTHS}
        given = [name for name, value in lengths.items() if value is not None]
        if given and self.use_srtab is None and self.zbl is None:
            raise ValueError(f"`{given[0]}` must go with `use_srtab` or `zbl`, got neither of them")
        lacking = [name for name in lengths if name not in given]
        if lacking and (given or self.use_srtab is not None):
            raise ValueError(f"`{lacking[0]}` must be a number of A for a blend, got null")
        if given and not (self.smin_alpha > 0 and 0 <= self.sw_rmin < self.sw_rmax):
            raise ValueError(
                "`smin_alpha` must be positive and `sw_rmin` from 0 to below `sw_rmax`, got "
                f"{', '.join(map(str, lengths.values()))}"
            )
        if self.use_srtab is not None and self.zbl is not None:
            raise ValueError("`use_srtab` and `zbl` must not be given both; remove one of them")

    def _check_short_range(self) -> None:
        """Raise ValueError where energies of pairs do not fit the term."""
        needs, what = self.term.needs(), self.short_range_key
        if self.zbl is not None and self.zbl.rout > needs.rcut:
            raise ValueError(
                f"`rout` of zbl must be at most the cut-off {needs.rcut} A, got {self.zbl.rout}"
            )
        if needs.hops > 1 or (self.short_range.lengths and not isinstance(self.term, Standard)):
            there = "; give it in the `models`" if hasattr(self.term, "models") else ""
            raise ValueError(f"`{what}` must go with a standard model, got {self.term.type}{there}")
        if getattr(self.term, "spin", None) is not None:
            raise ValueError(f"`{what}` must be left out of models with spins")
        given = [row.name for row in self.gives(0)]
        if properties.ENERGY.name not in given:
            raise ValueError(f"`{what}` must go with a model of energies, got {', '.join(given)}")
        if getattr(self.term, "short_range", None) is not None:
            raise ValueError(
                f"`{what}` must be left out: the model in `model_file` has energies of pairs of "
                "its own where atoms are near"
            )

    @property
    def fixed(self) -> bool:
        """Whether nothing trains it."""
        return getattr(self.term, "fixed", False)

    def needs(self) -> Needs:
        """Return what the term needs, with the memory for pairs."""
        needs = self.term.needs()
        if self.short_range is None:
            return needs
        return replace(needs, pair_bytes=needs.pair_bytes + self.short_range.pair_bytes)

    def gives(self, num_types: int) -> Sequence[Property]:
        """Return what the term gives."""
        return gives_of(self.term, num_types)

    def check_types(self, num_types: int) -> None:
        """Raise ValueError where the term does not fit the number of types."""
        self.term.check_types(num_types)

    def check_names(self, type_map: Sequence[str]) -> None:
        """Raise ValueError where names of types are none of elements, and must be."""
        if self.zbl is not None:
            self.zbl.arrays(type_map)
        if hasattr(self.term, "check_names"):
            self.term.check_names(type_map)

    def open_types(self) -> int:
        """Return the least number of types that the term speaks of."""
        return self.term.open_types()

    def with_open_of(self, old: Self) -> Self:
        """Return the settings with what the term leaves open taken from that of `old`."""
        return replace(self, term=self.term.with_open_of(old.term))

    def collectors(self, num_types: int) -> Sequence[Collector]:
        """Return what the term wants to know of the data."""
        return self.term.collectors(num_types)

    def decide(self, found: Found) -> tuple[Self, Lines]:
        """Return the settings with nothing left open."""
        term, lines = self.term.decide(found)
        return replace(self, term=term), lines

    def fixed_arrays(self, type_map: Sequence[str]) -> tuple[Arrays, Lines]:
        """Return the arrays of a term that nothing trains, and those beside it."""
        return self.with_short_range(*self.term.fixed_arrays(type_map), type_map)

    def first_arrays(self, found: Found, type_map: Sequence[str]) -> tuple[Arrays, Lines]:
        """Return the arrays of a new model that follow from data and files."""
        return self.with_short_range(*self.term.first_arrays(found, type_map), type_map)

    def with_short_range(
        self, arrays: Arrays, lines: Lines, type_map: Sequence[str]
    ) -> tuple[Arrays, Lines]:
        """Return arrays of the term, and lines, with those of what is beside it."""
        if self.short_range is None:
            return arrays, lines
        own, more = self.short_range.arrays(type_map)
        return {**arrays, **own}, [*lines, *more]

    def seen(self, found: Found) -> Arrays:
        """Return those arrays that say which data the model has seen."""
        return self.term.seen(found)

    def extended(self, arrays: Mapping[str, np.ndarray], found: Found) -> tuple[Arrays, Lines]:
        """Return those arrays of a trained model that further data change."""
        return self.term.extended(arrays, found)

    def refitted(
        self,
        arrays: Mapping[str, np.ndarray],
        systems: Sequence[System],
        left: Sequence[Energies],
        type_map: Sequence[str],
    ) -> tuple[Arrays, Lines]:
        """Return those arrays of the term that make up for what is left of energies."""
        return self.term.refitted(arrays, systems, left, type_map)

    @property
    def has_untrained(self) -> bool:
        """Whether labels hold energies that nothing trains: see `untrained_energy`."""
        return self.fixed or self._has_wall or any(one.has_untrained for one in self._parts)

    def untrained_energy(
        self, inputs: Inputs, pairs: SortedPairs, parameters: Parameters
    ) -> tf.Tensor:
        """Return the energies of atoms by what nothing trains, [N_real] eV.

        That is all of a fixed term; of others a wall, which is no blend, and what their parts have.
        """
        if self.fixed:
            return self.build(inputs, pairs, parameters).atom_energy
        if self._parts:
            found = self.term.untrained_energy(inputs, pairs, parameters)
        else:
            found = tf.zeros_like(pairs.atom_order, tf.float64)
        if self._has_wall:
            found += self.short_range.energies(inputs, pairs, parameters).value
        return found

    def trained_bias(self, arrays: Mapping[str, np.ndarray]) -> np.ndarray | float:
        """Return what energy biases of nets that train add to that of each type, [T] eV."""
        return 0.0 if self.fixed else self.term.trained_bias(arrays)

    @property
    def _has_wall(self) -> bool:
        return self.short_range is not None and self.short_range.lengths is None

    @property
    def _parts(self) -> Sequence[Part]:
        """The parts of a sum."""
        return getattr(self.term, "models", ())

    def with_types(self, source: Source) -> Self:
        """Return the settings for other types."""
        return replace(self, term=self.term.with_types(source))

    def arrays_with_types(
        self, arrays: Mapping[str, np.ndarray], source: Source, type_map: Sequence[str]
    ) -> Arrays:
        """Return the arrays for other types of these names."""
        new = self.term.arrays_with_types(arrays, source, type_map)
        if self.short_range is not None:
            new |= self.short_range.arrays_with_types(arrays, source, type_map)
        return new

    def build(self, inputs: Inputs, pairs: SortedPairs, parameters: Parameters) -> TermOutputs:
        """Return what the term says, with the energies of pairs beside or in place of its own."""
        found = self.term.build(inputs, pairs, parameters)
        if self.short_range is None:
            return found
        return self.short_range.build(found, inputs, pairs, parameters)

    def plan(self, parameters: Parameters, num_types: int) -> list[TermPlan] | None:
        """Return the plan of the term, with the stages for energies of pairs."""
        terms = plan_of(self.term, parameters, num_types)
        if terms is None or self.short_range is None:
            return terms
        return self.short_range.plan(terms, parameters)

    def tables(self, parameters: Parameters, num_types: int) -> list[Table]:
        """Return the tables of the term's nets."""
        return self.term.tables(parameters, num_types)
