"""Layers of nets, and derivatives by complex steps, for the kernels of plans."""

from __future__ import annotations

import numpy as np


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _gelu(cubic):
    def inner(x):
        return np.sqrt(2 / np.pi) * (x + cubic * x**3)

    def slope(x):
        t = np.tanh(inner(x))
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * np.sqrt(2 / np.pi) * (1 + 3 * cubic * x * x)

    return lambda x: 0.5 * x * (1 + np.tanh(inner(x))), slope


ACTIVATIONS = {  # value and derivative
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "gelu": _gelu(0.044715),
    "gelu_tf": _gelu(float(np.float32(0.044715))),
    "softplus": (lambda x: np.logaddexp(0, x), _sigmoid),
    "sigmoid": (_sigmoid, lambda x: _sigmoid(x) * _sigmoid(-x)),
    "silu": (lambda x: x * _sigmoid(x), lambda x: _sigmoid(x) * (1 + x * _sigmoid(-x))),
    "relu": (lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0),
    "relu6": (lambda x: np.clip(x, 0, 6), lambda x: ((x > 0) & (x < 6)) * 1.0),
    "linear": (lambda x: x, np.ones_like),
    "none": (lambda x: x, np.ones_like),
}


def layer_value(plan, activation, layer, x, bias=None):
    """Return act(x W + b) * idt, and the derivative of act; b is another one where it is given."""
    act, slope = ACTIVATIONS[activation]
    bias = plan.constant(layer["bias"]) if bias is None else bias
    before = x @ plan.constant(layer["matrix"]) + bias
    return act(before) * step_of(plan, layer), slope(before)


def step_of(plan, layer):
    return 1.0 if layer["idt"] is None else plan.constant(layer["idt"])


def complex_steps(function, given, upper, step=1e-30):
    """Return the gradient of sum(upper function(*given)) in what is given, at full precision."""
    gradients = []
    for number, array in enumerate(given):
        gradient = np.zeros_like(array)
        for place in np.ndindex(*array.shape):
            moved = [one.astype(complex) for one in given]
            moved[number][place] += 1j * step
            gradient[place] = np.sum(upper * function(*moved).imag) / step
        gradients.append(gradient)
    return gradients
