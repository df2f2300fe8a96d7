"""g(r) and mean square displacements of motions that are known."""

import numpy as np
import pytest
from ase import Atoms

from deeptf.infer.md.analysis import mean_square_displacement, radial_distribution


def test_an_ideal_gas_has_no_structure():
    rng = np.random.default_rng(0)
    cell = [[14, 0, 0], [3, 15, 0], [0, -2, 16]]
    frames = [Atoms("H100He60", rng.random((160, 3)) @ cell, cell=cell, pbc=True) for _ in range(6)]
    found = radial_distribution(frames)
    assert list(found) == ["r", "H-H", "H-He", "He-He"]
    assert found["r"][-1] == pytest.approx(6.8, abs=0.1)  # half the smallest width
    far = found["r"] > 2
    for name, value in found.items():
        if name != "r":
            assert np.mean(value[far]) == pytest.approx(1.0, abs=0.05), name


def test_displacements_of_free_flight():
    """The system as a whole may move, and atoms leave the cell."""
    velocity = np.array([[1.0, 0, 0], [-1.0, 0, 0], [0, 2.0, 0], [0, -2.0, 0]])
    frames = []
    for step in range(21):
        atoms = Atoms("H2He2", velocity * step + [0, 0, 5.0 * step], cell=[2, 2, 2], pbc=True)
        atoms.info["time"] = 1000.0 * step  # fs
        frames.append(atoms)
    found = mean_square_displacement(frames)
    np.testing.assert_allclose(found["time"], np.arange(11))
    np.testing.assert_allclose(found["H"], found["time"] ** 2)
    np.testing.assert_allclose(found["He"], 4 * found["time"] ** 2)
