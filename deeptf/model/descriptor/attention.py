"""Attention layers of DPA-1: the neighbours of an atom change what they add to its descriptor.

Zhang et al., npj Comput. Mater. 10, 94 (2024), arXiv:2208.08236. A layer takes G [P', M], a row for
each pair, to

    G + attention(G W_q + b_q, G W_k + b_k, G W_v + b_v) W_o + b_o

whose rows are then normalised (mean 0, variance 1), scaled and shifted. The weights between two
pairs of one atom are in op/core/nets/attention.h. A place without a neighbour takes nothing from
pairs and gives them nothing: its row follows from the type of the centre alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from deeptf.model.descriptor.neighbourhoods import Neighbourhoods
from deeptf.model.descriptor.typed_sums import TypedSums
from deeptf.model.network import layer_arrays
from deeptf.model.parameters import constant
from deeptf.ops.attention import AttentionForm, attention, row_norm
from deeptf.ops.nets import linear
from deeptf.tf import tf

EPSILON = 1e-3  # where `ln_eps` says nothing
PARTS, OUTPUT, NORM = ("query", "key", "value"), "output", "norm"  # of a layer
SCALE, SHIFT = "scale", "shift"  # of its norm


@dataclass(frozen=True)
class AttentionSums(TypedSums):
    """Sums over neighbours of what the last layer makes of the values of the net."""

    @property
    def tabulated(self) -> bool:
        """Whether the sums are those of a table: never, since each pair has a value of its own."""
        return False

    @property
    def layers(self) -> list[str]:
        """Names of the layers."""
        return [f"attention_{number}" for number in range(self.own.attn_layer)]

    @property
    def epsilon(self) -> float:
        """What is added to the variance of a row."""
        return EPSILON if self.own.ln_eps is None else self.own.ln_eps

    @property
    def form(self) -> AttentionForm:
        """What attention is, beside its numbers."""
        own = self.own
        return AttentionForm(own.places, own.smooth, own.attn_dotr, not own.attn_mask)

    def finished(self, around: Neighbourhoods) -> Neighbourhoods:
        """Return the neighbourhoods with the values of the last layer."""
        value = around.value
        for name in self.layers:
            taken = linear(self._taken(name, around, value), *self._output(name))
            value = self._norm(name, value + taken)
        return around._replace(value=value, empty_value=self.finished_alone(around.empty_value))

    def finished_alone(self, value: tf.Tensor) -> tf.Tensor:
        """Return what the layers make of values [n, M] that take nothing from pairs."""
        for name in self.layers:
            value = self._norm(name, value + self._output(name)[1])
        return value

    def _taken(self, name: str, around: Neighbourhoods, value: tf.Tensor) -> tf.Tensor:
        """Return what the pairs of each atom take from one another, [P', attn]."""
        own = self.own
        parts = [self._arrays(f"{name}/{part}", int(value.shape[1]), own.attn) for part in PARTS]
        matrix, bias = (tf.concat(arrays, axis=-1) for arrays in zip(*parts, strict=True))
        attended = tf.reshape(linear(value, matrix, bias), [-1, len(PARTS), own.attn])
        gate = tf.ones_like(value[:, 0]) if around.share is None else around.share
        return attention(around.count, attended, around.rows[:, 1:], gate, self.form)

    def _norm(self, name: str, value: tf.Tensor) -> tf.Tensor:
        """Return rows with mean 0 and variance 1, scaled and shifted."""
        own = self.own
        rows = row_norm(value, self.epsilon)
        scale, shift = (
            self.net.parameters.get(
                f"{name}/{NORM}/{part}",
                (int(value.shape[1]),),
                value.dtype,
                constant(first),
                own.trainable and own.trainable_ln,
            )
            for part, first in ((SCALE, 1.0), (SHIFT, 0.0))
        )
        return rows * scale + shift

    def _output(self, name: str) -> tuple[tf.Tensor, tf.Tensor]:
        return self._arrays(f"{name}/{OUTPUT}", self.own.attn, self.own.neuron[-1])

    def _arrays(self, name: str, n_in: int, width: int) -> tuple[tf.Tensor, tf.Tensor]:
        own = self.own
        return layer_arrays(name, n_in, width, own.style(), self.net.parameters, own.trainable)
