"""Loss of a dipole or polarizability model, per frame with n atoms that have one.

    L = p_atomic mean w^2 (dT_i)^2 + p/n mean (dT)^2

The first mean runs over these atoms and the components of a tensor, the second over the components
of the tensor of the frame; w is the weight of an atom, 1 by default. Errors are told as `rmse_lc`,
the root of the first mean, so that an atom without a label may have weight 0, and as `rmse_gl` of
the tensors of frames, divided by n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from deeptf.loss.labels import Labels, check_gives, of_types
from deeptf.loss.prefactors import check_prefactors
from deeptf.model.inputs import Inputs
from deeptf.model.model import Outputs
from deeptf.properties import (
    ATOM_DIPOLE,
    ATOM_POLAR,
    DIPOLE,
    POLAR,
    TENSOR_WEIGHT,
    Property,
)
from deeptf.tf import tf

OF_ATOM = {DIPOLE.name: ATOM_DIPOLE.name, POLAR.name: ATOM_POLAR.name}


@dataclass(frozen=True)
class TensorLoss:
    """Prefactors of the loss, which stay what they are; the fields are keys of the input file."""

    type: ClassVar[str] = "tensor"
    pref: float  # of tensors of frames
    pref_atomic: float  # of tensors of atoms
    enable_atomic_weight: bool = False  # whether systems have weights of atoms

    def __post_init__(self) -> None:
        check_prefactors(self, "pref", "pref_atomic")

    def of_model(self, gives: Sequence[Property]) -> LossOfTensor:
        """Return the loss of a model; ValueError where it gives no tensor."""
        name = check_gives(self, gives, DIPOLE, POLAR).name
        rows = {row.name: row for row in gives}
        return LossOfTensor(self, rows[name], rows[OF_ATOM[name]])


@dataclass(frozen=True)
class LossOfTensor:
    """The loss of one kind of tensor."""

    settings: TensorLoss
    frame: Property  # with the types that have a tensor
    atom: Property

    def terms(self) -> dict[str, tuple[Property, ...]]:
        """Return the properties whose labels each term needs, for terms that have a prefactor."""
        return {row.key: (row,) for row in self.columns()}

    def columns(self) -> list[Property]:
        """Return the properties whose errors a run tells: those that count."""
        used = (self.settings.pref_atomic, self.atom), (self.settings.pref, self.frame)
        return [row for prefactor, row in used if prefactor]

    def prefactors(self, rate_ratio: float) -> np.ndarray:
        """Return the prefactors of atoms and frames, [2], at any rate."""
        return np.array([self.settings.pref_atomic, self.settings.pref])

    def labels(self) -> list[Property]:
        """Return the properties whose labels it may use."""
        if not self.settings.enable_atomic_weight:
            return [self.atom, self.frame]
        return [self.atom, self.frame, replace(TENSOR_WEIGHT, types=self.atom.types)]

    def build(
        self, outputs: Outputs, labels: Labels, inputs: Inputs, prefactors: tf.Tensor
    ) -> tf.Tensor:
        """Return the loss of every frame, [F]."""
        number = tf.maximum(self._numbers(inputs), 1.0)
        local = self._squares(outputs, labels, inputs) / (self.atom.width * number)
        whole = tf.reduce_mean(self._difference(self.frame, outputs, labels) ** 2, axis=1) / number
        parts = labels.has[self.atom.label] * local, labels.has[self.frame.label] * whole
        return prefactors[0] * parts[0] + prefactors[1] * parts[1]

    def errors(self, outputs: Outputs, labels: Labels, inputs: Inputs) -> tf.Tensor:
        """Return sums of squared errors of `columns` and their numbers, [columns, 2]."""
        number = self._numbers(inputs)
        has = labels.has[self.atom.label]
        squares = has * self._squares(outputs, labels, inputs)
        sums = {self.atom.name: (squares, has * number * self.atom.width)}
        has = labels.has[self.frame.label] * tf.cast(number > 0, tf.float64)
        error = self._difference(self.frame, outputs, labels) / tf.maximum(number, 1.0)[:, None]
        squares = has * tf.reduce_sum(error**2, axis=1)
        sums[self.frame.name] = squares, has * self.frame.width
        return tf.stack(
            [tf.stack([tf.reduce_sum(one) for one in sums[row.name]]) for row in self.columns()]
        )

    def _chosen(self, inputs: Inputs) -> tf.Tensor:
        """Return 1 for each atom that has a tensor, else 0, [N]."""
        return of_types(self.atom.types, inputs)

    def _numbers(self, inputs: Inputs) -> tf.Tensor:
        """Return how many atoms of each frame have a tensor, [F]."""
        return _frame_sum(self._chosen(inputs), inputs)

    def _squares(self, outputs: Outputs, labels: Labels, inputs: Inputs) -> tf.Tensor:
        """Return the sum of w^2 (dT_i)^2 of the atoms of each frame, [F]."""
        square = tf.reduce_sum(self._difference(self.atom, outputs, labels) ** 2, axis=1)
        if self.settings.enable_atomic_weight:
            given = tf.gather(labels.has[TENSOR_WEIGHT.label], inputs.frame_of_atom)
            weight = tf.where(given > 0, labels.value[TENSOR_WEIGHT.label], tf.ones_like(given))
            square *= weight**2
        return _frame_sum(self._chosen(inputs) * square, inputs)

    def _difference(self, row: Property, outputs: Outputs, labels: Labels) -> tf.Tensor:
        return outputs.values[row.name] - labels.value[row.label]


def _frame_sum(per_atom: tf.Tensor, inputs: Inputs) -> tf.Tensor:
    return tf.math.unsorted_segment_sum(per_atom, inputs.frame_of_atom, inputs.num_frames)
