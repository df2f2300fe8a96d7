"""Environment rows and both derivatives against the twin and finite differences."""

import numpy as np
import pytest
import twins

from deeptf.ops.environment import environment
from deeptf.tf import session, tf

RCUT_SMTH, RCUT = 1.5, 4.0


def pairs(number=40, seed=0, columns=4):
    """Pairs at distances inside, across and beyond the switched range."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=(number, 3))
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    displacement = direction * rng.uniform(0.8, 4.5, number)[:, None]
    atom_type = rng.integers(0, 2, 9).astype(np.int32)
    centre = rng.integers(0, 9, number).astype(np.int32)
    mean, stddev = rng.normal(size=(2, 4)), rng.uniform(0.1, 2, (2, 4))
    return displacement, centre, atom_type, mean[:, :columns], stddev[:, :columns]


def evaluate(tensor, threads=1, **feed):
    with session(tensor.graph, threads) as run:
        return run.run(tensor, {f"{name}:0": value for name, value in feed.items()})


@pytest.fixture
def graph():
    with tf.Graph().as_default() as made:
        yield made


def test_rows_equal_the_twin(graph):
    args = pairs(500)
    got = evaluate(environment(*args, RCUT_SMTH, RCUT))
    np.testing.assert_allclose(
        got, twins.environment(*args, RCUT_SMTH, RCUT), rtol=1e-13, atol=1e-13
    )


def test_radial_rows_are_the_first_column(graph):
    radial = evaluate(environment(*pairs(500, columns=1), RCUT_SMTH, RCUT))
    np.testing.assert_array_equal(
        radial, evaluate(environment(*pairs(500), RCUT_SMTH, RCUT))[:, :1]
    )


def test_rows_end_smoothly_at_rcut(graph):
    r = np.array([RCUT - 1e-4, RCUT, RCUT + 1e-9, 1e3])
    displacement = r[:, None] * np.array([[0.6, 0.0, -0.8]])
    zero, one = np.zeros((1, 4)), np.ones((1, 4))
    args = (np.zeros(4, np.int32), np.zeros(1, np.int32), zero, one, RCUT_SMTH, RCUT)
    x = tf.placeholder(tf.float64, [4, 3], "x")
    rows = environment(x, *args)
    assert abs(evaluate(rows, x=displacement)[0]).max() < 1e-11
    assert not evaluate(rows, x=displacement)[1:].any()
    slope = evaluate(tf.gradients(rows, x)[0], x=displacement)
    assert abs(slope[0]).max() < 1e-7 and not slope[1:].any()


@pytest.mark.parametrize("columns", [1, 4])
def test_gradient_against_differences(graph, columns):
    displacement, *rest = pairs(12, columns=columns)
    upper = np.random.default_rng(1).normal(size=(12, columns))
    x = tf.placeholder(tf.float64, [None, 3], "x")
    total = tf.reduce_sum(tf.sin(environment(x, *rest, RCUT_SMTH, RCUT) * upper))
    exact = evaluate(tf.gradients(total, x)[0], x=displacement)
    with session(graph) as run:
        numeric = twins.difference(lambda value: run.run(total, {x: value}), displacement)
    np.testing.assert_allclose(exact, numeric, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("columns", [1, 4])
def test_gradient_of_the_gradient_against_differences(graph, columns):
    displacement, *rest = pairs(10, columns=columns)
    rng = np.random.default_rng(2)
    values, along = rng.normal(size=(10, columns)), rng.normal(size=(10, 3))
    scale = tf.placeholder(tf.float64, [None, columns], "scale")
    rows = environment(tf.constant(displacement), *rest, RCUT_SMTH, RCUT)
    grad = tf.gradients(tf.reduce_sum(rows * scale), rows.op.inputs[0])[0]
    total = tf.reduce_sum(tf.sin(grad) * along)
    second = tf.gradients(total, scale)[0]
    third = tf.gradients(tf.reduce_sum(second**2), scale)[0]
    with session(graph) as run:
        for value, exact in [(total, second), (tf.reduce_sum(second**2), third)]:
            numeric = twins.difference(lambda s, v=value: run.run(v, {scale: s}), values)
            np.testing.assert_allclose(
                run.run(exact, {scale: values}), numeric, rtol=1e-6, atol=1e-7
            )


def test_second_derivative_in_the_coordinates_is_refused_and_not_silently_dropped(graph):
    displacement, *rest = pairs(3)
    x = tf.placeholder(tf.float64, [None, 3], "x")
    grad = tf.gradients(tf.reduce_sum(environment(x, *rest, RCUT_SMTH, RCUT) ** 2), x)[0]
    hessian = tf.gradients(grad, x)[0]
    with pytest.raises(tf.errors.InvalidArgumentError, match="no second derivative"):
        evaluate(hessian, x=displacement)


def test_threads_do_not_change_bits(graph):
    args = pairs(20000)
    rows = environment(*args, RCUT_SMTH, RCUT)
    grad = tf.gradients(tf.reduce_sum(rows**3), rows.op.inputs[0])[0]
    for tensor in (rows, grad):
        assert evaluate(tensor).tobytes() == evaluate(tensor, threads=4).tobytes()


def test_empty_input(graph):
    displacement, centre, *rest = pairs(0)
    rows = environment(displacement, centre, *rest, RCUT_SMTH, RCUT)
    assert evaluate(rows).shape == (0, 4)
    assert evaluate(tf.gradients(rows, rows.op.inputs[0])[0]).shape == (0, 3)


def test_rows_of_another_number_of_columns_are_refused(graph):
    displacement, centre, atom_type, *_ = pairs(2)
    rows = (displacement, centre, atom_type, np.zeros((2, 3)), np.ones((2, 3)), RCUT_SMTH, RCUT)
    with pytest.raises(tf.errors.InvalidArgumentError, match="must have 1 or 4 columns, got 3"):
        evaluate(environment(*rows))


@pytest.mark.on_host
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"centre": [0, 9]}, "`centre` must be an atom index below 9, got 9 at pair 1"),
        ({"atom_type": [-1] * 9}, "`atom_type` must be 0 to 1, got -1 at atom"),
        ({"atom_type": [2] * 9}, "`atom_type` must be 0 to 1, got 2 at atom"),
        ({"rcut_smth": 4.0}, "`rcut_smth` must be from 0 to below `rcut`, got 4.0+ and 4.0+"),
        ({"rcut_smth": -1.0}, "`rcut_smth` must be from 0 to below `rcut`, got -1"),
        ({"displacement": [[1.0, 0, 0], [0, 0, 9e-7]]}, "at least 1e-6 A long, .* for pair 1"),
        ({"displacement": [[np.nan, 0, 0], [1, 0, 0]]}, "must be finite .* got .nan.* for pair 0"),
        ({"stddev": np.zeros((2, 4))}, "`stddev` finite and positive, got .* and 0.0+ for type 0"),
        ({"mean": np.full((2, 4), np.inf)}, "`mean` must be finite .* got inf"),
    ],
)
def test_errors(graph, change, message):
    names = ("displacement", "centre", "atom_type", "mean", "stddev")
    args = dict(zip(names, pairs(2), strict=True), rcut_smth=RCUT_SMTH, rcut=RCUT)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        evaluate(environment(**{**args, **change}))


@pytest.mark.parametrize("columns", [1, 4])
def test_shapes_are_known_before_running(graph, columns):
    _, _, *rest = pairs(5, columns=columns)
    displacement = tf.placeholder(tf.float64, [5, 3])
    rows = environment(displacement, tf.placeholder(tf.int32, [None]), *rest, RCUT_SMTH, RCUT)
    assert rows.shape.as_list() == [5, columns]
    grad = tf.gradients(rows, displacement)[0]
    assert grad.shape.as_list() == [5, 3]
    assert tf.gradients(grad, grad.op.inputs[0])[0].shape.as_list() == [5, columns]
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 5 and 4 .*Environment"):
        environment(displacement, np.zeros(4, np.int32), *rest, RCUT_SMTH, RCUT)
