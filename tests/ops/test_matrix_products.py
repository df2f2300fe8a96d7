"""MatrixProducts against NumPy: sizes, transposed factors, threads, messages."""

import numpy as np
import pytest

from deeptf.ops.nets import matrix_products
from deeptf.tf import session, tf

SIZES = [(1, 1, 1), (5, 3, 7), (160, 24, 24), (240, 240, 240), (33, 0, 4)]  # rows, depth, columns
KINDS = [(False, False), (True, False), (False, True), (True, True)]


def factors(dtype):
    """Return factors a and b, which of them are transposed, and their products."""
    rng = np.random.default_rng(0)
    cases = [(size, kind) for size in SIZES for kind in KINDS]
    a = [rng.normal(size=(m, k)).astype(dtype) for (m, k, _), _ in cases]
    b = [rng.normal(size=(k, n)).astype(dtype) for (_, k, n), _ in cases]
    products = [x.astype(np.float64) @ y for x, y in zip(a, b, strict=True)]
    turn_a, turn_b = zip(*(kind for _, kind in cases), strict=True)
    a = [x.T.copy() if turned else x for x, turned in zip(a, turn_a, strict=True)]
    b = [x.T.copy() if turned else x for x, turned in zip(b, turn_b, strict=True)]
    return a, b, turn_a, turn_b, products


def run(threads, *arguments):
    with tf.Graph().as_default() as graph:
        out = matrix_products(*arguments)
        with session(graph, threads) as session_of:
            return [tensor.shape.as_list() for tensor in out], session_of.run(out)


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-12), (np.float32, 1e-4)])
def test_products_of_numpy(dtype, tolerance):
    *arguments, wanted = factors(dtype)
    shapes, found = run(1, *arguments)
    for shape, product, value in zip(shapes, wanted, found, strict=True):
        assert tuple(shape) == value.shape
        assert value.dtype == dtype
        np.testing.assert_allclose(value, product, atol=tolerance)


def test_threads_do_not_change_bits():
    *arguments, _ = factors(np.float32)
    for one, four in zip(run(1, *arguments)[1], run(4, *arguments)[1], strict=True):
        assert one.tobytes() == four.tobytes()


def test_no_products():
    assert matrix_products([], [], [], []) == []


def test_inner_sizes_must_agree():
    a, b = np.ones((2, 3)), np.ones((4, 5))
    with pytest.raises(tf.errors.InvalidArgumentError, match="product 0 .*got 3 and 4"):
        run(1, [a], [b], [False], [False])


def test_flags_must_be_as_many_as_products():
    with tf.Graph().as_default(), pytest.raises(ValueError, match="must have 1 elements"):
        matrix_products([np.ones((2, 2))], [np.ones((2, 2))], [False, False], [False])


def test_derivatives_to_second_order():
    a, b, turn_a, turn_b, _ = factors(np.float64)
    rng = np.random.default_rng(1)
    with tf.Graph().as_default() as graph:
        a, b = [[tf.constant(x) for x in one] for one in (a, b)]
        got = matrix_products(a, b, turn_a, turn_b)
        want = [
            tf.matmul(x, y, transpose_a=turn_x, transpose_b=turn_y)
            for x, y, turn_x, turn_y in zip(a, b, turn_a, turn_b, strict=True)
        ]
        upper = [rng.normal(size=x.shape.as_list()) for x in want]
        found = []
        for products in (got, want):
            first = tf.gradients([tf.sin(x) for x in products], [*a, *b], upper)
            found.append([*first, *tf.gradients([tf.sin(x) for x in first], [*a, *b])])
        with session(graph) as run:
            for x, y in zip(*run.run(found), strict=True):
                np.testing.assert_allclose(x, y, atol=1e-10 * (1 + abs(y).max(initial=0)))
