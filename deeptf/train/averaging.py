"""Averaged weights: an exponential moving average a of the weights w over the steps of a run.

    a <- a + (1 - d) (w - a),  d = min(decay, (1 + n) / (10 + n))^EVERY     after n steps

The second bound is a warm-up: until it exceeds `decay`, the average spans the last tenth of the
steps. Dividing by 1 - decay^n instead would weigh the first, random weights like all others. An
update is one pass over all weights, a few per cent of a step; weights ten steps apart are so close
that averaging every one of them gives the same result at ten times the cost.

How fast the average moves is a pure function of the step: a restart needs its values only.
"""

from __future__ import annotations

from collections.abc import Mapping

from deeptf.tf import tf
from deeptf.train.checkpoint import AVERAGE

EVERY = 10  # steps from one update to the next, after the first EVERY steps


def update_weight(done: int, decay: float) -> float:
    """Return 1 - d for the update after `done` steps (from 1), or 0 where none is due.

    decay : per step; 0 means that there are no averages.
    """
    steps = 1 if done <= EVERY else EVERY
    if decay == 0.0 or done % steps:
        return 0.0
    return 1.0 - min(decay, (1 + done) / (10 + done)) ** steps


class Average:
    """Averages of variables and the operations on them, in the current graph.

    variables : the averages by the name of their array in a checkpoint; they begin at the initial
        values of what they average.
    weight : placeholder, how far `update` moves them, 0 to 1.
    exchange : gives each the value of the other, bit for bit.
    """

    def __init__(self, averaged: Mapping[str, tf.Variable]) -> None:
        self.weight = tf.placeholder(tf.float64, [], "average_weight")
        self.variables: dict[str, tf.Variable] = {}
        pairs = []
        for name, variable in averaged.items():
            mean = tf.Variable(variable.initial_value, name=AVERAGE + name, use_resource=True)
            self.variables[AVERAGE + name] = mean
            pairs.append((mean, variable))
        self.update = tf.group(*(self._towards(mean, variable) for mean, variable in pairs))
        self.exchange = _exchange(pairs)

    def _towards(self, mean: tf.Variable, variable: tf.Variable) -> tf.Operation:
        """Return mean -= weight (mean - variable); a descent step does it in place."""
        return tf.raw_ops.ResourceApplyGradientDescent(
            var=mean.handle,
            alpha=tf.cast(self.weight, mean.dtype),
            delta=mean.read_value() - variable.read_value(),
        )


def _exchange(pairs: list[tuple[tf.Variable, tf.Variable]]) -> tf.Operation:
    values = [(first.read_value(), second.read_value()) for first, second in pairs]
    assigned = []
    with tf.control_dependencies([value for both in values for value in both]):
        for (first, second), (old_first, old_second) in zip(pairs, values, strict=True):
            assigned += [
                first.assign(old_second, read_value=False),
                second.assign(old_first, read_value=False),
            ]
        return tf.group(*assigned)
