"""Vectors of atom types: a small net turns each type into numbers that other nets take as input.

    te_t = net(e_t)        e_t the unit vector of type t, [T]

so that models with many types need no nets of their own for each type or pair of types. The first
matrix of the net thus has one row for each type. The residual rules are those of embedding nets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deeptf.model.network import (
    Style,
    activation_meant,
    check_activation,
    dense,
    precision_meant,
    precision_of,
)
from deeptf.model.parameters import Parameters
from deeptf.model.retyping import Arrays, Source, by_type
from deeptf.model.roles import beginning, function, run
from deeptf.tf import tf

FIRST = "0/matrix"  # the array that has a row for each type


@dataclass(frozen=True)
class TypeEmbedding:
    """Settings of the net; the fields are the keys of the section `type_embedding`."""

    neuron: tuple[int, ...] = (8,)  # widths of the layers; the last one is that of the vectors
    activation_function: str = function("tanh", activation_meant)
    resnet_dt: bool = False
    precision: str = function("default", precision_meant)
    trainable: bool = run(True)
    seed: int | None = beginning(None)
    use_tebd_bias: bool = False  # whether layers have a bias
    use_econf_tebd: bool = False  # must be false

    def __post_init__(self) -> None:
        if not self.neuron or min(self.neuron) < 1:
            raise ValueError(f"`neuron` must hold positive widths, got {list(self.neuron)}")
        check_activation(self.activation_function)
        precision_of(self.precision)
        if self.seed is not None and self.seed < 0:
            raise ValueError(f"`seed` must be at least 0, got {self.seed}")
        if self.use_econf_tebd:
            raise ValueError(
                "`use_econf_tebd` must be false, got true: types are unit vectors, deeptf has no "
                "table of electron configurations"
            )

    @property
    def width(self) -> int:
        """Length of a vector."""
        return self.neuron[-1]

    def arrays_with_types(self, arrays: Mapping[str, np.ndarray], source: Source) -> Arrays:
        """Return the arrays for other types; ValueError where the first layer has a residual.

        That adds unit vectors, which are others then.
        """
        old = len(arrays[FIRST])
        for types in (old, len(source)):
            if self.neuron[0] in (types, 2 * types):
                raise ValueError(
                    f"`type_map` must be that of the model, of {old} types, got {len(source)} "
                    f"types: with {types} of them the first layer of `type_embedding`, "
                    f"{self.neuron[0]} wide, adds its input, which no other types have"
                )
        return {**arrays, FIRST: by_type(arrays[FIRST], source)}

    def vectors(self, num_types: int, parameters: Parameters) -> tf.Tensor:
        """Return the vectors of the types and, last, zeros for a place without an atom, [T + 1, n].

        They are in the precision of the net.
        """
        style = Style(
            self.activation_function,
            self.resnet_dt,
            time_step=1.0,
            double_width=True,
            precision=precision_of(self.precision),
            seed=self.seed,
            bias=self.use_tebd_bias,
        )
        x = tf.eye(num_types, dtype=style.precision)
        for layer, width in enumerate(self.neuron):
            x = dense(x, str(layer), width, style, parameters, self.trainable)
        return tf.pad(x, [[0, 1], [0, 0]])


LINEAR = TypeEmbedding(activation_function="linear")  # where the input has no section but needs one
