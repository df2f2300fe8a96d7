"""PairTableEnergy, ZblEnergy and SoftMinimum: twins, differences, errors, threads."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import twins

from deeptf.ops.pairs import SortedPairs, of_centres
from deeptf.ops.short_range import pair_table_energies, soft_minimum, zbl_energies
from deeptf.tf import session, tf

TYPES = np.array([1, 0, -1, 1, 0, 1, 1, 0, 0], np.int32)
ROW = np.array([0, 5, 9], np.int32)
CELL = np.array([np.diag([5.0, 4.5, 4.2]), np.zeros((3, 3))])
RCUT = 4.0
GRID = np.array([0.3, 0.25])
NODES = np.random.default_rng(3).normal(size=(3, 12, 2))
NUMBERS = np.array([8.0, 13.0])
ENDS, LENGTHS = (1.1, 2.6), (0.3, 1.2, 2.8)


def frames(scale: float = 1.0, seed: int = 0) -> tuple[np.ndarray, ...]:
    coord = scale * np.random.default_rng(seed).uniform(0, 4.2, (9, 3))
    return twins.sort_pairs(*twins.neighbor_pairs(coord, CELL, TYPES, ROW, RCUT), TYPES, 2)


def by_table(pairs: SortedPairs) -> tuple[tf.Tensor, tf.Tensor]:
    return pair_table_energies(pairs, TYPES, ROW, NODES, np.append(GRID, 2.9))


def by_zbl(pairs: SortedPairs) -> tuple[tf.Tensor, tf.Tensor]:
    return zbl_energies(pairs, TYPES, NUMBERS, ENDS)


def by_minimum(pairs: SortedPairs) -> tuple[tf.Tensor, tf.Tensor]:
    return soft_minimum(pairs, TYPES, LENGTHS)


def twin_table(pairs: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
    return twins.pair_energies(
        lambda r, a, b: twins.pair_table(r, NODES[a + b], GRID, 2.9), pairs, TYPES
    )


def twin_zbl(pairs: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
    return twins.pair_energies(
        lambda r, a, b: twins.zbl(r, NUMBERS[a], NUMBERS[b], *ENDS), pairs, TYPES
    )


OPS = {
    by_table: twin_table,
    by_zbl: twin_zbl,
    by_minimum: lambda pairs: twins.soft_minimum(pairs, len(TYPES), *LENGTHS),
}


def evaluate(op, pairs: tuple[np.ndarray, ...], threads: int = 1) -> list[np.ndarray]:
    with tf.Graph().as_default() as graph:
        outputs = list(op(SortedPairs(*map(tf.constant, pairs))))
        with session(graph, threads) as run:
            return run.run(outputs)


@pytest.mark.parametrize("op", OPS)
def test_values_and_gradients_equal_the_twin(op) -> None:
    for seed in range(3):
        pairs = frames(seed=seed + 5)
        for found, wanted in zip(evaluate(op, pairs), OPS[op](pairs), strict=True):
            assert np.abs(wanted).max() > 0
            np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("op", OPS)
def test_gradients_against_differences(op) -> None:
    pairs = frames(seed=5)

    def total(displacement: np.ndarray) -> float:
        return evaluate(op, (*pairs[:6], displacement, *pairs[7:]))[0].sum()

    gradient = evaluate(op, pairs)[1]
    scale = np.abs(gradient).max()
    some = np.flatnonzero(np.abs(gradient).max(axis=1) > 0)[:4]
    for p in some:
        for axis in range(3):
            step = np.zeros_like(pairs[6])
            step[p, axis] = 1e-5
            numeric = (total(pairs[6] + step) - total(pairs[6] - step)) / 2e-5
            np.testing.assert_allclose(gradient[p, axis] / scale, numeric / scale, atol=1e-8)


@pytest.mark.parametrize("op", OPS)
def test_threads_do_not_change_bits(op) -> None:
    pairs = frames(seed=6)
    for a, b in zip(evaluate(op, pairs), evaluate(op, pairs, 4), strict=True):
        assert a.tobytes() == b.tobytes()


def test_walls_are_smooth_where_they_begin_and_end() -> None:
    for function in (partial(twins.zbl, first=8, second=1, rin=1.1, rout=2.6),):
        for r in (1.1, 2.6):
            (a, da), (b, db) = (function(r + h) for h in (-1e-7, 1e-7))
            assert abs(a - b) < 1e-4 and abs(da - db) < 1e-3
    assert twins.zbl(2.6, 8, 1, 1.1, 2.6) == (0.0, 0.0)


def test_atoms_without_neighbours() -> None:
    empty = twins.neighbor_pairs(np.zeros((1, 3)), CELL[1:], TYPES[:1], ROW[[0]].repeat(2), RCUT)
    row = (np.array([0, 0], np.int32), *empty[1:])
    pairs = twins.sort_pairs(row[0], row[1], row[2], TYPES[:1], 2)
    for op in OPS:
        value, gradient = evaluate(op, pairs)
        assert value.tolist() == [0.0] and gradient.shape == (0, 3)


@pytest.mark.on_host
def test_pairs_below_the_table_are_named() -> None:
    pairs = list(frames(seed=5))
    near = int(np.flatnonzero(pairs[4] >= 5)[0])
    pairs[6] = pairs[6].copy()
    pairs[6][near] *= 0.1 / np.linalg.norm(pairs[6][near])
    centre, neighbor = pairs[4][near] - 5, pairs[5][near] - 5
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        evaluate(by_table, tuple(pairs))
    assert (
        f"atoms {centre} and {neighbor} of frame 1 must be at a distance that the pair table has, "
        "got them 0.1 A apart, closer than 0.3 A, where it begins"
    ) in str(caught.value)


@pytest.mark.on_host
@pytest.mark.parametrize(
    ("op", "message"),
    [
        (
            lambda pairs: zbl_energies(pairs, TYPES, NUMBERS, (2.0, 1.0)),
            "`ends` must be positive and rise, got 2.0",
        ),
        (
            lambda pairs: soft_minimum(pairs, TYPES, (0.0, 1.0, 2.0)),
            "`lengths` must be a positive alpha and rising ends, got 0.0",
        ),
        (
            lambda pairs: pair_table_energies(pairs, TYPES, ROW, NODES[:, :1], [0.0, 1.0, 2.0]),
            "`nodes` must be at least 2 of each two types .* got 1 and",
        ),
        (
            lambda pairs: by_zbl(pairs._replace(first_pair=pairs.first_pair + 10_000)),
            "`first_pair` and `neighbor_count` must be within the",
        ),
        (
            lambda pairs: zbl_energies(pairs, np.full_like(TYPES, 2), NUMBERS, ENDS),
            "`type` must be 0 to 1, got 2 at atom 0",
        ),
    ],
)
def test_errors(op, message: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        evaluate(op, frames(seed=5))


def test_derivatives_that_do_not_exist() -> None:
    with tf.Graph().as_default() as graph:
        pairs = SortedPairs(*map(tf.constant, frames(seed=5)))
        grad = tf.gradients(by_zbl(pairs)[0], pairs.displacement)
        with session(graph) as run, pytest.raises(tf.errors.InvalidArgumentError) as caught:
            run.run(grad)
    assert "deeptf has no derivative through ZblEnergy, which gives its own" in str(caught.value)


def test_rows_of_centres_and_their_gradient() -> None:
    given = frames(seed=5)
    values = np.random.default_rng(2).normal(size=(len(given[0]), 2))
    with tf.Graph().as_default() as graph:
        tensor = tf.constant(values)
        rows = of_centres(tensor, SortedPairs(*map(tf.constant, given)))
        upper = np.random.default_rng(4).normal(size=(len(given[4]), 2))
        with session(graph) as run:
            found, grad = run.run([rows, tf.gradients(rows, tensor, upper)[0]])
    place = {atom: k for k, atom in enumerate(given[0].tolist())}
    row = [place[atom] for atom in given[4].tolist()]
    np.testing.assert_array_equal(found, values[row])
    wanted = np.zeros_like(values)
    np.add.at(wanted, row, upper)
    np.testing.assert_allclose(grad, wanted, rtol=1e-13)
