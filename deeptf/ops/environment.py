"""Environment rows of pairs: what a centre sees of a neighbour (core/geometry/environment.h)."""

from __future__ import annotations

from deeptf.ops.gradients import unavailable
from deeptf.ops.library import library
from deeptf.tf import tf


def environment(
    displacement: tf.Tensor,
    centre: tf.Tensor,
    atom_type: tf.Tensor,
    mean: tf.Tensor,
    stddev: tf.Tensor,
    rcut_smth: float,
    rcut: float,
) -> tf.Tensor:
    """Return the normalised environment rows of pairs, [P, W].

    They are (s, s x/r, s y/r, s z/r), W = 4, or s alone, W = 1, in 1/A before they are normalised.
    displacement [P, 3] A, centre [P], atom_type [N_all]; mean and stddev [T, W] by centre type.
    Differentiable once in the displacement, and then in whatever multiplies the rows.
    Errors: a displacement that is not finite or shorter than 1e-6 A.
    """
    return library().environment(
        displacement, centre, atom_type, mean, stddev, rcut_smth=rcut_smth, rcut=rcut
    )


@tf.RegisterGradient("Environment")
def _environment_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    out = library().environment_grad(grad, *op.inputs)
    return [out] + [None] * 6


@tf.RegisterGradient("EnvironmentGrad")
def _environment_grad_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    out = library().environment_grad_grad(grad, *op.inputs[1:])
    second = unavailable(op.inputs[1], "second derivative of the environment in the coordinates")
    return [out, second] + [None] * 6


@tf.RegisterGradient("EnvironmentGradGrad")
def _environment_grad_grad_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    out = library().environment_grad(grad, *op.inputs[1:])
    second = unavailable(op.inputs[1], "second derivative of the environment in the coordinates")
    return [out, second] + [None] * 6
