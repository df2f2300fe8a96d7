"""Force and virial from the gradient in the pair displacements (core/geometry/force_virial.h)."""

from __future__ import annotations

from deeptf.ops.library import library
from deeptf.ops.pairs import SortedPairs
from deeptf.tf import tf


def force_virial(
    pair_gradient: tf.Tensor, pairs: SortedPairs, frame_row: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return force [N_all, 3] and virial [F, 9] = -sum g_a r_b from g = dE/d(displacement) [P, 3].

    The centres of the pairs lie in one of the frames of frame_row [F + 1]; a neighbour may be a
    ghost. Differentiable any number of times in `pair_gradient`, and in the displacement.
    Errors: a centre or a place of a pair out of range.
    """
    return tuple(
        library().force_virial(
            pair_gradient,
            pairs.displacement,
            pairs.centre,
            pairs.neighbor,
            frame_row,
            pairs.atom_order,
            pairs.first_pair,
            pairs.neighbor_count,
            pairs.pair_row,
            pairs.pair_of,
        )
    )


def atom_virial(pair_gradient: tf.Tensor, pairs: SortedPairs) -> tf.Tensor:
    """Return the virial of each atom, [N_all, 9]: -g_a r_b of a pair counts for its neighbour.

    The sum over atoms is the virial. No gradient.
    """
    return library().atom_virial(pair_gradient, pairs.displacement, pairs.pair_row, pairs.pair_of)


def _gradient_in_displacement(
    pair_gradient: tf.Tensor, virial_grad: tf.Tensor, centre: tf.Tensor, frame_row: tf.Tensor
) -> tf.Tensor:
    """Return d(virial . virial_grad)/d(displacement) = -virial_grad^T g, [P, 3]."""
    frame = tf.searchsorted(frame_row, centre, side="right") - 1
    matrix = tf.gather(tf.reshape(virial_grad, [-1, 3, 3]), frame)  # [P, 3, 3]
    return -tf.einsum("pab,pa->pb", matrix, pair_gradient)


@tf.RegisterGradient("ForceVirial")
def _force_virial_grad(
    op: tf.Operation, force_grad: tf.Tensor, virial_grad: tf.Tensor
) -> list[tf.Tensor | None]:
    pair_gradient, *pairs = op.inputs
    _, centre, _, frame_row, *_ = pairs
    return [
        library().force_virial_grad(force_grad, virial_grad, *pairs),
        _gradient_in_displacement(pair_gradient, virial_grad, centre, frame_row),
    ] + [None] * 8


@tf.RegisterGradient("ForceVirialGrad")
def _force_virial_grad_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    _, virial_grad, *pairs = op.inputs
    _, centre, _, frame_row, *_ = pairs
    return [
        *library().force_virial(grad, *pairs),
        _gradient_in_displacement(grad, virial_grad, centre, frame_row),
    ] + [None] * 8
