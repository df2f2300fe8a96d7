"""Adam with one op for many variables; train/adam.h has the equations.

TensorFlow has an op for every variable. Their number, and threads that are woken up for each, take
as long as the arithmetic.
"""

from __future__ import annotations

from deeptf.ops.host import Host, host_adam
from deeptf.ops.optimizer import AdamStep, adam_update
from deeptf.tf import tf

Pairs = list[tuple[tf.Tensor, tf.Variable]]  # gradients with their variables


class AdamOptimizer(tf.train.AdamOptimizer):
    """TensorFlow's Adam in the same variables; only their update is another one."""

    def _prepare(self) -> None:
        super()._prepare()
        self._gradients: Pairs = []

    def _resource_apply_dense(self, grad: tf.Tensor, var: tf.Variable) -> tf.Operation:
        self._gradients.append((grad, var))
        return tf.no_op()

    def _finish(self, update_ops: list[tf.Operation], name_scope: str) -> tf.Operation:
        power1, power2 = (tf.cast(p, tf.float64) for p in self._get_beta_accumulators())
        rate = tf.cast(self._lr_t, tf.float64) * tf.sqrt(1.0 - power2) / (1.0 - power1)
        step = AdamStep(rate, self._beta1, self._beta2, self._epsilon)
        updates = [self._update(step, pairs) for pairs in self._groups()]
        return super()._finish([*update_ops, *updates], name_scope)

    def _groups(self) -> list[Pairs]:
        """Return the gradients with their variables, those together that one op applies.

        A sum over workers comes alone and is applied at once, while it is in the caches; all others
        of a type go together.
        """
        groups: dict[object, Pairs] = {}
        for grad, var in self._gradients:
            alone = grad.op.type == "HorovodAllreduce"
            groups.setdefault(grad.op.name if alone else grad.dtype, []).append((grad, var))
        return list(groups.values())

    def _update(self, step: AdamStep, pairs: Pairs) -> tf.Operation:
        return adam_update(step, *self._variables(pairs), [grad for grad, _ in pairs])

    def _variables(self, pairs: Pairs) -> list[list[tf.Variable]]:
        """Return weights, first and second moments."""
        weights = [var for _, var in pairs]
        return [weights, *([self.get_slot(var, name) for var in weights] for name in ("m", "v"))]


class HostAdamOptimizer(AdamOptimizer):
    """Adam of the workers on one host (train/host_adam.h).

    The gradients are those of this worker; all weights, of one precision, move by the sum over the
    workers.

    numbers : tensor [K] in the precision of the weights, which is summed as well.
    sums : its sum over the workers, [K], once the gradients have been applied.
    """

    def __init__(
        self, rate: tf.Tensor, beta1: float, beta2: float, host: Host, numbers: tf.Tensor
    ) -> None:
        super().__init__(rate, beta1, beta2)
        self._host, self._numbers = host, numbers
        self.sums: tf.Tensor | None = None

    def _update(self, step: AdamStep, pairs: Pairs) -> tf.Operation:
        gradients = [grad for grad, _ in pairs]
        variables = self._variables(pairs)
        self.sums = host_adam(step, self._host, *variables, gradients, self._numbers)
        return self.sums.op
