"""The cost of labels and models in the examples: frames side by side, the same level of theory."""

import sys
from pathlib import Path

import numpy as np

EXAMPLES = str(Path(__file__).parents[1] / "examples")
sys.path.insert(0, EXAMPLES)

import cost  # noqa: E402

sys.path.remove(EXAMPLES)  # its folders must not stand for packages of their names


def test_two_frames_side_by_side():
    one, two = (cost.read_frame("aluminium", copies) for copies in (1, 2))
    np.testing.assert_allclose(two.cell, one.cell * [[2], [1], [1]])
    np.testing.assert_allclose(
        two.coord[32:] - two.coord[:32], np.tile(one.cell[0], (32, 1)), atol=1e-9
    )
    assert two.symbols == ["Al"] * 64
    two = cost.read_frame("ethanol", 2)
    distance = np.linalg.norm(two.coord[:9, None] - two.coord[9:], axis=2)
    assert two.cell is None and distance.min() > 3 and sorted(set(two.symbols)) == ["C", "H", "O"]


def test_the_same_level_of_theory():
    settings = cost.load_generator("aluminium").SETTINGS
    assert cost.of_copies(settings, 1) == settings
    double = cost.of_copies(settings, 2)
    assert double.kpoints == (1, 2, 2, 1, 1, 1) and double.system["nbnd"] == "144"
    assert cost.of_copies(cost.load_generator("water").SETTINGS, 2).kpoints is None


def test_a_row():
    one = cost.row("aluminium", "labels", {1: 32.0, 2: 128.0})
    assert one.split() == ["aluminium", "labels", "32", "1", "64", "2", "2.00"]
    model = cost.row("aluminium", "fast", {1: 32e-6, 2: 64e-6}, 32.0)
    assert model.split()[2:] == ["32", "1e-06", "64", "1e-06", "1.00", "1e+06"]
    assert cost.row("water", "labels", {1: 48.0}).split()[2:] == ["48", "1", "-", "-", "-"]
