"""Dipole fitting net: the dipole of an atom from its descriptor and axes.

Zhang et al., PRB 102, 041121, 2020 (arXiv:1906.11434).

    mu_i = sum_m w_im Q_i[m, :]        w_i = N_t(D_i), one number for each of the M axes

and that of a frame is the sum over its atoms. Units are those of the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from deeptf.data.statistics import Found
from deeptf.model.descriptor.described import Arrays, Described, Lines
from deeptf.model.fitting.fitted import Fitted
from deeptf.model.fitting.tensor import TensorNets, axes
from deeptf.model.inputs import Inputs
from deeptf.model.parameters import Parameters
from deeptf.model.stages import Stage
from deeptf.model.tensor_stages import AxisVector
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

    def product(
        self, names: tuple[Sequence[str], str], parameters: Parameters, num_types: int
    ) -> Stage:
        """Return the stage that takes axes and numbers and gives dipoles, by their names."""
        return AxisVector(*names)
