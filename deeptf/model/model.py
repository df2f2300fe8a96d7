"""The model: its term's energies and gradients -> energy, force and virial.

    E = sum_i E_i      F_i = -dE/dr_i      virial = -sum_pairs dE/dr (x) r = -dE/dstrain

All derivatives come from one vector per pair, g = dE/d(displacement), but for what a term says
beside it. What a term is stands in term/term.py, and each kind in its own file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from deeptf import properties
from deeptf.data.statistics import Found
from deeptf.model.descriptor.described import Arrays, Lines
from deeptf.model.inputs import Inputs, build_inputs
from deeptf.model.parameters import Parameters
from deeptf.model.retyping import Source
from deeptf.model.roles import beginning
from deeptf.model.stages import TermPlan, with_pairs_within
from deeptf.model.table import Outside, Table
from deeptf.model.term.dipole_charge import DipoleCharge
from deeptf.model.term.part import Part, WithShortRange
from deeptf.model.term.term import Needs, TermOutputs, plan_of
from deeptf.ops.force import atom_virial, force_virial
from deeptf.ops.pairs import SortedPairs, pairs_within, sort_pairs
from deeptf.properties import CENTRE, PROPERTIES, Property, unmodified
from deeptf.tf import tf

MODIFIERS = {DipoleCharge.type: DipoleCharge}
MODIFIER = "modifier"  # scope of the arrays of one


@dataclass(frozen=True)
class Outputs:
    """Tensors that a model computes, float64; eV and A."""

    values: Mapping[str, tf.Tensor]  # properties by name, in the order of the input
    outside: Outside | None = None  # pairs closer than the data of the model; None without tables


@dataclass(frozen=True)
class ModelConfig(WithShortRange):
    """Settings of a model; its term's keys lie in the section `model` of the input too.

    modifier : a term that is added to the model when its term is trained.
    """

    type_map: tuple[str, ...] = ()
    data_stat_nbatch: int = beginning(10)
    data_stat_protect: float = beginning(0.01)
    modifier: DipoleCharge | None = field(default=None, metadata={"variants": MODIFIERS})

    def __post_init__(self) -> None:
        if len(set(self.type_map)) != len(self.type_map):
            raise ValueError(f"`type_map` must not repeat a name, got {list(self.type_map)}")
        if self.data_stat_nbatch < 1:
            raise ValueError(f"`data_stat_nbatch` must be at least 1, got {self.data_stat_nbatch}")
        if not self.data_stat_protect > 0:
            raise ValueError(f"`data_stat_protect` must be positive, got {self.data_stat_protect}")
        part = self.part  # which checks its keys
        if self.modifier is not None:
            self._check_modifier()
        if self.type_map:
            if hasattr(self.term, "names_of_types"):
                names = self.term.names_of_types(self.type_map)
                object.__setattr__(self, "type_map", names)
            part.check_types(len(self.type_map))
            part.check_names(self.type_map)
            if hasattr(self.term, "of_types"):
                object.__setattr__(self, "term", self.term.of_types(len(self.type_map)))

    @property
    def part(self) -> Part:
        """The term with what is beside it where atoms are near: the model without its modifier."""
        return Part(**{one.name: getattr(self, one.name) for one in fields(Part)})

    def of(self, part: Part) -> ModelConfig:
        """Return the model that a part of the model would be alone."""
        own = {one.name: getattr(part, one.name) for one in fields(Part)}
        return replace(self, modifier=None, **own)

    def _check_modifier(self) -> None:
        """Raise ValueError where the term and the modifier do not go together."""
        given = [row.name for row in self.gives()]
        if properties.ENERGY.name not in given:
            raise ValueError(
                f"`modifier` must be left out, or the model be one of energies, got {given[0]}"
            )
        if self.term.needs().masked:
            raise ValueError(
                "`modifier` must be left out with a mask of atoms: its charges act on all their "
                "images in a cell, and frames with a mask have no cell"
            )
        if getattr(self.term, "spin", None) is not None:
            raise ValueError("`modifier` must be left out of models with spins")
        if self.type_map:
            self.modifier.check_types(len(self.type_map))

    @property
    def num_types(self) -> int:
        """Number of atom types."""
        return len(self.type_map)

    def needs(self) -> Needs:
        """Return what the surroundings of the model have to give it."""
        needs = self.part.needs()
        if self.modifier is None:
            return needs
        other = self.modifier.needs()
        return replace(
            needs,
            rcut=max(needs.rcut, other.rcut),
            doors=other.doors,
            pair_bytes=needs.pair_bytes + other.pair_bytes,
            atom_bytes=needs.atom_bytes + other.atom_bytes,
        )

    @property
    def unmodified(self) -> ModelConfig:
        """The model without a modifier: what is trained, on labels without its part."""
        return replace(self, modifier=None)

    def first_arrays(self, found: Found) -> tuple[Arrays, Lines]:
        """Return the arrays of a new model that follow from data and files, and lines."""
        return self.part.first_arrays(found, self.type_map)

    def arrays_with_types(
        self, arrays: Mapping[str, np.ndarray], source: Source, type_map: Sequence[str]
    ) -> Arrays:
        """Return the arrays of the model for other types, see retyping.py."""
        return self.part.arrays_with_types(arrays, source, type_map)

    def with_types(self, source: Source, type_map: Sequence[str]) -> ModelConfig:
        """Return the settings of the model for other types, see retyping.py."""
        return replace(self, term=self.term.with_types(source), type_map=tuple(type_map))

    def inputs(self) -> Inputs:
        """Create the placeholders of this model in the current graph."""
        needs = self.needs()
        return build_inputs(needs.rcut, needs.numb_fparam, needs.numb_aparam, needs.masked)

    def untrained_energy(self, inputs: Inputs, parameters: Parameters) -> tf.Tensor:
        """Return the energies of frames by what nothing trains, [F] eV; see `Part`."""
        given = inputs.row, inputs.neighbor, inputs.displacement, inputs.atom_type
        pairs = self._pairs_of(self.part, sort_pairs(*given, self.num_types))
        energy = _to_atoms(self.part.untrained_energy(inputs, pairs, parameters), pairs, inputs)
        return tf.math.unsorted_segment_sum(energy, inputs.frame_of_atom, inputs.num_frames)

    def build(self, inputs: Inputs, parameters: Parameters, derivatives: bool = False) -> Outputs:
        """Return the tensors of the model on `inputs`; `parameters` holds its statistics.

        derivatives : those of properties of frames other than the energy too, which no loss needs.
        """
        given = inputs.row, inputs.neighbor, inputs.displacement, inputs.atom_type
        alone = self.needs().hops == 1  # else a term needs the pairs of further centres
        all_pairs = sort_pairs(*given, self.num_types, inputs.num_owned if alone else None)
        pairs = self._pairs_of(self.part, all_pairs)
        term = self.part.build(inputs, pairs, parameters)
        values = {}
        for name, value in term.values.items():
            per_atom = PROPERTIES[name].of == CENTRE
            values[name] = _to_atoms(value, pairs, inputs) if per_atom else value
        if term.atom_energy is not None:
            values |= _energies(term, pairs, inputs)
            if self.needs().masked:  # there is nothing to strain
                virials = properties.VIRIAL.name, properties.ATOM_VIRIAL.name
                values |= {name: tf.zeros_like(values[name]) for name in virials}
        if self.modifier is not None:
            more = self._of_modifier(inputs, all_pairs, parameters)
            values |= {unmodified(PROPERTIES[name]).name: values[name] for name in more}
            values |= {name: values[name] + value for name, value in more.items()}
        for name, shares in term.components.items() if derivatives else ():
            values |= _derivatives(PROPERTIES[name], shares, pairs, inputs)
        return Outputs(values, term.outside)

    def build_modifier(self, inputs: Inputs, parameters: Parameters) -> dict[str, tf.Tensor]:
        """Return energies, forces and virials of the modifier alone."""
        given = inputs.row, inputs.neighbor, inputs.displacement, inputs.atom_type
        pairs = sort_pairs(*given, self.num_types)
        return self._of_modifier(inputs, pairs, parameters)

    def _of_modifier(
        self, inputs: Inputs, pairs: SortedPairs, parameters: Parameters
    ) -> dict[str, tf.Tensor]:
        pairs = self._pairs_of(self.modifier, pairs)
        term = self.modifier.build(inputs, pairs, parameters.scope(MODIFIER))
        return _energies(term, pairs, inputs)

    def _pairs_of(self, part: Any, pairs: SortedPairs) -> SortedPairs:
        """Return the pairs within the cut-off of a part of the model."""
        rcut = part.needs().rcut
        return pairs if rcut >= self.needs().rcut else pairs_within(pairs, rcut)

    def gives(self) -> list[Property]:
        """Return the properties that data can label; energies where the term does not say."""
        return list(self.part.gives(self.num_types))

    def plan(self, parameters: Parameters) -> list[TermPlan] | None:
        """Return what an engine without TensorFlow has to do.

        None where a part of the model cannot say it. To be called in the frozen graph of the model.
        """
        found: list[TermPlan] = []
        for part, own in self._parts(parameters):
            terms = plan_of(part, own, self.num_types)
            if terms is None:
                return None
            near = part.needs().rcut
            found += terms if near >= self.needs().rcut else [_within(term, near) for term in terms]
        return found

    def _parts(self, parameters: Parameters) -> list[tuple[Any, Parameters]]:
        """Return the model without its modifier and, if there is one, this, with their arrays."""
        parts: list[tuple[Any, Parameters]] = [(self.part, parameters)]
        if self.modifier is not None:
            parts.append((self.modifier, parameters.scope(MODIFIER)))
        return parts

    def tables(self, parameters: Parameters) -> list[Table]:
        """Return the tables of the model's nets, in the current graph."""
        each = self._parts(parameters)
        return [table for part, own in each for table in part.tables(own, self.num_types)]


