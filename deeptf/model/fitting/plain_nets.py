"""Fitting nets of any number of outputs in plain TensorFlow, for properties other than energies.

The layers are those of the energy fitting net (ener.py): residuals from the second layer on where
the width is kept, with a time step, and a linear last layer. Each type has a net of its own; in a
model with vectors of the types there is one net of (D, te_t).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from deeptf.model.descriptor.described import Described
from deeptf.model.network import (
    ACTIVATIONS,
    Style,
    activation_meant,
    check_activation,
    layer_arrays,
    precision_meant,
    precision_of,
    time_step,
)
from deeptf.model.parameters import Parameters
from deeptf.model.roles import beginning, function, run
from deeptf.tf import tf

ATOM_COPIES = 3  # of hidden values: forward, gradient and its products


@dataclass(frozen=True)
class PlainNets:
    """Settings of the nets; the fields are keys of the input file."""

    neuron: tuple[int, ...] = (120, 120, 120)
    activation_function: str = function("tanh", activation_meant)
    precision: str = function("default", precision_meant)
    resnet_dt: bool = True
    trainable: bool | tuple[bool, ...] = run(True, lambda own: own.trainable_layers)
    seed: int | None = beginning(None)

    def __post_init__(self) -> None:
        if not self.neuron or min(self.neuron) < 1:
            raise ValueError(f"`neuron` must hold positive widths, got {list(self.neuron)}")
        if self.seed is not None and self.seed < 0:
            raise ValueError(f"`seed` must be at least 0, got {self.seed}")
        check_activation(self.activation_function)
        precision_of(self.precision)
        layers = len(self.neuron) + 1
        if not isinstance(self.trainable, bool) and len(self.trainable) != layers:
            raise ValueError(
                f"`trainable` must be true, false or a list of {layers} flags "
                f"(hidden layers and the last one), got {list(self.trainable)}"
            )

    @property
    def trainable_layers(self) -> tuple[bool, ...]:
        """Whether each hidden layer and the last one is trained."""
        if isinstance(self.trainable, bool):
            return (self.trainable,) * (len(self.neuron) + 1)
        return self.trainable

    @property
    def atom_bytes(self) -> int:
        """Working memory of an atom: hidden values, held for the backward pass."""
        return precision_of(self.precision).size * ATOM_COPIES * sum(self.neuron)

    def outputs(
        self,
        described: Described,
        atom_count: tf.Tensor,
        width: int,
        parameters: Parameters,
        types: Sequence[int],
        condition: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Return what the nets give for each real atom, [N_real, width] float64.

        types : those that have nets; the numbers of atoms of others are zeros.
        condition : further inputs [N_real, n], behind the vectors of types.
        """
        precision = precision_of(self.precision)
        num_types = int(atom_count.shape[0])
        columns = [described.descriptor]
        if described.type_vectors is not None:
            columns.append(tf.repeat(described.type_vectors[:-1], atom_count, axis=0))
        if condition is not None:
            columns.append(condition)
        x = tf.concat([tf.cast(part, precision) for part in columns], axis=1)
        parts = tf.split(x, atom_count, num=num_types)
        if described.type_vectors is None:
            found = [self._net(parts[t], f"type_{t}", width, parameters) for t in types]
        else:
            together = self._net(tf.concat([parts[t] for t in types], 0), "all", width, parameters)
            found = tf.split(together, tf.gather(atom_count, types), num=len(types))
        by_type = dict(zip(types, found, strict=True))
        filled = [
            by_type[t] if t in by_type else tf.zeros([atom_count[t], width], precision)
            for t in range(num_types)
        ]
        return tf.cast(tf.concat(filled, axis=0), tf.float64)

    def _net(self, x: tf.Tensor, name: str, width: int, parameters: Parameters) -> tf.Tensor:
        """Return the outputs of one net, [n, width]."""
        style = Style(
            resnet_dt=self.resnet_dt,
            time_step=0.1,
            precision=precision_of(self.precision),
            seed=self.seed,
        )
        activate, trainable = ACTIVATIONS[self.activation_function.lower()], self.trainable_layers
        for layer, (n_in, n_out) in enumerate(itertools.pairwise((int(x.shape[1]), *self.neuron))):
            place = f"{name}/{layer}", n_in, n_out, style, parameters, trainable[layer]
            matrix, bias = layer_arrays(*place)
            hidden = activate(tf.nn.bias_add(tf.matmul(x, matrix), bias))
            if layer > 0 and n_in == n_out:
                if self.resnet_dt:
                    hidden *= time_step(place[0], *place[2:])
                hidden += x
            x = hidden
        last = f"{name}/last", self.neuron[-1], width, style, parameters, trainable[-1]
        matrix, bias = layer_arrays(*last)
        return tf.nn.bias_add(tf.matmul(x, matrix), bias)
