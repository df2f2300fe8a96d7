"""Energy fitting net: the energy of an atom from its descriptor (Zhang et al., PRL 120, 143001,
2018).

    E_i = N_t(D_i, fparam, aparam) + bias_t        one net per type t of the centre atom

With `atom_ener` given for a type, E_i = N_t(D_i, ...) - N_t(D_isolated, ...) + atom_ener_t, so that
an atom without neighbours has exactly that energy. Energies are added in float64 whatever the
precision of the nets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deeptf.model.network import Style, activate, check_activation, dense, linear, precision_of
from deeptf.model.parameters import Parameters
from deeptf.tf import tf


@dataclass(frozen=True)
class EnerFitting:
    """Settings of the fitting net; the fields are the keys of the input file (energies in eV)."""

    type: ClassVar[str] = "ener"
    numb_fparam: int = 0
    numb_aparam: int = 0
    neuron: tuple[int, ...] = (120, 120, 120)
    activation_function: str = "tanh"
    precision: str = "default"
    resnet_dt: bool = True
    trainable: bool | tuple[bool, ...] = True
    rcond: float | None = None
    seed: int | None = None
    atom_ener: tuple[float | None, ...] = ()

    def __post_init__(self) -> None:
        if not self.neuron or min(self.neuron) < 1:
            raise ValueError(f"`neuron` must hold positive widths, got {list(self.neuron)}")
        if self.numb_fparam < 0 or self.numb_aparam < 0:
            raise ValueError(
                "`numb_fparam` and `numb_aparam` must be at least 0, "
                f"got {self.numb_fparam} and {self.numb_aparam}"
            )
        check_activation(self.activation_function)
        precision_of(self.precision)
        layers = len(self.neuron) + 1
        if not isinstance(self.trainable, bool) and len(self.trainable) != layers:
            raise ValueError(
                f"`trainable` must be true, false or a list of {layers} flags "
                f"(hidden layers and the last one), got {list(self.trainable)}"
            )

    def check_types(self, num_types: int) -> None:
        """Raise ValueError where `atom_ener` does not fit the number of types."""
        if self.atom_ener and len(self.atom_ener) != num_types:
            raise ValueError(
                "`atom_ener` must have one entry (a number or null) for each of the "
                f"{num_types} types of type_map, got {list(self.atom_ener)}"
            )

    def network_name(self, atom_type: int) -> str:
        """Name of the net of an atom type."""
        return f"fitting/type_{atom_type}"

    def build(
        self,
        descriptor: tf.Tensor,
        atom_count: tf.Tensor,
        condition: tf.Tensor | None,
        isolated: tf.Tensor | None,
        parameters: Parameters,
    ) -> tf.Tensor:
        """Return the energy of every atom [N_real] in eV, float64, in the order of the descriptor.

        descriptor : [N_real, width], atoms sorted by type; atom_count : [T], how many of each.
        condition : standardised fparam and aparam of the same atoms, [N_real, numb_fparam +
            numb_aparam].
        isolated : descriptor of an isolated atom of each type [T, width], needed with `atom_ener`.
        """
        bias = parameters.array("fitting/energy_bias")
        dtype = precision_of(self.precision)
        rows = tf.split(tf.cast(descriptor, dtype), atom_count, num=len(bias))
        conditions: list[tf.Tensor | None] = [None] * len(bias)
        if condition is not None:
            conditions = tf.split(tf.cast(condition, dtype), atom_count, num=len(bias))
        energies = []
        for t, row in enumerate(rows):
            energy = self._net(row, conditions[t], t, parameters) + bias[t]
            if self.atom_ener and self.atom_ener[t] is not None:
                alone = tf.cast(isolated[t : t + 1], dtype)
                if conditions[t] is not None:
                    alone = tf.repeat(alone, tf.shape(row)[0], axis=0)
                energy -= self._net(alone, conditions[t], t, parameters) + bias[t]
                energy += self.atom_ener[t]
            energies.append(energy)
        return tf.concat(energies, axis=0)

    def _net(
        self, x: tf.Tensor, condition: tf.Tensor | None, atom_type: int, parameters: Parameters
    ) -> tf.Tensor:
        style = Style(
            self.activation_function,
            self.resnet_dt,
            time_step=0.1,
            precision=precision_of(self.precision),
            seed=self.seed,
        )
        name = self.network_name(atom_type)
        trainable = self.trainable
        if isinstance(trainable, bool):
            trainable = (trainable,) * (len(self.neuron) + 1)
        if condition is not None:
            x = tf.concat([x, condition], axis=1)
        x = activate(linear(x, f"{name}/0", self.neuron[0], style, parameters, trainable[0]), style)
        for layer, width in enumerate(self.neuron[1:], start=1):
            x = dense(x, f"{name}/{layer}", width, style, parameters, trainable[layer])
        energy = linear(x, f"{name}/last", 1, style, parameters, trainable[-1])
        return tf.cast(energy[:, 0], tf.float64)


def standardised(value: tf.Tensor, name: str, parameters: Parameters) -> tf.Tensor:
    """Return (value - mean) / stddev with the arrays fitting/{name}_mean and
    fitting/{name}_stddev.
    """
    mean = parameters.array(f"fitting/{name}_mean")
    stddev = parameters.array(f"fitting/{name}_stddev")
    return (value - np.asarray(mean)) / np.asarray(stddev)
