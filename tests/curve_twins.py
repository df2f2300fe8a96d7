"""Slow NumPy twins of the ops on tabulated curves and sums of them; see twins.py."""

from __future__ import annotations

import numpy as np


def hermite(nodes, start, step, x):
    """Return value and derivative of the cubic Hermite interpolant at x [p], each [p, M].

    nodes [K, 2, M] are values and slopes times step; straight lines go on beyond the ends.
    """
    at = (x - start) / step
    left = np.clip(np.floor(at), 0, len(nodes) - 2).astype(int)
    u = (at - left)[:, None]
    (v0, d0), (v1, d1) = (np.moveaxis(nodes[left + k], 1, 0) for k in (0, 1))
    cubic = (2 * v0 + d0 - 2 * v1 + d1, -3 * v0 - 2 * d0 + 3 * v1 - d1, d0, v0)
    value = ((cubic[0] * u + cubic[1]) * u + cubic[2]) * u + cubic[3]
    slope = (3 * cubic[0] * u + 2 * cubic[1]) * u + cubic[2]
    value = np.where(u < 0, v0 + u * d0, np.where(u > 1, v1 + (u - 1) * d1, value))
    return value, np.where(u < 0, d0, np.where(u > 1, d1, slope)) / step


def intervals(nodes):
    """Return value, slope, rise and next slope of every interval of nodes [K, 2, M], in float32."""
    (value, slope), (following, next_slope) = nodes[:-1].swapaxes(0, 1), nodes[1:].swapaxes(0, 1)
    parts = (value, slope, following - value, next_slope)
    return np.stack(parts, axis=1).astype(np.float32)


def intervals_grad(upper):
    """Return the derivative of sum(upper * intervals(nodes)) in the nodes, [K, 2, M]."""
    upper = upper.astype(np.float64)
    grad = np.zeros((len(upper) + 1, 2, upper.shape[2]))
    grad[:-1, 0] += upper[:, 0] - upper[:, 2]
    grad[:-1, 1] += upper[:, 1]
    grad[1:] += upper[:, 2:]
    return grad


def embedding_sum(
    rows,
    nodes,
    node_row,
    grid,
    curve,
    sel,
    empty,
    atom_count,
    neighbor_count,
    gate=None,
    share=None,
):
    """Return sum_j R_j (x) G(R_j0), of radial rows sum_j G(R_j), with empty places, [n, W, M];
    nodes [nodes, 2, M] are all of them. With a gate [T, T, M], neighbour type first, G of pair j is
    G (1 + share_j gate), but not that of empty places.
    """
    types = np.repeat(np.arange(len(atom_count)), atom_count)
    radial = rows.shape[1] == 1
    total = np.zeros((len(types), rows.shape[1], nodes.shape[2]))
    pair = 0
    for t in range(len(atom_count)):
        for atom, centre in enumerate(types):
            count = neighbor_count[atom, t]
            here = slice(pair, pair + count)
            row = rows[here]
            pair += count
            k = curve[t, centre]
            if k < 0:
                continue
            table = nodes[node_row[k] : node_row[k + 1]]
            weight = np.ones_like(row) if radial else row
            value = hermite(table, *grid[k], row[:, 0])[0]
            if gate is not None:
                part = np.ones(count) if share is None else share[here]
                value = value * (1 + part[:, None] * gate[t, centre])
            total[atom] += weight.T @ value
            x = empty[t, centre]
            alone = hermite(table, *grid[k], np.array([x]))[0][0]
            total[atom, 0] += (sel[t] - count) * (1.0 if radial else x) * alone
    return total


def needed_nodes(rows, node_row, grid, curve, sel, empty, atom_count, neighbor_count):
    """Say of every node whether the sums over these rows need it, the first two always."""
    types = np.repeat(np.arange(len(atom_count)), atom_count)
    needed = np.zeros(node_row[-1], bool)
    needed[:2] = True
    pair = 0
    for t in range(len(atom_count)):
        for atom, centre in enumerate(types):
            x = list(rows[pair : pair + neighbor_count[atom, t], 0])
            pair += len(x)
            k = curve[t, centre]
            if k < 0:
                continue
            none = sel[t] == len(x) or (rows.shape[1] > 1 and empty[t, centre] == 0)
            x += [] if none else [empty[t, centre]]
            last = node_row[k + 1] - node_row[k] - 2
            for at in (np.array(x) - grid[k, 0]) / grid[k, 1]:
                left = node_row[k] + int(np.clip(np.floor(at), 0, last))
                needed[left : left + 2] = True
    return needed


def outside(rows, end, curve, atom_count, neighbor_count):
    """Count the pairs of each block with R_j0 above the end [C] of their curve; the first of the
    closest of them, -1 without any. Both [T, T], neighbour type first.
    """
    types = np.repeat(np.arange(len(atom_count)), atom_count)
    count, closest = np.zeros(curve.shape, int), np.full(curve.shape, -1)
    pair = 0
    for t in range(len(atom_count)):
        for atom, centre in enumerate(types):
            for _ in range(neighbor_count[atom, t]):
                k, best = curve[t, centre], closest[t, centre]
                if k >= 0 and rows[pair, 0] > end[k]:
                    count[t, centre] += 1
                    if best < 0 or rows[pair, 0] > rows[best, 0]:
                        closest[t, centre] = pair
                pair += 1
    return count, closest


def curve(nodes, node_row, grid, x):
    """Value and derivative of the segments of one curve at x [p], each [p, M]."""
    value, slope = np.zeros((2, len(x), nodes.shape[2]))
    segment = np.clip(np.searchsorted(grid[:, 0], x, side="right") - 1, 0, len(grid) - 1)
    for q in range(len(grid)):
        here = segment == q
        table = nodes[node_row[q] : node_row[q + 1]]
        value[here], slope[here] = hermite(table, *grid[q], x[here])
    return value, slope
