"""A toy term of two hops, in plain TensorFlow: the energy of an atom depends on its neighbours'.

E_i = sum_j w_i f(r_ij) q_j      q_j = sum_k w_k f(r_jk)^2      f(r) = (1 - r/rcut)^2, w = 1 + type
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from deeptf.model.inputs import Inputs
from deeptf.model.parameters import Parameters
from deeptf.model.table import Table
from deeptf.model.term.term import Needs, TermOutputs
from deeptf.ops.pairs import SortedPairs
from deeptf.tf import tf


@dataclass(frozen=True)
class Message:
    """Settings of the term."""

    type: ClassVar[str] = "message"
    rcut: float = 3.0

    def needs(self) -> Needs:
        return Needs(self.rcut, hops=2)

    def check_types(self, num_types: int) -> None:
        """Take any number of types."""

    def build(self, inputs: Inputs, pairs: SortedPairs, parameters: Parameters) -> TermOutputs:
        centre, neighbor, displacement = pairs.centre, pairs.neighbor, pairs.displacement
        num_all = tf.shape(inputs.atom_type)[0]
        weight = tf.cast(1 + inputs.atom_type, tf.float64)
        f = tf.nn.relu(1 - tf.norm(displacement, axis=1) / self.rcut) ** 2
        message = tf.gather(weight, neighbor) * f**2
        charge = tf.math.unsorted_segment_sum(message, centre, num_all)
        part = tf.gather(weight, centre) * f * tf.gather(charge, neighbor)
        energy = tf.gather(tf.math.unsorted_segment_sum(part, centre, num_all), pairs.atom_order)
        energy *= inputs.owned(pairs.atom_order)
        return TermOutputs(energy, tf.gradients(energy, displacement)[0])

    def tables(self, parameters: Parameters, num_types: int) -> list[Table]:
        return []
