"""Loss of a model with spins, per frame of N atoms, virtual ones among them.

    L = p_e (dE)^2 / N + p_fr mean |dF|^2 + p_fm mean |dF_m|^2 + p_v mean (dV)^2 / N
        + p_ae mean (dE_i)^2

The means of forces and atomic energies run over real atoms, that of magnetic forces F_m over the
virtual atoms of spins. Labels of both are in force.npy, in the order of the atoms. Each prefactor
moves with the learning rate, see prefactors.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deeptf.loss.labels import Labels, check_gives, of_types, squared_errors
from deeptf.loss.prefactors import check_prefactors, prefactors_at, uses
from deeptf.model.inputs import Inputs
from deeptf.model.model import Outputs
from deeptf.properties import (
    ATOM_ENERGY,
    ENERGY,
    FORCE,
    FRAME,
    MAGNETIC_FORCE,
    REAL_FORCE,
    VIRIAL,
    Property,
)
from deeptf.tf import tf

TERMS = (ENERGY, ATOM_ENERGY, REAL_FORCE, MAGNETIC_FORCE, VIRIAL)
TOLD = (ENERGY, REAL_FORCE, MAGNETIC_FORCE)  # in any case


@dataclass(frozen=True)
class SpinLoss:
    """Prefactors of the loss at the start of training and in the limit of a small learning rate."""

    type: ClassVar[str] = "ener_spin"
    start_pref_e: float = 0.02
    limit_pref_e: float = 1.0
    start_pref_fr: float = 1000.0
    limit_pref_fr: float = 1.0
    start_pref_fm: float = 10000.0
    limit_pref_fm: float = 10.0
    start_pref_v: float = 0.0
    limit_pref_v: float = 0.0
    start_pref_ae: float = 0.0
    limit_pref_ae: float = 0.0

    def __post_init__(self) -> None:
        check_prefactors(self)

    def of_model(self, gives: Sequence[Property]) -> LossOfSpins:
        """Return the loss of a model; ValueError where it has no spins."""
        check_gives(self, gives, MAGNETIC_FORCE)
        given = {row.name: row for row in gives}
        return LossOfSpins(self, tuple(given[row.name] for row in TERMS))


@dataclass(frozen=True)
class LossOfSpins:
    """The loss of a model that says which types of atoms have what."""

    settings: SpinLoss
    rows: tuple[Property, ...]  # those of TERMS

    def terms(self) -> dict[str, tuple[Property, ...]]:
        """Return the properties whose labels each term needs, for terms that have a prefactor."""
        return {row.key: (row,) for row in self.rows if uses(self.settings, row.key)}

    def columns(self) -> list[Property]:
        """Return the properties whose errors a run tells: energy, forces and what else counts."""
        told = [row.name for row in TOLD]
        return [row for row in self.rows if row.name in told or uses(self.settings, row.key)]

    def prefactors(self, rate_ratio: float) -> np.ndarray:
        """Return the prefactors of TERMS at `rate_ratio` times the first learning rate, [5]."""
        return prefactors_at(self.settings, [row.key for row in self.rows], rate_ratio)

    def labels(self) -> list[Property]:
        """Return the properties whose labels it may use."""
        return [ENERGY, FORCE, VIRIAL, ATOM_ENERGY]

    def build(
        self, outputs: Outputs, labels: Labels, inputs: Inputs, prefactors: tf.Tensor
    ) -> tf.Tensor:
        """Return the loss of every frame, [F]; terms whose prefactors are always 0 are left out."""
        used = [k for k, row in enumerate(self.rows) if uses(self.settings, row.key)]
        return tf.add_n(
            [prefactors[k] * _mean_square(self.rows[k], outputs, labels, inputs) for k in used]
        )

    def errors(self, outputs: Outputs, labels: Labels, inputs: Inputs) -> tf.Tensor:
        """Return sums of squared errors of `columns` and their numbers, [columns, 2]."""
        return squared_errors(self.columns(), outputs, labels, inputs)


def _mean_square(row: Property, outputs: Outputs, labels: Labels, inputs: Inputs) -> tf.Tensor:
    """Return the mean square error of the numbers of each frame, by N for those of frames, [F]."""
    error = tf.reshape(outputs.values[row.name] - labels.value[row.label], [-1, row.width])
    square, has = tf.reduce_mean(error**2, axis=1), labels.has[row.label]
    if row.of == FRAME:
        return has * square / tf.cast(inputs.frame_row[1:] - inputs.frame_row[:-1], tf.float64)
    chosen = of_types(row.types, inputs)
    frames = inputs.frame_of_atom, inputs.num_frames
    number = tf.maximum(tf.math.unsorted_segment_sum(chosen, *frames), 1.0)
    return has * tf.math.unsorted_segment_sum(chosen * square, *frames) / number
