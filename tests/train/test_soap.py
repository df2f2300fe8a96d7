"""SOAP against a plain NumPy version, on a badly scaled problem, and in a run with a restart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from small_run import write_run

from deeptf.tf import session, tf
from deeptf.train import checkpoint, soap
from deeptf.train.optimizer import Adam, Soap
from deeptf.train.run import train
from deeptf.train.soap import SoapOptimizer

RATE = 0.01


class Twin:
    """The rule of one matrix, written with float64 arrays and loops over sides."""

    def __init__(self, weights: np.ndarray, sides: tuple[int, ...], betas: tuple[float, float]):
        self.weights, self.sides, (self.beta1, self.beta2) = weights.copy(), sides, betas
        self.first, self.second = np.zeros_like(weights), np.zeros_like(weights)
        self.mean = {s: np.zeros((weights.shape[s],) * 2) for s in sides}
        self.basis = {s: np.eye(weights.shape[s]) for s in sides}
        self.step = 0

    def rotated(self, matrix: np.ndarray, bases: dict[int, np.ndarray]) -> np.ndarray:
        left, right = (bases.get(s, np.eye(n)) for s, n in enumerate(matrix.shape))
        return left.T @ matrix @ right

    def update(self, grad: np.ndarray) -> None:
        self.step += 1
        turned = self.rotated(grad, self.basis)
        self.first = self.beta1 * self.first + (1 - self.beta1) * turned
        self.second = self.beta2 * self.second + (1 - self.beta2) * turned**2
        size = np.sqrt(1 - self.beta2**self.step) / (1 - self.beta1**self.step)
        change = size * self.first / (np.sqrt(self.second) + soap.EPSILON)
        back = {s: q.T for s, q in self.basis.items()}
        self.weights -= RATE * self.rotated(change, back)
        early = self.step < soap.BEGINNING
        if early or self.step % soap.MEASURE_EVERY == 0:
            for s in self.sides:
                square = grad @ grad.T if s == 0 else grad.T @ grad
                self.mean[s] += (1 - self.beta2) * (square - self.mean[s])
        powers = [2**k for k in range(20)]
        if self.step % soap.TURN_EVERY == 0 or (early and self.step in powers):
            new = {s: np.linalg.qr(self.mean[s] @ self.basis[s])[0] for s in self.sides}
            between = {s: self.basis[s].T @ new[s] for s in self.sides}
            self.first = self.rotated(self.first, between)
            self.basis = new


def gradients(shape: tuple[int, ...], steps: int) -> np.ndarray:
    """Noise that is strong along some directions of both sides."""
    rng = np.random.default_rng(7)
    noise = rng.normal(size=(steps, *shape))
    left, right = (rng.normal(size=(n, n)) * np.geomspace(1, 0.3, n) for n in shape)
    return left @ noise @ right.T


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
@pytest.mark.parametrize("shape, sides", [((5, 5), (0, 1)), ((9, 3), (1,))])
def test_equals_the_plain_version(
    shape: tuple[int, int], sides: tuple[int, ...], dtype: tf.DType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soap, "LONGEST", 8)
    start = np.random.default_rng(3).normal(size=shape)
    steps = 3 * soap.TURN_EVERY + soap.MEASURE_EVERY + 1  # beyond the beginning
    assert steps > soap.BEGINNING
    twin = Twin(start, sides, (0.9, 0.95))
    with tf.Graph().as_default() as graph:
        variable = tf.Variable(start, dtype=dtype, use_resource=True)
        given = tf.placeholder(dtype, shape)
        optimizer = SoapOptimizer(tf.constant(RATE, tf.float64), 0.9, 0.95)
        update = optimizer.apply_gradients([(given, variable)])
        with session(graph, 1) as run:
            run.run(tf.global_variables_initializer())
            for grad in gradients(shape, steps):
                run.run(update, {given: grad})
                twin.update(grad)
            result = run.run(variable)
    moved = np.abs(twin.weights - start).max()
    assert moved > 20 * RATE
    np.testing.assert_allclose(result, twin.weights, atol=1e-3 * moved)


@pytest.mark.parametrize(
    ("shape", "sides"),
    [((2, 512), [0, 1]), ((513, 3), [1]), ((1, 4), [1]), ((4, 1), [0]), ((5,), [])],
)
def test_sides_that_are_rotated(shape: tuple[int, ...], sides: list[int]) -> None:
    with tf.Graph().as_default():
        variable = tf.Variable(tf.zeros(shape), use_resource=True)
        optimizer = SoapOptimizer(tf.constant(RATE, tf.float64), 0.9, 0.95)
        optimizer.apply_gradients([(tf.ones(shape), variable)])
        slots = optimizer.get_slot_names()
    assert [side for side in (0, 1) if f"basis_{side}" in slots] == sides
    assert [side for side in (0, 1) if f"second_moments_{side}" in slots] == sides


def test_vectors_have_adam() -> None:
    """In float32 SOAP moves a vector as TensorFlow's Adam does."""
    ends = []
    for make in (Adam(0.9, 0.95), Soap(0.9, 0.95)):
        with tf.Graph().as_default() as graph:
            variable = tf.Variable(tf.ones([5]), use_resource=True)
            given = tf.placeholder(tf.float32, [5])
            update = make.build(tf.constant(RATE)).apply_gradients([(given, variable)])
            with session(graph, 1) as run:
                run.run(tf.global_variables_initializer())
                for grad in np.random.default_rng(1).normal(size=(30, 5)):
                    run.run(update, {given: grad})
                ends.append(run.run(variable))
    np.testing.assert_allclose(ends[1], ends[0], rtol=1e-5)


