"""Attention and RowNorm: twins, derivatives to second order, threads, messages."""

import itertools

import attention_twins
import numpy as np
import pytest
import twins

from deeptf.ops.attention import AttentionForm, attention, row_norm
from deeptf.tf import session, tf

TOLERANCE = {np.float32: 1e-5, np.float64: 1e-13}
COUNT = [3, 0, 1, 9, 4]
FORMS = [
    AttentionForm(7, *flags)  # fewer places than one atom has pairs
    for flags in itertools.product([False, True], repeat=3)
]


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


def arrays(count, width, smooth, seed=0):
    """Return attended, direction and gate; one gate is 0, one is 1."""
    rng = np.random.default_rng(seed)
    total = sum(count)
    gate = rng.uniform(0.2, 1, total) if smooth else np.ones(total)
    gate[1], gate[-1] = 0, 1
    return [rng.normal(size=(total, 3, width)), rng.normal(size=(total, 3)), gate]


def evaluate(tensors, feed=None, threads=1):
    with session(tf.get_default_graph(), threads) as run:
        return run.run(tensors, feed)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", FORMS)
def test_equals_the_twin(form, dtype):
    for width in (1, 5, 32):
        values = [x.astype(dtype) for x in arrays(COUNT, width, form.smooth)]
        (got,) = evaluate([attention(np.array(COUNT, np.int32), *values, form)])
        assert got.dtype == dtype
        wide = [x.astype(np.float64) for x in values]
        np.testing.assert_allclose(
            got, attention_twins.attention(COUNT, *wide, form), atol=TOLERANCE[dtype], rtol=0
        )


def differentiable(form, values):
    """Return placeholders of the inputs that have derivatives, and all inputs."""
    given = [tf.placeholder(tf.float64, x.shape) for x in values]
    wanted = [given[0]] + [x for x, is_one in zip(given[1:], form[2:0:-1], strict=True) if is_one]
    return given, wanted


@pytest.mark.parametrize("form", FORMS)
def test_derivatives_against_differences(form):
    count = [2, 1, 3]
    values = arrays(count, 3, form.smooth, seed=1)
    given, wanted = differentiable(form, values)
    upper = tf.constant(np.random.default_rng(2).normal(size=(sum(count), 3)))
    out = attention(tf.constant(count, tf.int32), *given, form)
    total = tf.reduce_sum(tf.sin(3 * out + upper))
    first = tf.gradients(total, wanted)
    weights = np.random.default_rng(3)
    scalar = tf.add_n(
        [tf.reduce_sum(tf.sin(g * weights.normal(size=g.shape.as_list()))) for g in first]
    )
    second = tf.gradients(scalar, wanted)
    start = dict(zip(given, values, strict=True))
    with session(tf.get_default_graph()) as run:
        for function, grads in ((total, first), (scalar, second)):
            for x, grad in zip(wanted, grads, strict=True):
                point = start[x].copy()
                numeric = twins.difference(
                    lambda a, x=x, f=function: run.run(f, {**start, x: a}), point
                )
                got = run.run(grad, start)
                np.testing.assert_allclose(got, numeric, atol=3e-8 * abs(numeric).max())


def test_short_rows_have_a_constant_scale():
    form = AttentionForm(4, True, True, True)
    values = arrays([3], 4, smooth=True)
    values[0][2] *= 1e-9
    values[1][0] *= 1e-9
    given, wanted = differentiable(form, values)
    out = attention(tf.constant([3]), *given, form)
    np.testing.assert_allclose(
        evaluate(out, dict(zip(given, values, strict=True))),
        attention_twins.attention([3], *values, form),
        atol=1e-14,
    )
    first = tf.gradients(tf.sin(out), wanted)
    scalar = tf.add_n([tf.reduce_sum(tf.sin(1e-6 * g)) for g in first])
    second = tf.gradients(scalar, wanted)
    feed = dict(zip(given, values, strict=True))
    with session(tf.get_default_graph()) as run:
        for x, grad, place in ((given[0], second[0], 2), (given[1], second[1], 0)):
            numeric = twins.difference(
                lambda a, x=x: run.run(scalar, {**feed, x: a}), feed[x].copy(), 1e-11
            )[place]
            got = run.run(grad, feed)[place]
            np.testing.assert_allclose(got, numeric, atol=1e-3 * abs(numeric).max())


