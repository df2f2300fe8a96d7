"""Embedding nets as tables: values and slopes at nodes, cubic Hermite interpolation in between.

A net G(s) of one number is a curve. In a table it is evaluated at equally spaced nodes, once per
step, and interpolated for every pair; gradients flow through the nodes to the weights, and the
interpolant is the model, in training and in the frozen file alike. Beyond the last node it goes on
as a straight line.

A curve covers the distances from the cut-off down to SAFETY times the shortest one in the data. It
gets as many nodes as its measured error asks for: the slope is compared with the net where the
slope of a cubic Hermite interpolant is worst, at u = 1/2 - 1/sqrt(12) of an interval.

Tables and their sums are float64 whatever the precision of the nets: the slope between two nodes is
a small difference of values, of which float32 leaves little (2e-3 eV/A where a trained net asked
for 5,000 nodes; the float32 nets themselves are 4e-6 eV/A from float64).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deeptf import ops
from deeptf.model.network import Style, layer_arrays, time_step
from deeptf.model.parameters import Parameters
from deeptf.tf import tf

NODES = "descriptor/table_nodes"  # [C] number of nodes of each curve
SHORTEST = "descriptor/shortest"  # [T, T] A, shortest distance in the data of each pair of types
SAFETY = 0.8
WORST = 0.5 - 1.0 / np.sqrt(12.0)
# Largest error of dG/ds, s in units of its standard deviation. After 10,000 steps on liquid water
# with the fast schedule it leaves errors of 2e-10 eV/atom and 3e-7 eV/A.
TOLERANCE = 1e-4
FIRST_NODES, MOST_NODES = 64, 16384
ROUNDS = 4  # of changing the numbers of nodes and measuring again
ROOM = 1.1  # nodes beyond what the error asks for, so that the next steps need no change


@dataclass(frozen=True)
class Curves:
    """C nets, what they are used for and the range of their argument."""

    names: tuple[str, ...]
    curve: np.ndarray  # [T, T] net of a block of pairs, neighbour type first; -1 for none
    span: np.ndarray  # [C, 2] first and last argument

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Table:
    """A table in the graph, and what measures and mends its error."""

    values: ops.CurveTable
    between: tf.Tensor  # as values.nodes, but at WORST of every interval
    counts: tf.Variable  # [C] number of nodes
    tolerance: float = TOLERANCE  # of dG/ds

    def refine(self, run: tf.Session) -> str:
        """Change the numbers of nodes where the errors ask for it; return a line about it or
        nothing.
        """
        counts = before = run.run(self.counts)
        errors = self.errors(run)
        for _ in range(ROUNDS):
            wanted = wanted_nodes(counts, errors[:, 1], self.tolerance)
            if np.array_equal(wanted, counts):
                break
            self.counts.load(wanted, run)
            counts, errors = wanted, self.errors(run)
        if np.array_equal(counts, before):
            return ""
        line = f"embedding tables: {counts.sum()} nodes for {len(counts)} nets, largest error of "
        line += f"G {errors[:, 0].max():.1e}, of dG/ds {errors[:, 1].max():.1e}"
        if errors[:, 1].max() > self.tolerance:
            line += f', more than {self.tolerance:.0e}; "embedding": "network" has no such error'
        return line

    def errors(self, run: tf.Session) -> np.ndarray:
        """Return the largest error of G and of dG/ds of every curve, [C, 2]."""
        fetch = (self.values.nodes, self.between, self.values.node_row, self.values.grid)
        nodes, between, row, grid = run.run(fetch)
        errors = []
        for c, step in enumerate(grid[:, 1]):
            value, slope = _interpolate(nodes[row[c] : row[c + 1]], WORST)
            true = between[row[c] - c : row[c + 1] - c - 1]
            at_worst = 2.25 * np.abs(value - true[:, 0]).max()  # of G the worst is in the middle
            errors.append([at_worst, np.abs(slope - true[:, 1]).max() / step])
        return np.array(errors)


def build_table(
    curves: Curves,
    neuron: Sequence[int],
    style: Style,
    parameters: Parameters,
    trainable: bool,
) -> Table:
    """Return the table of the nets `curves.names` with widths `neuron`."""
    weights: list[tf.Tensor] = []
    for name in curves.names:
        for layer, width in enumerate(neuron):
            n_in = neuron[layer - 1] if layer else 1
            place = (f"{name}/{layer}", n_in, width, style, parameters, trainable)
            weights += layer_arrays(*place)
            if style.resnet_dt and width in (n_in, 2 * n_in):
                weights.append(time_step(place[0], *place[2:]))
    counts = parameters.state(NODES, np.full(len(curves), FIRST_NODES, np.int32))
    row = tf.concat([[0], tf.cumsum(counts)], axis=0)
    start = tf.constant(curves.span[:, 0])
    step = tf.constant(curves.span[:, 1] - curves.span[:, 0]) / tf.cast(counts - 1, tf.float64)
    weights = [tf.cast(weight, tf.float64) for weight in weights]
    shape = (neuron, style.activation.lower(), style.resnet_dt)
    grid = tf.stack([start, step], axis=1)
    values = ops.embedding_nodes(row, grid, weights, *shape)
    fixed = parameters.fixed("descriptor/table", values.nodes)
    values = values._replace(nodes=fixed)
    places = row - tf.range(len(curves) + 1), tf.stack([start + WORST * step, step], axis=1)
    between = ops.embedding_nodes(*places, weights, *shape).nodes
    return Table(values, between, counts)


def wanted_nodes(counts: np.ndarray, errors: np.ndarray, tolerance: float) -> np.ndarray:
    """Return the number of nodes of every curve [C] for slope errors below `tolerance`.

    counts [C] have the slope errors `errors` [C]. The error of the slope goes with the third power
    of the step. A curve keeps its nodes while they are enough and not half too many.
    """
    factor = ROOM * np.cbrt(errors / tolerance)
    better = np.clip(np.ceil(counts * factor), FIRST_NODES, MOST_NODES).astype(np.int32)
    keep = (errors <= tolerance) & (better > 0.6 * counts)
    return np.where(keep, counts, better)


def _interpolate(nodes: np.ndarray, u: float) -> tuple[np.ndarray, np.ndarray]:
    """Return value and slope times step at `u` of every interval, from nodes [K, 2, M]."""
    left, right = nodes[:-1], nodes[1:]
    w = 1.0 - u
    value = (1 + 2 * u) * w * w * left[:, 0] + u * w * w * left[:, 1]
    value += u * u * (3 - 2 * u) * right[:, 0] - u * u * w * right[:, 1]
    slope = 6 * u * w * (right[:, 0] - left[:, 0])
    slope += w * (1 - 3 * u) * left[:, 1] + u * (3 * u - 2) * right[:, 1]
    return value, slope
