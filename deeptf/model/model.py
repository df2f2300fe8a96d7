"""The energy model: pairs -> descriptor -> atomic energies -> energy, force, virial.

    E = sum_i E_i      F_i = -dE/dr_i      virial = -sum_pairs r (x) dE/dr = -dE/dstrain

All derivatives come from one vector per pair, g = dE/d(displacement). The file says how the parts
are joined; what a descriptor or a fitting net is stands in their own files.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from deeptf.model.descriptor import DESCRIPTORS
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting import FITTINGS
from deeptf.model.fitting.ener import EnerFitting, standardised
from deeptf.model.inputs import Inputs, build_inputs
from deeptf.model.parameters import Parameters
from deeptf.model.ranges import Curves
from deeptf.model.roles import beginning
from deeptf.model.table import Outside, Table
from deeptf.ops.force import force_virial
from deeptf.ops.pairs import SortedPairs, sort_pairs
from deeptf.tf import tf


@dataclass(frozen=True)
class Outputs:
    """Tensors that a model computes, float64; eV and A."""

    energy: tf.Tensor  # [F]
    atom_energy: tf.Tensor  # [N]
    force: tf.Tensor  # [N_all, 3]
    virial: tf.Tensor  # [F, 9]
    pair_gradient: tf.Tensor  # [P, 3] dE/d(displacement) of the sorted pairs
    pairs: SortedPairs
    descriptor: tf.Tensor  # [N, width]
    outside: Outside | None  # pairs closer than the data of the model; None without tables


@dataclass(frozen=True)
class ModelConfig:
    """Settings of a model; the fields are the keys of the section `model` of the input file."""

    descriptor: SeE2A = field(metadata={"variants": DESCRIPTORS})
    fitting_net: EnerFitting = field(
        default=EnerFitting(), metadata={"variants": FITTINGS, "default_type": EnerFitting.type}
    )
    type_map: tuple[str, ...] = ()
    data_stat_nbatch: int = beginning(10)
    data_stat_protect: float = beginning(0.01)

    def __post_init__(self) -> None:
        if len(set(self.type_map)) != len(self.type_map):
            raise ValueError(f"`type_map` must not repeat a name, got {list(self.type_map)}")
        if self.data_stat_nbatch < 1:
            raise ValueError(f"`data_stat_nbatch` must be at least 1, got {self.data_stat_nbatch}")
        if not self.data_stat_protect > 0:
            raise ValueError(f"`data_stat_protect` must be positive, got {self.data_stat_protect}")
        if self.type_map:
            self.descriptor.check_types(len(self.type_map))
            self.fitting_net.check_types(len(self.type_map))

    @property
    def num_types(self) -> int:
        """Number of atom types."""
        return len(self.type_map)

    def inputs(self) -> Inputs:
        """Create the placeholders of this model in the current graph."""
        fitting = self.fitting_net
        return build_inputs(self.descriptor.rcut, fitting.numb_fparam, fitting.numb_aparam)

    def build(self, inputs: Inputs, parameters: Parameters) -> Outputs:
        """Return the tensors of the model on `inputs`; `parameters` holds its statistics."""
        pairs = sort_pairs(
            inputs.row,
            inputs.neighbor,
            inputs.displacement,
            inputs.atom_type,
            self.num_types,
            inputs.num_owned,
        )
        descriptor, outside = self.descriptor.build(pairs, inputs.atom_type, parameters)
        isolated = None
        if self.fitting_net.atom_ener:
            isolated = self.descriptor.build_isolated(parameters)
        energy, slope = self.fitting_net.build(
            descriptor,
            pairs.atom_count,
            self._condition(inputs, pairs, parameters),
            isolated,
            parameters,
        )  # [N_real], [N_real, width]
        atom_energy = _to_atoms(energy, pairs, inputs)
        frame_energy = tf.math.unsorted_segment_sum(
            atom_energy, inputs.frame_of_atom, inputs.num_frames
        )
        gradient = tf.gradients(descriptor, pairs.displacement, slope)[0]
        force, virial = force_virial(gradient, pairs, inputs.frame_row)
        atom_descriptor = _to_atoms(tf.cast(descriptor, tf.float64), pairs, inputs)
        return Outputs(
            frame_energy, atom_energy, force, virial, gradient, pairs, atom_descriptor, outside
        )

    def table(self, parameters: Parameters) -> Table | None:
        """Return the table of the embedding nets, or None for a model without one."""
        return self.descriptor.table(parameters) if self.descriptor.tabulated else None

    def curves(self, parameters: Parameters) -> Curves | None:
        """Return the ranges of the embedding nets, or None for a model without tables."""
        return self.descriptor.curves(parameters) if self.descriptor.tabulated else None

    def _condition(
        self, inputs: Inputs, pairs: SortedPairs, parameters: Parameters
    ) -> tf.Tensor | None:
        """Return standardised frame and atom parameters of the sorted atoms, or None without
        any.
        """
        columns = []
        if inputs.fparam is not None:
            frame = tf.gather(inputs.frame_of_atom, pairs.atom_order)
            columns.append(tf.gather(standardised(inputs.fparam, "fparam", parameters), frame))
        if inputs.aparam is not None:
            value = standardised(inputs.aparam, "aparam", parameters)
            columns.append(tf.gather(value, pairs.atom_order))
        return tf.concat(columns, axis=1) if columns else None


def _to_atoms(value: tf.Tensor, pairs: SortedPairs, inputs: Inputs) -> tf.Tensor:
    """Return `value` [N_real, ...] in the order of the input, [N, ...]; other atoms get 0."""
    shape = tf.concat([[tf.shape(inputs.row)[0] - 1], tf.shape(value)[1:]], axis=0)
    return tf.scatter_nd(pairs.atom_order[:, None], value, shape)
