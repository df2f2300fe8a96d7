"""The kernels of plans with attention and with local frames; see plan.py."""

from __future__ import annotations

from types import SimpleNamespace

import attention_twins
import numpy as np
from plan_layers import complex_steps
from plan_sums import shares_of


def attention_sum(plan, stage, taken):
    values, rows = taken
    curve = plan.constant(stage["curve"])
    counts = curve[plan.atom_type[plan.neighbor], plan.atom_type[plan.centre]] >= 0
    place = plan.place[plan.centre]
    around = [np.flatnonzero(counts & (place == atom)) for atom in range(len(plan.order))]
    shares, share_slopes = shares_of(plan, stage, rows)

    def sums(values, rows, shares):
        for layer in stage["layers"]:
            values = _attention_layer(plan, stage, layer, values, rows[:, 1:], shares)
        return rows.T @ values

    def pull(upper):
        of_values, of_rows = np.zeros_like(values), np.zeros_like(rows)
        for own, above in zip(around, upper, strict=True):
            given = values[own], rows[own], shares[own]
            of_value, of_row, of_share = complex_steps(sums, given, above)
            of_row[:, 0] += of_share * share_slopes[own]
            of_values[own], of_rows[own] = of_value, of_row
        return of_values, of_rows

    return np.stack([sums(values[own], rows[own], shares[own]) for own in around]), pull


def _attention_layer(plan, stage, layer, values, directions, shares):
    def linear(name, x):
        return x @ plan.constant(layer[name]["matrix"]) + plan.constant(layer[name]["bias"])

    attended = np.stack([linear(name, values) for name in ("query", "key", "value")], axis=1)
    form = {name: stage[name] for name in ("places", "dotr", "diagonal")}
    form = SimpleNamespace(smooth=stage["share"] is not None, **form)
    found = attention_twins.attention([len(values)], attended, directions, shares, form)
    rows = attention_twins.row_norm(values + linear("output", found), stage["epsilon"])
    return rows * plan.constant(layer["scale"]) + plan.constant(layer["shift"])


def local_frames(plan, stage, displacement):
    """Which neighbours are chosen does not change; the gradient is that of their rows."""
    squared = np.sum(displacement**2, axis=1)
    near = np.flatnonzero(squared < stage["rcut"] ** 2)
    near = near[np.argsort(squared[near], kind="stable")]
    mean, stddev = (plan.constant(stage[name]) for name in ("mean", "stddev"))
    chosen = []
    for atom in range(len(plan.order)):
        own = near[plan.place[plan.centre[near]] == atom]
        chosen.append(_chosen(stage, own, plan, squared, plan.atom_type[plan.order[atom]]))

    def row(places, type_of_centre, around):
        u, w = around[-2:]
        first = u / np.sqrt(u @ u)
        across = w - (w @ first) * first
        second = across / np.sqrt(across @ across)
        axes = np.cross(first, second), first, second
        found, angular = [], sum(stage["sel_a"])
        for number, (place, vector) in enumerate(zip(places, around[:-2], strict=True)):
            length = np.sqrt(vector @ vector) if place >= 0 else np.inf
            found.append(1 / length)
            if number < angular:
                found += [vector @ axis / length**2 for axis in axes]
        return (np.array(found) - mean[type_of_centre]) / stddev[type_of_centre]

    def around(pairs):
        return np.where(pairs[:, None] >= 0, displacement[pairs], 0)

    types = plan.atom_type[plan.order]
    total = np.stack([row(c[:-2], t, around(c)) for c, t in zip(chosen, types, strict=True)])

    def pull(upper):
        gradient = np.zeros_like(displacement)
        for pairs, t, above in zip(chosen, types, upper, strict=True):
            steps = complex_steps(
                lambda d, p=pairs, t=t: row(p[:-2], t, d), (around(pairs),), above
            )
            np.add.at(gradient, pairs[pairs >= 0], steps[0][pairs >= 0])
        return gradient

    return total, pull


def _chosen(stage, own, plan, squared, type_of_centre):
    """Return the pairs of the places of a centre and of both axes, -1 for none; own : by length."""
    of_type = [own[plan.atom_type[plan.neighbor[own]] == t] for t in range(len(stage["sel_a"]))]
    places = []
    for first, number in (([0] * len(of_type), stage["sel_a"]), (stage["sel_a"], stage["sel_r"])):
        for pairs, begin, n in zip(of_type, first, number, strict=True):
            found = pairs[begin : begin + n].tolist()
            places += found + [-1] * (n - len(found))
    axes = []
    for axis in stage["rules"][type_of_centre]:
        candidates = [places[k] for k in axis["places"] if places[k] >= 0]
        candidates.sort(key=lambda pair: squared[pair])
        axes.append(candidates[axis["rank"] :])
    u, w = (plan.displacement[pairs[0]] for pairs in axes)
    opposite = u @ w / np.sqrt((u @ u) * (w @ w)) < 1e-4 - 1
    return np.array([*places, axes[0][0], axes[1][int(opposite)]])
