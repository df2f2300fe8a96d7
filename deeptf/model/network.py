"""Fully connected layers: y = act(x W + b) with residual connections, in plain TensorFlow.

Residual rule of Deep Potential models (Zhang et al., NeurIPS 2018, arXiv:1805.09003): where a layer
keeps the width, x is added to y; where it doubles the width, (x, x) is added. A trainable time step
`idt` may scale y. Nothing here knows about atoms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deeptf.model.parameters import Parameters, normal
from deeptf.tf import PRECISIONS, tf

# Spread of the first weights of a net of one number, such as s(r). The usual 1/sqrt(1 + n_out) is
# a third of it for 25 neurons, and the first layer then hardly tells distances apart: on liquid
# water, 10,000 steps with the same seeds end at a force error of 0.155 instead of 0.130 eV/A.
SCALAR_STDDEV = 0.6


def _gelu(x: tf.Tensor) -> tf.Tensor:
    """Approximation with tanh of the Gaussian error linear unit (arXiv:1606.08415)."""
    return 0.5 * x * (1.0 + tf.tanh(np.sqrt(2.0 / np.pi) * (x + 0.044715 * x**3)))


ACTIVATIONS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "tanh": tf.nn.tanh,
    "gelu": _gelu,
    "gelu_tf": _gelu,
    "softplus": tf.nn.softplus,
    "sigmoid": tf.nn.sigmoid,
    "silu": tf.nn.silu,
    "relu": tf.nn.relu,
    "relu6": tf.nn.relu6,
    "linear": tf.identity,
    "none": tf.identity,
}


def check_activation(name: str) -> None:
    """Raise ValueError unless `name` is a known activation function."""
    if name.lower() not in ACTIVATIONS:
        raise ValueError(
            f"`activation_function` must be one of {sorted(ACTIVATIONS)}, got {name!r}"
        )


def precision_of(name: str) -> tf.DType:
    """Return the dtype of a precision given in the input; "default" is float64."""
    if name not in PRECISIONS:
        raise ValueError(f"`precision` must be one of {sorted(PRECISIONS)}, got {name!r}")
    return PRECISIONS[name]


@dataclass(frozen=True)
class Style:
    """How the layers of one network look."""

    activation: str = "tanh"
    resnet_dt: bool = False
    time_step: float = 0.1
    double_width: bool = False
    precision: tf.DType = tf.float64
    seed: int | None = None


def dense(
    x: tf.Tensor,
    name: str,
    width: int,
    style: Style,
    parameters: Parameters,
    trainable: bool = True,
) -> tf.Tensor:
    """Return act(x W + b) [* idt] plus the residual, [n, width]."""
    n_in = int(x.shape[1])
    residual = _residual(x, n_in, width, style.double_width)
    hidden = activate(linear(x, name, width, style, parameters, trainable), style)
    if residual is None:
        return hidden
    if style.resnet_dt:
        hidden *= parameters.get(
            f"{name}/idt",
            (width,),
            style.precision,
            normal(0.001, style.time_step),
            trainable,
            style.seed,
        )
    return residual + hidden


def activate(x: tf.Tensor, style: Style) -> tf.Tensor:
    """Return the activation function of `style`, applied to x."""
    return ACTIVATIONS[style.activation.lower()](x)


def linear(
    x: tf.Tensor,
    name: str,
    width: int,
    style: Style,
    parameters: Parameters,
    trainable: bool = True,
) -> tf.Tensor:
    """Return x W + b, [n, width]; b ~ N(0, 1), W ~ N(0, 1/(n_in + n_out)) or wider (see above)."""
    n_in = int(x.shape[1])
    scale = SCALAR_STDDEV if n_in == 1 else 1.0 / np.sqrt(n_in + width)
    matrix = parameters.get(
        f"{name}/matrix", (n_in, width), style.precision, normal(scale), trainable, style.seed
    )
    bias = parameters.get(
        f"{name}/bias", (width,), style.precision, normal(1.0), trainable, style.seed
    )
    return tf.nn.bias_add(tf.matmul(x, matrix), bias)


def _residual(x: tf.Tensor, n_in: int, width: int, double_width: bool) -> tf.Tensor | None:
    if width == n_in:
        return x
    if double_width and width == 2 * n_in:
        return tf.concat([x, x], axis=1)
    return None
