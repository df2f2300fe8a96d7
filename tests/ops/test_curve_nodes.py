"""Embedding nets at the nodes of their grids against plain TensorFlow nets."""

import itertools

import curve_twins
import numpy as np
import pytest
from curves import evaluate

from deeptf.model.embedding import embed
from deeptf.model.network import Style
from deeptf.model.parameters import Parameters
from deeptf.ops.curve import CurveGrid, embedding_nodes, rounded, times_argument
from deeptf.tf import tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


def test_nodes_of_segments_are_those_of_shorter_curves():
    rng = np.random.default_rng(11)
    weights = [rng.normal(size=s) for s in ((1, 4), (4,), (4, 8), (8,))]
    grid = np.array([[-1.0, 0.5], [0.0, 0.25]])
    both = embedding_nodes(CurveGrid([0, 3, 8], grid, 2), weights, (4, 8), "tanh", False)
    upper = tf.constant(rng.normal(size=(8, 2, 8)))
    found = [both.nodes, *tf.gradients(both.nodes, list(both.nodes.op.inputs[3:]), upper)]
    parts = [
        embedding_nodes(CurveGrid([0, n], grid[k : k + 1]), weights, (4, 8), "tanh", False).nodes
        for k, n in enumerate((3, 5))
    ]
    gradients = [
        tf.gradients(part, list(part.op.inputs[3:]), cut)
        for part, cut in zip(parts, (upper[:3], upper[3:]), strict=True)
    ]
    wanted = [tf.concat(parts, 0), *(a + b for a, b in zip(*gradients, strict=True))]
    for a, b in zip(*evaluate([found, wanted]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def weights_of(parameters, names, neuron, resnet_dt):
    weights = []
    for name, (layer, width) in itertools.product(names, enumerate(neuron)):
        n_in = neuron[layer - 1] if layer else 1
        kinds = ["matrix", "bias"] + ["idt"] * (resnet_dt and width in (n_in, 2 * n_in))
        weights += [parameters.variables[f"{name}/{layer}/{kind}"] for kind in kinds]
    return weights


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
def test_nodes_equal_the_net(activation, neuron, resnet_dt):
    style = Style(activation, resnet_dt, 1.0, True, tf.float64, seed=7)
    parameters = Parameters()
    names, counts = ("a", "b"), np.array([70, 5])
    grid = np.array([[-1.5, 0.05], [0.3, 0.4]])
    row = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    values, slopes = [], []
    for name, count, (start, step) in zip(names, counts, grid, strict=True):
        x = tf.constant(start + step * np.arange(count)[:, None])
        y = embed(x, name, neuron, style, parameters)
        upper = tf.ones_like(y)  # the derivative of the gradient in it is the slope
        values.append(y)
        slopes.append(step * tf.gradients(tf.gradients(y, x, upper), upper)[0])
    want = tf.stack([tf.concat(values, 0), tf.concat(slopes, 0)], axis=1)
    weights = weights_of(parameters, names, neuron, resnet_dt)
    got = embedding_nodes(CurveGrid(row, grid), weights, neuron, activation, resnet_dt).nodes
    upper = np.random.default_rng(8).normal(size=(75, 2, neuron[-1]))
    losses = [tf.reduce_sum(t[:, :, : neuron[-1]] * upper) for t in (want, got)]
    gradients = [tf.gradients(loss, weights) for loss in losses]
    want, got, gradients = evaluate([want, got, gradients])
    tolerance = 1e-12
    np.testing.assert_allclose(got[:, :, : neuron[-1]], want, atol=tolerance * 10)
    assert np.all(got[:, :, neuron[-1] :] == 0)
    for a, b in zip(*gradients, strict=True):
        np.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance * max(1, np.abs(a).max()))


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_a_bent_table_times_its_argument(dtype):
    """The nodes of share x G(x) by y = asinh x, of those that are needed and their gradients."""
    rng = np.random.default_rng(3)
    weights = [tf.constant(rng.normal(size=s), dtype) for s in ((1, 4), (4,), (4, 8), (8,))]
    counts, share = np.array([5, 4, 3, 6]), np.array([0.5, 3.0])  # of two segments each
    grid = np.array([[-2.0, 0.5], [0.0, 0.3], [0.0, 1.0], [2.0, 0.2]])
    row = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    needed = np.isin(np.arange(18), (2, 3, 4, 5, 6, 13, 14))
    needed_row = np.concatenate([[0], np.cumsum(needed)]).astype(np.int32)
    nets = (weights * 2, (4, 8), "tanh", False, needed_row)
    table = embedding_nodes(CurveGrid(row, grid, 2), *nets, bent=True)
    with_room = tf.pad(table.nodes, [[0, 3], [0, 0], [0, 0]])  # a GPU's has room for all nodes
    table = times_argument(table._replace(nodes=with_room), share)
    of_node = np.repeat(np.arange(4), counts)
    y = grid[of_node, 0] + (np.arange(18) - row[of_node]) * grid[of_node, 1]
    y, step = (tf.constant(part[needed][:, None]) for part in (y, grid[of_node, 1]))
    x = tf.sinh(y)
    a, b, c, d = (tf.cast(weight, tf.float64) for weight in weights)
    hidden = tf.tanh(x @ a + b)
    value = share[of_node // 2][needed][:, None] * x
    value *= tf.concat([hidden, hidden], 1) + tf.tanh(hidden @ c + d)
    upper = tf.ones_like(value)
    slope = step * tf.gradients(tf.gradients(value, y, upper), upper)[0]
    wanted = tf.stack([value, slope], axis=1)
    if dtype == tf.float32:
        left, right = wanted[:-1], wanted[1:]
        rise = right[:, 0] - left[:, 0]
        wanted = tf.stack([left[:, 0], left[:, 1], rise, right[:, 1]], axis=1)
    keep = [0, 1, 3, 5]  # intervals inside of a segment
    found = table.nodes[: needed.sum(), :, :8]
    if dtype == tf.float32:
        found, wanted = (tf.gather(nodes, keep) for nodes in (found, wanted))
    upper = rng.normal(size=(4 if dtype == tf.float32 else 7, *found.shape[1:]))
    pair = found, tf.cast(wanted, dtype)
    gradients = [tf.gradients(nodes, weights, tf.constant(upper, dtype)) for nodes in pair]
    found, wanted, gradients = evaluate([*pair, gradients])
    tolerance = 2e-6 if dtype == tf.float32 else 1e-12
    np.testing.assert_allclose(found, wanted, atol=tolerance * np.abs(wanted).max())
    for one, other in zip(*gradients, strict=True):
        np.testing.assert_allclose(one, other, atol=5 * tolerance * np.abs(other).max())


@pytest.mark.parametrize("resnet_dt", [True, False])
def test_float32_nets_are_evaluated_in_float64(resnet_dt):
    """Their intervals, and the gradients to the weights, are those of float64 nets, rounded."""
    rng, neuron = np.random.default_rng(12), (5, 10, 20)
    sizes = [
        (1, 5),
        (5,),
        (5, 10),
        (10,),
        *[(10,)] * resnet_dt,
        (10, 20),
        (20,),
        *[(20,)] * resnet_dt,
    ]
    single = [tf.constant(rng.normal(size=size), tf.float32) for size in sizes * 2]
    double = [tf.cast(weight, tf.float64) for weight in single]
    grid = CurveGrid([0, 90, 94], [[-1.0, 0.01], [0.3, 0.4]])
    nets = (neuron, "tanh", resnet_dt)
    intervals, nodes = (embedding_nodes(grid, w, *nets).nodes for w in (single, double))
    upper = np.zeros((93, 4, 32), np.float32)
    upper[:, :, :20] = rng.normal(size=(93, 4, 20))
    exact = np.zeros((94, 2, 24))
    exact[:, :, :20] = curve_twins.intervals_grad(upper[:, :, :20])
    gradients = tf.gradients(intervals, single, upper), tf.gradients(nodes, double, exact)
    constant = rounded(embedding_nodes(grid, double, *nets)).nodes
    intervals, nodes, gradients, constant = evaluate([intervals, nodes, gradients, constant])
    np.testing.assert_array_equal(constant, intervals)
    np.testing.assert_array_equal(intervals[:, :, :20], curve_twins.intervals(nodes)[:, :, :20])
    assert np.all(intervals[:, :, 20:] == 0)
    for found, wanted in zip(*gradients, strict=True):
        np.testing.assert_array_equal(found, wanted.astype(np.float32))


def test_nodes_do_not_depend_on_threads():
    rng = np.random.default_rng(9)
    weights = [tf.constant(rng.normal(size=size)) for size in ((1, 6), 6, (6, 12), 12)]
    grid = CurveGrid([0, 300], [[-1.0, 0.01]])
    table = embedding_nodes(grid, weights, (6, 12), "tanh", False)
    gradients = tf.gradients(tf.reduce_sum(tf.sin(table.nodes)), weights)
    one, many = (evaluate([table.nodes, *gradients], threads) for threads in (1, 5))
    for a, b in zip(one, many, strict=True):
        np.testing.assert_array_equal(a, b)


def check_refusal(changes, message):
    given = {"row": [0, 3], "neuron": (6, 12), "activation": "tanh"} | changes
    weights = [tf.zeros(size, tf.float64) for size in ((1, 6), (6,), (6, 12), (12,))]
    grid = CurveGrid(given["row"], [[0.0, 1.0]])
    nets = (weights, given["neuron"], given["activation"], False)
    table = embedding_nodes(grid, *nets, given.get("needed"))
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        evaluate(table.nodes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"neuron": (6, 3)}, "`matrix` must have shape"),
        ({"neuron": (6,)}, "`weights` must hold 2 arrays for 1 nets, got 4"),
        ({"neuron": (6, 12, 12)}, "`weights` must hold 6 arrays for 1 nets, got 4"),
        ({"activation": "sin"}, "activation"),
    ],
)
def test_wrong_nets(changes, message):
    check_refusal(changes, message)


@pytest.mark.on_host
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"row": [1, 3]}, "`node_row` must begin with 0 and not decrease"),
        ({"needed": [0, 1, 2]}, r"`needed_row` must have shape \[4\]"),
        ({"needed": [0, 1, 3, 3]}, "`needed_row` must count the nodes"),
    ],
)
def test_wrong_nodes(changes, message):
    check_refusal(changes, message)
