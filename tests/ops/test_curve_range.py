"""Rows beyond the range of the data are counted; those of no use and wrong inputs are refused."""

import curve_twins
import numpy as np
import pytest
from curves import ATOM_COUNT, CURVE, NODES, Case, evaluate

from deeptf.ops.curve import CurveGrid, CurveTable
from deeptf.ops.library import library
from deeptf.tf import tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


def found_outside(case, table, threads=1):
    sums = case.sums(table=table)
    return evaluate([sums.outside, sums.closest], threads)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pairs_outside_the_range_are_counted(dtype):
    case = Case(8, dtype, seed=12)
    case.neighbor_count = np.random.default_rng(13).integers(0, 90, (5, 3)).astype(np.int32)
    case.pairs = int(case.neighbor_count.sum())
    rng = np.random.default_rng(14)
    case.rows = rng.choice(np.linspace(-2, 3, 40), (case.pairs, 4))  # many are equal
    whole = case.table()
    end = case.grid[:, 0] + case.grid[:, 1] * (np.array(NODES) - 1)
    layout = (CURVE, case.atom_count, case.neighbor_count)
    want = curve_twins.outside(case.rows, end, *layout)
    assert 0 < want[0].sum() < case.pairs and (want[0] == 0).any()
    for threads in (1, 7):
        found = found_outside(case, whole, threads)
        for a, b in zip(found, want, strict=True):
            np.testing.assert_array_equal(a, b)


def test_near_segments_lie_outside_the_range():
    case = Case(8, seed=15)
    segments = np.array([3, 2, 2])  # nodes of three segments of every curve, the last two near
    case.node_row = np.concatenate([[0], np.cumsum(np.tile(segments, 5))]).astype(np.int32)
    case.grid = np.tile([[-1.0, 0.25], [-0.5, 0.4], [-0.1, 0.4]], (5, 1))
    nodes = np.random.default_rng(16).normal(size=(35, 2, 8))
    every = np.arange(36, dtype=np.int32)
    grid = CurveGrid(case.node_row, case.grid, 3, 2)
    table = CurveTable(tf.constant(nodes), every, grid, 8)
    want = curve_twins.outside(case.rows, np.full(5, -0.5), CURVE, ATOM_COUNT, case.neighbor_count)
    for a, b in zip(found_outside(case, table), want, strict=True):
        np.testing.assert_array_equal(a, b)
    assert want[0].sum() > 0


@pytest.mark.on_host
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("column", [0, 2])
def test_rows_that_are_not_finite_are_refused(value, column):
    case = Case(8)
    first = int(case.neighbor_count[0, 0])  # the curve of the pairs in front is used
    assert first > 0
    case.rows[first - 1 :, column] = value
    with pytest.raises(tf.errors.InvalidArgumentError, match=rf"got .* sorted pair {first - 1}"):
        evaluate(case.sum())


@pytest.mark.parametrize("columns", [1, 4])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300, -1e300])
def test_derivatives_survive_any_rows(value, columns):
    """They index with nothing that comes of such rows; EmbeddingSum refuses them before."""
    case = Case(8, columns=columns)
    case.rows[:] = value
    case.hold(np.arange(21) < 2)  # and of nodes that are not there
    shared = (case.rows, case.nodes, case.node_row, case.grid, *case.layout(), case.needed_row)
    upper, direction = np.ones((5, columns, 8)), np.ones((case.pairs, columns))
    results = [
        library().embedding_sum_grad(*shared, upper, width=8),
        library().embedding_table_grad(*shared, upper, width=8),
        library().embedding_sum_tangent(*shared, direction, width=8),
        library().embedding_tangent_table_grad(*shared, direction, upper, width=8),
    ]
    found = evaluate(results)
    assert abs(value) == 1e300 or columns == 1 or not any(np.all(np.isfinite(one)) for one in found)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("node_row", np.array([], np.int32), r"`node_row` must have shape \[1\], got \[0\]"),
        ("rows", np.zeros((35, 3)), "`rows` must have 1 or 4 columns, got 3"),
        ("nodes", np.zeros((1, 2, 8)), "`nodes` must be two or more"),
    ],
)
def test_wrong_shapes(name, value, message):
    check_refusal(name, value, message)


def check_refusal(name, value, message):
    case = Case(8)
    setattr(case, name, value)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        evaluate(case.sum())


@pytest.mark.on_host
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("node_row", np.array([0, 4, 5, 11, 18, 21], np.int32), "at least two nodes"),
        (
            "node_row",
            np.array([0, 4, 6, 11, 18, 20], np.int32),
            r"`needed_row` must have shape \[21\]",
        ),
        ("grid", np.zeros((5, 2)), "positive step"),
        ("rows", np.zeros((3, 4)), "`atom_count` and `neighbor_count` must add up to"),
        ("neighbor_count", np.full((5, 3), -1, np.int32), "`neighbor_count` must not be negative"),
        ("atom_count", np.array([6, -1, 0], np.int32), "`atom_count` must not be negative"),
        ("node_row", np.array([0, 2**31 - 1, 6, 11, 18, 21], np.int32), "at least two nodes"),
        ("sel", np.array([4.0, np.inf, 2.0]), "`sel` must be finite, got inf for type 1"),
        ("empty", np.diag([0.0, np.nan, 0.0]), "`empty` must be finite, .* for types 1 and 1"),
        ("needed_row", np.arange(20, dtype=np.int32), r"`needed_row` must have shape \[22\]"),
        ("needed_row", np.arange(1, 23, dtype=np.int32), "`needed_row` must count the nodes"),
        ("needed_row", np.append(np.arange(21), 20).astype(np.int32), "from 0 to 21 in steps"),
    ],
)
def test_wrong_values(name, value, message):
    check_refusal(name, value, message)


@pytest.mark.on_host
@pytest.mark.parametrize("near", [-1, 1, 2])
def test_wrong_number_of_near_segments(near):
    case = Case(8)
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="`near` must be from 0 to below the 1"
    ):
        table = case.table()
        evaluate(case.sums(table=table._replace(grid=table.grid._replace(near=near))).sum)


@pytest.mark.on_host
def test_a_curve_that_is_not_there():
    with pytest.raises(tf.errors.InvalidArgumentError, match="`curve` must be -1 or below 5"):
        evaluate(Case(8).sum(curve=np.full((3, 3), 5, np.int32)))
