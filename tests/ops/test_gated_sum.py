"""Sums over neighbours of tabulated curves with gates, and all derivatives, against the twin."""

import curve_twins
import numpy as np
import pytest
import twins
from curves import CURVE, TOLERANCE, Case, evaluate

from deeptf.ops.gated import gated_sum
from deeptf.tf import tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


class Gated(Case):
    """A case with random gates and, if asked for, shares."""

    def __init__(self, width, dtype=np.float64, seed=0, shares=True):
        super().__init__(width, dtype, seed)
        rng = np.random.default_rng(seed + 100)
        self.gate = rng.normal(size=(3, 3, width)).astype(dtype)
        self.share = rng.uniform(size=self.pairs) if shares else None

    def total(self):
        return gated_sum(self.rows, self.table(), *self.layout(), self.gate, self.share).sum

    def gated_twin(self, rows, nodes, gate, share):
        nodes = np.asarray(nodes, np.float64)[:, :, : self.width]
        layout = self.node_row, self.grid, *self.layout()
        return curve_twins.embedding_sum(rows, nodes, *layout, np.asarray(gate, np.float64), share)


def inputs_of(total):
    """Return rows, nodes, gate and share."""
    inputs = total.op.inputs
    return [inputs[0], inputs[1], inputs[10], inputs[11]]


@pytest.mark.parametrize("shares", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", [1, 7, 16, 25, 40, 100])
def test_sum_equals_the_twin(width, dtype, shares):
    case = Gated(width, dtype, shares=shares)
    got = evaluate(case.total())
    want = case.gated_twin(case.rows, case.nodes, case.gate, case.share)
    assert got.dtype == dtype and got.shape == (5, 4, width)
    np.testing.assert_allclose(got, want, atol=TOLERANCE[dtype] * np.abs(want).max())


@pytest.mark.parametrize("shares", [False, True])
@pytest.mark.parametrize("width", [3, 10])
def test_first_derivatives_against_differences(width, shares):
    case = Gated(width, seed=1, shares=shares)
    upper = np.random.default_rng(2).normal(size=(5, 4, width))
    total = case.total()
    got = evaluate(tf.gradients(total, inputs_of(total), upper))
    given = [case.rows, case.nodes, case.gate, case.share]
    for place in range(4 if shares else 3):

        def weighed(x, place=place):
            return np.sum(upper * case.gated_twin(*given[:place], x, *given[place + 1 :]))

        want = twins.difference(weighed, given[place])
        np.testing.assert_allclose(got[place], want, rtol=1e-6, atol=1e-6)
    assert shares or got[3].shape == (0,)


@pytest.mark.parametrize("shares", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_training_on_forces_needs(dtype, shares):
    """The gradient of a product with the gradients to rows and shares, to the table, to the gates
    and to what multiplies the sums.
    """
    width = 5
    case = Gated(width, dtype, seed=3, shares=shares)
    rng = np.random.default_rng(4)
    upper = tf.constant(rng.normal(size=(5, 4, width)).astype(dtype))
    direction = rng.normal(size=(case.pairs, 4))
    along_share = rng.normal(size=case.pairs) if shares else np.zeros(0)
    total = case.total()
    rows, nodes, gate, share = inputs_of(total)
    to_rows, to_share = tf.gradients(total, [rows, share], upper)
    product = tf.reduce_sum(to_rows * direction) + tf.reduce_sum(to_share * along_share)
    to_upper, to_nodes, to_gate = evaluate(tf.gradients(product, [upper, nodes, gate]))
    upper = np.asarray(evaluate(upper), np.float64)
    if dtype is np.float32:
        to_nodes = curve_twins.intervals_grad(to_nodes[:, :, : case.nodes.shape[2]])

    def along(nodes, gate):  # the derivative of the sums in the direction
        ends = []
        for step in (1e-5, -1e-5):
            moved = None if case.share is None else case.share + step * along_share
            ends.append(case.gated_twin(case.rows + step * direction, nodes, gate, moved))
        return (ends[0] - ends[1]) / 2e-5

    accuracy = 1e-5 if dtype is np.float64 else 1e-3
    close = {"rtol": accuracy, "atol": 10 * accuracy}
    double = case.gate.astype(np.float64)
    np.testing.assert_allclose(to_upper, along(case.nodes, double), **close)
    none = along(case.nodes, np.zeros_like(double))
    for found, parts in (
        (to_nodes[:, :, :width], lambda unit: along(unit, double)),
        (to_gate, lambda unit: along(case.nodes, unit[..., :width]) - none),
    ):
        for place in np.ndindex(found.shape[:2]):
            unit = np.zeros((*found.shape[:2], case.nodes.shape[2]))
            unit[place] = 1.0
            want = np.sum(upper * parts(unit), axis=(0, 1))  # no number meets another one
            np.testing.assert_allclose(found[place], want, **close)


def test_bits_do_not_depend_on_threads():
    case = Gated(40, np.float32, seed=5)
    total = case.total()
    given = inputs_of(total)
    upper = tf.constant(np.random.default_rng(6).normal(size=(5, 4, 40)).astype(np.float32))
    first = tf.gradients(total, given, upper)
    product = tf.reduce_sum(first[0] ** 2) + tf.reduce_sum(first[3] ** 2)
    second = tf.gradients(product, [upper, *given[1:3]])
    one, many = (evaluate([total, *first, *second], threads) for threads in (1, 7))
    for a, b in zip(one, many, strict=True):
        np.testing.assert_array_equal(a, b)


def test_rows_of_one_column_are_refused():
    case = Gated(8)
    case.rows = np.ones((case.pairs, 1))
    with pytest.raises(tf.errors.InvalidArgumentError, match="`rows` must have 4 columns"):
        evaluate(case.total())


@pytest.mark.on_host
def test_rows_that_are_not_finite_are_refused():
    case = Gated(8)
    case.rows[3] = np.nan
    with pytest.raises(tf.errors.InvalidArgumentError, match="`rows` must be finite"):
        evaluate(case.total())


@pytest.mark.parametrize("place", [0, 3])
def test_no_second_derivative_in_rows_and_shares(place):
    case = Gated(8)
    total = case.total()
    given = inputs_of(total)
    first = tf.gradients(total, given[0])[0]
    with pytest.raises(tf.errors.InvalidArgumentError, match="second derivative of an embedding"):
        evaluate(tf.gradients(first, given[place])[0])


def test_shapes_are_known_before_running():
    case = Gated(8)
    case.rows = tf.placeholder(tf.float64, [None, 4])
    case.share = tf.placeholder(tf.float64, [None])
    total = case.total()
    assert total.shape.as_list() == [5, 4, 8]
    rows, _, gate, share = inputs_of(total)
    first = tf.gradients(total, [rows, gate, share])
    assert [one.shape.as_list() for one in first] == [[None, 4], [3, 3, 8], [None]]
    assert CURVE.shape == (3, 3)
