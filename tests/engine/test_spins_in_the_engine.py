"""Models with spins in the engine: lists of an MD engine, what is wanted of results, messages.

With `pytest --emulated-engine LIBRARY` (emulated.sh) on a GPU, too.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from c_interface import Model
from engine_files import engine_on_gpu
from neighbors import list_of
from random_model import random_arrays

from deeptf.exchange import frozen
from deeptf.infer.deep_pot import DeepPot
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.spin import Spin
from deeptf.model.term.standard import Standard

SPIN = Spin((True, True, False), (0.3, 0.4), (1.5, 1.2))
TERM = Standard(SeE2A((3, 4, 2), 3.0, 1.0, (2, 4)), EnerFitting(neuron=(4,)), spin=SPIN)
CELL = np.array([[5.9, 0, 0], [1.1, 5.6, 0], [-0.7, 0.9, 6.3]])
TYPES = np.array([1, 0, 2, 0, 1])
OWN = np.array([1, 3, 0, 4])  # real atoms of the virtual ones, which come by their types
FIRST, NUM_REAL = len(TYPES), len(SPIN.use_spin)  # the first virtual atom


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    config = ModelConfig(TERM, ("A", "B", "C"))
    path = tmp_path_factory.mktemp("spin") / "model.pb"
    frozen.write(config, random_arrays(config, 1), path)
    return str(path)


@pytest.fixture(params=["no", "yes"], ids=["cpu", "gpu"])
def model(request: pytest.FixtureRequest, path: str, tmp_path: Path) -> Model:
    """Return the model on the CPU or on the emulated GPU."""
    if request.param == "no":
        return Model(path, gpu="no")
    kernels = request.getfixturevalue("emulated_engine")
    return Model(path, library=engine_on_gpu(tmp_path, kernels), gpu="yes")


def frame() -> dict[str, np.ndarray]:
    """Return five atoms and the virtual ones of four, one of which is in another image."""
    random = np.random.default_rng(2)
    grid = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]]) / 2 + 0.1
    real = grid @ CELL + random.uniform(-0.4, 0.4, grid.shape)
    spin = random.normal(size=(len(OWN), 3))
    length = np.array(SPIN.virtual_len)[TYPES[OWN]]
    away = length[:, None] * spin / np.linalg.norm(spin, axis=1)[:, None]
    coord = np.concatenate([real, real[OWN] + away])
    coord[-1] += CELL[0] - CELL[2]
    types = np.concatenate([TYPES, TYPES[OWN] + NUM_REAL]).astype(np.int32)
    return {"coord": coord, "cell": CELL[None], "type": types}


def listed() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the frame as an MD engine has it, and the atom of the frame that each atom is.

    Lists of real atoms reach as far as a virtual atom may be from its own.
    """
    atoms = frame()
    coord = atoms["coord"].copy()
    coord[-1] -= CELL[0] - CELL[2]
    given, owners = list_of(coord[:FIRST], CELL, TYPES, 3.0, skin=max(SPIN.virtual_len))
    virtual_of = {real: FIRST + k for k, real in enumerate(OWN)}
    number, places = {}, list(given["coord"])
    owners, types = list(owners), list(given["type"])
    for atom, owner in enumerate(tuple(owners)):
        if owner in virtual_of:
            number[atom] = len(places)
            places.append(places[atom] + coord[virtual_of[owner]] - coord[owner])
            types.append(types[atom] + NUM_REAL)
            owners.append(virtual_of[owner])
    for atom, near in enumerate(given["lists"]):
        more = [number[k] for k in (atom, *near) if k in number]
        given["lists"][atom] = np.concatenate([near, more]).astype(np.int32)
    given |= {"coord": np.array(places), "type": np.array(types, np.int32)}
    return given, np.array(owners)


def test_lists_with_ghosts(model: Model, path: str) -> None:
    assert model.is_native
    expected = Model(path, gpu="no").evaluate([0, len(frame()["type"])], **frame())
    given, owners = listed()
    for threads, most_atoms in ((1, 0), (2, 2)):
        found = model.evaluate_list(**given, threads=threads, most_atoms=most_atoms)
        for name in ("energy", "virial"):
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-10, atol=1e-10)
        atom_energy = expected["atom_energy"][:FIRST]
        np.testing.assert_allclose(found["atom_energy"], atom_energy, rtol=1e-10)
        for name in ("force", "atom_virial"):
            returned = np.zeros_like(expected[name])
            np.add.at(returned, owners, found[name])
            np.testing.assert_allclose(returned, expected[name], rtol=0, atol=1e-9)


def test_each_result_alone(model: Model) -> None:
    row = [0, len(frame()["type"])]
    expected = model.evaluate(row, **frame())
    assert not expected["atom_energy"][FIRST:].any() and expected["force"][FIRST:].any()
    for name in ("energy", "force", "virial", "atom_energy", "atom_virial"):
        found = model.evaluate(row, outputs=(name,), threads=2, most_atoms=1, **frame())
        np.testing.assert_array_equal(found[name], expected[name])


def test_a_list_without_a_virtual_atom(model: Model) -> None:
    given, _ = listed()
    given["type"][-1] = -1
    message = r"there must be a virtual atom of type 4 for each atom of type 1, got (\d+) for (\d+)"
    with pytest.raises(ValueError, match=message):
        model.evaluate_list(**given)


def test_pairs_are_refused(model: Model, path: str) -> None:
    atoms, pot = frame(), DeepPot(path)
    pairs = partial(pot.eval_pairs, np.zeros(10, np.int32), np.zeros(0, np.int32), np.zeros((0, 3)))
    with pytest.raises(ValueError, match="must .* coordinates"):
        pairs(atom_type=atoms["type"])
    none = {"row": np.zeros(10, np.int32), "neighbor": np.zeros(0, np.int32)}
    with pytest.raises(ValueError, match="must be given coordinates, got pairs, which do not say"):
        model.evaluate_pairs(**none, displacement=np.zeros((0, 3)), type=atoms["type"], num_owned=9)
