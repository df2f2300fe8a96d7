"""Integrators on the toy: what they conserve, their temperature, their first velocities."""

from typing import ClassVar

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.calculator import Calculator
from ase.constraints import FixAtoms
from ase.md import nose_hoover_chain
from md_runs import settings

from deeptf.infer.ase import DP
from deeptf.infer.md.integrator import Integrator, degrees_of_freedom, start_velocities


@pytest.fixture
def crystal(toy_pot):
    atoms = bulk("He", "fcc", a=2.3, cubic=True) * 2
    atoms.calc = DP(toy_pot, type_dict={"He": 1})
    return atoms


@pytest.mark.parametrize("ensemble", ["nve", "nvt", "npt", "npt-cell"])
def test_energy_is_conserved(crystal, ensemble):
    told = settings(ensemble, temperature=200.0, tdamp=20.0, pdamp=300.0)
    start_velocities(crystal, told)
    volume = crystal.get_volume()
    integrator = Integrator(crystal, told)
    before, total = integrator.conserved_energy(), crystal.get_total_energy()
    integrator.dynamics.run(100)
    assert abs(integrator.conserved_energy() - before) / len(crystal) < 2e-5
    assert (abs(crystal.get_total_energy() - total) / len(crystal) < 2e-5) == (ensemble == "nve")
    assert (crystal.get_volume() == volume) == (not told.keeps_pressure)
    lengths, angles = crystal.cell.lengths(), crystal.cell.angles()
    assert np.ptp(lengths) < 1e-9 or ensemble == "npt-cell"
    assert (abs(angles - 90).max() > 1e-6) == (ensemble == "npt-cell")


def test_an_ase_without_a_free_cell(crystal, monkeypatch):
    monkeypatch.delattr(nose_hoover_chain, "MTKNPT")
    with pytest.raises(ValueError, match="`ensemble` npt-cell must have a newer ASE, got one who"):
        Integrator(crystal, settings("npt-cell"))


class Ring(Calculator):
    """Atoms tied to their neighbours in a ring by springs that are not quite harmonic."""

    implemented_properties: ClassVar = ["energy", "forces"]

    def calculate(self, atoms, properties, changes):
        super().calculate(atoms, properties, changes)
        stretch = np.roll(atoms.positions, -1, axis=0) - atoms.positions - self.parameters.rest
        slope = 2.0 * stretch + 40.0 * stretch**3
        self.results = {
            "energy": float((stretch**2 + 10.0 * stretch**4).sum()),
            "forces": slope - np.roll(slope, 1, axis=0),
        }


@pytest.mark.parametrize("ensemble", ["nvt", "langevin"])
def test_mean_temperature(ensemble):
    """It is that of the internal motion where the system as a whole rests: 8 atoms, 14 % more."""
    positions = np.random.default_rng(0).random((8, 3)) * 5
    atoms = Atoms("H8", positions)
    atoms.calc = Ring(rest=np.roll(positions, -1, axis=0) - positions)
    told = settings(ensemble, temperature=300.0, tdamp=15.0, timestep=1.0)
    start_velocities(atoms, told)
    integrator = Integrator(atoms, told)
    kinetic = []
    integrator.dynamics.attach(lambda: kinetic.append(atoms.get_kinetic_energy()))
    integrator.dynamics.run(4000)
    mean = 2 * np.mean(kinetic[200:]) / (integrator.degrees * units.kB)
    assert mean == pytest.approx(300.0, rel=0.09)
    if ensemble == "nvt":
        assert np.abs(atoms.get_momenta().sum(axis=0)).max() < 1e-8


@pytest.mark.parametrize("ensemble", ["nvt", "npt", "npt-cell"])
def test_all_links_of_a_chain_have_the_temperature(ensemble, crystal):
    """Else the fluctuations are not canonical: the later links have one degree of freedom each."""
    told = settings(ensemble, temperature=300.0, tdamp=15.0)
    crystal.set_momenta(np.zeros((len(crystal), 3)))
    start_velocities(crystal, told)
    integrator = Integrator(crystal, told)
    state, kT = integrator.state(), units.kB * 300.0
    assert state["_thermostat._kT"] == kT
    inertia = kT * (15.0 * units.fs) ** 2
    degrees = 3 * len(crystal) - 3
    np.testing.assert_allclose(state["_thermostat._Q"], [degrees * inertia, inertia, inertia])
    # at the temperature nothing pushes the first link
    integrator.dynamics._thermostat._integrate_p_eta_j(crystal.get_momenta(), 0, 1.0, 0.5)
    assert abs(integrator.state()["_thermostat._p_eta"][0]) < 1e-12


def test_an_ase_whose_chains_cannot_be_told_the_degrees(crystal, monkeypatch):
    made = nose_hoover_chain.NoseHooverChainNVT.__init__

    def make(self, *given, **named):
        made(self, *given, **named)
        del self._thermostat._num_atoms_global

    monkeypatch.setattr(nose_hoover_chain.NoseHooverChainNVT, "__init__", make)
    with pytest.raises(ValueError, match="`ensemble` with a chain of thermostats must have an ASE"):
        Integrator(crystal, settings("nvt"))


def test_first_velocities():
    atoms = Atoms("H20", np.arange(60.0).reshape(20, 3))
    told = settings("nvt", temperature=250.0)
    assert degrees_of_freedom(atoms, told) == 57
    assert degrees_of_freedom(atoms, settings("langevin")) == 60
    assert start_velocities(atoms, told)
    assert 2 * atoms.get_kinetic_energy() / (57 * units.kB) == pytest.approx(250.0)
    assert np.abs(atoms.get_momenta().sum(axis=0)).max() < 1e-12
    before = atoms.get_momenta()
    assert not start_velocities(atoms, told)  # kept
    np.testing.assert_array_equal(atoms.get_momenta(), before)


def test_a_state_of_another_release_of_ase():
    atoms = Atoms("H2", [[0, 0, 0], [0, 0, 1.0]])
    integrator = Integrator(atoms, settings("nvt"))
    noise = integrator.generator.bit_generator.state
    with pytest.raises(ValueError, match="the same release of ASE, got one without `dt` of NoseH"):
        integrator.restore({}, 1, noise)


def test_first_velocities_beside_fixed_atoms():
    atoms = Atoms("H20", np.arange(60.0).reshape(20, 3), constraint=FixAtoms([0, 1]))
    start_velocities(atoms, settings("nvt", temperature=250.0))
    assert 2 * atoms.get_kinetic_energy() / (54 * units.kB) == pytest.approx(250.0)
    assert not atoms.get_velocities()[:2].any()
