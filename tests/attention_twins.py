"""Slow NumPy twins of the ops of attention; see twins.py."""

from __future__ import annotations

import numpy as np


def unit_rows(x):
    """Rows divided by their lengths, by 1e-6 where they are shorter."""
    return x / np.sqrt(np.maximum(np.sum(x**2, axis=-1, keepdims=True), 1e-12))


def attention(count, attended, direction, gate, form):
    """Write out the equations of op/core/nets/attention.h for each atom, [p, w]."""
    out, first = np.zeros_like(attended[:, 0]), 0
    for n in count:
        here = slice(first, first + n)
        first += n
        query, key, value = np.moveaxis(unit_rows(attended[here]), 1, 0)
        score, p = query @ key.T, gate[here]
        if form.smooth:
            both = np.outer(p, p)
            share = np.exp((score + 20) * both - 20)
            share /= share.sum(1, keepdims=True) + (form.places - n) * np.exp(-20.0)
        else:
            both = p[:, None]
            share = np.exp(score) * p
            share /= np.maximum(share.sum(1, keepdims=True), 1e-300)
        weight = share * both
        if form.dotr:
            unit = unit_rows(direction[here])
            weight *= unit @ unit.T
        if not form.diagonal:
            np.fill_diagonal(weight, 0)
        out[here] = weight @ value
    return out


def row_norm(x, epsilon):
    """Rows without their mean, divided by their standard deviation."""
    x = x - x.mean(1, keepdims=True)
    return x / np.sqrt(np.mean(x**2, axis=1, keepdims=True) + epsilon)
