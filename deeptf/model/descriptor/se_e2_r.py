"""Radial two-body descriptor: distances of neighbours alone (Zhang et al., NeurIPS 2018).

With the sums S_i [1, M] over the neighbours of a centre of type_nets.py, where w_j is 1 and the
nets see the normalised s(r):

    D_i = S_i / (5 N_c)        [M]

N_c = sum(sel). Excluded pairs of types count nothing where every pair of types has a net; with one
net per neighbour type they count G(0), as in the models that others have trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deeptf.model.descriptor.described import Described
from deeptf.model.descriptor.sum_stages import sum_stages
from deeptf.model.descriptor.type_net_settings import ATOM_COPIES
from deeptf.model.descriptor.type_nets import TypeNets
from deeptf.model.descriptor.type_sums import isolated_sums, sums
from deeptf.model.network import precision_of
from deeptf.model.parameters import Parameters
from deeptf.model.stages import ScaledSum, Stage
from deeptf.model.table_arrays import is_stored
from deeptf.ops.pairs import SortedPairs
from deeptf.tf import tf

EXCLUDED = "excluded"  # [T, M] what excluded pairs of types add to the sums, in a frozen model
SHARE = 5.0  # D is so many times smaller than the mean over the places


@dataclass(frozen=True)
class SeE2R(TypeNets):
    """Settings of the descriptor; the fields are the keys of the input file (lengths in A)."""

    type: ClassVar[str] = "se_e2_r"
    columns: ClassVar[int] = 1

    @property
    def width(self) -> int:
        """Length of the descriptor of an atom."""
        return self.neuron[-1]

    @property
    def atom_bytes(self) -> int:
        """Working memory of an atom: sums and their gradients."""
        return precision_of(self.precision).size * ATOM_COPIES * 3 * self.width

    def build(
        self,
        pairs: SortedPairs,
        atom_type: tf.Tensor,
        parameters: Parameters,
        type_vectors: tf.Tensor | None,
    ) -> Described:
        """Return D [N_real, M] in the order of `pairs.atom_order`, and what belongs to it."""
        found, outside = sums(self, pairs, atom_type, parameters)
        excluded = self._excluded_sums(parameters)

        def descriptor(values: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
            total = tf.cast(values[:, 0], precision_of(self.precision))
            if excluded is not None:
                total += tf.repeat(excluded, count, axis=0)
            return total / (SHARE * sum(self.sel))

        def isolated() -> tf.Tensor:
            alone = isolated_sums(self, parameters)
            return descriptor(alone, tf.ones_like(pairs.atom_count))

        return Described(descriptor(found, pairs.atom_count), isolated, outside=outside)

    def plan(self, parameters: Parameters, type_vectors: tf.Tensor | None) -> list[Stage]:
        """Return the stages whose last one gives D."""
        first = sum_stages(self, parameters)
        names = first[-1].gives, parameters.name("descriptor")
        precision, divisor = precision_of(self.precision).name, SHARE * sum(self.sel)
        added = None if self._excluded_sums(parameters) is None else parameters.name(EXCLUDED)
        return [*first, ScaledSum(*names, precision, divisor, added)]

    def _excluded_sums(self, parameters: Parameters) -> tf.Tensor | None:
        """Return what excluded pairs of types add to the sums of each centre type, [T, M]."""
        if not (self.type_one_side and self.exclude_types):
            return None
        types = range(len(self.sel))
        places = np.array(
            [[self.sel[t] * self.excludes(centre, t) for t in types] for centre in types]
        )
        at_zero = self._at_zero(parameters)
        return parameters.fixed(EXCLUDED, tf.matmul(tf.constant(places, at_zero.dtype), at_zero))

    def _at_zero(self, parameters: Parameters) -> tf.Tensor:
        """Return G_t(0) of the net of each neighbour type, [T, M]."""
        types, precision = len(self.sel), precision_of(self.precision)
        if not is_stored(parameters):
            zero = tf.zeros([1, 1], precision)
            return tf.concat([self.net(zero, 0, t, parameters) for t in range(types)], axis=0)
        curve = self.blocks(types)[1].max(axis=1)
        if curve.min() < 0:
            raise ValueError(
                "`exclude_types` must leave some pair of each type where tables stand for nets, "
                f"got {[list(pair) for pair in self.exclude_types]}"
            )
        alone = np.where(np.eye(types, dtype=bool), curve[:, None], -1).astype(np.int32)
        rows, none = tf.zeros([0, 1], tf.float64), np.zeros((types, types))
        one = tf.ones([types], tf.int32), tf.zeros([types, types], tf.int32)
        found = self.table(parameters).sums(rows, alone, np.ones(types), none, *one)
        return tf.cast(found.sum[:, 0], precision)
