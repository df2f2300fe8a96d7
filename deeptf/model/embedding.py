"""Embedding nets: a scalar of a pair goes in, M numbers come out.

G(s) of the DeepPot-SE descriptor (arXiv:1805.09003, eq. 6). The net is evaluated in full on every
pair; it is the reference that any faster evaluation has to match.
"""

from __future__ import annotations

from collections.abc import Sequence

from deeptf.model.network import Style, dense
from deeptf.model.parameters import Parameters
from deeptf.tf import tf


def embed(
    x: tf.Tensor,
    name: str,
    neuron: Sequence[int],
    style: Style,
    parameters: Parameters,
    trainable: bool = True,
) -> tf.Tensor:
    """Return G_name(x) for the scalars x [p, 1], as [p, neuron[-1]]."""
    for layer, width in enumerate(neuron):
        x = dense(x, f"{name}/{layer}", width, style, parameters, trainable)
    return x
