"""Products of two neighbours of a centre (core/geometry/triples.h).

A triple is a centre and two of its neighbours; its blocks are the pairs of neighbour types
(s, t >= s), and then, once for each type, the neighbours with themselves.
"""

from __future__ import annotations

import numpy as np

from deeptf.ops.library import library
from deeptf.tf import tf


def block_types(num_types: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the types of both neighbours of each block, [T (T + 3) / 2] each."""
    first, second = np.triu_indices(num_types)
    same = np.arange(num_types)
    return np.concatenate([first, same]), np.concatenate([second, same])


def triple_products(rows: tf.Tensor, neighbor_count: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return v_j . v_k of all triples [Q], each once, and how many of each block an atom has.

    rows [P', 4] of sorted pairs, whose last three columns are v; neighbor_count [N_real, T].
    Triples are ordered by block, by atom, then by j and k: the last P' of them, j = k, are the
    pairs in their order. The numbers are [N_real, T (T + 3) / 2].
    Differentiable any number of times.
    """
    rows = tf.convert_to_tensor(rows)
    return tuple(library().triple_products(rows, rows, neighbor_count))


@tf.RegisterGradient("TripleProducts")
def _triple_products_grad(
    op: tf.Operation, grad: tf.Tensor, _: tf.Tensor
) -> list[tf.Tensor | None]:
    a, b, neighbor_count = op.inputs
    return [library().triple_sums(one, grad, neighbor_count) for one in (b, a)] + [None]


@tf.RegisterGradient("TripleSums")
def _triple_sums_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    b, upper, neighbor_count = op.inputs
    return [
        library().triple_sums(grad, upper, neighbor_count),
        library().triple_products(grad, b, neighbor_count)[0],
        None,
    ]
