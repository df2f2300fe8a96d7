"""Adam with one op for many variables; core/adam.h has the equations.

TensorFlow has an op for every variable. Their number, and threads that are woken up for each, take
as long as the arithmetic.
"""

from __future__ import annotations

from deeptf import ops
from deeptf.tf import tf


class AdamOptimizer(tf.train.AdamOptimizer):
    """TensorFlow's Adam in the same variables; only their update is another one."""

    def _prepare(self) -> None:
        super()._prepare()
        self._gradients: list[tuple[tf.Tensor, tf.Variable]] = []

    def _resource_apply_dense(self, grad: tf.Tensor, var: tf.Variable) -> tf.Operation:
        self._gradients.append((grad, var))
        return tf.no_op()

    def _finish(self, update_ops: list[tf.Operation], name_scope: str) -> tf.Operation:
        power1, power2 = (tf.cast(p, tf.float64) for p in self._get_beta_accumulators())
        rate = tf.cast(self._lr_t, tf.float64) * tf.sqrt(1.0 - power2) / (1.0 - power1)
        step = ops.AdamStep(rate, self._beta1, self._beta2, self._epsilon)
        updates = [
            ops.adam_update(
                step,
                [var for _, var in pairs],
                [self.get_slot(var, "m") for _, var in pairs],
                [self.get_slot(var, "v") for _, var in pairs],
                [grad for grad, _ in pairs],
            )
            for pairs in self._groups()
        ]
        return super()._finish([*update_ops, *updates], name_scope)

    def _groups(self) -> list[list[tuple[tf.Tensor, tf.Variable]]]:
        """Return the gradients with their variables, those together that one op applies.

        A sum over workers comes alone and is applied at once, while it is in the caches; all others
        of a type go together.
        """
        groups: dict[object, list[tuple[tf.Tensor, tf.Variable]]] = {}
        for grad, var in self._gradients:
            alone = grad.op.type == "HorovodAllreduce"
            groups.setdefault(grad.op.name if alone else grad.dtype, []).append((grad, var))
        return list(groups.values())
