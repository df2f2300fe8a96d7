"""The ops of compressed deepmd-kit models, written out in TensorFlow's own.

A table has intervals of fifth order: with k the interval of x and v the distance from its left end,

    G(x) = a_k0 + a_k1 v + ... + a_k5 v^5

table [n, 6 M] holds the a of each output one after the other, info is (lower, upper, max, fine
step, coarse step, ...). Intervals are fine from lower to upper and coarse beyond, up to max; those
of se_e3 begin at -max with coarse ones up to lower. Beyond both ends the straight line goes on.

    SeA      sum_j R_j (x) G(x_j)               [N, 4, M]
    SeAtten  sum_j R_j (x) G(x_j) (1 + h_j)     [N, 4, M]
    SeR      G(x_j)                             [N, places, M]
    SeT      sum_jk q_jk G(q_jk)                [N, M]

Their gradient ops give the derivatives of the sum of outputs times what they are given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from deeptf.tf import tf

FUSION = "TabulateFusion"
KINDS = ("SeA", "SeAtten", "SeR", "SeT")
ROUNDING = 1e-9  # of a step
OPS = frozenset(f"{FUSION}{kind}{end}" for kind in KINDS for end in ("", "Grad"))


def as_written(info: np.ndarray) -> np.ndarray:
    """Return the ends and steps of a table; of a float32 one as they were before rounding."""
    if info.dtype != np.float32:
        return info.astype(np.float64)
    return np.array([float(str(value)) for value in info.ravel()]).reshape(info.shape)


class Template(NamedTuple):
    """Nodes that stand for an op: its inputs are placeholders, its outputs `results` in order."""

    graph: tf.GraphDef
    results: tuple[str, ...]


def template_of(inputs: int, body: Callable[..., list[tf.Tensor]]) -> Template:
    """Return the nodes that `body` makes of so many float64 inputs."""
    with tf.Graph().as_default() as graph:
        given = [tf.placeholder(tf.float64, name=f"input_{k}") for k in range(inputs)]
        outputs = [tf.identity(output, f"result_{k}") for k, output in enumerate(body(*given))]
    return Template(graph.as_graph_def(), tuple(output.op.name for output in outputs))


def templates() -> dict[str, Template]:
    """Return what stands for each op."""
    made = {}
    for kind, (body, inputs) in _BODIES.items():
        made[f"{FUSION}{kind}"] = template_of(inputs, lambda *given, body=body: [body(*given)])

        def gradient(*given: tf.Tensor, body: Callable = body, inputs: int = inputs) -> list:
            output = body(*given[:inputs])
            return tf.gradients(output, given[2:inputs], given[inputs])

        made[f"{FUSION}{kind}Grad"] = template_of(inputs + 2, gradient)
    return made


def _se_a(table: tf.Tensor, info: tf.Tensor, x: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    return tf.matmul(rows, _values(table, info, x, tf.shape(rows)[:2]), transpose_a=True)


def _se_atten(
    table: tf.Tensor, info: tf.Tensor, x: tf.Tensor, rows: tf.Tensor, gate: tf.Tensor
) -> tf.Tensor:
    values = _values(table, info, x, tf.shape(rows)[:2])
    return tf.matmul(rows, values * (1.0 + tf.reshape(gate, tf.shape(values))), transpose_a=True)


def _se_r(table: tf.Tensor, info: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    return _values(table, info, x, tf.shape(x)[:2])


def _se_t(table: tf.Tensor, info: tf.Tensor, x: tf.Tensor, products: tf.Tensor) -> tf.Tensor:
    values = _values(table, info, x, tf.shape(products)[:3], two_sided=True)
    return tf.reduce_sum(products[..., None] * values, axis=[1, 2])


_BODIES = {"SeA": (_se_a, 4), "SeAtten": (_se_atten, 5), "SeR": (_se_r, 3), "SeT": (_se_t, 4)}


def _values(
    table: tf.Tensor, info: tf.Tensor, x: tf.Tensor, shape: tf.Tensor, two_sided: bool = False
) -> tf.Tensor:
    """Return G(x) as [*shape, M]."""
    lower, upper, end, fine, coarse = (info[k] for k in range(5))
    begin = -end if two_sided else lower
    x = tf.reshape(x, [-1])
    inside = tf.clip_by_value(x, begin, end)
    before = _whole(lower - begin, coarse)  # intervals before the fine ones
    in_fine = _whole(inside - lower, fine)
    in_coarse = tf.minimum(_whole(inside - upper, coarse), _whole(end - upper, coarse) - 1)
    interval = before + tf.where(inside < upper, in_fine, _whole(upper - lower, fine) + in_coarse)
    left = tf.where(inside < upper, _at(lower, fine, in_fine), _at(upper, coarse, in_coarse))
    if two_sided:
        first = _whole(inside - begin, coarse)
        interval = tf.where(inside < lower, first, interval)
        left = tf.where(inside < lower, _at(begin, coarse, first), left)
    width = tf.shape(table)[1] // 6
    pieces = tf.gather(tf.reshape(table, [-1, width, 6]), interval)  # [n, M, 6]
    v = (inside - left)[:, None]
    value, slope = pieces[..., 5], tf.zeros_like(pieces[..., 5])
    for order in (4, 3, 2, 1, 0):
        slope = slope * v + value
        value = value * v + pieces[..., order]
    value += slope * (x - inside)[:, None]
    return tf.reshape(value, tf.concat([shape, [width]], axis=0))


def _whole(length: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
    """Return how many whole steps a length has, but for rounding."""
    return tf.cast(length / step + ROUNDING, tf.int32)


def _at(begin: tf.Tensor, step: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
    """Return the left end of an interval."""
    return begin + step * tf.cast(number, begin.dtype)
