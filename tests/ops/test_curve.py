"""Tabulated embedding nets: the ops against their twins, plain TensorFlow nets and differences."""

import itertools

import numpy as np
import pytest
import twins

from deeptf.model.embedding import embed
from deeptf.model.network import Style
from deeptf.model.parameters import Parameters
from deeptf.ops.curve import CurveTable, embedding_nodes, embedding_sum
from deeptf.ops.library import library
from deeptf.tf import session, tf

TOLERANCE = {np.float32: 3e-5, np.float64: 1e-12}
ATOM_COUNT = np.array([3, 0, 2], np.int32)
CURVE = np.array([[0, 1, 2], [3, 0, -1], [1, 2, 4]], np.int32)  # shared, and one left out
NODES = (4, 2, 5, 7, 3)


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


def evaluate(tensors, threads=1):
    with session(tf.get_default_graph(), threads) as run:
        run.run(tf.global_variables_initializer())
        return run.run(tensors)


def padded(width, dtype):
    unit = 64 // np.dtype(dtype).itemsize
    return -(-width // unit) * unit


class Case:
    """Random rows, also beyond both ends of the grids, and a random table."""

    def __init__(self, width, dtype=np.float64, seed=0):
        rng = np.random.default_rng(seed)
        self.neighbor_count = rng.integers(0, 6, (5, 3)).astype(np.int32)
        self.neighbor_count[1] = 0
        self.pairs = int(self.neighbor_count.sum())
        self.rows = rng.normal(size=(self.pairs, 4)).astype(dtype)
        self.node_row = np.concatenate([[0], np.cumsum(NODES)]).astype(np.int32)
        starts = rng.uniform(-2, -1, len(NODES))
        self.grid = np.stack([starts, 3.0 / (np.array(NODES) - 1)], axis=1)
        self.nodes = np.zeros((sum(NODES), 2, padded(width, dtype)), dtype)
        self.nodes[:, :, :width] = rng.normal(size=(sum(NODES), 2, width))
        self.sel, self.empty = np.array([4.0, 2.0, 7.0]), rng.normal(size=3)
        self.width = width
        self.atom_count = ATOM_COUNT

    def table(self, nodes=None):
        nodes = self.nodes if nodes is None else nodes
        return CurveTable(tf.convert_to_tensor(nodes), self.node_row, self.grid, self.width)

    def sum(self, rows=None, nodes=None, curve=CURVE):
        return self.sums(rows, self.table(nodes), curve).sum

    def sums(self, rows=None, table=None, curve=CURVE):
        rows, table = self.rows if rows is None else rows, table or self.table()
        layout = (curve, self.sel, self.empty, self.atom_count, self.neighbor_count)
        return embedding_sum(rows, table, *layout)

    def twin(self, rows, nodes):
        nodes = np.asarray(nodes, np.float64)[:, :, : self.width]
        layout = (CURVE, self.sel, self.empty, ATOM_COUNT, self.neighbor_count)
        return twins.embedding_sum(rows, nodes, self.node_row, self.grid, *layout)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", [1, 7, 8, 16, 25, 40, 100])
def test_sum_equals_the_twin(width, dtype):
    case = Case(width, dtype)
    got = evaluate(case.sum())
    want = case.twin(case.rows.astype(np.float64), case.nodes)
    assert got.dtype == dtype and got.shape == (5, 4, width)
    np.testing.assert_allclose(got, want, atol=TOLERANCE[dtype] * np.abs(want).max())


@pytest.mark.parametrize("width", [3, 10])
def test_first_derivatives_against_differences(width):
    case = Case(width, seed=1)
    upper = np.random.default_rng(2).normal(size=(5, 4, width))
    total = case.sum()
    rows, nodes = total.op.inputs[:2]
    got = evaluate(tf.gradients(total, [rows, nodes], upper))

    def weighed(rows, nodes):
        return np.sum(upper * case.twin(rows, nodes))

    want_rows = twins.difference(lambda x: weighed(x, case.nodes), case.rows)
    np.testing.assert_allclose(got[0], want_rows, rtol=1e-6, atol=1e-6)
    want_nodes = twins.difference(lambda x: weighed(case.rows, x), case.nodes)
    np.testing.assert_allclose(got[1], want_nodes, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_training_on_forces_needs(dtype):
    """The gradient of |dE/drows - target|^2 to the table and to what multiplies the sums."""
    width = 5
    case = Case(width, dtype, seed=3)
    rng = np.random.default_rng(4)
    upper = tf.constant(rng.normal(size=(5, 4, width)).astype(dtype))
    direction = rng.normal(size=(case.pairs, 4)).astype(dtype)
    total = case.sum()
    rows, nodes = total.op.inputs[:2]
    first = tf.gradients(total, rows, upper)[0]
    to_upper, to_nodes = evaluate(tf.gradients(tf.reduce_sum(first * direction), [upper, nodes]))
    upper = np.asarray(evaluate(upper), np.float64)

    def along(rows, nodes, upper):  # the sum over pairs of direction . dE/drow
        step, rows = 1e-5, np.asarray(rows, np.float64)
        ends = [case.twin(rows + sign * step * direction, nodes) for sign in (1, -1)]
        return np.sum(upper * (ends[0] - ends[1])) / (2 * step)

    accuracy = 1e-5 if dtype is np.float64 else 1e-3
    want = twins.difference(lambda x: along(case.rows, case.nodes, x), upper, 1e-3)
    np.testing.assert_allclose(to_upper, want, rtol=accuracy, atol=10 * accuracy)
    exact = np.asarray(case.nodes, np.float64)
    want = twins.difference(lambda x: along(case.rows, x, upper), exact, 1e-3)
    np.testing.assert_allclose(to_nodes, want, rtol=accuracy, atol=10 * accuracy)


def test_bits_do_not_depend_on_threads():
    case = Case(40, np.float32, seed=5)
    total = case.sum()
    rows, nodes = total.op.inputs[:2]
    upper = tf.constant(np.random.default_rng(6).normal(size=(5, 4, 40)).astype(np.float32))
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
    table = CurveTable(
        tf.tile(one, [curves, 1, 1]),
        np.concatenate([[0], np.cumsum(np.tile(counts, curves))]).astype(np.int32),
        np.tile(np.stack([ends[:-1], steps], axis=1), (curves, 1)),
        case.width,
        len(counts),
        near,
    )
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


def found_outside(case, table, threads=1):
    sums = case.sums(table=table)
    return evaluate([sums.outside, sums.closest], threads)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pairs_outside_the_range_are_counted(dtype):
    case = Case(8, dtype, seed=12)
    case.neighbor_count = np.random.default_rng(13).integers(0, 90, (5, 3)).astype(np.int32)
    case.pairs = int(case.neighbor_count.sum())
    rng = np.random.default_rng(14)
    case.rows = rng.choice(np.linspace(-2, 3, 40), (case.pairs, 4)).astype(dtype)  # many are equal
    whole = case.table()
    end = case.grid[:, 0] + case.grid[:, 1] * (np.array(NODES) - 1)
    layout = (CURVE, case.atom_count, case.neighbor_count)
    want = twins.outside(case.rows, end, *layout)
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
    table = CurveTable(tf.constant(nodes), case.node_row, case.grid, 8, 3, 2)
    want = twins.outside(case.rows, np.full(5, -0.5), CURVE, ATOM_COUNT, case.neighbor_count)
    for a, b in zip(found_outside(case, table), want, strict=True):
        np.testing.assert_array_equal(a, b)
    assert want[0].sum() > 0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("column", [0, 2])
def test_rows_that_are_not_finite_are_refused(value, column):
    case = Case(8)
    first = int(case.neighbor_count[0, 0])  # the curve of the pairs in front is used
    assert first > 0
    case.rows[first - 1 :, column] = value
    with pytest.raises(tf.errors.InvalidArgumentError, match=rf"got .* sorted pair {first - 1}"):
        evaluate(case.sum())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300, -1e300])
