"""The data sections of the input: batch sizes and probabilities as numbers, and wrong ones."""

import numpy as np
import pytest

from deeptf.data.options import (
    DataOptions,
    ValidationOptions,
    batch_sizes,
    most_atoms,
    system_probabilities,
)
from deeptf.data.section import Section


def test_batch_sizes():
    frames, atoms = [80, 3, 5], [192, 3, 31]
    assert batch_sizes("auto", frames, atoms) == [1, 3, 2]  # 11 frames of 3 atoms, but it has 3
    assert batch_sizes("auto:400", frames, atoms) == [3, 3, 5]
    assert batch_sizes(2, frames, atoms) == [2, 2, 2]
    assert batch_sizes((1, 2, 3), frames, atoms) == [1, 2, 3]
    assert batch_sizes("mixed:8", frames, atoms) == [1, 1, 1]
    assert batch_sizes("max:100", frames, atoms) == [1, 3, 3]
    assert batch_sizes("filter:62", frames, atoms) == [1, 3, 2]
    assert [most_atoms(size) for size in ("filter:62", "max:62", 4)] == [62, 0, 0]
    with pytest.raises(
        ValueError, match=r"`batch_size` must be one number or one for each of the 3"
    ):
        batch_sizes([1, 2], frames, atoms)


def test_probabilities():
    batches = [1.0, 3.0, 4.0]
    uniform = system_probabilities("prob_uniform", None, batches)
    np.testing.assert_allclose(uniform, [1 / 3] * 3)
    size = system_probabilities("prob_sys_size", None, batches)
    np.testing.assert_allclose(size, [0.125, 0.375, 0.5])
    blocks = system_probabilities("prob_sys_size; 0:2:0.4; 2:3:0.6", None, batches)
    np.testing.assert_allclose(blocks, [0.1, 0.3, 0.6])
    given = system_probabilities("prob_uniform", [1.0, 0.0, 3.0], batches)
    np.testing.assert_allclose(given, [0.25, 0.0, 0.75])
    rest = system_probabilities("prob_uniform", [-1.0, 0.6, -1.0], batches)
    np.testing.assert_allclose(rest, [0.08, 0.6, 0.32])


@pytest.mark.parametrize(
    ("auto_prob", "sys_probs", "message"),
    [
        ("prob_sys_size;0:4:1", None, r"`auto_prob` must name systems from 0 to 3"),
        ("prob_sys_size;0:2:0", None, r"`auto_prob` must give some system a weight"),
        ("prob_sys_size", [0.5, 0.5], r"`sys_probs` must hold one number for each of the 3"),
        ("prob_sys_size", [0.5, -1.0, 0.5], r"`sys_probs` must add up to less than 1 beside neg"),
        ("prob_sys_size", [0.0, 0.0, 0.0], r"`sys_probs` must not be all 0"),
    ],
)
def test_wrong_probabilities(auto_prob, sys_probs, message):
    with pytest.raises(ValueError, match=message):
        system_probabilities(auto_prob, sys_probs, [1.0, 1.0, 1.0])


@pytest.mark.parametrize(
    "batch_size",
    [
        *(0, (), (1, 0), "auto:", "auto:0", "auto:x", "mixed", "mixed:0", "mixed:-1", "all"),
        *("max", "max:0", "filter", "filter:1.5", "auto:" + 400 * "9"),
    ],
)
def test_wrong_batch_size(batch_size):
    with pytest.raises(ValueError, match=r"`batch_size` must"):
        DataOptions(systems=("x",), batch_size=batch_size)


@pytest.mark.parametrize(
    "auto_prob", ["uniform", "prob_sys_size;", "prob_sys_size;0:1", "prob_sys_size;2:1:1"]
)
def test_wrong_auto_prob(auto_prob):
    with pytest.raises(ValueError, match=r"`auto_prob` must be .prob_uniform"):
        DataOptions(systems=("x",), auto_prob=auto_prob)


def test_wrong_options():
    with pytest.raises(ValueError, match=r"`systems` must name at least one system"):
        DataOptions(systems=())
    with pytest.raises(ValueError, match=r"`numb_btch` must be at least 1, got 0"):
        ValidationOptions(systems=("x",), numb_btch=0)
    with pytest.raises(ValueError, match=r"`systems` must hold at least one system"):
        Section([], DataOptions(systems=("x",)))
