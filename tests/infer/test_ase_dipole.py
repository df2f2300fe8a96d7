"""Dipoles and Born charges of ASE's calculator, from a model of dipoles beside one of energies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError
from random_model import random_arrays

from deeptf.exchange import frozen
from deeptf.infer import DeepDipole, DeepPot
from deeptf.infer.ase import DP
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting.dipole import DipoleFitting
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.term.standard import Standard

DESCRIPTOR = SeE2A((6, 6), 3.5, 1.0, (4, 6), axis_neuron=2)
ENERGY, DIPOLE = EnerFitting(neuron=(5,)), DipoleFitting(neuron=(5,), sel_type=0)


def write(path: Path, fitting: EnerFitting | DipoleFitting, *names: str) -> Path:
    model = ModelConfig(Standard(DESCRIPTOR, fitting), names)
    frozen.write(model, random_arrays(model), path)
    return path


@pytest.fixture(scope="module")
def pot(tmp_path_factory: pytest.TempPathFactory):
    with DeepPot(write(tmp_path_factory.mktemp("models") / "energy.pb", ENERGY, "O", "H")) as pot:
        yield pot


def molecules() -> Atoms:
    coord = np.random.default_rng(1).uniform(0, 1.0, (5, 3)) + np.arange(5)[:, None] * [1.1, 0, 0]
    return Atoms("OHHOH", coord, cell=[6.0, 5.0, 5.5], pbc=True)


def test_dipoles_and_their_derivatives(pot: DeepPot, tmp_path: Path) -> None:
    """Of a model with its types in another order; the energy stays that of the first model."""
    path = write(tmp_path / "dipole.pb", DIPOLE, "H", "O")
    atoms = molecules()
    atoms.calc = DP(pot, dipole=path)
    frame = atoms.positions[None], atoms.cell[:][None], np.array([1, 0, 0, 1, 0])
    with DeepDipole(path) as model:
        dipole, force, _ = model.eval_full(*frame)
        assert DP(pot, dipole=model).get_dipole_moment(atoms) == pytest.approx(dipole[0])
    np.testing.assert_allclose(atoms.get_dipole_moment(), dipole[0], rtol=1e-12)
    charges = atoms.calc.get_property("born_effective_charges", atoms)
    assert charges.shape == (5, 3, 3)
    np.testing.assert_allclose(charges[2, 0, 1], -force[0, 0, 2, 1], rtol=1e-12)
    wanted = pot.eval(*frame[:2], 1 - frame[2])[0].item()
    assert atoms.get_potential_energy() == pytest.approx(wanted, rel=1e-12)
    before = atoms.get_dipole_moment()[0]
    atoms.positions[2, 1] += 1e-5
    slope = (atoms.get_dipole_moment()[0] - before) / 1e-5
    assert slope == pytest.approx(charges[2, 0, 1], rel=1e-3, abs=1e-6)


def test_messages(pot: DeepPot, tmp_path: Path) -> None:
    path = write(tmp_path / "dipole.pb", DIPOLE, "O", "C")
    atoms = molecules()
    atoms.calc = DP(pot)
    with pytest.raises(PropertyNotImplementedError):
        atoms.get_dipole_moment()
    atoms.calc = DP(pot, dipole=path)
    with pytest.raises(ValueError, match=r"elements of the model .*dipole.pb \(O C\), got H"):
        atoms.get_dipole_moment()
    with pytest.raises(ValueError, match="must be a model that gives dipole, got .*energy.pb"):
        DP(pot, dipole=pot.path)
    with pytest.raises(ValueError, match="must be a model that gives energy, got .*dipole.pb"):
        DP(path)
