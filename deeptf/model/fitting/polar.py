"""Polarizability fitting net: the polarizability of an atom from its descriptor and axes.

Sommers et al., PCCP 22, 10592, 2020.

    P_i = scale_t Q_i^T W_i Q_i + c_t 1        W_i = diag(w_i), w_i = N_t(D_i), with `fit_diag`;
                                               else W_i = B_i + B_i^T, B_i [M, M] = N_t(D_i)

and that of a frame is the sum over its atoms. The constants c_t are the mean diagonals of the data
(`shift_diag`), see polar_constant.py. Units are those of the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from deeptf.data.polar_constant import polar_constant
from deeptf.data.statistics import Found
from deeptf.model.descriptor.described import Arrays, Described, Lines
from deeptf.model.fitting.fitted import Fitted
from deeptf.model.fitting.tensor import TensorNets, axes, of_types
from deeptf.model.inputs import Inputs
from deeptf.model.parameters import Parameters
from deeptf.model.roles import beginning, function
from deeptf.model.stages import Stage
from deeptf.model.tensor_stages import AxisTensor
from deeptf.ops.pairs import SortedPairs
from deeptf.properties import ATOM_POLAR, POLAR, Property
from deeptf.tf import tf


@dataclass(frozen=True)
class PolarFitting(TensorNets):
    """Settings of the fitting net; the fields are the keys of the input file.

    scale : a factor for all types, or one for each type of the model.
    """

    type: ClassVar[str] = "polar"
    of_frame: ClassVar[Property] = POLAR
    of_atom: ClassVar[Property] = ATOM_POLAR
    fit_diag: bool = True
    scale: float | tuple[float, ...] = function(1.0)
    shift_diag: bool = beginning(True)

    def num_outputs(self, descriptor: Any) -> int:
        """Return how many numbers the nets give: one for each axis, or for each two."""
        return descriptor.num_axes ** (1 if self.fit_diag else 2)

    def first_arrays(self, found: Found, type_map: Sequence[str]) -> tuple[Arrays, Lines]:
        """Return the constant of each type."""
        types = self.chosen(len(type_map))
        constant = np.zeros(len(type_map))
        if self.shift_diag:
            constant[types] = polar_constant(found.systems, types)
        names = [f"{name} {value:.4f}" for name, value in zip(type_map, constant, strict=True)]
        return {"constant": constant}, [f"polarizability of an atom: {', '.join(names)}"]

    def build(
        self, described: Described, inputs: Inputs, pairs: SortedPairs, parameters: Parameters
    ) -> Fitted:
        """Return the polarizability of every real atom, sorted by type, and of every frame."""
        turning, atom_count = axes(described), pairs.atom_count
        types, number = self.chosen(int(atom_count.shape[0])), int(turning.shape[2])
        width = number if self.fit_diag else number**2
        weight = self.outputs(described, atom_count, width, parameters, types)
        if self.fit_diag:
            tensor = tf.einsum("nam,nm,nbm->nab", turning, weight, turning)
        else:
            matrix = tf.reshape(weight, [-1, number, number])
            half = tf.einsum("nam,nml,nbl->nab", turning, matrix, turning)
            tensor = half + tf.transpose(half, [0, 2, 1])
        scale, constant = self._scale(types), parameters.array("constant")
        tensor *= of_types(scale, atom_count)[:, None, None]
        shift = of_types({t: constant[t] for t in types}, atom_count)
        tensor += shift[:, None, None] * tf.eye(3, dtype=tf.float64)
        return self.fitted(tf.reshape(tensor, [-1, 9]), inputs, pairs)

    def product(
        self, names: tuple[Sequence[str], str], parameters: Parameters, num_types: int
    ) -> Stage:
        """Return the stage that takes axes and numbers and gives tensors, by their names."""
        types = self.chosen(num_types)
        scale, constant = self._scale(types), parameters.array("constant")
        added = {t: float(constant[t]) for t in types}
        rows = ([row.get(t, 0.0) for t in range(num_types)] for row in (scale, added))
        return AxisTensor(*names, self.fit_diag, *rows)

    def check_types(self, num_types: int) -> None:
        """Raise ValueError where `sel_type` or `scale` does not fit the number of types."""
        super().check_types(num_types)
        if isinstance(self.scale, tuple) and len(self.scale) != num_types:
            raise ValueError(
                f"`scale` must be a number or have one for each of the {num_types} types of "
                f"type_map, got {list(self.scale)}"
            )

    def _scale(self, types: Sequence[int]) -> dict[int, float]:
        """Return the factor of each of the chosen types."""
        if not isinstance(self.scale, tuple):
            return dict.fromkeys(types, self.scale)
        return {t: self.scale[t] for t in types}
