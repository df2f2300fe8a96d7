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
from deeptf.model.fitting.conditions import standardised
from deeptf.model.fitting.net_settings import NetSettings
from deeptf.model.network import ACTIVATIONS, layer_arrays, precision_of, time_step
from deeptf.model.parameters import Parameters
from deeptf.model.stages import Constant, PropertyNet, net_of
from deeptf.ops.nets import linear
from deeptf.tf import tf

ATOM_COPIES = 3  # of hidden values: forward, gradient and its products


@dataclass(frozen=True)
class PlainNets(NetSettings):
    """Settings of the nets; the fields are keys of the input file."""

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
            vectors = tf.cast(described.type_vectors[:-1], precision)
            columns.append(tf.repeat(parameters.fixed("types", vectors), atom_count, axis=0))
        if condition is not None:
            columns.append(condition)
        x = tf.concat([tf.cast(part, precision) for part in columns], axis=1)
        parts = tf.split(x, atom_count, num=num_types)
        if described.type_vectors is None:
            found = [self._net(parts[t], t, width, parameters) for t in types]
        else:
            together = self._net(tf.concat([parts[t] for t in types], 0), None, width, parameters)
            found = tf.split(together, tf.gather(atom_count, types), num=len(types))
        by_type = dict(zip(types, found, strict=True))
        filled = [
            by_type[t] if t in by_type else tf.zeros([atom_count[t], width], precision)
            for t in range(num_types)
        ]
        return tf.cast(tf.concat(filled, axis=0), tf.float64)

    def stage(
        self,
        descriptor: str,
        parameters: Parameters,
        typed: bool,
        num_types: int,
        conditions: Sequence[str] = (),
    ) -> PropertyNet:
        """Return the stage that gives these numbers.

        typed : the model has vectors of the types.
        conditions : names of the parameters that the nets take.
        """
        chosen = self.chosen(num_types)
        layers = *range(len(self.neuron)), "last"
        owners = [None] if typed else chosen
        return PropertyNet(
            descriptor,
            parameters.name("numbers"),
            precision_of(self.precision).name,
            self.activation_function.lower(),
            [t in chosen for t in range(num_types)],
            [net_of(self.network_name(owner), layers, parameters) for owner in owners],
            types=Constant(parameters.name("types")) if typed else None,
            **standardised(conditions, parameters),
        )

    def _net(
        self, x: tf.Tensor, owner: int | None, width: int, parameters: Parameters
    ) -> tf.Tensor:
        """Return the outputs of the net of a type, or of all types, [n, width]."""
        name = self.network_name(owner)
        style, trainable = self.style, self.trainable_layers
        activate = ACTIVATIONS[self.activation_function.lower()]
        for layer, (n_in, n_out) in enumerate(itertools.pairwise((int(x.shape[1]), *self.neuron))):
            place = f"{name}/{layer}", n_in, n_out, style, parameters, trainable[layer]
            hidden = activate(linear(x, *layer_arrays(*place)))
            if layer > 0 and n_in == n_out:
                if self.resnet_dt:
                    hidden *= time_step(place[0], *place[2:])
                hidden += x
            x = hidden
        last = f"{name}/last", self.neuron[-1], width, style, parameters, trainable[-1]
        return linear(x, *layer_arrays(*last))
