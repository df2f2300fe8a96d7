"""What fitting nets of vectors and tensors share: the chosen types, axes, sums and shapes.

A tensor of an atom is made of numbers that do not change when all is turned, and of the axes
Q_i [M, 3], the rows x, y, z of the sums T_i of the descriptor, which turn with it. The tensor of a
frame is the sum of those of its atoms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from deeptf.data.statistics import Collector
from deeptf.model.descriptor.described import Described
from deeptf.model.fitting.fitted import Fitted
from deeptf.model.fitting.plain_nets import PlainNets
from deeptf.model.inputs import Inputs
from deeptf.model.parameters import Parameters
from deeptf.model.roles import shape
from deeptf.model.stages import Stage
from deeptf.model.tensor_stages import axes_of
from deeptf.ops.pairs import SortedPairs
from deeptf.properties import Property
from deeptf.tf import tf

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class TensorNets(PlainNets):
    """Settings of nets for a tensor; the fields are keys of the input file.

    sel_type : the types of the atoms that have one; null, or an empty list, for all.
    """

    of_frame: ClassVar[Property]
    of_atom: ClassVar[Property]
    numb_fparam: ClassVar[int] = 0
    numb_aparam: ClassVar[int] = 0
    conditions: ClassVar[tuple[str, ...]] = ()
    sel_type: tuple[int, ...] | int | None = shape(None, lambda nets: sorted(nets.given))

    def __post_init__(self) -> None:
        super().__post_init__()
        chosen = self.given
        if len(set(chosen)) != len(chosen) or min(chosen, default=0) < 0:
            raise ValueError(
                f"`sel_type` must hold different types, counted from 0, got {list(chosen)}"
            )

    def check_types(self, num_types: int) -> None:
        """Raise ValueError where `sel_type` has a type that does not exist."""
        wrong = [t for t in self.given if t >= num_types]
        if wrong:
            raise ValueError(
                f"`sel_type` must hold types from 0 to {num_types - 1}, as type_map has, "
                f"got {wrong}"
            )

    def of_types(self, num_types: int) -> Self:
        """Return the settings of a model of so many types, with all of the chosen ones named."""
        return replace(self, sel_type=self.given or tuple(range(num_types)))

    def check_descriptor(self, descriptor: object) -> None:
        """Raise ValueError for a descriptor without axes."""
        if not getattr(descriptor, "num_axes", 0):
            raise ValueError(
                f"`descriptor/type` must be one that turns with the atoms (se_e2_a, se_atten, "
                f"se_a_ebd_v2, or a hybrid of these) for a fitting net of type {self.type}, got "
                f"{descriptor.type}"
            )

    @property
    def given(self) -> tuple[int, ...]:
        """The types in `sel_type`; none where it means all."""
        if self.sel_type is None:
            return ()
        return (self.sel_type,) if isinstance(self.sel_type, int) else self.sel_type

    def chosen(self, num_types: int) -> list[int]:
        """Return the types of the atoms that have a tensor, ascending."""
        return sorted(self.given) or list(range(num_types))

    def gives(self, num_types: int) -> list[Property]:
        """Return the properties of these nets, of the chosen types alone."""
        types = tuple(self.chosen(num_types))
        return [replace(row, types=types) for row in (self.of_frame, self.of_atom)]

    def collectors(self, num_types: int) -> list[Collector]:
        """Return nothing: tensors are read without pairs."""
        return []

    def plan(
        self,
        described: Sequence[Stage],
        parameters: Parameters,
        type_vectors: tf.Tensor | None,
        num_types: int,
    ) -> tuple[list[Stage], Mapping[str, str]]:
        """Return the stages of nets and axes, and the one that makes tensors of them."""
        turning = axes_of(described, parameters.name("axes"))
        given = parameters, type_vectors is not None, num_types
        numbers = self.stage(described[-1].gives, *given)
        names = (turning.gives, numbers.gives), parameters.name(self.of_atom.name)
        tensor = self.product(names, parameters, num_types)
        return [turning, numbers, tensor], {self.of_atom.name: tensor.gives}

    def product(
        self, names: tuple[Sequence[str], str], parameters: Parameters, num_types: int
    ) -> Stage:
        """Return the stage that takes axes and numbers and gives tensors, by their names."""
        raise NotImplementedError

    def fitted(self, tensor: tf.Tensor, inputs: Inputs, pairs: SortedPairs) -> Fitted:
        """Return the properties that tensors of the atoms [N_real, k] are."""
        total = frame_sums(tensor, inputs, pairs)
        components = tf.unstack(tensor, self.of_frame.width, axis=1)
        return Fitted(
            values={self.of_atom.name: tensor, self.of_frame.name: total},
            components={self.of_frame.name: components},
        )


def frame_sums(value: tf.Tensor, inputs: Inputs, pairs: SortedPairs) -> tf.Tensor:
    """Return the sums over the atoms of each frame, [F, k], of values [N_real, k]."""
    frame = tf.gather(inputs.frame_of_atom, pairs.atom_order)
    return tf.math.unsorted_segment_sum(value, frame, inputs.num_frames)


def axes(described: Described) -> tf.Tensor:
    """Return Q as [N_real, 3, M] float64: x, y and z of each of the M axes."""
    return tf.cast(described.moments[:, 1:], tf.float64)


def of_types(values: Mapping[int, float], atom_count: tf.Tensor) -> tf.Tensor:
    """Return a number for each real atom by its type, [N_real]; 0 for types without one."""
    row = [values.get(t, 0.0) for t in range(int(atom_count.shape[0]))]
    return tf.repeat(tf.constant(row, tf.float64), atom_count)