def test_derivatives_survive_any_rows(value):
    """They index with nothing that comes of such rows; EmbeddingSum refuses them before."""
    case = Case(8)
    case.rows[:] = value
    table, counts = case.table(), (case.atom_count, case.neighbor_count)
    shared = (case.rows, *table[:3], CURVE, case.sel, case.empty, *counts)
    upper, direction = np.ones((5, 4, 8)), np.ones((case.pairs, 4))
    results = [
        library().embedding_sum_grad(*shared, upper, width=8),
        library().embedding_table_grad(*shared, upper, width=8),
        library().embedding_sum_tangent(*shared, direction, width=8),
        library().embedding_tangent_table_grad(*shared, direction, upper, width=8),
    ]
    found = evaluate(results)
    assert abs(value) == 1e300 or not any(np.all(np.isfinite(one)) for one in found)


def test_nodes_of_segments_are_those_of_shorter_curves():
    rng = np.random.default_rng(11)
    weights = [rng.normal(size=s) for s in ((1, 4), (4,), (4, 8), (8,))]
    grid = np.array([[-1.0, 0.5], [0.0, 0.25]])
    both = embedding_nodes([0, 3, 8], grid, weights, (4, 8), "tanh", False, segments=2)
    upper = tf.constant(rng.normal(size=(8, 2, 8)))
    found = [both.nodes, *tf.gradients(both.nodes, list(both.nodes.op.inputs[2:]), upper)]
    parts = [
        embedding_nodes([0, n], grid[k : k + 1], weights, (4, 8), "tanh", False).nodes
        for k, n in enumerate((3, 5))
    ]
    gradients = [
        tf.gradients(part, list(part.op.inputs[2:]), cut)
        for part, cut in zip(parts, (upper[:3], upper[3:]), strict=True)
    ]
    wanted = [tf.concat(parts, 0), *(a + b for a, b in zip(*gradients, strict=True))]
    for a, b in zip(*evaluate([found, wanted]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_no_second_derivative_in_the_rows():
    case = Case(8)
    rows = tf.constant(case.rows)
    first = tf.gradients(case.sum(rows), rows)[0]
    second = tf.gradients(first, rows)[0]
    with pytest.raises(tf.errors.InvalidArgumentError, match="second derivative of an embedding"):
        evaluate(second)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("node_row", np.array([0, 4, 5, 11, 18, 21], np.int32), "at least two nodes"),
        ("node_row", np.array([0, 4, 6, 11, 18, 20], np.int32), "from 0 to the 21 nodes"),
        ("grid", np.zeros((5, 2)), "positive step"),
        ("rows", np.zeros((3, 4)), "`atom_count` and `neighbor_count` must add up to"),
        ("neighbor_count", np.full((5, 3), -1, np.int32), "`neighbor_count` must not be negative"),
        ("atom_count", np.array([6, -1, 0], np.int32), "`atom_count` must not be negative"),
        ("node_row", np.array([], np.int32), r"`node_row` must have shape \[1\], got \[0\]"),
        ("node_row", np.array([0, 2**31 - 1, 6, 11, 18, 21], np.int32), "at least two nodes"),
        ("empty", np.array([0.1, np.nan, 0.2]), "`sel` and `empty` must be finite"),
    ],
)
def test_wrong_inputs(name, value, message):
    case = Case(8)
    setattr(case, name, value)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        evaluate(case.sum())


