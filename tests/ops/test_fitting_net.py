"""FittingNet and its gradient: the same net in plain TensorFlow, differences, sizes, threads."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import twins

from deeptf.model.network import ACTIVATIONS, activation_of
from deeptf.ops.nets import fitting_net
from deeptf.tf import session, tf

TOLERANCE = {np.float32: 1e-5, np.float64: 1e-12}


def array_shapes(width, neuron, resnet_dt):
    """Shapes of the arrays of one net."""
    shapes = []
    for layer, (n_in, n_out) in enumerate(itertools.pairwise((width, *neuron))):
        shapes += [(n_in, n_out), (n_out,)]
        if resnet_dt and layer > 0 and n_in == n_out:
            shapes.append((n_out,))
    return [*shapes, (neuron[-1], 1), (1,)]


class Net:
    """A net of random weights with a loss of its energies and slopes, in the current graph."""

    def __init__(
        self,
        count=(3, 0, 5),
        width=7,
        neuron=(6, 6, 4),
        activation="tanh",
        resnet_dt=True,
        dtype=np.float64,
    ):
        self.settings = (tuple(neuron), activation, resnet_dt)
        self.count = np.array(count, np.int32)
        rng = np.random.default_rng(1)
        n = int(self.count.sum())
        shapes = [s for _ in count for s in array_shapes(width, neuron, resnet_dt)]
        values = [rng.normal(size=s) / (np.sqrt(s[0]) if len(s) > 1 else 1.0) for s in shapes]
        self.start = [v.astype(dtype) for v in (rng.normal(size=(n, width)), *values)]
        self.inputs = [tf.placeholder(v.dtype, v.shape) for v in self.start]
        self.feed = dict(zip(self.inputs, self.start, strict=True))
        self.pull = rng.normal(size=(n, width)).astype(dtype)

    def fast(self):
        return fitting_net(self.inputs[0], self.count, self.inputs[1:], *self.settings)

    def plain(self):
        neuron, activation, resnet_dt = self.settings
        arrays = iter(self.inputs[1:])
        energies = []
        for x in tf.split(self.inputs[0], self.count):
            for layer, width in enumerate(neuron):
                keeps = layer > 0 and width == neuron[layer - 1]
                y = activation_of(activation)(x @ next(arrays) + next(arrays))
                if keeps and resnet_dt:
                    y *= next(arrays)
                x = x + y if keeps else y
            energies.append((x @ next(arrays) + next(arrays))[:, 0])
        energy = tf.concat(energies, axis=0)
        return energy, tf.gradients(energy, self.inputs[0])[0]

    def loss(self, energy, slope):
        """Return a number that is not linear in energy or slope."""
        return tf.reduce_sum(tf.sin(energy)) + tf.reduce_sum((slope - self.pull) ** 2)

    def all(self, energy, slope):
        """Return energy, slope, loss, and its gradient in the descriptor and every weight."""
        loss = self.loss(energy, slope)
        return [energy, slope, loss, *tf.gradients(loss, self.inputs)]

    def run(self, tensors, threads=1):
        with session(tf.get_default_graph(), threads) as run:
            return run.run(tensors, self.feed)

    def check(self, tolerance):
        got, want = self.run([self.all(*self.fast()), self.all(*self.plain())])
        for a, b in zip(got, want, strict=True):
            assert a.dtype == b.dtype and a.shape == b.shape
            scale = abs(b).max() if b.size else 0
            np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(scale, 1e-3))


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", [*sorted(ACTIVATIONS), "silut:0.3"])
def test_every_activation_equals_plain_tensorflow(activation, dtype):
    Net(activation=activation, dtype=dtype).check(TOLERANCE[dtype])


@pytest.mark.parametrize(
    ("resnet_dt", "dtype"), [(True, np.float32), (True, np.float64), (False, np.float64)]
)
@pytest.mark.parametrize(
    ("width", "neuron"),
    [
        (5, (4,)),
        (4, (4,)),
        (1, (1, 1)),
        (9, (12, 12)),
        (20, (10, 20, 20, 7)),
        (6, (3, 8, 8, 5, 5)),
        (300, (40, 40, 40)),
    ],
)
def test_every_width_equals_plain_tensorflow(width, neuron, resnet_dt, dtype):
    net = Net((3, 0, 14, 1), width, neuron, resnet_dt=resnet_dt, dtype=dtype)
    net.check(3 * TOLERANCE[dtype])


@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_slope_and_gradient_against_differences(activation):
    net = Net((2, 1), 3, (4, 4, 2), activation)
    energy, slope = net.fast()
    loss = net.loss(energy, slope)
    grads = tf.gradients(loss, net.inputs)
    with session(tf.get_default_graph()) as run:
        for x, start, grad in zip(net.inputs, net.start, grads, strict=True):
            numeric = twins.difference(
                lambda a, x=x: run.run(loss, {**net.feed, x: a}), start, step=1e-5
            )
            np.testing.assert_allclose(run.run(grad, net.feed), numeric, rtol=2e-7, atol=2e-7)
        numeric = twins.difference(
            lambda a: run.run(energy, {**net.feed, net.inputs[0]: a}).sum(), net.start[0]
        )
        np.testing.assert_allclose(run.run(slope, net.feed), numeric, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_do_not_change_bits(dtype):
    net = Net((70, 131), 90, (30, 30), dtype=dtype)
    tensors = net.all(*net.fast())
    one, four = net.run(tensors), net.run(tensors, threads=4)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(one, four, strict=True))


def test_no_atoms():
    net = Net((0, 0))
    energy, slope, loss, *grads = net.run(net.all(*net.fast()))
    assert energy.shape == (0,) and slope.shape == (0, 7) and loss == 0
    assert not any(grad.any() for grad in grads)


def test_energy_or_slope_alone():
    net = Net()
    energy, slope = net.fast()
    plain_energy, plain_slope = net.plain()
    for fast, plain in [(energy, plain_energy), (slope, plain_slope)]:
        got = tf.gradients(tf.reduce_sum(fast**2), net.inputs)
        want = tf.gradients(
            tf.reduce_sum(plain**2), net.inputs, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        for a, b in zip(*net.run([got, want]), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-12)


def test_a_third_derivative_is_an_error_when_it_is_asked_for():
    net = Net()
    grads = tf.gradients(net.loss(*net.fast()), net.inputs)
    third = tf.gradients(tf.reduce_sum(grads[0] ** 2), net.inputs[0])[0]
    net.run(grads)
    with pytest.raises(tf.errors.InvalidArgumentError, match="deeptf has no derivative of the"):
        net.run(third)


def call(count=(3,), weights=None, neuron=(4,), activation="tanh"):
    shapes = array_shapes(5, (4,), False)
    weights = [np.zeros(s) for s in shapes] if weights is None else weights
    return fitting_net(np.zeros((3, 5)), count, weights, neuron, activation, False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"count": (2,)}, "`atom_count` must add up to the number of atoms 3, got 2"),
        ({"count": (4, -1)}, "`weights` must have 8 arrays for 2 types, got 4"),
        ({"count": (-3,)}, "`atom_count` must not be negative, got -3 for type 0"),
        ({"neuron": (4, 4)}, "`weights` must have 6 arrays for 1 types, got 4"),
        ({"neuron": (3,)}, r"array 0 of `weights` for type 0 must have shape \[5,3\], got \[5,4\]"),
        ({"neuron": ()}, "`neuron` must hold positive widths, got none"),
        ({"neuron": (4, 0)}, "`neuron` must hold positive widths, got 0"),
        ({"activation": "tan"}, "`activation` must be one of gelu, .*, got tan"),
    ],
)
def test_errors(changes, message):
    with (
        pytest.raises(tf.errors.InvalidArgumentError, match=message),
        session(tf.get_default_graph()) as run,
    ):
        run.run(call(**changes))


def test_shapes_are_known_before_running():
    x = tf.placeholder(tf.float32, [None, 5])
    weights = [tf.placeholder(tf.float32, s) for s in array_shapes(5, (4,), True)]
    energy, slope = fitting_net(x, [3, 4], weights * 2, (4,), "tanh", True)
    assert energy.shape.as_list() == [None] and slope.shape.as_list() == [None, 5]
    grads = tf.gradients(tf.reduce_sum(slope**2), [x, *weights])
    assert [g.shape.as_list() for g in grads] == [[None, 5], [5, 4], [4], [4, 1], [1]]
    with pytest.raises(ValueError, match="Shape must be rank 2 but is rank 1 .*FittingNet"):
        fitting_net(np.zeros(3), [3], np.zeros((4, 3)), (4,), "tanh", True)
