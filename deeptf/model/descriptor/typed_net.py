"""One embedding net for all pairs, which knows the types by their vectors (type_embedding.py).

    joined      G = net(x, te_t [, te_c])
    stripped    G = net(x) (1 + p h_tc)      h_tc = gate(te_t [, te_c])

t is the type of the neighbour and c that of the centre; p is 1, or in smooth models a share that
goes to 0 at the cut-off. For given types both are functions of one number x. Joined vectors change
nothing but the bias of the first layer, b_tc = b + te_t W_t [+ te_c W_c], so that each pair of
types has a curve of its own; a gate multiplies one curve for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deeptf.model.descriptor.type_nets import TypeNets
from deeptf.model.embedding import embed
from deeptf.model.network import Style, layer_arrays, precision_of
from deeptf.model.parameters import Parameters, constant
from deeptf.model.table import net_weights
from deeptf.model.table_arrays import is_stored
from deeptf.tf import tf

EMBEDDING, GATE = "embedding", "gate"  # names of the nets
STORED_GATE = "gate_values"  # gates of a model with a table in place of nets


@dataclass(frozen=True)
class TypedNet:
    """The net of a descriptor with settings `own`, in the precision of these.

    two_side : whether the vector of the centre counts
    stripped : whether vectors make a gate
    """

    own: TypeNets
    two_side: bool
    stripped: bool
    type_vectors: tf.Tensor  # [T + 1, n]
    parameters: Parameters

    @property
    def num_types(self) -> int:
        """Number of types T; T itself stands for a place without an atom."""
        return int(self.type_vectors.shape[0]) - 1

    def values(
        self, x: tf.Tensor, neighbor: tf.Tensor, centre: tf.Tensor, share: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Return G [p, M] for x [p, 1] of pairs with these types [p] and shares [p]."""
        if not self.stripped:
            return self._net(EMBEDDING, tf.concat([x, *self._joined(neighbor, centre)], axis=1))
        width = self.own.neuron[-1]
        gate = tf.reshape(tf.concat([self.gate, self.empty_gate[None]], axis=0), [-1, width])
        gate = tf.gather(gate, neighbor * self.num_types + centre)
        if share is not None:
            gate *= share[:, None]
        return self._net(EMBEDDING, x) * (1.0 + gate)

    @cached_property
    def gate(self) -> tf.Tensor:
        """The numbers h of all pairs of types, [T, T, M]."""
        return self._stored_gate[:-1] if self._stores_gate else self._gate_of(range(self.num_types))

    @cached_property
    def empty_gate(self) -> tf.Tensor:
        """The numbers h of a place without an atom, by type of the centre, [T, M]."""
        none = self.num_types
        return self._stored_gate[-1] if self._stores_gate else self._gate_of([none])[0]

    @property
    def _stores_gate(self) -> bool:
        return is_stored(self.parameters)

    @cached_property
    def _stored_gate(self) -> tf.Tensor:
        """Both of a model with a table in place of nets, [T + 1, T, M]."""
        shape = self.num_types + 1, self.num_types, self.own.neuron[-1]
        precision = precision_of(self.own.precision)
        return self.parameters.get(STORED_GATE, shape, precision, constant(0.0), False)

    def _gate_of(self, neighbors: Sequence[int]) -> tf.Tensor:
        """Return what the gate's net gives for these types of neighbours, [n, T, M]."""
        shape = len(neighbors), self.num_types, self.own.neuron[-1]
        if not self.two_side:
            gate = self._net(GATE, tf.gather(self._vectors, list(neighbors)))
            return tf.broadcast_to(gate[:, None], shape)
        neighbor = np.repeat(neighbors, self.num_types)
        centre = np.tile(np.arange(self.num_types), len(neighbors))
        return tf.reshape(self._net(GATE, tf.concat(self._joined(neighbor, centre), axis=1)), shape)

    def curve_of(self, neighbor: int, centre: int) -> int:
        """Return the number of the curve of a pair of types."""
        if self.stripped:
            return 0
        return neighbor * self.num_types + centre if self.two_side else neighbor

    def curves(self, numbers: Sequence[int]) -> list[list[tf.Tensor]]:
        """Return the arrays of curves with these numbers as nets of one number; see net_weights."""
        own, place = self.own, self._place
        if self.stripped:
            return [net_weights(EMBEDDING, own.neuron, *place) for _ in numbers]
        matrix, biases = self.first_of(numbers)
        rest = net_weights(EMBEDDING, own.neuron, *place, first=1)
        return [[matrix, one, *rest] for one in tf.unstack(biases)]

    def first_of(self, numbers: Sequence[int]) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the first layer of joined curves: one matrix [1, M_1], and their biases [C, M_1].

        The vectors of the types are in the biases.
        """
        n_in, width = 1 + self._width, self.own.neuron[0]
        matrix, bias = layer_arrays(f"{EMBEDDING}/0", n_in, width, *self._place)
        parts = tf.split(matrix[1:], [int(self._vectors.shape[1])] * (2 if self.two_side else 1))
        bias = bias + tf.matmul(self._vectors[:-1], parts[0])  # [T, M_1]
        if self.two_side:
            of_centre = tf.matmul(self._vectors[:-1], parts[1])
            bias = tf.reshape(bias[:, None] + of_centre[None], [-1, width])
        return matrix[:1], tf.gather(bias, numbers)

    @property
    def _place(self) -> tuple[Style, Parameters, bool]:
        return self.own.style(), self.parameters, self.own.trainable

    @property
    def is_curve(self) -> bool:
        """Whether it is a function of one number, of the kind that tables know, for given types.

        A first layer with a residual adds vectors beside numbers, which those tables do not.
        """
        width, n_in = self.own.neuron[0], 1 + self._width
        return self.stripped or width not in (1, 2, n_in, 2 * n_in)

    @property
    def _vectors(self) -> tf.Tensor:
        return tf.cast(self.type_vectors, precision_of(self.own.precision))

    @property
    def _width(self) -> int:
        """Numbers of the vectors that join x."""
        return (2 if self.two_side else 1) * int(self.type_vectors.shape[1])

    def _joined(
        self, neighbor: tf.Tensor | np.ndarray, centre: tf.Tensor | np.ndarray
    ) -> list[tf.Tensor]:
        sides = (neighbor, centre) if self.two_side else (neighbor,)
        return [tf.gather(self._vectors, side) for side in sides]

    def _net(self, name: str, x: tf.Tensor) -> tf.Tensor:
        own = self.own
        return embed(x, name, own.neuron, own.style(), self.parameters, own.trainable)
