"""MomentProduct and its derivatives against TensorFlow's own matrix products."""

import numpy as np
import pytest

from deeptf.ops.library import library
from deeptf.ops.moments import moment_product
from deeptf.tf import session, tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("atoms", "columns", "width", "axis"),
    [(5, 4, 100, 16), (3, 4, 7, 3), (1, 1, 1, 1), (0, 4, 8, 4), (2, 9, 11, 11)],
)
def test_values_and_derivatives(atoms, columns, width, axis, dtype):
    rng = np.random.default_rng(0)
    moments = tf.constant(rng.normal(size=(atoms, columns, width)).astype(dtype))
    upper = tf.constant(rng.normal(size=(atoms, width, axis)).astype(dtype))
    direction = rng.normal(size=(atoms, columns, width)).astype(dtype)
    results = []
    for product in (
        tf.matmul(moments, moments[:, :, :axis], transpose_a=True),
        moment_product(moments, axis),
    ):
        first = tf.gradients(product, moments, upper)[0]
        second = tf.gradients(tf.reduce_sum(first * direction), [moments, upper])
        results.append([product, first, *second])
    with session() as run:
        expected, found = run.run(results)
    tolerance = 2e-5 if dtype is np.float32 else 1e-13
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_allclose(b, a, rtol=tolerance, atol=20 * tolerance)


def test_bits_do_not_depend_on_threads():
    rng = np.random.default_rng(1)
    moments = tf.constant(rng.normal(size=(50, 4, 30)))
    product = moment_product(moments, 5)
    first = tf.gradients(tf.sin(product), moments)[0]
    second = tf.gradients(first**2, moments)[0]
    results = []
    for threads in (1, 5):
        with session(threads=threads) as run:
            results.append(run.run([product, first, second]))
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("axis", [0, 5])
def test_axis_must_fit(axis):
    message = f"`axis` must be from 1 to the width 4, got {axis}"
    with session() as run, pytest.raises(tf.errors.InvalidArgumentError, match=message):
        run.run(moment_product(tf.zeros([1, 4, 4]), axis))


@pytest.mark.parametrize(
    ("op", "name", "shape", "expected"),
    [
        ("moment_product_grad", "upper", [2, 5, 4], r"\[2,5,3\]"),
        ("moment_product_grad", "upper", [1, 5, 3], r"\[2,5,3\]"),
        ("moment_product_polar", "other", [2, 4, 6], r"\[2,4,5\]"),
        ("moment_product_polar", "other", [3, 4, 5], r"\[2,4,5\]"),
    ],
)
def test_what_is_multiplied_must_fit(op, name, shape, expected):
    message = f"`{name}` must have shape {expected}"
    with session() as run, pytest.raises(tf.errors.InvalidArgumentError, match=message):
        run.run(getattr(library(), op)(tf.zeros([2, 4, 5]), tf.zeros(shape), axis=3))
