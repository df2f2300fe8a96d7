"""Fitting nets with their slopes, and products of many matrices at once (core/nets)."""

from __future__ import annotations

from collections.abc import Sequence

from deeptf.ops.gradients import unavailable
from deeptf.ops.library import library
from deeptf.tf import tf


def fitting_net(
    descriptor: tf.Tensor,
    atom_count: tf.Tensor,
    weights: Sequence[tf.Tensor],
    neuron: Sequence[int],
    activation: str,
    resnet_dt: bool,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the energy [n] of one net per type and its slope dE/d(descriptor) [n, width].

    descriptor [n, width], float32 or float64, atoms sorted by type; atom_count [T], how many of
    each; neuron: widths of the hidden layers. weights, of the net of each type after that of the
    one before: for each hidden layer matrix [in, out], bias [out] and, with `resnet_dt` where a
    layer after the first keeps the width, its time step [out]; then matrix [neuron[-1], 1] and bias
    [1]. A layer after the first that keeps the width adds its input.
    Differentiable once, in descriptor and weights, through energy and slope: enough to train on
    forces.
    """
    net = library().fitting_net(
        descriptor,
        atom_count,
        list(weights),
        neuron=list(neuron),
        activation=activation.lower(),
        resnet_dt=resnet_dt,
    )
    return net.energy, net.slope


def matrix_products(
    a: Sequence[tf.Tensor],
    b: Sequence[tf.Tensor],
    transpose_a: Sequence[bool],
    transpose_b: Sequence[bool],
) -> list[tf.Tensor]:
    """Return the products a_k b_k of matrices of one precision, each factor transposed or not.

    All of them together keep the threads busy, where one small product after the other does not.
    Differentiable any number of times.
    """
    if not a:
        return []
    transpose = {"transpose_a": list(transpose_a), "transpose_b": list(transpose_b)}
    return library().matrix_products(a, b, **transpose)


def linear(x: tf.Tensor, matrix: tf.Tensor, bias: tf.Tensor | None = None) -> tf.Tensor:
    """Return x W + b of rows x [n, in] and a matrix [in, out], [n, out].

    TensorFlow's own product of float64 matrices has a fifth of the speed.
    """
    (product,) = matrix_products([x], [matrix], [False], [False])
    return product if bias is None else tf.nn.bias_add(product, bias)


@tf.RegisterGradient("MatrixProducts")
def _matrix_products_grad(op: tf.Operation, *grads: tf.Tensor) -> list[tf.Tensor]:
    """Return g b^T of each product and a^T g of each; of a factor that is turned, turned."""
    a, b = op.inputs[: len(grads)], op.inputs[len(grads) :]
    turn_a, turn_b = op.get_attr("transpose_a"), op.get_attr("transpose_b")
    of_a = [
        (y, g, turn_y, True) if turn_x else (g, y, False, not turn_y)
        for y, g, turn_x, turn_y in zip(b, grads, turn_a, turn_b, strict=True)
    ]
    of_b = [
        (g, x, True, turn_x) if turn_y else (x, g, not turn_x, False)
        for x, g, turn_x, turn_y in zip(a, grads, turn_a, turn_b, strict=True)
    ]  # apart, since often only one of the two is wanted
    return [x for all_of in (of_a, of_b) for x in matrix_products(*zip(*all_of, strict=True))]


@tf.RegisterGradient("FittingNet")
def _fitting_net_grad(
    op: tf.Operation, energy_grad: tf.Tensor, slope_grad: tf.Tensor, *_: tf.Tensor
) -> list[tf.Tensor | None]:
    descriptor, atom_count, *weights = op.inputs
    descriptor_grad, weight_grads = library().fitting_net_grad(
        energy_grad,
        slope_grad,
        *op.outputs[2:],
        descriptor,
        atom_count,
        weights,
        **{name: op.get_attr(name) for name in ("neuron", "activation", "resnet_dt")},
    )
    return [descriptor_grad, None, *weight_grads]


@tf.RegisterGradient("FittingNetGrad")
def _fitting_net_grad_grad(op: tf.Operation, *_: tf.Tensor) -> list[tf.Tensor | None]:
    what = "derivative of the gradient of a fitting net"
    return [unavailable(x, what) if x.dtype.is_floating else None for x in op.inputs]
