"""Embedding nets as tables: values and slopes at nodes, cubic Hermite interpolation in between.

A net G(s) of one number is a curve. In a table it is evaluated at nodes, once per step, and
interpolated for every pair; gradients flow through the nodes to the weights, and the interpolant is
the model, in training and in the frozen file alike. A step of training evaluates only those nodes
between which a pair of its batch lies: with many types they are few.

The range of a curve is cut into segments (ranges.py), and each has as many equally spaced nodes as
its measured error asks for: that of dG/dr, which is what forces feel. dG/ds is compared with the
net where the slope of a cubic Hermite interpolant is worst (table_nodes.py), and multiplied by
|ds/dr|. Trained nets bend sharply in small parts of their range. Numbers of nodes belong to a
range: with another one they are measured anew.

Tables are float64 whatever the precision of the nets: the slope between two nodes is a small
difference of values, of which float32 leaves little (2e-3 eV/A where a trained net asked for 5,000
nodes; the float32 nets themselves are 4e-6 eV/A from float64). Sums with float32 nets are float32:
that difference is rounded for them, not the values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from deeptf.model.network import Style, layer_arrays, time_step
from deeptf.model.parameters import Parameters
from deeptf.model.ranges import FAR, Curves
from deeptf.model.table_arrays import (
    NODES,
    RANGE,
    STORED_NEAR,
    TABLE,
    TABLE_GRID,
    TABLE_ROW,
    is_measured,
    is_stored,
)
from deeptf.model.table_nodes import WORST, interpolate, wanted_nodes
from deeptf.ops.curve import (
    CurveGrid,
    CurveTable,
    EmbeddingSums,
    embedding_nodes,
    embedding_sum,
    needed_nodes,
    rounded,
    times_argument,
)
from deeptf.ops.gated import gated_sum
from deeptf.tf import assign, session, tf

# Largest error of dG/dr. After 10,000 steps on liquid water with the fast schedule it leaves errors
# of 2e-9 eV/atom and 3e-6 eV/A, as large as those of float32 nets.
TOLERANCE = 2e-5
FIRST_NODES = 5  # of a segment
ROUNDS = 4  # of changing the numbers of nodes and measuring again


class Outside(NamedTuple):
    """Pairs closer than the range of the data, by centre and neighbour type."""

    count: tf.Tensor  # [T, T]
    distance: tf.Tensor  # [T, T] A, the shortest one; infinite without any


def joined(parts: Iterable[Outside | None]) -> Outside | None:
    """Return the pairs closer than the data of some part; those of several parts are the same."""
    there = [part for part in parts if part is not None]
    if not there:
        return None
    count, distance = there[0]
    for other in there[1:]:
        count = tf.maximum(count, other.count)
        distance = tf.minimum(distance, other.distance)
    return Outside(count, distance)


@dataclass(frozen=True)
class Table:
    """A table in the graph, and what measures and mends its error."""

    whole: CurveTable  # with all nodes, float64
    between: tf.Tensor  # as whole.nodes, but at WORST of every interval
    at_nodes: Callable[[tf.Tensor], CurveTable] | None  # of some nodes; None for constants
    counts: tf.Variable | None  # [C, S] number of nodes; None in place of nets, where they stay
    curves: Curves
    measured: bool  # whether the numbers of nodes came with the model
    precision: tf.DType  # of the nets, and of the sums
    tolerance: float = TOLERANCE  # of dG/dr, 1/A

    def sums(
        self,
        rows: tf.Tensor,
        curve: tf.Tensor | np.ndarray,
        sel: tf.Tensor | np.ndarray,
        empty: tf.Tensor | np.ndarray,
        atom_count: tf.Tensor,
        neighbor_count: tf.Tensor,
        *gate: tf.Tensor | None,
    ) -> EmbeddingSums:
        """Return the sums over neighbours of rows [P, W] of sorted pairs, [N_real, W, M].

        They are in the precision of the nets.

        curve : [T, T] net of each block of pairs, as in Curves
        sel : [T] places of each neighbour type
        empty : [T, T] x of an empty place, neighbour type first
        gate : of gated sums, and shares or None; see gated_sum
        """
        layout = (curve, sel, empty, atom_count, neighbor_count)
        table = self.whole
        if self.at_nodes is not None:
            table = self.at_nodes(needed_nodes(rows, table.grid, *layout))
        elif self.precision == tf.float32:
            table = rounded(table)
        sums = gated_sum if gate else embedding_sum
        return sums(rows, table, *layout, *gate)

    def refine(self, run: tf.Session, agree: Callable[[np.ndarray], np.ndarray]) -> str:
        """Change the numbers of nodes where the errors ask for it.

        agree : gives errors on which all processes that train this table agree.
        Returns a line about it, but for small changes, which come often, nothing.
        """
        if self.counts is None:
            return ""
        counts = before = run.run(self.counts)
        errors = agree(self.errors(run))
        for _ in range(ROUNDS):
            wanted = wanted_nodes(counts, errors[..., 1], self.tolerance)
            if np.array_equal(wanted, counts):
                break
            assign(run, self.counts, wanted)
            counts, errors = wanted, agree(self.errors(run))
        largest = errors.max(axis=(0, 1))
        if np.isnan(largest).any():
            return ""  # the weights are not numbers, which the loss will tell
        if _magnitude(counts) == _magnitude(before) and largest[1] <= self.tolerance:
            return ""
        line = f"embedding tables: {counts.sum()} nodes for {len(counts)} nets, largest error of "
        line += f"G {largest[0]:.1e}, of dG/dr {largest[1]:.1e} per A"
        if largest[1] > self.tolerance:
            line += f', more than {self.tolerance:.0e}; "embedding": "network" has no such error'
        return line

    def errors(self, run: tf.Session) -> np.ndarray:
        """Return the largest error of G and of dG/dr (1/A) of every segment, [C, S, 2]."""
        fetch = (self.whole.nodes, self.between, *self.whole.grid[:2])
        nodes, between, row, grid = run.run(fetch)
        errors = []
        for k, step in enumerate(grid[:, 1]):
            value, slope = interpolate(nodes[row[k] : row[k + 1]], WORST)
            true = between[row[k] - k : row[k + 1] - k - 1]
            at_worst = 2.25 * np.abs(value - true[:, 0]).max()  # of G the worst is in the middle
            errors.append([at_worst, np.abs(slope - true[:, 1]).max() / step])
        errors = np.array(errors).reshape(-1, self.curves.segments, 2)
        errors[..., 1] *= self.curves.gradient
        return errors


def net_weights(
    name: str,
    neuron: Sequence[int],
    style: Style,
    parameters: Parameters,
    trainable: bool,
    first: int = 0,
) -> list[tf.Tensor]:
    """Return the arrays of a net of one number with widths `neuron`, as `embedding_nodes` asks.

    Those of the layers from `first` on.
    """
    weights: list[tf.Tensor] = []
    for layer, width in list(enumerate(neuron))[first:]:
        n_in = neuron[layer - 1] if layer else 1
        place = (f"{name}/{layer}", n_in, width, style, parameters, trainable)
        weights += layer_arrays(*place)
        if style.resnet_dt and width in (n_in, 2 * n_in):
            weights.append(time_step(place[0], *place[2:]))
    return weights


def build_table(
    curves: Curves,
    nets: Iterable[Sequence[tf.Tensor]],
    neuron: Sequence[int],
    style: Style,
    parameters: Parameters,
) -> Table:
    """Return the table of nets with these arrays (see net_weights), in the order of `curves`.

    Where the model has a table and no nets, `nets` are not looked at.
    """
    if is_stored(parameters):
        return _stored(curves, neuron[-1], style.precision, parameters)
    weights = [weight for net in nets for weight in net]
    measured = is_measured(curves, parameters)
    if not measured:
        parameters.forget(NODES, RANGE)
    parameters.array(RANGE, curves.range)
    counts = parameters.state(NODES, np.full((len(curves), curves.segments), FIRST_NODES, np.int32))
    number = tf.reshape(counts, [-1])
    row = tf.concat([[0], tf.cumsum(number)], axis=0)
    start = tf.constant(curves.ends[:, :-1].ravel())
    step = tf.constant(np.diff(curves.ends).ravel()) / tf.cast(number - 1, tf.float64)
    shape = (neuron, style.activation.lower(), style.resnet_dt)
    double = ([tf.cast(weight, tf.float64) for weight in weights], *shape)
    segments = curves.segments
    grid = CurveGrid(row, tf.stack([start, step], axis=1), segments, segments - FAR)

    def at_nodes(needed: tf.Tensor) -> CurveTable:
        return _tabulated(curves, grid, weights, *shape, needed)

    all_nodes = _tabulated(curves, grid, *double)
    whole = _fixed(all_nodes, len(curves), parameters)
    places = tf.stack([start + WORST * step, step], axis=1)
    between = grid._replace(node_row=row - tf.range(tf.size(row)), grid=places)
    between_nodes = _tabulated(curves, between, *double).nodes
    changes = at_nodes if whole is all_nodes else None
    return Table(whole, between_nodes, changes, counts, curves, measured, style.precision)


def _stored(curves: Curves, width: int, precision: tf.DType, parameters: Parameters) -> Table:
    """Return the table of a model that has it in place of nets."""
    nodes, row, grid, near = map(parameters.given, (TABLE, TABLE_ROW, TABLE_GRID, STORED_NEAR))
    near = int(parameters.known(STORED_NEAR))
    segments = (int(row.shape[0]) - 1) // len(curves)
    needed = tf.range(int(nodes.shape[0]) + 1)
    whole = CurveTable(nodes, needed, CurveGrid(row, grid, segments, near), width)
    return Table(whole, whole.nodes, None, None, curves, True, precision)


def _tabulated(curves: Curves, grid: CurveGrid, *nets: Any) -> CurveTable:
    """Return the curves on a grid; `nets` are the further arguments of `embedding_nodes`."""
    if curves.share is None:
        return embedding_nodes(grid, *nets)
    return times_argument(embedding_nodes(grid, *nets, bent=True), curves.share)


def _fixed(table: CurveTable, num_curves: int, parameters: Parameters) -> CurveTable:
    """Return a table of constants in a frozen graph.

    It is its own, or one that is among the arrays, as in a file of an older version, which may have
    fewer segments.
    """
    grid = table.grid
    parts = (TABLE, table.nodes), (TABLE_ROW, grid.node_row), (TABLE_GRID, grid.grid)
    nodes, row, places = (parameters.fixed(*part) for part in parts)
    if nodes is table.nodes:
        return table
    segments = (int(row.shape[0]) - 1) // num_curves
    grid = CurveGrid(row, places, segments, segments - FAR)
    return CurveTable(nodes, tf.range(int(nodes.shape[0]) + 1), grid, table.width)


def outside_of(sums: EmbeddingSums, displacement: tf.Tensor) -> Outside:
    """Return what sums over pairs with these displacements [P, 3] found outside the ranges."""
    place = tf.where(sums.closest >= 0)
    distance = tf.norm(tf.gather(displacement, tf.gather_nd(sums.closest, place)), axis=1)
    none = tf.fill(tf.shape(sums.closest), tf.constant(np.inf, tf.float64))
    nearest = tf.tensor_scatter_nd_update(none, place, distance)
    count = tf.cast(sums.outside, tf.float64)  # oneDNN complains of transposing integers
    return Outside(tf.cast(tf.transpose(count), tf.int64), tf.transpose(nearest))


def measured_arrays(
    build: Callable[[Parameters], Iterable[Table]],
    arrays: Mapping[str, np.ndarray],
    tolerance: float = TOLERANCE,
) -> dict[str, np.ndarray]:
    """Return `arrays` with numbers of nodes that belong to their range.

    They are those that are there, else measured ones.

    build : makes the tables of a model.
    """
    with tf.Graph().as_default() as graph:
        parameters = Parameters(arrays)
        tables = [table for table in build(parameters) if not table.measured]
        if not tables:
            return dict(arrays)
        with session(graph) as run:
            run.run(tf.global_variables_initializer())
            for table in tables:
                replace(table, tolerance=tolerance).refine(run, np.asarray)
            return {**arrays, **parameters.constants, **run.run(parameters.states)}


def _magnitude(counts: np.ndarray) -> int:
    """Return a number that changes with every quarter more nodes or so."""
    return round(3.0 * np.log2(counts.sum()))
