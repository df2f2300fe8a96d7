"""Adam's one op: its twin of TensorFlow, threads, a variable that is still read, messages."""

import numpy as np
import pytest

from deeptf.ops.optimizer import AdamStep, adam_change, adam_update
from deeptf.tf import session, tf
from deeptf.train.adam import AdamOptimizer

SHAPES = [(30, 200), (1,), (), (4097,), (5, 3)]


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


def variables(dtype):
    rng = np.random.default_rng(0)
    return [tf.Variable(rng.normal(size=s).astype(dtype), use_resource=True) for s in SHAPES]


def loss(weights):
    return tf.add_n([tf.cast(tf.reduce_sum(tf.sin(w) * w), tf.float64) for w in weights])


def weights_after(steps, make, dtypes, threads=1):
    weights = [v for dtype in dtypes for v in variables(dtype)]
    update = make(1e-2, 0.9, 0.99).minimize(loss(weights), var_list=weights)
    with session(tf.get_default_graph(), threads) as run:
        run.run(tf.global_variables_initializer())
        for _ in range(steps):
            run.run(update)
        return run.run(weights)


@pytest.mark.parametrize("dtypes", [[np.float64], [np.float32], [np.float64, np.float32]])
def test_same_weights_as_tensorflow(dtypes):
    ours = weights_after(20, AdamOptimizer, dtypes)
    theirs = weights_after(20, tf.train.AdamOptimizer, dtypes)
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == b.dtype
        exact = {"rtol": 1e-12, "atol": 1e-13} if a.dtype == np.float64 else {"atol": 1e-6}
        np.testing.assert_allclose(a, b, **exact)


@pytest.mark.parametrize("dtypes", [[np.float64], [np.float64, np.float32]])
def test_one_op_for_all_variables_of_a_type(dtypes):
    weights = [v for dtype in dtypes for v in variables(dtype)]
    AdamOptimizer(1e-2, 0.9, 0.99).minimize(loss(weights), var_list=weights)
    made = [op.type for op in tf.get_default_graph().get_operations()]
    assert made.count("AdamUpdate") == len(dtypes)


def test_threads_do_not_change_bits():
    results = [weights_after(5, AdamOptimizer, [np.float64, np.float32], n) for n in (1, 4)]
    for a, b in zip(*results, strict=True):
        assert a.tobytes() == b.tobytes()


def update_of(weight, size):
    slots = [tf.Variable(np.zeros(weight.shape), use_resource=True) for _ in range(2)]
    gradient = tf.ones([size], tf.float64)
    rate = tf.constant(1.0, tf.float64)
    step = AdamStep(rate, 0.9, 0.999, 1e-8)
    return adam_update(step, [weight], [slots[0]], [slots[1]], [gradient])


def test_who_reads_before_the_step_keeps_the_old_value():
    weight = tf.Variable(np.zeros(6), use_resource=True)
    before = weight.read_value()
    with tf.control_dependencies([before]):
        update = update_of(weight, 6)
    with tf.control_dependencies([update]):
        after = weight.read_value()
    with session(tf.get_default_graph()) as run:
        run.run(tf.global_variables_initializer())
        old, new = run.run([before, after])
    assert not old.any() and new.all()


def test_change_is_what_the_update_adds():
    rng = np.random.default_rng(1)
    gradients = [rng.normal(size=shape) for shape in SHAPES]
    weights = variables(np.float64)
    slots = [
        [tf.Variable(np.zeros(shape), use_resource=True) for shape in SHAPES] for _ in range(4)
    ]
    step = AdamStep(tf.constant(0.1, tf.float64), 0.9, 0.99, 1e-8)
    update = adam_update(step, weights, *slots[:2], gradients)
    changes = adam_change(step, *slots[2:], gradients)
    assert [change.shape.as_list() for change in changes] == [list(shape) for shape in SHAPES]
    with session(tf.get_default_graph(), 2) as run:
        run.run(tf.global_variables_initializer())
        for _ in range(2):
            before = run.run(weights)
            added, _ = run.run([changes, update])
            for old, change, new in zip(before, added, run.run(weights), strict=True):
                np.testing.assert_allclose(old + change, new, rtol=1e-14)
        moments = run.run(slots)
        for one, other in zip(moments[0] + moments[1], moments[2] + moments[3], strict=True):
            assert one.tobytes() == other.tobytes()


def test_errors():
    weight = tf.Variable(np.zeros(6), use_resource=True)
    update, wrong = update_of(weight, 6), update_of(weight, 5)
    with session(tf.get_default_graph()) as run:
        with pytest.raises(tf.errors.InvalidArgumentError, match="must be initialized before"):
            run.run(update)
        run.run(tf.global_variables_initializer())
        with pytest.raises(
            tf.errors.InvalidArgumentError, match="must have 5 elements like its gradient, got 6"
        ):
            run.run(wrong)
