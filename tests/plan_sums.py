"""Kernels of plans that sum over the neighbours of a centre; see plan.py."""

from __future__ import annotations

import itertools

import curve_twins
import numpy as np
from plan_layers import layer_value, step_of


def embedding_sum(plan, stage, rows):
    return _sum(plan, stage, rows, _tables(plan, stage))


def _tables(plan, stage):
    """Return a function that gives value and slope of the curve k at x."""
    nodes, node_row, grid = (plan.constant(stage[name]) for name in ("nodes", "node_row", "grid"))
    segments = stage["segments"]

    def net(k, x):
        part = slice(k * segments, (k + 1) * segments + 1)
        table = nodes[:, :, : stage["width"]]
        return curve_twins.curve(table, node_row[part], grid[part][:segments], x)

    return net


def triple_sum(plan, stage, rows):
    table = _tables(plan, stage)

    def net(block, product):
        if not stage["bent"]:
            return table(block, product)
        value, slope = table(block, np.arcsinh(product))
        return value, slope / np.sqrt(1 + product[:, None] ** 2)

    return _over_triples(plan, stage["width"], rows, net)


def triple_network_sum(plan, stage, rows):
    networks, shares = _networks(plan, stage), plan.constant(stage["shares"])

    def net(block, x):
        value, slope = networks(block, x)
        return shares[block] * x[:, None] * value, shares[block] * (value + x[:, None] * slope)

    width = plan.constant(stage["nets"][0][-1]["bias"]).size
    return _over_triples(plan, width, rows, net)


def _over_triples(plan, width, rows, net):
    """Sum over triples; net : gives value and slope of a block at products [n]."""
    types = plan.atom_type[plan.neighbor]
    blocks = list(itertools.combinations_with_replacement(range(plan.neighbor_count.shape[1]), 2))
    total, parts = np.zeros((len(plan.order), width)), []
    place = plan.place[plan.centre]
    for atom in range(len(plan.order)):
        own = np.flatnonzero(place == atom)
        for j, k in itertools.combinations_with_replacement(own, 2):
            pair = sorted(types[[j, k]])
            block = blocks.index(tuple(pair)) if j != k else len(blocks) + types[j]
            value, slope = net(block, np.array([rows[j, 1:] @ rows[k, 1:]]))
            total[atom] += value[0]
            parts.append((atom, j, k, slope[0]))

    def pull(upper):
        gradient = np.zeros_like(rows)
        for atom, j, k, slope in parts:
            gradient[j, 1:] += upper[atom] @ slope * rows[k, 1:]
            gradient[k, 1:] += upper[atom] @ slope * rows[j, 1:]
        return gradient

    return total, pull


def network_sum(plan, stage, rows):
    return _sum(plan, stage, rows, _networks(plan, stage))


def _networks(plan, stage):
    """Return a function that gives value and slope of the net k at x."""
    biases = stage.get("first_bias")

    def net(k, x):
        x, slope = x[:, None], np.ones((len(x), 1))
        for number, layer in enumerate(stage["nets"][k if biases is None else 0]):
            first = None
            if number == 0 and biases is not None:
                first = plan.constant(biases)[k]
            y, pull = layer_value(plan, stage["activation"], layer, x, first)
            matrix, idt = plan.constant(layer["matrix"]), step_of(plan, layer)
            tangent = (slope @ matrix) * pull * idt
            times = y.shape[1] / x.shape[1]
            if times in (1, 2):
                y, tangent = (
                    np.tile(old, int(times)) + new for old, new in ((x, y), (slope, tangent))
                )
            x, slope = y, tangent
        return x, slope

    return net


def pair_network(plan, stage, rows):
    net, curve = _networks(plan, stage), plan.constant(stage["curve"])
    types = plan.atom_type[plan.neighbor], plan.atom_type[plan.centre]
    values = slopes = None
    for k in range(curve.max() + 1):
        of_curve = np.flatnonzero(curve[types] == k)
        value, slope = _gated(plan, stage, rows, of_curve, *net(k, rows[of_curve, 0]))
        if values is None:
            values, slopes = np.zeros((2, len(rows), value.shape[1]))
        values[of_curve], slopes[of_curve] = value, slope

    def pull(upper):
        gradient = np.zeros_like(rows)
        gradient[:, 0] = np.sum(upper * slopes, axis=1)
        return gradient

    return values, pull


def gated_sum(plan, stage, rows):
    return embedding_sum(plan, stage, rows)


def gated_network_sum(plan, stage, rows):
    return network_sum(plan, stage, rows)


def _sum(plan, stage, rows, net):
    """Sum over neighbours; net : gives value and slope of the net k at x."""
    curve, sel, empty = (plan.constant(stage[name]) for name in ("curve", "sel", "empty"))
    place = plan.place[plan.centre]
    block = curve[plan.atom_type[plan.neighbor], plan.atom_type[plan.centre]]  # [P]
    columns = stage["columns"]
    weight = rows if columns == 4 else np.ones_like(rows)
    parts, total = [], None
    for k in range(curve.max() + 1):
        of_curve = np.flatnonzero(block == k)
        value, slope = net(k, rows[of_curve, 0])
        value, slope = _gated(plan, stage, rows, of_curve, value, slope)
        if total is None:
            total = np.zeros((len(plan.order), columns, value.shape[1]))
        np.add.at(total, place[of_curve], weight[of_curve][:, :, None] * value[:, None, :])
        types = plan.atom_type[plan.order]
        for t in range(len(sel)):
            alone = net(k, empty[t])[0]  # [T, M]
            here = curve[t, types] == k
            missing = (sel[t] - plan.neighbor_count[:, t]) * here
            missing = missing * (empty[t, types] if columns == 4 else 1)
            total[:, 0] += missing[:, None] * alone[types]
        parts.append((of_curve, value, slope))

    def pull(upper):
        gradient = np.zeros_like(rows)
        for of_curve, value, slope in parts:
            above = upper[place[of_curve]]
            if columns == 4:
                gradient[of_curve] += np.einsum("pwm,pm->pw", above, value)
            gradient[of_curve, 0] += np.einsum("pw,pwm,pm->p", weight[of_curve], above, slope)
        return gradient

    return total, pull


def _gated(plan, stage, rows, pairs, value, slope):
    """Return values and slopes of the nets of some pairs, with their gates where there are any."""
    if stage.get("gate") is None:
        return value, slope
    gate = plan.constant(stage["gate"])
    gate = gate[plan.atom_type[plan.neighbor[pairs]], plan.atom_type[plan.centre[pairs]]]
    share, share_slope = (one[pairs, None] for one in shares_of(plan, stage, rows))
    factor = 1 + share * gate
    return value * factor, slope * factor + share_slope * gate * value


def shares_of(plan, stage, rows):
    """Return the shares of pairs, and their slopes in the first column of the rows."""
    share = stage.get("share")
    if share is None:
        return np.ones(len(rows)), np.zeros(len(rows))
    types = plan.atom_type[plan.centre]
    mean, stddev = (plan.constant(share[name])[types, 0] for name in ("mean", "stddev"))
    left = np.maximum(1 - share["rcut_smth"] * (rows[:, 0] * stddev + mean), 0)
    return 1 - left**3, 3 * left**2 * share["rcut_smth"] * stddev


def empty_places(plan, stage, sums):
    types = plan.atom_type[plan.order]
    places, counted, value = (plan.constant(stage[k]) for k in ("places", "counted", "value"))
    absent = places[types] - np.sum(plan.neighbor_count * counted.T[types], axis=1)
    total = sums.copy()
    total[:, 0] += absent[:, None] * value[types]
    return total, lambda upper: upper
