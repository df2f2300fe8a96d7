"""Sums over neighbours of a tabulated net with gates of types (core/curve/gated_sum.h)."""

from __future__ import annotations

from deeptf.ops.curve import SIZES, CurveTable, EmbeddingSums, sum_arguments
from deeptf.ops.gradients import unavailable
from deeptf.ops.library import library
from deeptf.tf import tf


def gated_sum(
    rows: tf.Tensor,
    table: CurveTable,
    curve: tf.Tensor,
    sel: tf.Tensor,
    empty: tf.Tensor,
    atom_count: tf.Tensor,
    neighbor_count: tf.Tensor,
    gate: tf.Tensor,
    share: tf.Tensor | None = None,
) -> EmbeddingSums:
    """Return sum_j R_j (x) G(R_j0) (1 + p_j h_b) over the neighbours of every atom, [N_real, 4, M].

    gate [T, T, M], in the precision of the table, has the numbers h of each block of pairs
    (neighbour type first) and share [P'] float64 the shares p, 1 without. Places without a
    neighbour have no gate. Other arguments, derivatives and errors: see embedding_sum, whose rows
    must have four columns; not twice differentiable in the shares either.
    """
    layout = curve, sel, empty, atom_count, neighbor_count
    shared, sizes = sum_arguments(rows, table, layout)
    shares = tf.zeros([0], tf.float64) if share is None else share
    return EmbeddingSums(*library().gated_sum(*shared, gate, shares, **sizes))


@tf.RegisterGradient("GatedSum")
def _gated_sum_grad(op: tf.Operation, grad: tf.Tensor, *_: tf.Tensor) -> list[tf.Tensor | None]:
    sizes = {name: op.get_attr(name) for name in SIZES}
    rows_grad, share_grad = library().gated_sum_grad(*op.inputs, grad, **sizes)
    return [
        rows_grad,
        library().gated_table_grad(*op.inputs, grad, **sizes),
        *[None] * 8,
        library().gate_grad(*op.inputs, grad, **sizes),
        share_grad,
    ]


@tf.RegisterGradient("GatedSumGrad")
def _gated_sum_grad_grad(
    op: tf.Operation, rows_grad: tf.Tensor, share_grad: tf.Tensor
) -> list[tf.Tensor | None]:
    *shared, upper = op.inputs
    sizes = {name: op.get_attr(name) for name in SIZES}
    along = rows_grad, share_grad
    return [
        unavailable(shared[0], "second derivative of an embedding in the rows"),
        library().gated_tangent_table_grad(*shared, *along, upper, **sizes),
        *[None] * 8,
        library().gate_tangent_grad(*shared, *along, upper, **sizes),
        unavailable(shared[-1], "second derivative of an embedding in the shares"),
        library().gated_sum_tangent(*shared, *along, **sizes),
    ]
