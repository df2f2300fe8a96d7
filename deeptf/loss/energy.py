"""Loss of an energy model, per frame of N atoms (Zhang et al., PRL 120, 143001, 2018, eq. 10).

    L = p_e (dE)^2 / N + p_f mean |dF|^2 + p_v mean (dV)^2 / N
        + p_ae mean (dE_i)^2 + p_pf mean w |dF|^2

The mean runs over force or virial components; the loss of a batch is the mean over its frames. A
label that a frame does not have contributes nothing. Each prefactor moves with the learning rate,
p(t) = p_limit (1 - lr/lr_0) + p_start lr/lr_0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from deeptf.loss.labels import Labels, check_gives, squared_errors
from deeptf.loss.prefactors import check_prefactors, prefactors_at, uses
from deeptf.model.inputs import Inputs
from deeptf.model.model import Outputs
from deeptf.properties import (
    ATOM_ENERGY,
    ENERGY,
    FORCE,
    FORCE_WEIGHT,
    MAGNETIC_FORCE,
    VIRIAL,
    Property,
)
from deeptf.tf import tf

# Prefactors by the key of their term, with the properties whose labels it needs.
TERMS = {
    ENERGY.key: (ENERGY,),
    FORCE.key: (FORCE,),
    VIRIAL.key: (VIRIAL,),
    ATOM_ENERGY.key: (ATOM_ENERGY,),
    "pf": (FORCE_WEIGHT, FORCE),
}
WEIGHTED_FORCE = replace(FORCE, key="pf")
TOLD = (ENERGY, ATOM_ENERGY, FORCE, VIRIAL, WEIGHTED_FORCE)  # in the order of the columns
ALWAYS = (ENERGY, FORCE)


@dataclass(frozen=True)
class EnergyLoss:
    """Prefactors of the loss at the start of training and in the limit of a small learning rate."""

    type: ClassVar[str] = "ener"
    start_pref_e: float = 0.02
    limit_pref_e: float = 1.0
    start_pref_f: float = 1000.0
    limit_pref_f: float = 1.0
    start_pref_v: float = 0.0
    limit_pref_v: float = 0.0
    start_pref_ae: float = 0.0
    limit_pref_ae: float = 0.0
    start_pref_pf: float = 0.0
    limit_pref_pf: float = 0.0

    def __post_init__(self) -> None:
        check_prefactors(self)

    def prefactors(self, rate_ratio: float) -> np.ndarray:
        """Return the prefactors of TERMS at `rate_ratio` times the first learning rate, [5]."""
        return prefactors_at(self, TERMS, rate_ratio)

    def terms(self) -> dict[str, tuple[Property, ...]]:
        """Return the properties whose labels each term needs, for terms that have a prefactor."""
        return {key: rows for key, rows in TERMS.items() if uses(self, key)}

    def columns(self) -> list[Property]:
        """Return the properties whose errors a run tells: energy, force and what else counts."""
        return [row for row in TOLD if row in ALWAYS or uses(self, row.key)]

    def of_model(self, gives: Sequence[Property]) -> EnergyLoss:
        """Return this loss; ValueError for a model without energies."""
        check_gives(self, gives, ENERGY)
        if MAGNETIC_FORCE.name in [row.name for row in gives]:
            raise ValueError("`loss/type` must be ener_spin for a model with spins, got ener")
        return self

    def labels(self) -> list[Property]:
        """Return the properties whose labels it may use."""
        return [ENERGY, FORCE, VIRIAL, ATOM_ENERGY, FORCE_WEIGHT]

    def build(
        self, outputs: Outputs, labels: Labels, inputs: Inputs, prefactors: tf.Tensor
    ) -> tf.Tensor:
        """Return the loss of every frame, [F]; terms whose prefactors are always 0 are left out."""
        frame, num_frames = inputs.frame_of_atom, inputs.num_frames
        num_atoms = tf.cast(inputs.frame_row[1:] - inputs.frame_row[:-1], tf.float64)  # [F]

        def frame_mean(per_atom: tf.Tensor) -> tf.Tensor:
            return tf.math.unsorted_segment_sum(per_atom, frame, num_frames) / num_atoms

        label, has, found = labels.value, labels.has, outputs.values
        force_square = tf.reduce_mean((found["force"] - label["force"]) ** 2, axis=1)  # [N]
        square = {
            "e": has["energy"] * (found["energy"] - label["energy"]) ** 2 / num_atoms,
            "f": has["force"] * frame_mean(force_square),
            "v": has["virial"]
            * tf.reduce_mean((found["virial"] - label["virial"]) ** 2, axis=1)
            / num_atoms,
            "ae": has["atom_ener"] * frame_mean((found["atom_energy"] - label["atom_ener"]) ** 2),
            "pf": has["force"] * has["atom_pref"] * frame_mean(label["atom_pref"] * force_square),
        }
        return tf.add_n([prefactors[k] * square[t] for k, t in enumerate(TERMS) if uses(self, t)])

    def errors(self, outputs: Outputs, labels: Labels, inputs: Inputs) -> tf.Tensor:
        """Return sums of squared errors of `columns` and their numbers, [columns, 2].

        Those of weighted forces have the weights, w |dF|^2.
        """
        weights = {}
        if uses(self, WEIGHTED_FORCE.key):
            given = tf.gather(labels.has[FORCE_WEIGHT.label], inputs.frame_of_atom)
            weights[WEIGHTED_FORCE.key] = given, labels.value[FORCE_WEIGHT.label]
        return squared_errors(self.columns(), outputs, labels, inputs, weights)
