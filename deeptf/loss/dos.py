"""Loss of a model of densities of states, per frame of N atoms.

    L = p_dos/N mean (dd)^2 + p_cdf/N mean (dc)^2 + p_ados mean (dd_i)^2 + p_acdf mean (dc_i)^2

d is the density of a frame or an atom and c its running sum along the grid of energies; the means
run over the grid, and over the atoms. Each prefactor moves with the learning rate, p(t) = p_limit
(1 - lr/lr_0) + p_start lr/lr_0. The errors `rmse_dos` and `rmse_cdf` are told per atom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from deeptf.loss.labels import Labels, check_gives
from deeptf.loss.prefactors import check_prefactors, prefactors_at, uses
from deeptf.model.inputs import Inputs
from deeptf.model.model import Outputs
from deeptf.properties import ATOM_DOS, DOS, Property
from deeptf.tf import tf

TERMS = ("dos", "ados", "cdf", "acdf")  # in the order of the columns


@dataclass(frozen=True)
class DosLoss:
    """Prefactors at the start of training and in the limit of a small learning rate."""

    type: ClassVar[str] = "dos"
    start_pref_dos: float = 0.0
    limit_pref_dos: float = 0.0
    start_pref_cdf: float = 0.0
    limit_pref_cdf: float = 0.0
    start_pref_ados: float = 1.0
    limit_pref_ados: float = 1.0
    start_pref_acdf: float = 0.0
    limit_pref_acdf: float = 0.0

    def __post_init__(self) -> None:
        check_prefactors(self)

    def of_model(self, gives: Sequence[Property]) -> LossOfDos:
        """Return the loss of a model; ValueError where it gives no density of states."""
        check_gives(self, gives, DOS)
        rows = {row.name: row for row in gives}
        return LossOfDos(self, rows[DOS.name], rows[ATOM_DOS.name])


@dataclass(frozen=True)
class LossOfDos:
    """The loss on a grid of energies."""

    settings: DosLoss
    frame: Property  # with the number of energies
    atom: Property

    def terms(self) -> dict[str, tuple[Property, ...]]:
        """Return the properties whose labels each term needs, for terms that have a prefactor."""
        return {term: (self._row(term),) for term in self._used()}

    def columns(self) -> list[Property]:
        """Return the properties whose errors a run tells: one for each term that counts."""
        return [replace(self._row(term), key=term) for term in self._used()]

    def prefactors(self, rate_ratio: float) -> np.ndarray:
        """Return the prefactors of TERMS at `rate_ratio` times the first learning rate, [4]."""
        return prefactors_at(self.settings, TERMS, rate_ratio)

    def labels(self) -> list[Property]:
        """Return the properties whose labels it may use."""
        return [self.frame, self.atom]

    def build(
        self, outputs: Outputs, labels: Labels, inputs: Inputs, prefactors: tf.Tensor
    ) -> tf.Tensor:
        """Return the loss of every frame, [F]."""
        atoms = tf.cast(inputs.frame_row[1:] - inputs.frame_row[:-1], tf.float64)
        parts = []
        for term in self._used():
            row, error = self._row(term), self._error(term, outputs, labels)
            mean = tf.reduce_mean(error**2, axis=1)
            if row.name == ATOM_DOS.name:
                mean = tf.math.unsorted_segment_sum(mean, inputs.frame_of_atom, inputs.num_frames)
            parts.append(prefactors[TERMS.index(term)] * labels.has[row.label] * mean / atoms)
        return tf.add_n(parts)

    def errors(self, outputs: Outputs, labels: Labels, inputs: Inputs) -> tf.Tensor:
        """Return sums of squared errors of `columns` and their numbers, [columns, 2]."""
        atoms = tf.cast(inputs.frame_row[1:] - inputs.frame_row[:-1], tf.float64)
        sums = []
        for term in self._used():
            row, error = self._row(term), self._error(term, outputs, labels)
            has = labels.has[row.label]
            if row.name == ATOM_DOS.name:
                has = tf.gather(has, inputs.frame_of_atom)
            else:
                error /= atoms[:, None]
            square = tf.reduce_sum(has[:, None] * error**2)
            sums.append(tf.stack([square, row.width * tf.reduce_sum(has)]))
        return tf.stack(sums)

    def _used(self) -> list[str]:
        """Return the terms that have a prefactor."""
        return [term for term in TERMS if uses(self.settings, term)]

    def _row(self, term: str) -> Property:
        return self.atom if term.startswith("a") else self.frame

    def _error(self, term: str, outputs: Outputs, labels: Labels) -> tf.Tensor:
        """Return the errors of a term, [F or N, energies]."""
        row = self._row(term)
        label = tf.reshape(labels.value[row.label], [-1, row.width])
        error = outputs.values[row.name] - label
        return tf.cumsum(error, axis=1) if term.endswith("cdf") else error
