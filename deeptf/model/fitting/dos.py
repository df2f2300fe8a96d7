"""Fitting net of a density of states: that of an atom from its descriptor.

    d_i = N_t(D_i, fparam, aparam), `numb_dos` numbers

and that of a frame is the sum over its atoms. Units and grid of energies are those of the data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from deeptf.data.statistics import Collector, Found
from deeptf.model.descriptor.described import Arrays, Described, Lines
from deeptf.model.fitting.conditions import condition_arrays, conditions_of_atoms
from deeptf.model.fitting.fitted import Fitted
from deeptf.model.fitting.plain_nets import PlainNets
from deeptf.model.fitting.tensor import frame_sums
from deeptf.model.inputs import Inputs
from deeptf.model.parameters import Parameters
from deeptf.model.stages import Stage
from deeptf.ops.pairs import SortedPairs
from deeptf.properties import ATOM_DOS, DOS, Property, of_width
from deeptf.tf import tf


@dataclass(frozen=True)
class DosFitting(PlainNets):
    """Settings of the fitting net; the fields are the keys of the input file."""

    type: ClassVar[str] = "dos"
    numb_fparam: int = 0
    numb_aparam: int = 0
    numb_dos: int = 300

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("numb_fparam", 0), ("numb_aparam", 0), ("numb_dos", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"`{name}` must be at least {least}, got {getattr(self, name)}")

    @property
    def conditions(self) -> list[str]:
        """Names of the parameters that the nets take."""
        return [name for name in ("fparam", "aparam") if getattr(self, f"numb_{name}")]

    def check_types(self, num_types: int) -> None:
        """Do nothing: any number of types will do."""

    def gives(self, num_types: int) -> list[Property]:
        """Return the properties of these nets."""
        return [of_width(row, self.numb_dos) for row in (DOS, ATOM_DOS)]

    def num_outputs(self, descriptor: Any) -> int:
        """Return how many numbers the nets give."""
        return self.numb_dos

    def collectors(self, num_types: int) -> list[Collector]:
        """Return nothing: parameters are read without pairs."""
        return []

    def first_arrays(self, found: Found, type_map: Sequence[str]) -> tuple[Arrays, Lines]:
        """Return mean and spread of fparam and aparam."""
        return condition_arrays(self.conditions, found), []

    def build(
        self, described: Described, inputs: Inputs, pairs: SortedPairs, parameters: Parameters
    ) -> Fitted:
        """Return the density of every real atom, sorted by type, and of every frame."""
        condition = conditions_of_atoms(self.conditions, inputs, pairs, parameters)
        types = self.chosen(int(pairs.atom_count.shape[0]))
        given = self.numb_dos, parameters, types, condition
        density = self.outputs(described, pairs.atom_count, *given)
        total = frame_sums(density, inputs, pairs)
        return Fitted(values={ATOM_DOS.name: density, DOS.name: total})

    def plan(
        self,
        described: Sequence[Stage],
        parameters: Parameters,
        type_vectors: tf.Tensor | None,
        num_types: int,
    ) -> tuple[list[Stage], Mapping[str, str]]:
        """Return the stages of the nets."""
        given = parameters, type_vectors is not None, num_types
        stage = self.stage(described[-1].gives, *given, self.conditions)
        return [stage], {ATOM_DOS.name: stage.gives}
