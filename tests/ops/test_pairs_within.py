"""The pairs closer than a shorter cut-off: those that a search with it finds, and derivatives."""

import numpy as np
import twins

from deeptf.ops.pairs import SortedPairs, pairs_within
from deeptf.tf import session, tf


def sorted_pairs(rcut):
    rng = np.random.default_rng(0)
    coord, types = rng.uniform(0, 5, (20, 3)), rng.integers(0, 3, 20).astype(np.int32)
    row = np.array([0, 12, 20], np.int32)
    cell = np.stack([5 * np.eye(3), np.zeros((3, 3))])
    found = twins.neighbor_pairs(coord, cell, types, row, rcut)
    return SortedPairs(*twins.sort_pairs(*found, types, 3))


def evaluate(tensors):
    with session(tf.get_default_graph()) as run:
        return run.run(tensors)


def test_pairs_are_those_of_a_search():
    with tf.Graph().as_default():
        found = evaluate(pairs_within(SortedPairs(*map(tf.constant, sorted_pairs(4.0))), 2.5))
    for name, value, want in zip(SortedPairs._fields, found, sorted_pairs(2.5), strict=True):
        np.testing.assert_array_equal(value, want, err_msg=name)


def test_derivatives():
    pairs = sorted_pairs(4.0)
    with tf.Graph().as_default():
        x = tf.constant(pairs.displacement)
        near = pairs_within(SortedPairs(*map(tf.constant, pairs))._replace(displacement=x), 2.5)
        first = tf.gradients(tf.reduce_sum(near.displacement**3), x)[0]
        second = tf.gradients(tf.reduce_sum(tf.sin(first)), x)[0]
        got = evaluate([first, second])
    inside = (np.linalg.norm(pairs.displacement, axis=1) < 2.5)[:, None]
    slope = 3 * pairs.displacement**2 * inside
    np.testing.assert_allclose(got[0], slope)
    np.testing.assert_allclose(got[1], np.cos(slope) * 6 * pairs.displacement * inside)