def _within(term: TermPlan, rcut: float) -> TermPlan:
    """Return a plan whose stages take the pairs closer than rcut alone."""
    return replace(term, stages=with_pairs_within(term.stages, rcut, f"{term.type}/near"))


def _energies(term: TermOutputs, pairs: SortedPairs, inputs: Inputs) -> dict[str, tf.Tensor]:
    """Return energy, force and virial of the frames, and their parts of the atoms."""
    atom_energy = _to_atoms(term.atom_energy, pairs, inputs)
    energy = tf.math.unsorted_segment_sum(atom_energy, inputs.frame_of_atom, inputs.num_frames)
    gradient = term.pair_gradient
    rigid = pairs if term.spins is None else term.spins.rigid(pairs)
    force, virial = force_virial(gradient, rigid, inputs.frame_row)
    of_atoms, parts = atom_virial(gradient, rigid), {}
    if term.spins is not None:
        force = term.spins.force(force)
        parts = {name: chosen * force for name, chosen in term.spins.chosen(inputs).items()}
    if term.direct is not None:
        force, virial = force + term.direct.force, virial + term.direct.virial
        of_atoms = of_atoms + term.direct.atom_virial
    return {
        properties.ENERGY.name: energy,
        properties.ATOM_ENERGY.name: atom_energy,
        properties.FORCE.name: force,
        properties.VIRIAL.name: virial,
        properties.ATOM_VIRIAL.name: of_atoms,
        **parts,
    }


def _derivatives(
    of: Property, shares: Sequence[tf.Tensor], pairs: SortedPairs, inputs: Inputs
) -> dict[str, tf.Tensor]:
    """Return force, virial and atomic virial of each component of a property of frames.

    shares : what each atom has of the components, [N_real].
    """
    found = []
    for share in shares:
        gradient = tf.gradients(share, pairs.displacement)[0]
        force, virial = force_virial(gradient, pairs, inputs.frame_row)
        found.append((force, virial, atom_virial(gradient, pairs)))
    columns = (tf.concat(column, axis=1) for column in zip(*found, strict=True))
    return {
        row.name: column for row, column in zip(properties.derivatives(of), columns, strict=True)
    }


def _to_atoms(value: tf.Tensor, pairs: SortedPairs, inputs: Inputs) -> tf.Tensor:
    """Return `value` [N_real, ...] in the order of the input, [N, ...]; other atoms get 0."""
    shape = tf.concat([[tf.shape(inputs.row)[0] - 1], tf.shape(value)[1:]], axis=0)
    return tf.scatter_nd(pairs.atom_order[:, None], value, shape)
