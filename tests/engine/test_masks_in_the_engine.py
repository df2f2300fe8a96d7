"""Models whose aparam says which atoms are there, in the engine: what they are given."""

from __future__ import annotations

import numpy as np
import pytest
from c_interface import Model
from random_model import random_arrays

from deeptf.exchange import frozen
from deeptf.model.descriptor.se_a_mask import SeAMask
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.term.standard import Standard


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    path = tmp_path_factory.mktemp("mask") / "model.pb"
    fitting = EnerFitting(neuron=(4,), numb_aparam=1, use_aparam_as_mask=True)
    config = ModelConfig(Standard(SeAMask((2,), neuron=(2, 4), axis_neuron=2), fitting), ("A",))
    frozen.write(config, random_arrays(config), path)
    return Model(path)


def atoms(**changes: np.ndarray) -> dict[str, np.ndarray]:
    coord = np.array([[0, 0, 0], [1.2, 0, 0.1], [0, 90.0, 0]])
    given = {"coord": coord, "type": np.zeros(3, np.int32), "aparam": np.array([1.0, 0.0, 1.0])}
    return given | changes


def test_absent_atoms_are_seen_by_nobody(model: Model) -> None:
    assert model.is_native
    found = model.evaluate([0, 3], **atoms())
    coord = atoms()["coord"]
    coord[1] = coord[0]  # on top of another one
    other = model.evaluate([0, 3], **atoms(coord=coord))
    np.testing.assert_array_equal(found["force"], other["force"])
    assert found["force"][0].any() and not found["force"][1].any()
    assert not found["virial"].any() and not found["atom_virial"].any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"cell": np.eye(3).reshape(1, 9)},
            "frame 0: `cell` must be zeros, or be left out: a model with a mask of atoms sees all",
        ),
        (
            {"aparam": np.array([1.0, 0.5, 1.0])},
            "frame 0, atom 1: `aparam` must be 1 for an atom that is there and 0 for another, got",
        ),
    ],
)
def test_frames_that_are_refused(model: Model, changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model.evaluate([0, 3], **atoms(**changes))


def test_neighbours_are_refused(model: Model) -> None:
    pairs = {
        "row": np.zeros(4, np.int32),
        "neighbor": np.zeros(0, np.int32),
        "displacement": np.zeros((0, 3)),
        "type": np.zeros(3, np.int32),
        "aparam": np.ones(3),
    }
    with pytest.raises(ValueError, match="must be given coordinates, got neighbours: its atoms"):
        model.evaluate_pairs(num_owned=3, **pairs)
