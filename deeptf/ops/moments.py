"""Sums over neighbours of outer products, and products of such sums (core/moments)."""

from __future__ import annotations

from deeptf.ops.library import library
from deeptf.tf import tf


def neighbor_sum(count: tf.Tensor, weight: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
    """Return sum_j weight_j (x) value_j over the pairs of each atom, [n, W, M].

    count [n]: atom a owns count[a] consecutive pairs; weight [p, W]; value [p, M]; float32 or
    float64. Differentiable any number of times.
    """
    return library().neighbor_sum(count, weight, value)


def moment_product(moments: tf.Tensor, axis: int) -> tf.Tensor:
    """Return T^T T[:, :axis] for moments T [n, W, M], as [n, M, axis]. Twice differentiable."""
    return library().moment_product(moments, axis=axis)


@tf.RegisterGradient("NeighborSum")
def _neighbor_sum_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    count, weight, value = op.inputs
    return [
        None,
        library().neighbor_sum_weight_grad(count, value, grad),
        library().neighbor_sum_value_grad(count, weight, grad),
    ]


@tf.RegisterGradient("NeighborSumValueGrad")
def _neighbor_sum_value_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    count, weight, upper = op.inputs  # value_grad = weight * upper
    return [
        None,
        library().neighbor_sum_weight_grad(count, grad, upper),
        library().neighbor_sum(count, weight, grad),
    ]


@tf.RegisterGradient("NeighborSumWeightGrad")
def _neighbor_sum_weight_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    count, value, upper = op.inputs  # weight_grad = value * upper
    return [
        None,
        library().neighbor_sum_value_grad(count, grad, upper),
        library().neighbor_sum(count, grad, value),
    ]


@tf.RegisterGradient("MomentProduct")
def _moment_product_grad(op: tf.Operation, grad: tf.Tensor) -> tf.Tensor:
    return library().moment_product_grad(op.inputs[0], grad, axis=op.get_attr("axis"))


@tf.RegisterGradient("MomentProductGrad")
def _moment_product_grad_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor]:
    moments, upper = op.inputs
    axis = op.get_attr("axis")
    return [
        library().moment_product_grad(grad, upper, axis=axis),
        library().moment_product_polar(moments, grad, axis=axis),
    ]
