"""A step of Adam for many arrays at once (op/train/adam.h)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from deeptf.ops.library import library
from deeptf.tf import tf


class AdamStep(NamedTuple):
    """The numbers of one step of Adam (op/train/adam.h)."""

    rate: tf.Tensor  # float64, learning rate times sqrt(1 - beta2^t) / (1 - beta1^t)
    beta1: float
    beta2: float
    epsilon: float


def adam_update(
    step: AdamStep,
    weights: Sequence[tf.Variable],
    first: Sequence[tf.Variable],
    second: Sequence[tf.Variable],
    gradients: Sequence[tf.Tensor],
) -> tf.Operation:
    """Move weights and moments by a step of Adam, all of one precision."""
    handles = [[variable.handle for variable in each] for each in (weights, first, second)]
    rate, *decay = step
    return library().adam_update(rate, *handles, gradients, *decay)


def adam_change(
    step: AdamStep,
    first: Sequence[tf.Variable],
    second: Sequence[tf.Variable],
    gradients: Sequence[tf.Tensor],
) -> list[tf.Tensor]:
    """Move moments as adam_update does; return what it would add to the weights."""
    handles = [[variable.handle for variable in each] for each in (first, second)]
    rate, *decay = step
    return library().adam_change(rate, *handles, gradients, *decay)
