"""DeepPot-SE two-body descriptor (Zhang et al., NeurIPS 2018, arXiv:1805.09003).

With the sums S_i [4, M] over the neighbours of a centre of type_nets.py, where w_j is the whole
normalised environment row (s, s x/r, s y/r, s z/r):

    T_i = S_i / N_c        D_i = T_i^T T_i[:, :axis_neuron]        [M, axis]

N_c = sum(sel). In a model with vectors of types (type_embedding.py) one net takes them beside s~,
those of neighbour and centre, or with `type_one_side` of the neighbour alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from deeptf.data.statistics import Extremes, Found
from deeptf.model.descriptor.described import Described, Lines
from deeptf.model.descriptor.sum_stages import sum_stages
from deeptf.model.descriptor.type_net_settings import ATOM_COPIES
from deeptf.model.descriptor.type_nets import TypeNets
from deeptf.model.descriptor.type_sums import isolated_sums, sums
from deeptf.model.descriptor.typed_net import TypedNet
from deeptf.model.descriptor.typed_stages import typed_stages
from deeptf.model.descriptor.typed_sums import TypedSums
from deeptf.model.network import precision_of
from deeptf.model.parameters import Parameters
from deeptf.model.stages import MomentProduct, Stage
from deeptf.model.table import Table
from deeptf.ops.moments import moment_product
from deeptf.ops.pairs import SortedPairs
from deeptf.tf import tf

NODES = 200  # of a table, about


@dataclass(frozen=True)
class SeE2A(TypeNets):
    """Settings of the descriptor; the fields are the keys of the input file (lengths in A)."""

    type: ClassVar[str] = "se_e2_a"
    columns: ClassVar[int] = 4
    stripped: ClassVar[bool] = False  # whether vectors of types make gates
    axis_neuron: int = 4  # columns of T_i that D_i is made with

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.axis_neuron <= self.neuron[-1]:
            raise ValueError(
                f"`axis_neuron` must be from 1 to the last width {self.neuron[-1]}, "
                f"got {self.axis_neuron}"
            )

    @property
    def width(self) -> int:
        """Length of the descriptor of an atom."""
        return self.neuron[-1] * self.axis_neuron

    @property
    def num_axes(self) -> int:
        """Number of vectors among the sums that turn with the atoms."""
        return self.neuron[-1]

    @property
    def atom_bytes(self) -> int:
        """Working memory of an atom: sums, their gradients and the descriptor."""
        values = self.neuron[-1] * (self.axis_neuron + 8)
        return precision_of(self.precision).size * ATOM_COPIES * values

    def build(
        self,
        pairs: SortedPairs,
        atom_type: tf.Tensor,
        parameters: Parameters,
        type_vectors: tf.Tensor | None,
    ) -> Described:
        """Return D [N_real, width] in the order of `pairs.atom_order`, and what belongs to it."""
        typed = self.typed(parameters, type_vectors)
        found, outside = sums(self, pairs, atom_type, parameters, typed)
        moments = self._moments(found)
        return Described(
            self._contract(moments),
            lambda: self._contract(self._moments(isolated_sums(self, parameters, typed))),
            moments,
            outside,
        )

    def plan(self, parameters: Parameters, type_vectors: tf.Tensor | None) -> list[Stage] | None:
        """Return the stages whose last one gives D; None for a net that they do not have."""
        typed = self.typed(parameters, type_vectors)
        first = sum_stages(self, parameters) if typed is None else typed_stages(typed)
        if first is None:
            return None
        names = first[-1].gives, parameters.name("descriptor")
        precision = precision_of(self.precision).name
        return [*first, MomentProduct(*names, precision, self.axis_neuron, self.places)]

    def tables(self, parameters: Parameters, type_vectors: tf.Tensor | None) -> list[Table]:
        """Return the one table of all embedding nets, or none."""
        typed = self.typed(parameters, type_vectors)
        if typed is None:
            return super().tables(parameters, type_vectors)
        return [typed.table()] if typed.tabulated else []

    def with_net_decided(self, found: Found) -> tuple[SeE2A, Lines]:
        """Return the settings with tables or the net in full, where vectors of types join it.

        Tables, one for each pair of types, while their nodes are fewer than the pairs of a frame.
        """
        if self.stripped or self.embedding is not None or not self.tabulated:
            return self, []
        extremes = Extremes(found.num_types, self.rcut)
        row = found.training[extremes]
        pairs = extremes.num_pairs(row) / max(1, extremes.num_frames(row))
        curves = found.num_types ** (1 if self.type_one_side else 2)
        if NODES * curves < pairs:
            what = "types of neighbours" if self.type_one_side else "pairs of types"
            return replace(self, embedding="table"), [f"embedding net: {curves} tables, of {what}"]
        line = f"embedding net: evaluated on all pairs, {pairs:.0f} in a frame, since {curves} "
        return replace(self, embedding="network"), [f"{line}tables would have more nodes"]

    def with_net_of(self, old: SeE2A) -> SeE2A:
        """Return the settings with tables or the net in full as in `old`, where it is open."""
        return replace(self, embedding=old.embedding) if self.embedding is None else self

    def typed(self, parameters: Parameters, type_vectors: tf.Tensor | None) -> TypedSums | None:
        """Return the sums with one net for all types, or None where pairs of types have their own.

        A descriptor that is this one but for its net says here which net it has.
        """
        if type_vectors is None:
            return None
        net = TypedNet(self, not self.type_one_side, self.stripped, type_vectors, parameters)
        return TypedSums(self, net)

    def _moments(self, sums: tf.Tensor) -> tf.Tensor:
        """Return T [n, 4, M]; their precision is that of the nets."""
        return tf.cast(sums, precision_of(self.precision)) / self.places

    def _contract(self, moments: tf.Tensor) -> tf.Tensor:
        """Return D [n, M * axis]."""
        return tf.reshape(moment_product(moments, self.axis_neuron), [-1, self.width])