@pytest.mark.parametrize("smooth", [False, True])
def test_a_gate_of_zero_is_an_empty_place(smooth):
    form = AttentionForm(12, smooth, True, True)
    attended, direction, _ = arrays([6], 8, smooth)
    gate = np.array([1, 1, 0, 1, 0, 1.0])
    keep = gate > 0
    whole = attention(tf.constant([6]), attended, direction, gate, form)
    part = attention(tf.constant([4]), attended[keep], direction[keep], gate[keep], form)
    a, b = evaluate([whole, part])
    np.testing.assert_allclose(a[keep], b, atol=1e-15)
    assert not a[~keep].any()


def test_all_pairs_shut_out_give_nothing():
    values = arrays([3], 4, smooth=False)[:2]
    form = AttentionForm(4, False, True, True)
    (got,) = evaluate([attention(tf.constant([3]), *values, np.zeros(3), form)])
    assert not got.any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_do_not_change_bits(dtype):
    form = AttentionForm(20, True, True, True)
    count = np.random.default_rng(3).integers(0, 30, 40)
    values = [tf.constant(x.astype(dtype)) for x in arrays(count, 24, smooth=True)]
    out = attention(tf.constant(count, tf.int32), *values, form)
    first = tf.gradients(tf.sin(out), values)
    tensors = [out, *first, *tf.gradients([tf.sin(x) for x in first], values)]
    for a, b in zip(evaluate(tensors), evaluate(tensors, threads=4), strict=True):
        assert a.tobytes() == b.tobytes()


def test_no_pairs():
    form = AttentionForm(4, True, True, True)
    values = [tf.zeros(shape, tf.float64) for shape in ([0, 3, 5], [0, 3], [0])]
    out = attention(tf.zeros([2], tf.int32), *values, form)
    first = tf.gradients(out, values)
    second = tf.gradients(first, values)
    assert [x.shape for x in evaluate([out, *first, *second])] == [(0, 5)] + 2 * [
        (0, 3, 5),
        (0, 3),
        (0,),
    ]


def test_no_third_derivative():
    form = AttentionForm(4, True, True, True)
    values = [tf.constant(x) for x in arrays([3], 4, smooth=True)]
    x = attention(tf.constant([3]), *values, form)
    for _ in range(3):
        x = tf.gradients(tf.sin(x), values[0])[0]
    with pytest.raises(tf.errors.InvalidArgumentError, match="no third derivative of attention"):
        evaluate([x])


@pytest.mark.parametrize(
    ("count", "form", "message"),
    [
        pytest.param(
            [2, 2],
            AttentionForm(4, True, True, True),
            "number of pairs 3, got 4",
            marks=pytest.mark.on_host,
        ),
        ([3], AttentionForm(0, True, True, True), "`places` must be positive, got 0"),
    ],
)
def test_messages(count, form, message):
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError), match=message):
        evaluate([attention(tf.constant(count), *arrays([3], 4, True), form)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", [1, 7, 100])
def test_rows_are_normalised(width, dtype):
    x = np.random.default_rng(0).normal(size=(9, width)).astype(dtype)
    (got,) = evaluate([row_norm(tf.constant(x), 1e-3)])
    want = attention_twins.row_norm(x.astype(np.float64), 1e-3)
    np.testing.assert_allclose(got, want, atol=10 * TOLERANCE[dtype])


def test_derivatives_of_normalised_rows_against_differences():
    rng = np.random.default_rng(0)
    start = rng.normal(size=(3, 6))
    x = tf.placeholder(tf.float64, start.shape)
    total = tf.reduce_sum(tf.sin(row_norm(x, 0.1)) * rng.normal(size=start.shape))
    first = tf.gradients(total, x)[0]
    scalar = tf.reduce_sum(tf.sin(first * rng.normal(size=start.shape)))
    second = tf.gradients(scalar, x)[0]
    with session(tf.get_default_graph()) as run:
        for function, grad in ((total, first), (scalar, second)):
            numeric = twins.difference(lambda a, f=function: run.run(f, {x: a}), start)
            np.testing.assert_allclose(run.run(grad, {x: start}), numeric, atol=1e-8)


def test_rows_need_a_positive_epsilon():
    with pytest.raises(tf.errors.InvalidArgumentError, match="`epsilon` must be positive, got 0"):
        evaluate([row_norm(tf.ones([2, 3]), 0.0)])


def test_normalised_rows_do_not_depend_on_threads():
    x = tf.constant(np.random.default_rng(0).normal(size=(5000, 50)))
    first = tf.gradients(tf.sin(row_norm(x, 1e-3)), x)[0]
    second = tf.gradients(tf.sin(first), x)[0]
    for a, b in zip(evaluate([first, second]), evaluate([first, second], threads=4), strict=True):
        assert a.tobytes() == b.tobytes()
