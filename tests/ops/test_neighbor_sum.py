"""NeighborSum and its two derivatives: twin, every derivative to second order, sizes, threads."""

import numpy as np
import pytest
import twins

from deeptf.ops.moments import neighbor_sum
from deeptf.tf import session, tf

TOLERANCE = {np.float32: 2e-5, np.float64: 1e-13}


def runs(count, columns, width, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    total = int(np.sum(count))
    weight, value = rng.normal(size=(total, columns)), rng.normal(size=(total, width))
    return np.asarray(count, np.int32), weight.astype(dtype), value.astype(dtype)


def evaluate(tensors, feed=None, threads=1):
    with session(tf.get_default_graph(), threads) as run:
        return run.run(tensors, feed)


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("columns", [1, 3, 4, 5])
@pytest.mark.parametrize("width", [1, 3, 8, 16, 25, 33, 50, 64, 100, 101, 128, 211])
def test_sum_and_derivatives_equal_the_twin(columns, width, dtype):
    count, weight, value = runs([3, 0, 1, 9, 4, 2, 0, 7], columns, width, dtype)
    total = neighbor_sum(count, weight, value)
    upper = np.random.default_rng(1).normal(size=(8, columns, width)).astype(dtype)
    grads = tf.gradients(total, total.op.inputs[1:], upper)
    got = evaluate([total, *grads])
    per_pair = np.repeat(upper, count, axis=0)
    want = [
        twins.neighbor_sum(count, weight, value),
        np.einsum("pm,pwm->pw", value, per_pair),
        np.einsum("pw,pwm->pm", weight, per_pair),
    ]
    for a, b in zip(got, want, strict=True):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, b, rtol=TOLERANCE[dtype], atol=50 * TOLERANCE[dtype])


@pytest.mark.parametrize(("columns", "width"), [(4, 9), (2, 3)])
def test_second_derivatives_against_differences(columns, width):
    count, weight, value = runs([3, 0, 2], columns, width)
    w = tf.placeholder(tf.float64, weight.shape)
    v = tf.placeholder(tf.float64, value.shape)
    total = tf.reduce_sum(tf.sin(neighbor_sum(count, w, v)))
    first = tf.gradients(total, [w, v])
    scalar = tf.reduce_sum(tf.cos(first[0])) + tf.reduce_sum(first[1] ** 3)
    second = tf.gradients(scalar, [w, v])
    third_scalar = tf.reduce_sum(second[0] ** 2) + tf.reduce_sum(second[1] ** 2)
    third = tf.gradients(third_scalar, [w, v])
    with session(tf.get_default_graph()) as run:
        for function, grads in [(total, first), (scalar, second), (third_scalar, third)]:
            for x, start, grad in zip((w, v), (weight, value), grads, strict=True):
                feed = {w: weight, v: value}
                numeric = twins.difference(
                    lambda a, x=x, f=function, feed=feed: run.run(f, {**feed, x: a}), start
                )
                scale = abs(numeric).max()
                np.testing.assert_allclose(run.run(grad, feed) / scale, numeric / scale, atol=2e-8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_do_not_change_bits(dtype):
    count = np.random.default_rng(3).integers(0, 60, 200)
    total = neighbor_sum(*runs(count, 4, 100, dtype))
    tensors = [total, *tf.gradients(tf.sin(total), total.op.inputs[1:])]
    for a, b in zip(evaluate(tensors), evaluate(tensors, threads=4), strict=True):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("count", [[], [0], [0, 0, 0]])
def test_empty_input(count):
    total = neighbor_sum(*runs(count, 4, 16))
    tensors = [total, *tf.gradients(total, total.op.inputs[1:])]
    got = evaluate(tensors)
    assert got[0].shape == (len(count), 4, 16) and not got[0].any()
    assert got[1].shape == (0, 4) and got[2].shape == (0, 16)


@pytest.mark.on_host
@pytest.mark.parametrize(
    ("count", "message"),
    [
        ([2, 2], "`count` must add up to the number of pairs 5, got 4"),
        ([6, -1], "`count` must not be negative, got -1 at atom 1"),
    ],
)
def test_errors(count, message):
    _, weight, value = runs([5], 4, 8)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        evaluate(neighbor_sum(count, weight, value))


def test_shapes_are_known_before_running():
    weight = tf.placeholder(tf.float32, [None, 4])
    value = tf.placeholder(tf.float32, [None, 7])
    total = neighbor_sum(tf.placeholder(tf.int32, [5]), weight, value)
    assert total.shape.as_list() == [5, 4, 7]
    grads = tf.gradients(total, [weight, value])
    assert [g.shape.as_list() for g in grads] == [[None, 4], [None, 7]]
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 3 and 2 .*NeighborSum"):
        neighbor_sum([1], np.zeros((3, 4)), np.zeros((2, 7)))
