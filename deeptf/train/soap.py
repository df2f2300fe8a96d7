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

from deeptf.ops.nets import matrix_products
from deeptf.ops.optimizer import AdamStep, adam_change
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
        variables = [var for var, _ in self._gradients]
        bases = [self._bases(var) for var in variables]
        rotated = _rotate([grad for _, grad in self._gradients], bases)
        changes = _rotate(self._adam(variables, rotated), bases, back=True)
        return [
            var.assign_add(tf.cast(change, var.dtype), read_value=False)
            for var, change in zip(variables, changes, strict=True)
        ]

    def _adam(self, variables: list[tf.Variable], grads: list[tf.Tensor]) -> list[tf.Tensor]:
        """Return what Adam adds to each."""
        time = tf.cast(self._now, tf.float64)
        rate = self._rate * tf.sqrt(1.0 - self._beta2**time) / (1.0 - self._beta1**time)
        first, second = (
            [self.get_slot(var, name) for var in variables] for name in ("moment1", "moment2")
        )
        step = AdamStep(rate, self._beta1, self._beta2, EPSILON)
        return adam_change(step, first, second, grads)

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
        grads, sides, means = [], [], []
        for var, grad in self._gradients:
            for side in _sides(var):
                grads.append(grad)
                sides.append(side)
                means.append(self.get_slot(var, f"second_moments_{side}"))
        squares = matrix_products(
            grads, grads, [side == 1 for side in sides], [side == 0 for side in sides]
        )
        return [
            mean.assign_add((1.0 - self._beta2) * (square - mean.read_value()), read_value=False)
            for mean, square in zip(means, squares, strict=True)
        ]

    def _turn(self) -> list[tf.Operation]:
        """Turn the bases towards the eigenvectors of L and R, and the first moments with them."""
        variables = [var for var, _ in self._gradients if _sides(var)]
        places = [(k, side) for k, var in enumerate(variables) for side in _sides(var)]
        slots = [self.get_slot(variables[k], f"basis_{side}") for k, side in places]
        means = [self.get_slot(variables[k], f"second_moments_{side}") for k, side in places]
        old = [slot.read_value() for slot in slots]
        no, yes = [False] * len(old), [True] * len(old)
        new = _orthogonal(matrix_products([mean.read_value() for mean in means], old, no, no))
        between: list[dict[int, tf.Tensor]] = [{} for _ in variables]
        for (k, side), turn in zip(places, matrix_products(old, new, yes, no), strict=True):
            between[k][side] = turn
        moments = [self.get_slot(var, "moment1") for var in variables]
        turned = _rotate([moment.read_value() for moment in moments], between)
        with tf.control_dependencies([*turned, *new]):
            return [
                slot.assign(value, read_value=False)
                for slot, value in zip([*moments, *slots], [*turned, *new], strict=True)
            ]

    def _bases(self, var: tf.Variable) -> dict[int, tf.Tensor]:
        return {side: self.get_slot(var, f"basis_{side}").read_value() for side in _sides(var)}


def _sides(variable: tf.Variable) -> list[int]:
    """Return the axes of a matrix that are rotated."""
    shape = variable.shape.as_list()
    return [axis for axis, n in enumerate(shape) if len(shape) == 2 and 1 < n <= LONGEST]


def _rotate(
    matrices: list[tf.Tensor], bases: list[dict[int, tf.Tensor]], back: bool = False
) -> list[tf.Tensor]:
    """Return Q_L^T A Q_R of each matrix (or, back, Q_L A Q_R^T), with the bases by side."""
    rotated = list(matrices)
    for side in (0, 1):
        places = [k for k, of in enumerate(bases) if side in of]
        own, basis = [rotated[k] for k in places], [bases[k][side] for k in places]
        plain, turned = [False] * len(places), [(side == 0) != back] * len(places)
        factors = (basis, own, turned, plain) if side == 0 else (own, basis, plain, turned)
        for k, product in zip(places, matrix_products(*factors), strict=True):
            rotated[k] = product
    return rotated


def _orthogonal(matrices: list[tf.Tensor]) -> list[tf.Tensor]:
    """Return Q of the decomposition A = Q R of each square matrix, those of a size together."""
    found = list(matrices)
    sizes = [matrix.shape.as_list()[0] for matrix in matrices]
    for size in sorted(set(sizes)):
        places = [k for k, own in enumerate(sizes) if own == size]
        stacked, _ = tf.linalg.qr(tf.stack([matrices[k] for k in places]))
        for k, matrix in zip(places, tf.unstack(stacked), strict=True):
            found[k] = matrix
    return found


def _when(condition: tf.Tensor, build: Callable[[], list[tf.Operation]]) -> tf.Operation:
    """Run the operations of `build` in the steps in which the condition holds."""
    return tf.cond(condition, lambda: tf.group(*build()), tf.no_op)
