"""The standard term: a descriptor of each atom, and a fitting net that makes a property of it.

E = sum_i N(D_i)        dE/d(displacement) = sum_i dN/dD_i  dD_i/d(displacement)

With vectors of the types (type_embedding.py) both parts get them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from deeptf.data.energy_bias import Energies
from deeptf.data.statistics import Collector, Found
from deeptf.data.system import System
from deeptf.model.descriptor import DESCRIPTORS
from deeptf.model.descriptor.described import Arrays, Described, Lines
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.doors import COORDINATES, PAIRS
from deeptf.model.fitting import FITTINGS
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.inputs import Inputs
from deeptf.model.parameters import Parameters
from deeptf.model.retyping import Source
from deeptf.model.scopes import below, in_scopes
from deeptf.model.spin import Spin, spins_of
from deeptf.model.stages import TermPlan
from deeptf.model.table import Table
from deeptf.model.term.term import GEOMETRY, Needs, TermOutputs
from deeptf.model.type_embedding import LINEAR, TypeEmbedding
from deeptf.ops.pairs import SortedPairs
from deeptf.properties import (
    ATOM_ENERGY,
    DESCRIPTOR,
    ENERGIES,
    FORCE,
    MAGNETIC_FORCE,
    REAL_FORCE,
    Property,
)
from deeptf.tf import tf

SCOPES = ("descriptor", "fitting")  # of the arrays of the two parts
BIAS = "energy_bias"  # of models of energies, below the scope of the fitting net
ENERGY_BIAS = f"{SCOPES[1]}/{BIAS}"
TYPES = "type_embedding"  # scope of the arrays that make vectors of types


@dataclass(frozen=True)
class Standard:
    """Settings of both parts; a descriptor that needs vectors of types has some in any case."""

    type: ClassVar[str] = "standard"
    descriptor: Any = field(metadata={"variants": DESCRIPTORS})
    fitting_net: Any = field(
        default=EnerFitting(), metadata={"variants": FITTINGS, "default_type": EnerFitting.type}
    )
    type_embedding: TypeEmbedding | None = None
    spin: Spin | None = None

    def __post_init__(self) -> None:
        if self.type_embedding is None and self.descriptor.needs_type_vectors:
            object.__setattr__(self, "type_embedding", LINEAR)
        if self.spin is not None:
            self._check_spin()
        if hasattr(self.fitting_net, "check_descriptor"):
            self.fitting_net.check_descriptor(self.descriptor)
        if getattr(self.fitting_net, "use_aparam_as_mask", False) != self._masked:
            wanted = json.dumps(self._masked)
            raise ValueError(
                f"`use_aparam_as_mask` of fitting_net must be {wanted} with the descriptor "
                f"{self.descriptor.type}, got {json.dumps(not self._masked)}"
            )

    def _check_spin(self) -> None:
        """Give virtual types places as their real ones; ValueError for parts without spins."""
        energies = isinstance(self.fitting_net, EnerFitting)
        if type(self.descriptor) is not SeE2A or self.type_embedding or not energies:
            raise ValueError(
                "`spin` must go with the descriptor se_e2_a, no `type_embedding` and the fitting "
                f"net ener, got {self.descriptor.type} and {self.fitting_net.type}"
            )
        if isinstance(self.descriptor.sel, tuple):
            sel = self.spin.with_virtual(self.descriptor.sel)
            object.__setattr__(self, "descriptor", replace(self.descriptor, sel=sel))

    def names_of_types(self, type_map: Sequence[str]) -> tuple[str, ...]:
        """Return the names of all types; virtual atoms of spins have types of their own."""
        return tuple(type_map) if self.spin is None else self.spin.names(type_map)

    def of_types(self, num_types: int) -> Standard:
        """Return the settings of a model of so many types, with what their number decides."""
        if not hasattr(self.fitting_net, "of_types"):
            return self
        return replace(self, fitting_net=self.fitting_net.of_types(num_types))

    @property
    def _masked(self) -> bool:
        """Whether the descriptor asks which atoms are there."""
        return getattr(self.descriptor, "masked", False)

    def needs(self) -> Needs:
        """Return what both parts need."""
        descriptor, fitting = self.descriptor, self.fitting_net
        return Needs(
            descriptor.rcut,
            doors=(COORDINATES,) if self._masked or self.spin else (COORDINATES, PAIRS),
            numb_fparam=fitting.numb_fparam,
            numb_aparam=fitting.numb_aparam,
            masked=self._masked,
            pair_bytes=GEOMETRY + descriptor.pair_bytes,
            atom_bytes=GEOMETRY + descriptor.atom_bytes + fitting.atom_bytes,
        )

    def gives(self, num_types: int) -> Sequence[Property]:
        """Return the properties of the fitting net."""
        if hasattr(self.fitting_net, "gives"):
            return self.fitting_net.gives(num_types)
        if self.spin is not None:
            real, virtual = tuple(range(self.spin.num_real)), self.spin.num_real
            return [
                *(row for row in ENERGIES if row not in (FORCE, ATOM_ENERGY)),
                replace(ATOM_ENERGY, types=real),
                replace(REAL_FORCE, types=real),
                replace(MAGNETIC_FORCE, types=tuple(range(virtual, self.spin.num_types))),
            ]
        return ENERGIES

    def check_types(self, num_types: int) -> None:
        """Raise ValueError where a part does not fit the number of types."""
        self.descriptor.check_types(num_types)
        self.fitting_net.check_types(self.spin.num_real if self.spin else num_types)

    def open_types(self) -> int:
        """Return the number of entries of a given `sel`."""
        sel = getattr(self.descriptor, "sel", "auto")
        return len(sel) if isinstance(sel, tuple) else 0

    def with_open_of(self, old: Standard) -> Standard:
        """Return the settings with what the descriptor leaves open taken from `old`."""
        if type(old.descriptor) is not type(self.descriptor):
            return self
        descriptor = self.descriptor.with_open_of(old.descriptor)
        if self._decides_net:
            descriptor = descriptor.with_net_of(old.descriptor)
        return replace(self, descriptor=descriptor)

    def collectors(self, num_types: int) -> list[Collector]:
        """Return what both parts want to know of the data."""
        parts = self.descriptor, self.fitting_net
        return [one for part in parts for one in part.collectors(num_types)]

    def decide(self, found: Found) -> tuple[Standard, Lines]:
        """Return the settings with nothing left open."""
        descriptor, lines = self.descriptor.decide(found)
        if self._decides_net:
            descriptor, more = descriptor.with_net_decided(found)
            lines = [*lines, *more]
        return replace(self, descriptor=descriptor), lines

    @property
    def _decides_net(self) -> bool:
        """Whether the descriptor leaves something open that vectors of types decide."""
        return self.type_embedding is not None and hasattr(self.descriptor, "with_net_decided")

    def first_arrays(self, found: Found, type_map: Sequence[str]) -> tuple[Arrays, Lines]:
        """Return the arrays of both parts of a new model."""
        fitted, lines = self._of_all_types.first_arrays(found, type_map)
        if self.spin is not None:
            fitted[BIAS] = self.spin.merged(fitted[BIAS])
        parts = self.descriptor.first_arrays(found), fitted
        return in_scopes(dict(zip(SCOPES, parts, strict=True))), lines

    def seen(self, found: Found) -> Arrays:
        """Return those of them that say which data the model has seen."""
        return in_scopes({SCOPES[0]: self.descriptor.seen(found)})

    def extended(self, arrays: Mapping[str, np.ndarray], found: Found) -> tuple[Arrays, Lines]:
        """Return those arrays of a trained model that further data change."""
        changed, lines = self.descriptor.extended(below(arrays, SCOPES[0]), found)
        return in_scopes({SCOPES[0]: changed}), lines

    def refitted(
        self,
        arrays: Mapping[str, np.ndarray],
        systems: Sequence[System],
        left: Sequence[Energies],
        type_map: Sequence[str],
    ) -> tuple[Arrays, Lines]:
        """Return those arrays of a trained model that make up for what is left of energies."""
        own = below(arrays, SCOPES[1])
        if self.spin is not None:
            virtual = np.zeros(len(self.spin.virtual_len))
            own = {**own, BIAS: np.concatenate([own[BIAS], virtual])}
        changed, lines = self._of_all_types.refitted(own, systems, left, type_map)
        if self.spin is not None:
            changed[BIAS] = self.spin.merged(changed[BIAS])
        return in_scopes({SCOPES[1]: changed}), lines

    def trained_bias(self, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the energy bias of each type, [T] eV."""
        return arrays[ENERGY_BIAS]

    def with_types(self, source: Source) -> Standard:
        """Return the settings for other types."""
        if self.spin is not None:
            raise ValueError("types with spins and their virtual types belong together")
        parts = self.descriptor, self.fitting_net
        descriptor, fitting_net = (part.with_types(source) for part in parts)
        return replace(self, descriptor=descriptor, fitting_net=fitting_net)

    def arrays_with_types(
        self, arrays: Mapping[str, np.ndarray], source: Source, type_map: Sequence[str]
    ) -> Arrays:
        """Return the arrays for other types."""
        parts = zip(SCOPES, (self.descriptor, self.fitting_net), strict=True)
        if self.type_embedding is not None:
            parts = *parts, (TYPES, self.type_embedding)
        return in_scopes(
            {scope: part.arrays_with_types(below(arrays, scope), source) for scope, part in parts}
        )

    def build(self, inputs: Inputs, pairs: SortedPairs, parameters: Parameters) -> TermOutputs:
        """Return energies, their gradient in the displacements, and the descriptors."""
        of_descriptor, of_fitting = (parameters.scope(name) for name in SCOPES)
        vectors = self._type_vectors(int(pairs.atom_count.shape[0]), parameters)
        described = self.descriptor.build(pairs, inputs.atom_type, of_descriptor, vectors)
        described = replace(described, type_vectors=vectors)
        values = {DESCRIPTOR.name: tf.cast(described.descriptor, tf.float64)}
        if self.spin is not None:
            described, own = self._of_real_atoms(described, pairs)
            fitted = self.fitting_net.build(described, inputs, own, of_fitting)
            fitted = replace(fitted, energy=_with_zeros(fitted.energy, pairs.atom_order))
        else:
            fitted = self.fitting_net.build(described, inputs, pairs, of_fitting)
        gradient = None
        if fitted.slope is not None:
            gradient = tf.gradients(described.descriptor, pairs.displacement, fitted.slope)[0]
        return TermOutputs(
            fitted.energy,
            gradient,
            {**values, **fitted.values},
            described.outside,
            None if self.spin is None else spins_of(self.spin, inputs),
            fitted.components,
        )

    def _of_real_atoms(
        self, described: Described, pairs: SortedPairs
    ) -> tuple[Described, SortedPairs]:
        """Return descriptors of real atoms, which come first, and their numbers."""
        types = self.spin.num_real
        count = pairs.atom_count[:types]
        number = tf.reduce_sum(count)
        real = replace(
            described,
            descriptor=described.descriptor[:number],
            isolated=lambda: described.isolated()[:types],
            moments=None,
        )
        order = pairs.atom_order[:number]
        return real, pairs._replace(atom_order=order, atom_count=count)

    @property
    def _of_all_types(self) -> Any:
        """The fitting net as if virtual atoms had energies, whose bias is then their atoms'."""
        if self.spin is None or not self.fitting_net.atom_ener:
            return self.fitting_net
        virtual = (None,) * len(self.spin.virtual_len)
        return replace(self.fitting_net, atom_ener=(*self.fitting_net.atom_ener, *virtual))

    def plan(self, parameters: Parameters, num_types: int) -> list[TermPlan] | None:
        """Return the stages of both parts, where both have them."""
        parts = self.descriptor, self.fitting_net
        if not all(hasattr(part, "plan") for part in parts):
            return None
        of_descriptor, of_fitting = (parameters.scope(name) for name in SCOPES)
        vectors = self._type_vectors(num_types, parameters)
        described = self.descriptor.plan(of_descriptor, vectors)
        if described is None:
            return None
        fitting_types = num_types if self.spin is None else self.spin.num_real
        fitted, values = self.fitting_net.plan(described, of_fitting, vectors, fitting_types)
        values = {DESCRIPTOR.name: described[-1].gives, **values}
        return [TermPlan(self.type, [*described, *fitted], values)]

    def tables(self, parameters: Parameters, num_types: int) -> list[Table]:
        """Return the tables of the descriptor."""
        vectors = self._type_vectors(num_types, parameters)
        return self.descriptor.tables(parameters.scope(SCOPES[0]), vectors)

    def _type_vectors(self, num_types: int, parameters: Parameters) -> tf.Tensor | None:
        """Return the vectors of the types, [T + 1, n], of a model that has some."""
        section = self.type_embedding
        return None if section is None else section.vectors(num_types, parameters.scope(TYPES))


def _with_zeros(energy: tf.Tensor, atom_order: tf.Tensor) -> tf.Tensor:
    """Return energies of the first of some atoms with zeros for the others."""
    return tf.pad(energy, [[0, tf.shape(atom_order)[0] - tf.shape(energy)[0]]])
