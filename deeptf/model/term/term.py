"""What every term of a model is: settings that know what they need and build tensors.

A term is a frozen dataclass in a file of its own, listed in TERMS (term/__init__.py) under its
`type`; its fields are keys of the section `model` of the input file. The energy of a model is its
term's, which may be made of others; force and virial follow in model.py from what the term says of
the pair displacements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np

from deeptf.data.energy_bias import Energies
from deeptf.data.statistics import Collector, Found
from deeptf.data.system import System
from deeptf.model.descriptor.described import Arrays, Lines
from deeptf.model.doors import COORDINATES, PAIRS
from deeptf.model.inputs import Inputs
from deeptf.model.parameters import Parameters
from deeptf.model.retyping import Source
from deeptf.model.spin import Spins
from deeptf.model.stages import TermPlan
from deeptf.model.table import Outside, Table
from deeptf.ops.pairs import SortedPairs
from deeptf.properties import ENERGIES, Property
from deeptf.tf import tf

GEOMETRY = 120  # bytes of a pair or an atom: displacement, its gradient, copies, indices; measured


@dataclass(frozen=True)
class Needs:
    """What the surroundings of a term have to give it.

    hops : how many cut-offs away an atom still matters for the energy of a centre; 1 where a centre
        needs its own pairs only. A term with more hops is given centres whose energy must not
        count: it multiplies energies by `inputs.owned(pairs.atom_order)` before it takes their
        gradient. Those of a term with 1 hop are left out of `pairs`.
    doors : through which of the doors of inputs.py it can be evaluated. A term that looks further
        than any number of cut-offs, at charges in the whole cell say, has COORDINATES only, and its
        frames are evaluated whole.
    masked : aparam says which atoms are there, and frames have no cell; the virial is 0.
    pair_bytes, atom_bytes : working memory of an evaluation of energy, force and virial, by which
        inference cuts its blocks. Copies of values and GEOMETRY were measured: peaks of resident
        memory of boxes with 250,000 pairs, and with 8,000 atoms and few pairs; those of the parts
        of a model follow from their widths (tests/infer/test_memory.py holds them to it).
    """

    rcut: float  # A
    hops: int = 1
    doors: tuple[str, ...] = (COORDINATES, PAIRS)
    numb_fparam: int = 0
    numb_aparam: int = 0
    masked: bool = False
    pair_bytes: int = GEOMETRY
    atom_bytes: int = GEOMETRY


@dataclass(frozen=True)
class Direct:
    """Forces and virials that do not follow from pair displacements; atoms as in the input."""

    force: tf.Tensor  # [N, 3]
    virial: tf.Tensor  # [F, 9]
    atom_virial: tf.Tensor  # [N, 9], which add up to the virial


@dataclass(frozen=True)
class TermOutputs:
    """Tensors that a term computes; real atoms sorted by type, float64, eV and A."""

    atom_energy: tf.Tensor | None = None  # [N_real]
    pair_gradient: tf.Tensor | None = None  # [P, 3] of their sum, dE/d(displacement)
    values: Mapping[str, tf.Tensor] = field(default_factory=dict)  # other properties, by name
    outside: Outside | None = None  # pairs closer than the data of tables
    spins: Spins | None = None  # of a model with virtual atoms
    # atoms' shares [N_real] of each component of properties of frames that have derivatives
    components: Mapping[str, Sequence[tf.Tensor]] = field(default_factory=dict)
    direct: Direct | None = None  # beside what follows from the pair gradient


class Term(Protocol):
    """A part of a model that has an energy or another property."""

    type: ClassVar[str]

    @property
    def fixed(self) -> bool:
        """Whether nothing trains it; may be missing: False."""

    def needs(self) -> Needs:
        """Return what it needs."""

    def gives(self, num_types: int) -> Sequence[Property]:
        """Return the properties that data can label; may be missing: energies."""

    def check_types(self, num_types: int) -> None:
        """Raise ValueError where the settings do not fit the number of types."""

    def check_names(self, type_map: Sequence[str]) -> None:
        """Raise ValueError where they do not fit the names of types; may be missing."""

    def open_types(self) -> int:
        """Return the least number of types that the settings speak of; 0 where they do not."""

    def with_open_of(self, old: Any) -> Any:
        """Return the settings with what they leave open taken from others of the same class."""

    def collectors(self, num_types: int) -> Sequence[Collector]:
        """Return what it wants to know of the data."""

    def decide(self, found: Found) -> tuple[Any, Lines]:
        """Return the settings with nothing left open, and lines about it."""

    def fixed_arrays(self, type_map: Sequence[str]) -> tuple[Arrays, Lines]:
        """Return the arrays of a `fixed` term that no data change, and lines about them."""

    def first_arrays(self, found: Found, type_map: Sequence[str]) -> tuple[Arrays, Lines]:
        """Return the arrays of a new model that follow from data, and lines about them."""

    def seen(self, found: Found) -> Arrays:
        """Return those of them that say which data the model has seen."""

    def extended(self, arrays: Mapping[str, np.ndarray], found: Found) -> tuple[Arrays, Lines]:
        """Return those arrays of a trained model that further data change, and lines."""

    def refitted(
        self,
        arrays: Mapping[str, np.ndarray],
        systems: Sequence[System],
        left: Sequence[Energies],
        type_map: Sequence[str],
    ) -> tuple[Arrays, Lines]:
        """Return those arrays of a trained model that make up for what is left of energies.

        left : of each system, labels minus energies of the model.
        """

    def with_types(self, source: Source) -> Any:
        """Return the settings for other types, see retyping.py; ValueError where they have none."""

    def arrays_with_types(
        self, arrays: Mapping[str, np.ndarray], source: Source, type_map: Sequence[str]
    ) -> Arrays:
        """Return the arrays of these settings for those of with_types; `type_map` names those."""

    def build(self, inputs: Inputs, pairs: SortedPairs, parameters: Parameters) -> TermOutputs:
        """Return what the term says of the atoms that `pairs` orders."""

    def plan(self, parameters: Parameters, num_types: int) -> list[TermPlan] | None:
        """Return the plan of it, or of the terms that it is made of.

        To be called in the graph that `build` has made of constants. None or no such method:
        TensorFlow alone can evaluate it.
        """

    def tables(self, parameters: Parameters, num_types: int) -> list[Table]:
        """Return the tables of its nets, in the current graph."""


def gives_of(term: Term, num_types: int) -> Sequence[Property]:
    """Return the properties of a term."""
    return term.gives(num_types) if hasattr(term, "gives") else ENERGIES


def plan_of(term: Term, parameters: Parameters, num_types: int) -> list[TermPlan] | None:
    """Return the plan of a term, or None where it has none."""
    return term.plan(parameters, num_types) if hasattr(term, "plan") else None
