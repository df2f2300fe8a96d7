"""Sums over neighbours of tabulated curves, and all derivatives, against the twin."""

import curve_twins
import numpy as np
import pytest
import twins
from curves import NODES, TOLERANCE, Case, evaluate

from deeptf.ops.curve import CurveGrid, CurveTable
from deeptf.tf import tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


@pytest.mark.parametrize("columns", [1, 4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", [1, 7, 8, 16, 25, 40, 100])
def test_sum_equals_the_twin(width, dtype, columns):
    case = Case(width, dtype, columns=columns)
    got = evaluate(case.sum())
    want = case.twin(case.rows, case.nodes)
    assert got.dtype == dtype and got.shape == (5, columns, width)
    np.testing.assert_allclose(got, want, atol=TOLERANCE[dtype] * np.abs(want).max())


def node_gradient(case, sums):
    """Return the gradient of what is linear in the nodes; `sums` [M] has a term for each curve."""
    gradient = np.zeros(case.nodes.shape)
    for place in np.ndindex(gradient.shape[:2]):
        unit = np.zeros_like(gradient)
        unit[place] = 1.0
        gradient[place][: case.width] = sums(unit)
    return gradient


@pytest.mark.parametrize("columns", [1, 4])
@pytest.mark.parametrize("width", [3, 10])
def test_first_derivatives_against_differences(width, columns):
    case = Case(width, seed=1, columns=columns)
    upper = np.random.default_rng(2).normal(size=(5, columns, width))
    total = case.sum()
    rows, nodes = total.op.inputs[:2]
    got = evaluate(tf.gradients(total, [rows, nodes], upper))

    def weighed(rows, nodes):
        return np.sum(upper * case.twin(rows, nodes), axis=(0, 1))

    want_rows = twins.difference(lambda x: weighed(x, case.nodes).sum(), case.rows)
    np.testing.assert_allclose(got[0], want_rows, rtol=1e-6, atol=1e-6)
    want_nodes = node_gradient(case, lambda x: weighed(case.rows, x))
    np.testing.assert_allclose(got[1], want_nodes, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("columns", [1, 4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_training_on_forces_needs(dtype, columns):
    """The gradient of |dE/drows - target|^2 to the table and to what multiplies the sums."""
    width = 5
    case = Case(width, dtype, seed=3, columns=columns)
    rng = np.random.default_rng(4)
    upper = tf.constant(rng.normal(size=(5, columns, width)).astype(dtype))
    direction = rng.normal(size=(case.pairs, columns))
    total = case.sum()
    rows, nodes = total.op.inputs[:2]
    first = tf.gradients(total, rows, upper)[0]
    to_upper, to_nodes = evaluate(tf.gradients(tf.reduce_sum(first * direction), [upper, nodes]))
    upper = np.asarray(evaluate(upper), np.float64)
    if dtype is np.float32:
        to_nodes = curve_twins.intervals_grad(to_nodes[:, :, : case.nodes.shape[2]])

    def along(nodes):  # the derivative of the sums in the direction
        step, rows = 1e-5, case.rows
        ends = [case.twin(rows + sign * step * direction, nodes) for sign in (1, -1)]
        return (ends[0] - ends[1]) / (2 * step)

    accuracy = 1e-5 if dtype is np.float64 else 1e-3
    np.testing.assert_allclose(to_upper, along(case.nodes), rtol=accuracy, atol=10 * accuracy)
    want = node_gradient(case, lambda x: np.sum(upper * along(x), axis=(0, 1)))
    np.testing.assert_allclose(to_nodes, want, rtol=accuracy, atol=10 * accuracy)


def test_float32_keeps_the_slope_between_close_nodes():
    """The gradient of radial sums is that slope, here far below the rounding of the values."""
    slopes = []
    for dtype in (np.float32, np.float64):
        case = Case(8, dtype, columns=1)
        case.nodes *= 1e-9
        case.nodes[:, 0] += 1
        rows = tf.constant(case.rows)
        upper = np.random.default_rng(11).normal(size=(5, 1, 8)).astype(dtype)
        slopes.append(evaluate(tf.gradients(case.sum(rows), rows, upper)[0]))
    found, exact = slopes
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-6 * np.abs(exact).max())


@pytest.mark.parametrize("columns", [1, 4])
def test_bits_do_not_depend_on_threads(columns):
    case = Case(40, np.float32, seed=5, columns=columns)
    total = case.sum()
    rows, nodes = total.op.inputs[:2]
    upper = tf.constant(np.random.default_rng(6).normal(size=(5, columns, 40)).astype(np.float32))
    first, table = tf.gradients(total, [rows, nodes], upper)
    second = tf.gradients(tf.reduce_sum(first**2), [upper, nodes])
    one, many = (evaluate([total, first, table, *second], threads) for threads in (1, 7))
    for a, b in zip(one, many, strict=True):
        np.testing.assert_array_equal(a, b)


def cubic_sum(case, coefficients, ends, counts, near=0):
    """Return the sums where every curve is a cubic, cut into segments with these ends."""
    ends = np.array(ends)
    places = [np.linspace(*ends[k : k + 2], n) for k, n in enumerate(counts)]
    steps = np.diff(ends) / (np.array(counts) - 1)
    x, step = np.concatenate(places)[:, None], np.repeat(steps, counts)[:, None]
    power = np.arange(4)
    basis = np.stack([x**power, step * power * x ** np.maximum(power - 1, 0)], axis=1)
    one = tf.tensordot(basis, coefficients, axes=1)  # [nodes, 2, M]
    curves = len(NODES)
    grid = CurveGrid(
        np.concatenate([[0], np.cumsum(np.tile(counts, curves))]).astype(np.int32),
        np.tile(np.stack([ends[:-1], steps], axis=1), (curves, 1)),
        len(counts),
        near,
    )
    every = np.arange(grid.node_row[-1] + 1, dtype=np.int32)
    table = CurveTable(tf.tile(one, [curves, 1, 1]), every, grid, case.width)
    rows = tf.constant(case.rows)
    total = case.sums(rows, table).sum
    first = tf.gradients(tf.reduce_sum(total**2), rows)[0]
    return total, first, tf.gradients(tf.reduce_sum(first**2) + tf.reduce_sum(total), coefficients)


def test_segments_of_different_spacing_make_one_curve():
    """A cubic is its own interpolant, whatever the nodes: sums and derivatives must agree."""
    case = Case(8, seed=9)
    coefficients = tf.constant(np.random.default_rng(10).normal(size=(4, 8)))
    whole = evaluate(cubic_sum(case, coefficients, [-1.0, 1.5], [2]))
    ends = np.linspace(-1.0, 1.5, 5)
    wider = [-1.0, -0.6, -0.2, 0.65, 1.5]
    for cut in (
        cubic_sum(case, coefficients, ends, [2, 7, 3, 2]),
        cubic_sum(case, coefficients, wider, [2, 7, 3, 2], near=2),
    ):
        for a, b in zip(whole, evaluate(cut), strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-10, atol=1e-10 * np.abs(a).max())


def test_no_second_derivative_in_the_rows():
    case = Case(8)
    rows = tf.constant(case.rows)
    first = tf.gradients(case.sum(rows), rows)[0]
    second = tf.gradients(first, rows)[0]
    with pytest.raises(tf.errors.InvalidArgumentError, match="second derivative of an embedding"):
        evaluate(second)


@pytest.mark.parametrize("columns", [1, 4])
def test_shapes_are_known_before_running(columns):
    case = Case(8, columns=columns)
    rows = tf.placeholder(tf.float64, [None, columns])
    total = case.sum(rows)
    assert total.shape.as_list() == [5, columns, 8]
    upper = tf.placeholder(tf.float64, [5, columns, 8])
    first = tf.gradients(total, rows, upper)[0]
    assert first.shape.as_list() == [None, columns]
    assert tf.gradients(first, upper)[0].shape.as_list() == [5, columns, 8]
