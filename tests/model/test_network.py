"""One layer of a net in plain TensorFlow against its formula in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.network import ACTIVATIONS, SCALAR_STDDEV, Style, activation_of, dense
from deeptf.model.parameters import Parameters
from deeptf.tf import session, tf


@pytest.mark.parametrize("resnet_dt", [False, True])
@pytest.mark.parametrize(
    ("n_in", "width", "double_width", "copies"),
    [(4, 4, False, 1), (4, 4, True, 1), (4, 8, True, 2), (4, 8, False, 0), (4, 6, True, 0)],
)
def test_a_layer_and_its_residual(
    n_in: int, width: int, double_width: bool, copies: int, resnet_dt: bool
) -> None:
    rng = np.random.default_rng(0)
    x, matrix = rng.normal(size=(3, n_in)), rng.normal(size=(n_in, width))
    bias, step = rng.normal(size=(2, width))
    arrays = {"net/matrix": matrix, "net/bias": bias, "net/idt": step}
    style = Style(resnet_dt=resnet_dt, double_width=double_width)
    with tf.Graph().as_default() as graph:
        y = dense(tf.constant(x), "net", width, style, Parameters(arrays, frozen=True))
        with session(graph) as run:
            found = run.run(y)
    expected = np.tanh(x @ matrix + bias)
    if copies:
        expected = np.tile(x, copies) + (expected * step if resnet_dt else expected)
    np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize("n_in", [1, 15])
def test_how_first_weights_are_drawn(n_in: int) -> None:
    width = 4000
    with tf.Graph().as_default() as graph:
        parameters = Parameters(seed=3)
        style = Style(resnet_dt=True, double_width=True)
        dense(tf.zeros([1, n_in], tf.float64), "net", width, style, parameters)
        with session(graph) as run:
            run.run(tf.global_variables_initializer())
            arrays = run.run(parameters.variables)
    spread = SCALAR_STDDEV if n_in == 1 else (n_in + width) ** -0.5
    assert np.std(arrays["net/matrix"]) == pytest.approx(spread, rel=0.05)
    assert np.std(arrays["net/bias"]) == pytest.approx(1.0, rel=0.05)


def test_tanh_of_float64_far_from_zero() -> None:
    """Its exponential overflows there, its value and derivatives do not."""
    with tf.Graph().as_default(), session() as run:
        x = tf.constant([-1e4, -400.0, -1e-3, 0.0, 0.7, 400.0, 1e4], tf.float64)
        y = ACTIVATIONS["tanh"](x)
        first = tf.gradients(y, x)[0]
        given, value, slope, bend = run.run([x, y, first, tf.gradients(first, x)[0]])
    exact = np.tanh(given)
    np.testing.assert_allclose(value, exact, rtol=0, atol=1e-15)
    np.testing.assert_allclose(slope, 1 - exact**2, rtol=0, atol=1e-15)
    np.testing.assert_allclose(bend, -2 * exact * (1 - exact**2), rtol=0, atol=1e-15)


@pytest.mark.parametrize(("name", "threshold"), [("silut", 3.0), ("silut:-0.5", -0.5)])
def test_silut(name: str, threshold: float) -> None:
    """Up to the threshold it is silu; beyond it a tanh goes on with value and slope."""

    def silu(x: np.ndarray) -> np.ndarray:
        return x / (1 + np.exp(-x))

    with tf.Graph().as_default(), session() as run:
        x = tf.constant(np.linspace(-6, 9, 40))
        y = activation_of(name)(x)
        given, value, slope = run.run([x, y, tf.gradients(y, x)[0]])
    rise = (silu(threshold + 1e-5) - silu(threshold - 1e-5)) / 2e-5
    above = silu(threshold) + np.tanh(rise * (given - threshold))
    expected = np.where(given < threshold, silu(given), above)
    np.testing.assert_allclose(value, expected, rtol=0, atol=1e-9)
    assert slope[given > threshold][0] == pytest.approx(rise, abs=0.1)
    assert not SeE2A(activation_function=name).tabulated


@pytest.mark.parametrize("name", ["silut:", "silut:x", "silut:inf", "silu:3", "sin"])
def test_unknown_activation_functions(name: str) -> None:
    message = f"must be one of .*'silut'.* or silut:threshold, got '{name}'"
    with pytest.raises(ValueError, match=message):
        activation_of(name)
