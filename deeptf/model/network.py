"""Fully connected layers: y = act(x W + b) with residual connections, in plain TensorFlow.

Residual rule of Deep Potential models (Zhang et al., NeurIPS 2018, arXiv:1805.09003): where a layer
keeps the width, x is added to y; where it doubles the width, (x, x) is added. A trainable time step
`idt` may scale y. Nothing here knows about atoms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from deeptf.model.parameters import Parameters, normal
from deeptf.ops.nets import linear
from deeptf.tf import PRECISIONS, tf

# Spread of the first weights of a net of one number, such as s(r). The usual 1/sqrt(1 + n_out) is
# a third of it for 25 neurons, and the first layer then hardly tells distances apart: on liquid
# water, 10,000 steps with the same seeds end at a force error of 0.155 instead of 0.130 eV/A.
SCALAR_STDDEV = 0.6


def _tanh(x: tf.Tensor) -> tf.Tensor:
    """Return tanh(x) = 1 - 2 / (exp(2 x) + 1).

    TensorFlow takes 65 ns for tanh of a float64 number on one core and 8 ns for this.
    """
    if x.dtype != tf.float64:
        return tf.nn.tanh(x)
    value = 1.0 - 2.0 / (tf.exp(2.0 * x) + 1.0)
    with x.graph.gradient_override_map({"IdentityN": TANH}):
        return tf.identity_n([value, x])[0]


TANH = "DeeptfTanh"  # the gradient of an op that gives tanh(x) and x


@tf.RegisterGradient(TANH)
def _tanh_grad(op: tf.Operation, grad: tf.Tensor, _: tf.Tensor) -> list[tf.Tensor | None]:
    return [None, tf.raw_ops.TanhGrad(y=op.outputs[0], dy=grad)]


def _gelu(x: tf.Tensor, cubic: float = 0.044715) -> tf.Tensor:
    """Approximation with tanh of the Gaussian error linear unit (arXiv:1606.08415)."""
    return 0.5 * x * (1.0 + tf.tanh(np.sqrt(2.0 / np.pi) * (x + cubic * x**3)))


def _gelu_tf(x: tf.Tensor) -> tf.Tensor:
    """The same by TensorFlow (tf.nn.gelu), which rounds its 0.044715 to float32."""
    return _gelu(x, float(np.float32(0.044715)))


@lru_cache
def _silut(threshold: float = 3.0) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return silu below `threshold` a, and silu(a) + tanh(silu'(a) (x - a)) above."""
    sigmoid = 1.0 / (1.0 + np.exp(-threshold))
    slope = sigmoid + threshold * sigmoid * (1.0 - sigmoid)

    def silut(x: tf.Tensor) -> tf.Tensor:
        above = tf.tanh(slope * (x - threshold)) + threshold * sigmoid
        return tf.where(x < threshold, tf.nn.silu(x), above)

    return silut


ACTIVATIONS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "tanh": _tanh,
    "gelu": _gelu,
    "gelu_tf": _gelu_tf,
    "softplus": tf.nn.softplus,
    "sigmoid": tf.nn.sigmoid,
    "silu": tf.nn.silu,
    "relu": tf.nn.relu,
    "relu6": tf.nn.relu6,
    "silut": _silut(),
    "linear": tf.identity,
    "none": tf.identity,
}

SILUT = "silut:"  # and a threshold
_NOT_SMOOTH = ("relu", "relu6", "silut")


def activation_of(name: str) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return an activation function; ValueError where the name is unknown."""
    if name.lower() in ACTIVATIONS:
        return ACTIVATIONS[name.lower()]
    try:
        if name.lower().startswith(SILUT) and np.isfinite(float(name[len(SILUT) :])):
            return _silut(float(name[len(SILUT) :]))
    except ValueError:
        pass
    raise ValueError(
        f"`activation_function` must be one of {sorted(ACTIVATIONS)} or {SILUT}threshold, "
        f"got {name!r}"
    )


def check_activation(name: str) -> None:
    """Raise ValueError unless `name` is a known activation function."""
    activation_of(name)


def is_smooth(name: str) -> bool:
    """Return whether the first and second derivatives of an activation function never jump."""
    return name.lower().partition(":")[0] not in _NOT_SMOOTH


def precision_of(name: str) -> tf.DType:
    """Return the dtype of a precision given in the input; "default" is float64."""
    if name not in PRECISIONS:
        raise ValueError(f"`precision` must be one of {sorted(PRECISIONS)}, got {name!r}")
    return PRECISIONS[name]


def activation_meant(settings: Any) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return the activation function that settings name, which may have several names."""
    return activation_of(settings.activation_function)


def precision_meant(settings: Any) -> tf.DType:
    """Return the dtype of the precision that settings name."""
    return precision_of(settings.precision)


@dataclass(frozen=True)
class Style:
    """How the layers of one network look."""

    activation: str = "tanh"
    resnet_dt: bool = False
    time_step: float = 0.1
    double_width: bool = False
    precision: tf.DType = tf.float64
    seed: int | None = None
    bias: bool = True


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
    hidden = linear(x, *layer_arrays(name, n_in, width, style, parameters, trainable))
    hidden = activation_of(style.activation)(hidden)
    residual = _residual(x, n_in, width, style.double_width)
    if residual is None:
        return hidden
    if style.resnet_dt:
        hidden *= time_step(name, width, style, parameters, trainable)
    return residual + hidden


def layer_arrays(
    name: str, n_in: int, width: int, style: Style, parameters: Parameters, trainable: bool = True
) -> list[tf.Tensor]:
    """Return the arrays W [n_in, width] and, in this style, b [width] of a layer.

    W is drawn from N(0, 1/(n_in + width)), or wider for one input (see above), b from N(0, 1).
    """
    scale = SCALAR_STDDEV if n_in == 1 else 1.0 / np.sqrt(n_in + width)
    matrix = parameters.get(
        f"{name}/matrix", (n_in, width), style.precision, normal(scale), trainable, style.seed
    )
    if not style.bias:
        return [matrix]
    bias = parameters.get(
        f"{name}/bias", (width,), style.precision, normal(1.0), trainable, style.seed
    )
    return [matrix, bias]


def time_step(
    name: str, width: int, style: Style, parameters: Parameters, trainable: bool = True
) -> tf.Tensor:
    """Return the factors `idt` [width] of a layer with a residual."""
    return parameters.get(
        f"{name}/idt",
        (width,),
        style.precision,
        normal(0.001, style.time_step),
        trainable,
        style.seed,
    )


def _residual(x: tf.Tensor, n_in: int, width: int, double_width: bool) -> tf.Tensor | None:
    if width == n_in:
        return x
    if double_width and width == 2 * n_in:
        return tf.concat([x, x], axis=1)
    return None
