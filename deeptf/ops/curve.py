"""Embedding nets as tables of nodes, and sums over neighbours of what they give (core/curve)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from deeptf.ops.gradients import unavailable
from deeptf.ops.library import library
from deeptf.tf import tf


class CurveTable(NamedTuple):
    """Embedding nets at nodes, one curve after the other; C curves of S segments.

    The nodes of a segment are equally spaced, the first and the last one at its ends. Segments have
    one width, but for the last `near` ones of each curve, beyond the range of the data, which have
    another.
    """

    nodes: tf.Tensor  # [nodes, 2, padded M] value, and slope times step
    node_row: tf.Tensor  # [C S + 1] first node of each segment
    grid: tf.Tensor  # [C S, 2] x of the first node, step
    width: int  # M
    segments: int = 1  # S
    near: int = 0


class EmbeddingSums(NamedTuple):
    """Sums over neighbours, and what they found beyond the ranges of the data by block of pairs."""

    sum: tf.Tensor  # [N_real, 4, M]
    outside: tf.Tensor  # [T, T] number of pairs; neighbour type first
    closest: tf.Tensor  # [T, T] the closest of them; -1 without any


_SIZES = ("width", "segments", "near")  # attributes of the ops of embedding sums


def embedding_nodes(
    node_row: tf.Tensor,
    grid: tf.Tensor,
    weights: Sequence[tf.Tensor],
    neuron: Sequence[int],
    activation: str,
    resnet_dt: bool,
    segments: int = 1,
    near: int = 0,
) -> CurveTable:
    """Evaluate C nets of one number, with their slopes, at the nodes of their grids.

    node_row [C S + 1]; grid [C S, 2] x of the first node and step; weights: for each net and layer
    matrix, bias, and idt where resnet_dt and a residual connection ask for one.
    Differentiable once in the weights.
    """
    weights = [tf.convert_to_tensor(weight) for weight in weights]
    nodes = library().embedding_nodes(
        node_row,
        grid,
        weights,
        activation=activation,
        neuron=list(neuron),
        resnet_dt=resnet_dt,
        segments=segments,
    )
    unit = 64 // weights[0].dtype.size
    nodes = tf.ensure_shape(nodes, [None, 2, -(-neuron[-1] // unit) * unit])
    return CurveTable(nodes, node_row, grid, neuron[-1], segments, near)


def embedding_sum(
    rows: tf.Tensor,
    table: CurveTable,
    curve: tf.Tensor,
    sel: tf.Tensor,
    empty: tf.Tensor,
    atom_count: tf.Tensor,
    neighbor_count: tf.Tensor,
) -> EmbeddingSums:
    """Return sum_j R_j (x) G(R_j0) of every atom, empty places included.

    rows R [P', 4] of sorted pairs, with their atom_count [T] and neighbor_count [N_real, T]; curve
    [T, T] (neighbour type first) is the curve of each block, -1 to leave it out; sel [T] places of
    each neighbour type; empty [T] R_0 of an empty place of each centre type.
    Twice differentiable, but not twice in the rows. Errors: rows that are not finite.
    """
    found = library().embedding_sum(
        rows,
        table.nodes,
        table.node_row,
        table.grid,
        curve,
        sel,
        empty,
        atom_count,
        neighbor_count,
        width=table.width,
        segments=table.segments,
        near=table.near,
    )
    return EmbeddingSums(*found)


@tf.RegisterGradient("EmbeddingNodes")
def _embedding_nodes_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    node_row, grid, *weights = op.inputs
    names = ("activation", "neuron", "resnet_dt", "segments")
    attributes = {name: op.get_attr(name) for name in names}
    return [
        None,
        None,
        *library().embedding_nodes_grad(node_row, grid, weights, grad, **attributes),
    ]


@tf.RegisterGradient("EmbeddingSum")
def _embedding_sum_grad(op: tf.Operation, grad: tf.Tensor, *_: tf.Tensor) -> list[tf.Tensor | None]:
    sizes = {name: op.get_attr(name) for name in _SIZES}
    return [
        library().embedding_sum_grad(*op.inputs, grad, **sizes),
        library().embedding_table_grad(*op.inputs, grad, **sizes),
    ] + [None] * 7


@tf.RegisterGradient("EmbeddingSumGrad")
def _embedding_sum_grad_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    *shared, upper = op.inputs
    sizes = {name: op.get_attr(name) for name in _SIZES}
    return [
        unavailable(shared[0], "second derivative of an embedding in the rows"),
        library().embedding_tangent_table_grad(*shared, grad, upper, **sizes),
        *[None] * 7,
        library().embedding_sum_tangent(*shared, grad, **sizes),
    ]
