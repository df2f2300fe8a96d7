"""Sums over the processes on one host, in memory that they share (op/train/host_sum.h).

Only a library for Linux has these ops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from deeptf.ops.library import library
from deeptf.ops.optimizer import AdamStep
from deeptf.tf import tf


class Host(NamedTuple):
    """The processes on one host as one of them sees them (op/train/meeting.h), for one op."""

    file: str  # memory that all map, zeros at the beginning
    offset: int  # bytes from its begin to the op's place in it, a multiple of a page
    room: int  # bytes of that place
    rank: int  # of this process
    pipes: list[int]  # for every process an open file: a pipe that is closed when it ends
    processes: list[int]  # the numbers that the system gave them
    patience: float  # s that one may be waited for before stderr says it


def has_host_ops() -> bool:
    """Return whether the op library has them."""
    return library().has("host_sum")


def host_sum(host: Host, values: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Return the sums of tensors of one precision over all processes, bit for bit the same in all.

    Every process must do it with tensors of the same known shapes, and at a place in the memory for
    nothing else. AbortedError where another process ends instead. Not differentiable.
    """
    return library().host_sum(values, *host, [value.shape for value in values])


def host_adam(
    step: AdamStep,
    host: Host,
    weights: Sequence[tf.Variable],
    first: Sequence[tf.Variable],
    second: Sequence[tf.Variable],
    gradients: Sequence[tf.Tensor],
    numbers: tf.Tensor,
) -> tf.Tensor:
    """Move weights and moments by a step of Adam with the sums of the gradients of all processes.

    Weights and moments must be equal in all processes, and of one precision. They lie in the memory
    of all afterwards: what is fetched of moments holds until the next step, what is fetched of
    weights until the one after that. Else see host_sum.
    numbers : [K], summed as well.
    Returns the sums [K].
    """
    handles = [[variable.handle for variable in each] for each in (weights, first, second)]
    rate, *decay = step
    shapes = [gradient.shape for gradient in gradients]
    extra = numbers.shape.num_elements()
    return library().host_adam(rate, *handles, gradients, numbers, *host, shapes, extra, *decay)