def test_finds_directions_that_adam_does_not() -> None:
    """|A (W - W*) B|^2 with A and B far from orthogonal: SOAP ends far below Adam."""
    rng = np.random.default_rng(5)
    left, right = (
        np.linalg.qr(rng.normal(size=(12, 12)))[0]
        @ np.diag(np.geomspace(1, 0.03, 12))
        @ np.linalg.qr(rng.normal(size=(12, 12)))[0]
        for _ in range(2)
    )
    goal = rng.normal(size=(12, 12))
    ends = {}
    for make in (Adam(), Soap()):
        with tf.Graph().as_default() as graph:
            weights = tf.Variable(tf.zeros([12, 12], tf.float64), use_resource=True)
            rate = tf.placeholder(tf.float64, [])
            loss = tf.reduce_sum((left @ (weights - goal) @ right) ** 2)
            pairs = [(tf.gradients(loss, weights)[0], weights)]
            update = make.build(rate).apply_gradients(pairs)
            with session(graph, 1) as run:
                run.run(tf.global_variables_initializer())
                for step in range(400):
                    run.run(update, {rate: 0.05 * (1 - step / 400)})
                ends[make.type] = run.run(loss)
    assert ends["SOAP"] < 0.1 * ends["Adam"]


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_restart_continues_bit_for_bit(
    precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second half of the run measures and turns after the restart."""
    monkeypatch.chdir(tmp_path)
    changes = {f"model/{part}/precision": precision for part in ("descriptor", "fitting_net")}
    changes |= {"optimizer": {"type": "soap"}, "model/descriptor/type_one_side": True}
    changes |= {"model/fitting_net/neuron": [8]}
    path = write_run(tmp_path, changes)
    train(path)
    once = checkpoint.load("model.ckpt-20.npz").arrays
    curve = Path("lcurve.out").read_text()
    train(path, restart="model.ckpt-10.npz")
    again = checkpoint.load("model.ckpt-20.npz").arrays
    assert Path("lcurve.out").read_text() == curve
    assert once.keys() == again.keys()
    for name, value in once.items():
        np.testing.assert_array_equal(again[name], value, err_msg=name)
    bases = [value for name, value in once.items() if "basis" in name]
    assert len(bases) > 4
    for basis in bases:
        assert not np.array_equal(basis, np.eye(len(basis)))
        np.testing.assert_allclose(basis.T @ basis, np.eye(len(basis)), atol=1e-5)


def test_refuses_a_checkpoint_of_adam(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finished: Callable
) -> None:
    monkeypatch.chdir(tmp_path)
    finished()
    path = write_run(tmp_path, {"optimizer": {"type": "SOAP"}})
    with pytest.raises(ValueError, match="optimizer/type must be 'Adam' as in .*got 'SOAP'"):
        train(path, restart=".")
