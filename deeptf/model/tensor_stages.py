"""Stages of plans for vectors and tensors of atoms, which turn with them; see stages.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from deeptf.model.stages import MomentProduct, Stage


@dataclass(frozen=True)
class Axes:
    """Axes [N, 3, M], float64: Q = sums[:, 1:] / places, those of all sums side by side."""

    kernel: ClassVar[str] = "axes"
    takes: Sequence[str]
    gives: str
    places: Sequence[int]  # of each of the sums


@dataclass(frozen=True)
class AxisVector:
    """Vector [N, 3] = Q w of axes and numbers w [N, M]."""

    kernel: ClassVar[str] = "axis_vector"
    takes: Sequence[str]  # axes, numbers
    gives: str


@dataclass(frozen=True)
class AxisTensor:
    """Tensor [N, 9] = scale_c Q W Q^T + added_c 1 of axes and numbers.

    W = diag(w) of numbers w [N, M] where it is diagonal, else B + B^T of numbers B [N, M, M].
    """

    kernel: ClassVar[str] = "axis_tensor"
    takes: Sequence[str]  # axes, numbers
    gives: str
    diagonal: bool
    scale: Sequence[float]  # [T]
    added: Sequence[float]  # [T]


def axes_of(described: Sequence[Stage], gives: str) -> Axes:
    """Return the stage of the axes of a descriptor, from the stages that give it."""
    products = [stage for stage in described if isinstance(stage, MomentProduct)]
    return Axes([one.takes for one in products], gives, [one.places for one in products])
