"""Which nodes the sums over a batch need, and tables that hold no others."""

import curve_twins
import numpy as np
import pytest
from curves import Case, evaluate

from deeptf.ops.curve import CurveGrid, embedding_nodes, needed_nodes
from deeptf.tf import tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


def few_pairs(columns):
    """Return a case whose pairs lie in few intervals, and which nodes it needs."""
    case = Case(8, seed=1, columns=columns)
    case.neighbor_count = np.array([[1, 0, 2], [0] * 3, [0, 0, 1], [0] * 3, [2, 1, 0]], np.int32)
    case.pairs = 7
    case.rows = np.random.default_rng(2).normal(size=(7, columns))
    if columns > 1:
        case.empty[:] = 0.0
    case.empty[1, 0] = -0.3  # of the curve with seven nodes
    case.sel = np.array([0.0, 2.0, 0.0]) if columns > 1 else np.array([1.0, 1.0, 2.0])
    return case, curve_twins.needed_nodes(case.rows, case.node_row, case.grid, *case.layout())


@pytest.mark.parametrize("threads", [1, 7])
@pytest.mark.parametrize("columns", [1, 4])
def test_needed_nodes_equal_the_twin(columns, threads):
    case, needed = few_pairs(columns)
    assert 2 < needed.sum() < len(needed)
    got = evaluate(needed_nodes(case.rows, case.curve_grid(), *case.layout()), threads)
    np.testing.assert_array_equal(got, np.concatenate([[0], np.cumsum(needed)]))


def test_needed_nodes_of_segments():
    """Both nodes of an interval at the end of a segment, and none of the segment behind it."""
    grid = CurveGrid([0, 3, 6], [[0.0, 0.5], [1.0, 0.5]], 2)
    needed = needed_nodes([[0.9]], grid, [[0]], [1.0], [[0.0]], [1], [[1]])
    np.testing.assert_array_equal(evaluate(needed), [0, 1, 2, 3, 3, 3, 3])


def all_derivatives(case, rows, table):
    """Return the sums, their gradients and those of forces, to rows, nodes and the upper."""
    upper = tf.constant(np.random.default_rng(3).normal(size=(5, case.rows.shape[1], 8)))
    total = case.sums(rows, table).sum
    first, nodes = tf.gradients(total, [rows, table.nodes], upper)
    return total, first, nodes, *tf.gradients(tf.reduce_sum(first**2), [table.nodes, upper])


@pytest.mark.parametrize("columns", [1, 4])
def test_a_table_of_the_needed_nodes_gives_the_same_bits(columns):
    case, needed = few_pairs(columns)
    rows = tf.constant(case.rows)
    whole = evaluate(all_derivatives(case, rows, case.table()))
    case.hold(needed)
    part = evaluate(all_derivatives(case, rows, case.table()))
    for k, (a, b) in enumerate(zip(whole, part, strict=True)):
        if k in (2, 3):  # gradients to the nodes
            assert not a[~needed].any()
            a = a[needed]
        np.testing.assert_array_equal(a, b)


@pytest.mark.on_host
def test_pairs_whose_nodes_are_not_there_are_refused():
    case, needed = few_pairs(4)
    lost = needed.copy()
    lost[case.node_row[1] :] = False  # curve 0 remains
    case.hold(lost)
    message = "`needed_row` must hold the nodes of all pairs, but not those of sorted pair"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        evaluate(case.sum())


def test_nets_at_the_needed_nodes():
    """Values are rows of the whole table, and gradients those of a loss of these rows."""
    rng = np.random.default_rng(4)
    weights = [tf.constant(rng.normal(size=s)) for s in ((1, 4), (4,), (4, 8), (8,)) * 3]
    grid = CurveGrid([0, 150, 200, 300], [[-1.0, 0.01], [0.0, 0.02], [-2.0, 0.03]])
    needed = rng.random(300) < 0.6
    needed[150:200] = False  # a curve without any
    row = np.concatenate([[0], np.cumsum(needed)]).astype(np.int32)
    nets = (weights, (4, 8), "tanh", False)
    whole = tf.boolean_mask(embedding_nodes(grid, *nets).nodes, needed)
    part = embedding_nodes(grid, *nets, row).nodes[: needed.sum()]  # of a GPU's come others behind
    upper = rng.normal(size=(needed.sum(), 2, 8))
    found = [evaluate([one, *tf.gradients(one, weights, upper)]) for one in (whole, part)]
    np.testing.assert_array_equal(found[1][0], found[0][0])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-12, atol=1e-13)


def test_batches_without_pairs():
    grid = CurveGrid([0, 3], [[0.0, 0.5]])
    layout = ([[0]], [0.0], [[0.0]], [0], np.zeros((0, 1), np.int32))
    got = evaluate(needed_nodes(np.zeros((0, 4)), grid, *layout))
    np.testing.assert_array_equal(got, [0, 1, 2, 2])


def check_refusal(name, value, message):
    case = Case(8)
    setattr(case, name, value)
    needed = needed_nodes(case.rows, case.curve_grid(), *case.layout())
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        evaluate(needed)


def test_rows_of_two_columns_are_refused():
    check_refusal("rows", np.zeros((35, 2)), "`rows` must have 1 or 4 columns, got 2")


@pytest.mark.on_host
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("node_row", np.array([0, 4, 5, 11, 18, 21], np.int32), "at least two nodes"),
        ("node_row", np.array([1, 4, 6, 11, 18, 21], np.int32), "must begin with 0, got 1"),
        ("rows", np.zeros((3, 4)), "`atom_count` and `neighbor_count` must add up to"),
    ],
)
def test_wrong_values(name, value, message):
    check_refusal(name, value, message)
