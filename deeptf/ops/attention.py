"""Attention between the pairs of an atom, and normalisation of rows (core/nets)."""

from __future__ import annotations

from typing import NamedTuple

from deeptf.ops.gradients import unavailable
from deeptf.ops.library import library
from deeptf.tf import tf

FORM = ("places", "smooth", "dotr", "diagonal")


class AttentionForm(NamedTuple):
    """What attention is, beside its numbers; op/core/nets/attention.h has the equations."""

    places: int  # of an atom; they count if smooth
    smooth: bool  # gates make pairs fade into empty places; else they are masks
    dotr: bool  # weights are multiplied by the cosine of the two directions
    diagonal: bool  # whether a pair attends to itself


def attention(
    count: tf.Tensor,
    attended: tf.Tensor,
    direction: tf.Tensor,
    gate: tf.Tensor,
    form: AttentionForm,
) -> tf.Tensor:
    """Return what the pairs of each atom take from one another, [p, w].

    count [n]: atom a owns count[a] consecutive pairs. Of each pair: attended [p, 3, w] query, key
    and value, which are scaled to unit length; direction [p, 3], of any length; gate [p] from 0 to
    1. float32 or float64. Differentiable twice, in all but the gates that are masks.
    """
    return library().attention(count, attended, direction, gate, **form._asdict())


def row_norm(x: tf.Tensor, epsilon: float) -> tf.Tensor:
    """Return (x - mean) / sqrt(variance + epsilon) over each row of x [n, M]. Twice differentiable.

    Errors: epsilon that is not positive.
    """
    return library().row_norm(x, tf.constant(epsilon, x.dtype))


@tf.RegisterGradient("Attention")
def _attention_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    first = library().attention_grad(*op.inputs, grad, **_form(op))
    return [None, *_wanted(op, first)]


@tf.RegisterGradient("AttentionGrad")
def _attention_grad_grad(op: tf.Operation, *tangent: tf.Tensor) -> list[tf.Tensor | None]:
    upper, *second = library().attention_grad_grad(*op.inputs, *op.outputs, *tangent, **_form(op))
    return [None, *_wanted(op, second), upper]


@tf.RegisterGradient("AttentionGradGrad")
def _third(op: tf.Operation, *_: tf.Tensor) -> list[tf.Tensor | None]:
    what = "third derivative of attention"
    return [unavailable(x, what) if x.dtype.is_floating else None for x in op.inputs]


def _form(op: tf.Operation) -> dict[str, int | bool]:
    return {name: op.get_attr(name) for name in FORM}


def _wanted(op: tf.Operation, grads: list[tf.Tensor]) -> list[tf.Tensor | None]:
    """Return the gradients in attended, direction and gate, None where nothing depends on it."""
    attended, direction, gate = grads
    dotr, smooth = op.get_attr("dotr"), op.get_attr("smooth")
    return [attended, direction if dotr else None, gate if smooth else None]


@tf.RegisterGradient("RowNorm")
def _row_norm_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    return [library().row_norm_grad(*op.inputs, grad), None]


@tf.RegisterGradient("RowNormGrad")
def _row_norm_grad_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    x, epsilon, u = op.inputs
    second = library().row_norm_grad_grad(x, epsilon, u, grad)
    return [second, None, library().row_norm_grad(x, epsilon, grad)]  # J is symmetric


@tf.RegisterGradient("RowNormGradGrad")
def _row_norm_third(op: tf.Operation, *_: tf.Tensor) -> list[tf.Tensor | None]:
    return [unavailable(x, "third derivative of normalised rows") for x in op.inputs]
