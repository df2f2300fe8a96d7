"""Products of two neighbours: twin, all derivatives, threads, and what is refused."""

import numpy as np
import pytest
import twins

from deeptf.ops.triples import block_types, triple_products
from deeptf.tf import session, tf

COUNT = np.array([[2, 0, 3], [0, 0, 0], [1, 4, 2], [3, 1, 0]], np.int32)


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


def rows_of(count=COUNT, seed=0):
    return np.random.default_rng(seed).normal(size=(int(np.sum(count)), 4))


def evaluate(tensors, threads=1):
    with session(tf.get_default_graph(), threads) as run:
        return run.run(tensors)


@pytest.mark.parametrize("count", [COUNT, COUNT[:, :1], COUNT[1:2], np.zeros((0, 2), np.int32)])
def test_products_equal_the_twin(count):
    rows = rows_of(count)
    found = evaluate(triple_products(rows, count))
    want = twins.triple_products(rows, rows, count)
    np.testing.assert_allclose(found[0], want[0], atol=1e-13)
    np.testing.assert_array_equal(found[1], want[1])


def test_blocks_are_pairs_of_types_and_then_types():
    first, second = block_types(3)
    assert list(zip(first, second, strict=True)) == [
        *[(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)],
        *[(0, 0), (1, 1), (2, 2)],
    ]
    rows = rows_of()
    products, number = evaluate(triple_products(rows, COUNT))
    assert number.shape == (4, 9)
    np.testing.assert_allclose(products[-len(rows) :], np.sum(rows[:, 1:] ** 2, axis=1))


def test_derivatives_against_differences():
    start = rows_of(seed=1)
    rows = tf.constant(start)
    rng = np.random.default_rng(2)
    products = triple_products(rows, COUNT)[0]
    upper = rng.normal(size=evaluate(products).shape)
    given = tf.constant(upper)
    first = tf.gradients(products, rows, given)[0]
    direction = rng.normal(size=start.shape)
    second = tf.gradients(tf.reduce_sum(first * direction), [rows, given])
    third = tf.gradients(tf.reduce_sum(tf.sin(second[1])), rows)[0]
    first, second, third = evaluate([first, second, third])

    def energy(x):
        return upper @ twins.triple_products(x, x, COUNT)[0]

    def along(x):  # in the direction, of each product: linear in x
        return 2 * twins.triple_products(x, direction, COUNT)[0]

    np.testing.assert_allclose(first, twins.difference(energy, start), atol=1e-8)
    assert not first[:, 0].any()
    np.testing.assert_allclose(
        second[0], twins.difference(lambda x: upper @ along(x), start), atol=1e-8
    )
    np.testing.assert_allclose(second[1], along(start), atol=1e-13)
    want = twins.difference(lambda x: np.sin(along(x)).sum(), start)
    np.testing.assert_allclose(third, want, atol=1e-8)


def test_bits_do_not_depend_on_threads():
    count = np.random.default_rng(3).integers(0, 20, (50, 2)).astype(np.int32)
    rows = tf.constant(rows_of(count))
    products = triple_products(rows, count)[0]
    tensors = [products, tf.gradients(tf.sin(products), rows)[0]]
    for one, many in zip(evaluate(tensors), evaluate(tensors, 4), strict=True):
        assert one.tobytes() == many.tobytes()


@pytest.mark.parametrize(
    ("count", "message"),
    [
        ([[2, 2]], "`neighbor_count` must add up to the 5 pairs, got 4"),
        ([[6, -1]], "`neighbor_count` must not be negative"),
    ],
)
def test_errors(count, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        evaluate(triple_products(rows_of([5]), count))


def test_too_many_triples():
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"must be below 2\^31, got 2147516416"
    ):
        evaluate(triple_products(np.zeros((65536, 4)), [[65536]])[1])


def test_shapes_are_known_before_running():
    rows = tf.placeholder(tf.float64, [None, 4])
    products, number = triple_products(rows, tf.placeholder(tf.int32, [5, 2]))
    assert products.shape.as_list() == [None] and number.shape.as_list() == [5, 5]
    assert tf.gradients(products, rows)[0].shape.as_list() == [None, 4]
    with pytest.raises(ValueError, match="must be 4 but is 3"):
        triple_products(np.zeros((3, 3)), [[3]])
