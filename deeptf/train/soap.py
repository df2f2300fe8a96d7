"""SOAP: Adam in the eigenbasis of the gradient's second moments (Vyas et al., arXiv:2409.11321).

A weight matrix W [n, m] with gradient G has the averages L = <G G^T> and R = <G^T G>. Adam runs on
the rotated gradient, and its direction is rotated back:

    G~ = Q_L^T G Q_R,   u = Adam(G~),   W <- W - rate Q_L u Q_R^T

Q_L and Q_R follow the eigenvectors of L and R by one step of subspace iteration, Q <- qr(L Q), now
and then; Adam's first moment moves along to the new basis, the second stays as in the paper. A side
longer than LONGEST is not rotated; vectors have Adam alone. The gradient of a force loss is so
unevenly scaled in the weights that this takes a fifth of the steps of Adam, or fewer.

A direction needs no more than float32, so everything here is float32, also for float64 nets.
"""

from __future__ import annotations

from collections.abc import Callable

from deeptf import ops
from deeptf.tf import tf

LONGEST = 512  # sides of matrices that are rotated
# Steps from one to the next; both cost several products of matrices. Twice as often gives the same
# errors, half as often larger ones.
MEASURE_EVERY, TURN_EVERY = 10, 20
BEGINNING = 50  # steps in which L and R are measured always and the bases turn at powers of two
EPSILON = 1e-8


class SoapOptimizer(tf.train.Optimizer):
    """SOAP as an optimizer of TensorFlow.

    rate : learning rate, a scalar tensor.
    beta1, beta2 : decay of Adam's moments per step; beta2 also that of L and R per measurement.
    """

    def __init__(self, rate: tf.Tensor, beta1: float, beta2: float) -> None:
        super().__init__(use_locking=False, name="SOAP")
        self._rate = tf.cast(rate, tf.float64)
        self._beta1, self._beta2 = beta1, beta2

    def _create_slots(self, var_list: list[tf.Variable]) -> None:
        first = min(var_list, key=lambda variable: variable.name)
        self._create_non_slot_variable(0, "step", first)
        for variable in var_list:
            shape = variable.shape.as_list()
            for moment in ("moment1", "moment2"):
                self._slot(variable, tf.zeros(shape), moment)
            for side in _sides(variable):
                size = shape[side]
                self._slot(variable, tf.zeros([size, size]), f"second_moments_{side}")
                self._slot(variable, tf.eye(size), f"basis_{side}")

    def _slot(self, variable: tf.Variable, value: tf.Tensor, name: str) -> None:
        self._get_or_make_slot(variable, value, name, f"{self._name}_{name}")

    def _prepare(self) -> None:
        self._now = self._step().read_value() + 1  # number of this step, from 1
        self._gradients: list[tuple[tf.Variable, tf.Tensor]] = []

    def _step(self) -> tf.Variable:
        return self._get_non_slot_variable("step", graph=tf.get_default_graph())

    def _resource_apply_dense(self, grad: tf.Tensor, var: tf.Variable) -> tf.Operation:
        self._gradients.append((var, tf.cast(grad, tf.float32)))
        return tf.no_op()

    def _move(self) -> list[tf.Operation]:
        """Add to each variable what Adam adds in its rotated basis, turned back."""
        rotated = []
        for var, grad in self._gradients:
            for side in _sides(var):
                grad = _rotate(grad, self._basis(var, side), side)
            rotated.append(grad)
        done = []
        variables = [var for var, _ in self._gradients]
        for var, change in zip(variables, self._adam(variables, rotated), strict=True):
            for side in _sides(var):
                change = _rotate(change, tf.transpose(self._basis(var, side)), side)
            done.append(var.assign_add(tf.cast(change, var.dtype), read_value=False))
        return done

    def _adam(self, variables: list[tf.Variable], grads: list[tf.Tensor]) -> list[tf.Tensor]:
        """Return what Adam adds to each; its op works on variables, so that are variables too."""
        changes = [
            tf.Variable(tf.zeros(var.shape), trainable=False, use_resource=True)
            for var in variables
        ]
        time = tf.cast(self._now, tf.float64)
        rate = self._rate * tf.sqrt(1.0 - self._beta2**time) / (1.0 - self._beta1**time)
        zeros = [change.assign(tf.zeros(change.shape), read_value=False) for change in changes]
        with tf.control_dependencies(zeros):
            update = ops.adam_update(
                rate,
                changes,
                [self.get_slot(var, "moment1") for var in variables],
                [self.get_slot(var, "moment2") for var in variables],
                grads,
                self._beta1,
                self._beta2,
                EPSILON,
            )
        with tf.control_dependencies([update]):
            return [change.read_value() for change in changes]

    def _finish(self, update_ops: list[tf.Operation], name_scope: str) -> tf.Operation:
        now = self._now
        early = now < BEGINNING
        power_of_two = tf.equal(tf.bitwise.bitwise_and(now, now - 1), 0)
        with tf.control_dependencies([*update_ops, *self._move()]):
            measured = _when(early | tf.equal(now % MEASURE_EVERY, 0), self._measure)
        with tf.control_dependencies([measured]):
            turn = tf.equal(now % TURN_EVERY, 0) | (early & power_of_two)
            turned = _when(turn, self._turn)
        with tf.control_dependencies([turned]):
            return self._step().assign(now, read_value=False)

    def _measure(self) -> list[tf.Operation]:
        """Move L and R towards those of this step."""
        done = []
        for var, grad in self._gradients:
            for side in _sides(var):
                mean = self.get_slot(var, f"second_moments_{side}")
                square = tf.matmul(grad, grad, transpose_a=side == 1, transpose_b=side == 0)
                change = (1.0 - self._beta2) * (square - mean.read_value())
                done.append(mean.assign_add(change, read_value=False))
        return done

    def _turn(self) -> list[tf.Operation]:
        """Turn the bases towards the eigenvectors of L and R, and the first moments with them."""
        done = []
        for var, _ in self._gradients:
            if not _sides(var):
                continue
            moment = self.get_slot(var, "moment1")
            turned = moment.read_value()
            bases = []
            for side in _sides(var):
                old = self._basis(var, side)
                mean = self.get_slot(var, f"second_moments_{side}").read_value()
                new, _ = tf.linalg.qr(tf.matmul(mean, old))
                turned = _rotate(turned, tf.matmul(old, new, transpose_a=True), side)
                bases.append(new)
            with tf.control_dependencies([turned, *bases]):
                done.append(moment.assign(turned, read_value=False))
                for side, new in zip(_sides(var), bases, strict=True):
                    done.append(self.get_slot(var, f"basis_{side}").assign(new, read_value=False))
        return done

    def _basis(self, var: tf.Variable, side: int) -> tf.Tensor:
        return self.get_slot(var, f"basis_{side}").read_value()


def _sides(variable: tf.Variable) -> list[int]:
    """Return the axes of a matrix that are rotated."""
    shape = variable.shape.as_list()
    return [axis for axis, n in enumerate(shape) if len(shape) == 2 and 1 < n <= LONGEST]


def _rotate(matrix: tf.Tensor, basis: tf.Tensor, side: int) -> tf.Tensor:
    """Return Q^T A (side 0) or A Q (side 1)."""
    if side == 0:
        return tf.matmul(basis, matrix, transpose_a=True)
    return tf.matmul(matrix, basis)


def _when(condition: tf.Tensor, build: Callable[[], list[tf.Operation]]) -> tf.Operation:
    """Run the operations of `build` in the steps in which the condition holds."""
    return tf.cond(condition, lambda: tf.group(*build()), tf.no_op)
