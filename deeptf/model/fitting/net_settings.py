"""Settings that fitting nets of all properties share."""

from __future__ import annotations

from dataclasses import dataclass

from deeptf.model.network import (
    Style,
    activation_meant,
    check_activation,
    precision_meant,
    precision_of,
)
from deeptf.model.roles import beginning, function, run


@dataclass(frozen=True)
class NetSettings:
    """Hidden layers of the net of each type; the fields are keys of the input file."""

    neuron: tuple[int, ...] = (120, 120, 120)  # widths of the hidden layers
    activation_function: str = function("tanh", activation_meant)
    precision: str = function("default", precision_meant)
    resnet_dt: bool = True  # whether layers that add their input have a time step
    trainable: bool | tuple[bool, ...] = run(True, lambda own: own.trainable_layers)
    seed: int | None = beginning(None)  # of the first weights

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
    def style(self) -> Style:
        """How the layers look."""
        return Style(
            resnet_dt=self.resnet_dt,
            time_step=0.1,
            precision=precision_of(self.precision),
            seed=self.seed,
        )

    def chosen(self, num_types: int) -> list[int]:
        """Return the types of the atoms that have the property, ascending."""
        return list(range(num_types))

    def network_name(self, atom_type: int | None) -> str:
        """Name of the net of an atom type; None for the one of all types."""
        return "all" if atom_type is None else f"type_{atom_type}"