@pytest.mark.parametrize("near", [-1, 1, 2])
def test_wrong_number_of_near_segments(near):
    case = Case(8)
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="`near` must be from 0 to below the 1"
    ):
        evaluate(case.sums(table=case.table()._replace(near=near)).sum)


def test_a_curve_that_is_not_there():
    with pytest.raises(tf.errors.InvalidArgumentError, match="`curve` must be -1 or below 5"):
        evaluate(Case(8).sum(curve=np.full((3, 3), 5, np.int32)))


def weights_of(parameters, names, neuron, resnet_dt):
    weights = []
    for name, (layer, width) in itertools.product(names, enumerate(neuron)):
        n_in = neuron[layer - 1] if layer else 1
        kinds = ["matrix", "bias"] + ["idt"] * (resnet_dt and width in (n_in, 2 * n_in))
        weights += [parameters.variables[f"{name}/{layer}/{kind}"] for kind in kinds]
    return weights


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
@pytest.mark.parametrize(
    ("activation", "neuron", "resnet_dt"),
    [
        ("tanh", (5, 10, 20), True),
        ("gelu", (3, 4, 4), True),
        ("softplus", (2,), True),
        ("sigmoid", (1, 7), False),
        ("silu", (4, 8, 17), False),
        ("linear", (3, 6), True),
    ],
)
def test_nodes_equal_the_net(activation, neuron, resnet_dt, dtype):
    style = Style(activation, resnet_dt, 1.0, True, dtype, seed=7)
    parameters = Parameters()
    names, counts = ("a", "b"), np.array([70, 5])
    grid = np.array([[-1.5, 0.05], [0.3, 0.4]])
    row = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    values, slopes = [], []
    for name, count, (start, step) in zip(names, counts, grid, strict=True):
        x = tf.constant(start + step * np.arange(count)[:, None], dtype)
        y = embed(x, name, neuron, style, parameters)
        unit = [tf.gradients(y[:, m], x)[0] for m in range(neuron[-1])]
        values.append(y)
        slopes.append(step * tf.concat(unit, axis=1))
    want = tf.stack([tf.concat(values, 0), tf.concat(slopes, 0)], axis=1)
    weights = weights_of(parameters, names, neuron, resnet_dt)
    got = embedding_nodes(row, grid, weights, neuron, activation, resnet_dt).nodes
    upper = np.random.default_rng(8).normal(size=(75, 2, neuron[-1]))
    losses = [tf.reduce_sum(t[:, :, : neuron[-1]] * tf.constant(upper, dtype)) for t in (want, got)]
    gradients = [tf.gradients(loss, weights) for loss in losses]
    want, got, gradients = evaluate([want, got, gradients])
    tolerance = 3e-5 if dtype == tf.float32 else 1e-12
    np.testing.assert_allclose(got[:, :, : neuron[-1]], want, atol=tolerance * 10)
    assert np.all(got[:, :, neuron[-1] :] == 0)
    for a, b in zip(*gradients, strict=True):
        np.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance * max(1, np.abs(a).max()))


