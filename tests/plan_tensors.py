"""Kernels of plans that make vectors and tensors, in NumPy; see plan.py."""

from __future__ import annotations

import numpy as np


def property_net(plan, stage, descriptor):
    from plan import conditions, net_value  # which has the kernels below

    types = plan.atom_type[plan.order]
    condition = conditions(plan, stage, types)
    chosen = np.flatnonzero(stage["chosen"])
    given = np.concatenate([descriptor, condition], axis=1)
    (width,) = plan.constant(stage["nets"][0][-1]["bias"]).shape
    numbers = np.zeros((len(types), width))
    slopes = np.zeros((len(types), width, descriptor.shape[1]))
    for place, t in enumerate(chosen):
        here = types == t
        net = stage["nets"][0 if stage["types"] is not None else place]
        numbers[here], slope = net_value(plan, stage, net, given[here])
        slopes[here] = slope[:, :, : descriptor.shape[1]]
    return numbers, lambda upper: np.einsum("nk,nkd->nd", upper, slopes)


def axes(plan, stage, parts):
    places = stage["places"]
    ends = np.cumsum([part.shape[2] for part in parts])[:-1]

    def pull(upper):
        pieces = zip(np.split(upper, ends, axis=2), places, strict=True)
        return [np.pad(piece / number, ((0, 0), (1, 0), (0, 0))) for piece, number in pieces]

    turning = [part[:, 1:] / number for part, number in zip(parts, places, strict=True)]
    return np.concatenate(turning, axis=2), pull


def axis_vector(plan, stage, given):
    turning, numbers = given
    return np.einsum("nam,nm->na", turning, numbers), lambda upper: [
        np.einsum("na,nm->nam", upper, numbers),
        np.einsum("na,nam->nm", upper, turning),
    ]


def axis_tensor(plan, stage, given):
    turning, numbers = given
    types, width = plan.atom_type[plan.order], turning.shape[2]
    scale, added = (np.array(stage[name])[types] for name in ("scale", "added"))
    if stage["diagonal"]:
        weight = np.einsum("nm,ml->nml", numbers, np.eye(width))
    else:
        matrix = numbers.reshape(-1, width, width)
        weight = matrix + matrix.transpose(0, 2, 1)
    tensor = np.einsum("n,nam,nml,nbl->nab", scale, turning, weight, turning)
    tensor += added[:, None, None] * np.eye(3)

    def pull(upper):
        upper = scale[:, None, None] * upper.reshape(-1, 3, 3)
        both = upper + upper.transpose(0, 2, 1)
        of_axes = np.einsum("nab,nbl,nlm->nam", both, turning, weight)
        of_weight = np.einsum("nam,nab,nbl->nml", turning, both, turning)
        if stage["diagonal"]:
            return [of_axes, np.einsum("nmm->nm", of_weight) / 2]
        return [of_axes, of_weight.reshape(len(types), -1)]

    return tensor.reshape(-1, 9), pull
