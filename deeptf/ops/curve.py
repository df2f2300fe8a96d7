"""Embedding nets as tables of nodes, and sums over neighbours of what they give (core/curve)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from deeptf.ops.gradients import unavailable
from deeptf.ops.library import library
from deeptf.tf import tf


class CurveGrid(NamedTuple):
    """Where the nodes of C curves of S segments lie, one curve after the other.

    The nodes of a segment are equally spaced, the first and the last one at its ends. Segments have
    one width, but for the last `near` ones of each curve, beyond the range of the data, which have
    another.
    """

    node_row: tf.Tensor  # [C S + 1] first node of each segment
    grid: tf.Tensor  # [C S, 2] x of the first node, step
    segments: int = 1  # S
    near: int = 0


class CurveTable(NamedTuple):
    """Embedding nets at those nodes of a grid that are needed.

    In float32 its rows are those of the intervals between the nodes (core/curve/intervals.h).
    """

    nodes: tf.Tensor  # [K', 2, padded M] value, slope times step; float32: [K' - 1, 4, padded M]
    needed_row: tf.Tensor  # [nodes + 1] number of needed nodes before each node
    grid: CurveGrid
    width: int  # M


class EmbeddingSums(NamedTuple):
    """Sums over neighbours, and what they found beyond the ranges of the data by block of pairs."""

    sum: tf.Tensor  # [N_real, W, M], in the precision of the table
    outside: tf.Tensor  # [T, T] number of pairs; neighbour type first
    closest: tf.Tensor  # [T, T] the closest of them; -1 without any


SIZES = ("width", "segments", "near")  # attributes of the ops of embedding sums


def needed_nodes(
    rows: tf.Tensor,
    grid: CurveGrid,
    curve: tf.Tensor,
    sel: tf.Tensor,
    empty: tf.Tensor,
    atom_count: tf.Tensor,
    neighbor_count: tf.Tensor,
) -> tf.Tensor:
    """Return which nodes the sums over these rows need, as CurveTable.needed_row.

    Arguments: see embedding_sum.
    """
    return library().needed_nodes(
        rows,
        grid.node_row,
        grid.grid,
        curve,
        sel,
        empty,
        atom_count,
        neighbor_count,
        segments=grid.segments,
        near=grid.near,
    )


def padded_width(width: int, dtype: tf.DType = tf.float64) -> int:
    """Return the length of the rows of nodes with `width` outputs."""
    unit = 64 // dtype.size
    return -(-width // unit) * unit


def embedding_nodes(
    grid: CurveGrid,
    weights: Sequence[tf.Tensor],
    neuron: Sequence[int],
    activation: str,
    resnet_dt: bool,
    needed_row: tf.Tensor | None = None,
    bent: bool = False,
) -> CurveTable:
    """Evaluate C nets of one number, with their slopes, at the needed nodes, or all, of a grid.

    weights: for each net and layer matrix, bias, and idt where resnet_dt and a residual connection
    ask for one, in the precision of the table; float32 nets are evaluated in float64.
    bent: the nodes of the grid lie on asinh of the argument of the nets.
    Differentiable once in the weights.
    """
    weights = [tf.convert_to_tensor(weight) for weight in weights]
    if needed_row is None:
        needed_row = tf.range(tf.convert_to_tensor(grid.node_row)[-1] + 1)
    nodes = library().embedding_nodes(
        grid.node_row,
        grid.grid,
        needed_row,
        weights,
        activation=activation,
        neuron=list(neuron),
        resnet_dt=resnet_dt,
        segments=grid.segments,
        bent=bent,
    )
    dtype = weights[0].dtype
    rows = 4 if dtype == tf.float32 else 2
    nodes = tf.ensure_shape(nodes, [None, rows, padded_width(neuron[-1], dtype)])
    return CurveTable(nodes, needed_row, grid, neuron[-1])


def rounded(table: CurveTable) -> CurveTable:
    """Return a table of constants, which is float64, in float32; it has no derivative."""
    return table._replace(nodes=library().round_intervals(table.nodes, width=table.width))


def times_argument(table: CurveTable, share: np.ndarray) -> CurveTable:
    """Return the table of share_c x G_c(x) from a bent one of G, each node or interval for itself.

    share [C], of each curve.
    """
    place, step, factor = tf.unstack(_places(table, share), axis=1)
    x, slope, zero = tf.sinh(place), step * tf.cosh(place), tf.zeros_like(place)
    if table.nodes.dtype == tf.float32:
        end, end_slope = tf.sinh(place + step), step * tf.cosh(place + step)
        rows = (x, zero, zero, zero), (slope, x, zero, zero), (end - x, zero, end, zero)
        rows = (*rows, (end_slope, zero, end_slope, end))
    else:
        rows = (x, zero), (slope, x)
    matrix = factor[:, None, None] * tf.stack([tf.stack(row, axis=1) for row in rows], axis=1)
    return table._replace(nodes=tf.matmul(tf.cast(matrix, table.nodes.dtype), table.nodes))


def _places(table: CurveTable, share: np.ndarray) -> tf.Tensor:
    """Return place on the grid, step and share of the node of each group of rows, [K', 3].

    The table may have room for more nodes than are needed; what is there is not used.
    """
    row, grid, segments = table.grid.node_row, table.grid.grid, table.grid.segments
    number = row[1:] - row[:-1]
    of_segment = tf.concat([grid, np.repeat(share, segments)[:, None]], axis=1)
    of_node = tf.repeat(of_segment, number, axis=0)
    within = tf.range(row[-1]) - tf.repeat(row[:-1], number)
    place = of_node[:, 0] + tf.cast(within, tf.float64) * of_node[:, 1]
    places = tf.concat([place[:, None], of_node[:, 1:]], axis=1)
    groups = tf.range(tf.shape(table.nodes)[0])
    node = tf.searchsorted(table.needed_row[1:], groups, side="right")
    return tf.gather(places, tf.minimum(node, row[-1] - 1))


def embedding_sum(
    rows: tf.Tensor,
    table: CurveTable,
    curve: tf.Tensor,
    sel: tf.Tensor,
    empty: tf.Tensor,
    atom_count: tf.Tensor,
    neighbor_count: tf.Tensor,
) -> EmbeddingSums:
    """Return the sums over neighbours of every atom, empty places included.

    They are sum_j R_j (x) G(R_j0) for float64 rows R [P', 4] of sorted pairs, with their atom_count
    [T] and neighbor_count [N_real, T], and sum_j G(R_j) for radial rows [P', 1]. curve [T, T]
    (neighbour type first) is the curve of each block, -1 to leave it out; sel [T] places of each
    neighbour type; empty [T, T] R_0 of an empty place of each block.
    Twice differentiable, but not twice in the rows. Errors: rows that are not finite or lie between
    nodes that the table does not hold.
    """
    layout = curve, sel, empty, atom_count, neighbor_count
    shared, sizes = sum_arguments(rows, table, layout)
    return EmbeddingSums(*library().embedding_sum(*shared, **sizes))


def sum_arguments(
    rows: tf.Tensor, table: CurveTable, layout: Sequence[tf.Tensor]
) -> tuple[list[tf.Tensor], dict[str, int]]:
    """Return the inputs that all ops of sums begin with, and their attributes.

    layout : curve, sel, empty, atom_count and neighbor_count, see embedding_sum
    """
    grid = table.grid
    sizes = {"width": table.width, "segments": grid.segments, "near": grid.near}
    return [rows, table.nodes, grid.node_row, grid.grid, *layout, table.needed_row], sizes


tf.no_gradient("NeededNodes")


@tf.RegisterGradient("EmbeddingNodes")
def _embedding_nodes_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    *places, weights = *op.inputs[:3], op.inputs[3:]
    names = ("activation", "neuron", "resnet_dt", "segments", "bent")
    attributes = {name: op.get_attr(name) for name in names}
    return [None] * 3 + library().embedding_nodes_grad(*places, list(weights), grad, **attributes)


@tf.RegisterGradient("EmbeddingSum")
def _embedding_sum_grad(op: tf.Operation, grad: tf.Tensor, *_: tf.Tensor) -> list[tf.Tensor | None]:
    sizes = {name: op.get_attr(name) for name in SIZES}
    return [
        library().embedding_sum_grad(*op.inputs, grad, **sizes),
        library().embedding_table_grad(*op.inputs, grad, **sizes),
    ] + [None] * 8


@tf.RegisterGradient("EmbeddingSumGrad")
def _embedding_sum_grad_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    *shared, upper = op.inputs
    sizes = {name: op.get_attr(name) for name in SIZES}
    return [
        unavailable(shared[0], "second derivative of an embedding in the rows"),
        library().embedding_tangent_table_grad(*shared, grad, upper, **sizes),
        *[None] * 8,
        library().embedding_sum_tangent(*shared, grad, **sizes),
    ]
