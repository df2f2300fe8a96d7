"""Dipole fitting net: the dipole of an atom from its descriptor and axes.

Zhang et al., PRB 102, 041121, 2020 (arXiv:1906.11434).

    mu_i = sum_m w_im Q_i[m, :]        w_i = N_t(D_i), one number for each of the M axes

and that of a frame is the sum over its atoms. Units are those of the data.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from deeptf.data.statistics import Found
from deeptf.model.descriptor.described import Arrays, Described, Lines
from deeptf.model.fitting.fitted import Fitted
from deeptf.model.fitting.tensor import TensorNets, axes
from deeptf.model.inputs import Inputs
from deeptf.model.network import precision_of
from deeptf.model.parameters import Parameters
from deeptf.model.stages import Concatenation, DipoleNet, MomentProduct, Stage, net_of
from deeptf.ops.pairs import SortedPairs
from deeptf.properties import ATOM_DIPOLE, DIPOLE, Property
from deeptf.tf import tf


@dataclass(frozen=True)
class DipoleFitting(TensorNets):
    """Settings of the fitting net; the fields are the keys of the input file."""

    type: ClassVar[str] = "dipole"
    of_frame: ClassVar[Property] = DIPOLE
    of_atom: ClassVar[Property] = ATOM_DIPOLE

    def num_outputs(self, descriptor: Any) -> int:
        """Return how many numbers the nets give: one for each axis."""
        return descriptor.num_axes

    def first_arrays(self, found: Found, type_map: Sequence[str]) -> tuple[Arrays, Lines]:
        """Return nothing: nothing but the nets makes a dipole."""
        return {}, []

    def build(
        self, described: Described, inputs: Inputs, pairs: SortedPairs, parameters: Parameters
    ) -> Fitted:
        """Return the dipole of every real atom, sorted by type, and of every frame."""
        turning = axes(described)
        types = self.chosen(int(pairs.atom_count.shape[0]))
        width = int(turning.shape[2])
        weight = self.outputs(described, pairs.atom_count, width, parameters, types)
        return self.fitted(tf.einsum("nam,nm->na", turning, weight), inputs, pairs)

    def plan(
        self, described: Sequence[Stage], parameters: Parameters, type_vectors: tf.Tensor | None
    ) -> tuple[list[Stage], Mapping[str, str]] | None:
        """Return the one stage of the nets, of each type, and that its value is the dipole.

        None with vectors of types.
        """
        parts = _products(described, described[-1].gives)
        if type_vectors is not None or parts is None:
            return None
        layers = *range(len(self.neuron)), "last"
        types = self._with_nets(parameters)
        stage = DipoleNet(
            [described[-1].gives, *(part.takes for part in parts)],
            parameters.name("dipole"),
            precision_of(self.precision).name,
            self.activation_function.lower(),
            [
                net_of(self.network_name(t), layers, parameters) if t in types else None
                for t in range(max(types) + 1)
            ],
            [part.places for part in parts],
        )
        return [stage], {ATOM_DIPOLE.name: stage.gives}

    def _with_nets(self, parameters: Parameters) -> list[int]:
        """Return the types that have a net among the arrays."""
        if self.given:
            return sorted(self.given)
        names = (f"{self.network_name(t)}/last/matrix" for t in itertools.count())
        known = itertools.takewhile(lambda name: parameters.known(name) is not None, names)
        return [t for t, _ in enumerate(known)]


def _products(described: Sequence[Stage], name: str) -> list[MomentProduct] | None:
    """Return the products that a descriptor of this name is made of; None where it is not."""
    stage = next(one for one in described if one.gives == name)
    if isinstance(stage, MomentProduct):
        return [stage]
    if not isinstance(stage, Concatenation):
        return None
    parts = [_products(described, inner) for inner in stage.takes]
    return None if any(part is None for part in parts) else sum(parts, [])