def test_nodes_do_not_depend_on_threads():
    rng = np.random.default_rng(9)
    weights = [tf.constant(rng.normal(size=size)) for size in ((1, 6), 6, (6, 12), 12)]
    table = embedding_nodes([0, 300], [[-1.0, 0.01]], weights, (6, 12), "tanh", False)
    gradients = tf.gradients(tf.reduce_sum(tf.sin(table.nodes)), weights)
    one, many = (evaluate([table.nodes, *gradients], threads) for threads in (1, 5))
    for a, b in zip(one, many, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"row": [1, 3]}, "`node_row` must begin with 0 and not decrease"),
        ({"neuron": (6, 3)}, "`matrix` must have shape"),
        ({"neuron": (6,)}, "`weights` must hold 2 arrays for 1 nets, got 4"),
        ({"neuron": (6, 12, 12)}, "`weights` must hold 6 arrays for 1 nets, got 4"),
        ({"activation": "sin"}, "activation"),
    ],
)
def test_wrong_nets(changes, message):
    given = {"row": [0, 3], "neuron": (6, 12), "activation": "tanh"} | changes
    weights = [tf.zeros(size, tf.float64) for size in ((1, 6), (6,), (6, 12), (12,))]
    grid = [[0.0, 1.0]]
    table = embedding_nodes(
        given["row"], grid, weights, given["neuron"], given["activation"], False
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        evaluate(table.nodes)
