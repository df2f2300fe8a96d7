"""Ranges of the tables of nets of q = v_j . v_k, the product of two neighbours of a centre.

What is tabulated is q G(q), for each block of triples (ops/triples.py): of the types s and t > s,
of two neighbours of one type, and of a neighbour with itself. It has a share in the sums,

    share_st = 1 / (sel_s sel_t)     share_ss = 2 / sel_s^2, for both orders     1 / sel_s^2

|q| is at most |v_j| |v_k| where the data end (ranges.py), on both sides of 0 for two neighbours. As
v has an inverse spread in it, that is some 100 to 10,000, while nets bend where |q| is a few. So
nodes lie by asinh q: on liquid water (rcut 4 A) 4,100 in place of 6,600 by q have the same errors,
and where few neighbours fill few of many places no number of nodes by q is enough.
Beyond the data a curve goes on as a straight line in asinh q, which hardly rises.

As in other tables, errors are held below a bound on what forces feel: with sel_s times that of the
sums, the mean over the triples of a neighbour j, where |v_k|^2 is 3 in the mean over its places by
the normalisation of rows, |dq/dr_j| <= |dv_j/dr| sqrt(3).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeptf.model.ranges import DISTANCES, FAR, Argument, Curves, data_distances
from deeptf.ops.triples import block_types


def shares(sel: Sequence[int]) -> np.ndarray:
    """Return what q G(q) of each block of triples is multiplied by, [C]."""
    first, second = block_types(len(sel))
    places = np.array(sel, np.float64)
    orders = np.where(first == second, 2.0, 1.0)
    orders[-len(sel) :] = 1.0
    return orders / (places[first] * places[second])


def product_curves(
    names: Sequence[str], sel: Sequence[int], argument: Argument, shortest: np.ndarray
) -> Curves:
    """Return the nets of the blocks of triples, with ranges that follow from distances in the data.

    argument : |v| by the distance of a neighbour
    shortest : [T, T] A, by centre and neighbour type
    Raises ValueError where `shortest` cannot be distances.
    """
    data = data_distances(shortest, argument.rcut)
    length, slope = np.zeros((2, *data.shape))  # of |v|, by centre and neighbour
    for place in np.ndindex(*data.shape):
        distance = np.linspace(data[place], argument.rcut, DISTANCES)
        values = argument.at(distance, place[0])
        length[place], slope[place] = values[0], np.abs(np.gradient(values, distance)).max()
    ends, gradient = np.empty((len(names), FAR + 1)), np.empty((len(names), FAR))
    pairs = len(names) - len(sel)
    for net, (s, t) in enumerate(zip(*block_types(len(sel)), strict=True)):
        most = np.arcsinh(np.max(length[:, s] * length[:, t]))
        ends[net] = np.linspace(-most if net < pairs else 0, most, FAR + 1)
        if net < pairs:
            steepest = np.sqrt(3.0) * max(slope[:, s].max(), slope[:, t].max()) * sel[t]
        else:
            steepest = 2 * np.max(length[:, s] * slope[:, s])
        least = np.minimum(np.abs(ends[net, 1:]), np.abs(ends[net, :-1]))  # of a segment
        gradient[net] = sel[s] * steepest / np.cosh(least)
    data_end = np.empty_like(data)
    for centre, t in np.ndindex(*data.shape):
        data_end[centre, t] = argument.distance(np.max(length[:, t]), centre)
    return Curves(tuple(names), ends, gradient, data_end, data_end, shares(sel))


def stored_product_curves(
    names: Sequence[str], sel: Sequence[int], argument: Argument, ends: np.ndarray
) -> Curves:
    """Return curves of products that tables are stored of; see product_curves.

    ends : [C, 2] products where the range of the data and the table end; a pair is beyond them
        where its product with itself is
    """
    of_pairs = np.sqrt(ends[-len(sel) :])  # |v| of neighbours of each type
    distances = np.empty((2, len(sel), len(sel)))
    for which, centre, t in np.ndindex(*distances.shape):
        distances[which, centre, t] = argument.distance(of_pairs[t, which], centre)
    return Curves(tuple(names), ends, np.zeros((len(names), 1)), *distances, shares(sel))
