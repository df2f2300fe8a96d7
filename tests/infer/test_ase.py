"""The ASE calculator on the toy and on a network: derivatives, open directions, phonons."""

import importlib
import sys

import numpy as np
import pytest
import toy
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.calculator import PropertyNotImplementedError
from ase.filters import StrainFilter, UnitCellFilter
from ase.md.verlet import VelocityVerlet
from ase.optimize import BFGS
from ase.phonons import Phonons

from deeptf.infer import DeepPot
from deeptf.infer.ase import DP, periodic_cell

TYPES = {"H": 0, "He": 1}


@pytest.fixture
def calc(pot):
    return DP(model=pot, type_dict=TYPES)


@pytest.fixture
def toy_calc(toy_pot):
    return DP(model=toy_pot, type_dict=TYPES)


def cluster(seed=0, num_atoms=8, pbc=True):
    coords, cells, types = toy.random_frames(1, num_atoms, seed)
    symbols = ["He" if t else "H" for t in types[0]]
    return Atoms(symbols, coords.reshape(-1, 3), cell=cells.reshape(3, 3), pbc=pbc)


def test_properties_are_those_of_deep_pot(calc, pot):
    atoms = cluster()
    atoms.calc = calc
    energy, force, virial, atom_energy, _ = pot.eval(
        atoms.positions, atoms.cell[:], atoms.numbers - 1, atomic=True
    )
    assert atoms.get_potential_energy() == energy[0, 0]
    assert atoms.get_potential_energy(force_consistent=True) == energy[0, 0]
    np.testing.assert_array_equal(atoms.get_forces(), force[0])
    stress = -virial.reshape(3, 3) / atoms.get_volume()
    np.testing.assert_allclose(atoms.get_stress(voigt=False), (stress + stress.T) / 2)
    np.testing.assert_allclose(atoms.get_potential_energies(), atom_energy[0, :, 0])
    np.testing.assert_allclose(atoms.get_stresses().sum(axis=0), atoms.get_stress())


def test_numerical_derivatives(calc):
    from ase.calculators.fd import calculate_numerical_forces, calculate_numerical_stress

    atoms = cluster()
    atoms.calc = calc
    np.testing.assert_allclose(
        calculate_numerical_forces(atoms, eps=1e-5), atoms.get_forces(), atol=1e-7
    )
    np.testing.assert_allclose(
        calculate_numerical_stress(atoms, eps=1e-6), atoms.get_stress(), atol=1e-7
    )


@pytest.mark.parametrize("pbc", [(1, 1, 0), (0, 1, 1), (1, 0, 1), (0, 0, 1), (1, 0, 0)])
def test_partial_periodicity_is_a_wide_vacuum(calc, pbc):
    """The cell vector of an open direction plays no part, nor does its absence."""
    atoms = cluster(pbc=pbc)
    vacuum = atoms.copy()
    for axis in np.flatnonzero(~atoms.pbc):
        vacuum.cell[axis] = 0
    wide = vacuum.copy()
    wide.cell = periodic_cell(atoms, 30.0)
    wide.pbc = True
    for system in (atoms, vacuum, wide):
        system.calc = calc
    for other in (vacuum, wide):
        assert other.get_potential_energy() == pytest.approx(
            atoms.get_potential_energy(), rel=1e-12
        )
        np.testing.assert_allclose(other.get_forces(), atoms.get_forces(), atol=1e-12)
    periodic = atoms.copy()
    periodic.pbc = True
    periodic.calc = calc
    assert abs(periodic.get_potential_energy() - atoms.get_potential_energy()) > 1e-5
    np.testing.assert_allclose(
        atoms.get_stress() * atoms.get_volume(), wide.get_stress() * wide.get_volume(), atol=1e-10
    )
    with pytest.raises(PropertyNotImplementedError):
        vacuum.get_stress()


def test_molecule_without_cell(calc, pot):
    atoms = Atoms(["H", "He", "H"], [[0, 0, 0], [1.2, 0, 0], [0, 1.1, 0.3]], calculator=calc)
    assert atoms.get_potential_energy() == pot.eval(atoms.positions, None, [0, 1, 0])[0].item()
    with pytest.raises(PropertyNotImplementedError):
        atoms.get_stress()


def test_one_evaluation_per_configuration(calc, monkeypatch):
    calls = []
    run = calc.pot.eval
    monkeypatch.setattr(calc.pot, "eval", lambda *a, **k: calls.append(1) or run(*a, **k))
    atoms = cluster()
    atoms.calc = calc
    forces = atoms.get_forces()
    atoms.get_potential_energy()
    atoms.get_stress()
    assert len(calls) == 1
    forces += 1
    assert not np.allclose(atoms.get_forces(), forces)
    atoms.get_stresses()
    atoms.get_potential_energies()
    assert len(calls) == 2
    atoms.set_initial_magnetic_moments(np.ones(len(atoms)))
    atoms.get_potential_energy()
    assert len(calls) == 2
    atoms.positions[0, 0] += 0.01
    atoms.get_potential_energy()
    assert len(calls) == 3


def test_another_system_after_the_first(calc):
    """Nothing of one system is left in the results of the next."""
    first, second = cluster(), cluster(seed=1, num_atoms=3, pbc=False)
    fresh = second.copy()
    fresh.calc = DP(model=calc.pot, type_dict=TYPES)
    first.calc = second.calc = calc
    first.get_stresses()
    assert second.get_potential_energy() == fresh.get_potential_energy()
    assert second.get_forces().shape == (3, 3)
    assert set(calc.results) == set(fresh.calc.results)


def test_errors(calc, toy_file, tmp_path):
    with pytest.raises(ValueError, match="elements of the model .* .H He., got Cu O; `type_dict`"):
        Atoms("HOCu", np.eye(3), calculator=calc).get_potential_energy()
    with pytest.raises(ValueError, match="elements of the model .* .A B., got H"):
        Atoms("H", calculator=DP(model=toy_file)).get_potential_energy()
    atoms = Atoms("H2", [[0, 0, 0], [0, 0, 1]], cell=[4, 0, 4], pbc=True, calculator=calc)
    with pytest.raises(ValueError, match="a cell vector in every periodic direction"):
        atoms.get_potential_energy()
    with pytest.raises(FileNotFoundError, match="none.pb"):
        DP(model=tmp_path / "none.pb")


@pytest.mark.parametrize("number", [2, -2, 2**32, 1.0, True, "1"])
def test_wrong_types_of_symbols(toy_pot, number):
    with pytest.raises(
        ValueError, match="`type_dict` must hold types from 0 to 1, or -1 .* for He"
    ):
        DP(model=toy_pot, type_dict={"H": 0, "He": number})


def test_keywords_of_deepmd_kit_and_ase(toy_pot, tmp_path):
    atoms = cluster()
    given = {"label": "water", "neighbor_list": None, "head": None, "atoms": atoms}
    given["nlist_backend"] = "auto"
    calc = DP(toy_pot, type_dict=TYPES, directory=str(tmp_path), **given)
    assert atoms.calc is calc and calc.label == str(tmp_path / "water") and not calc.parameters
    assert DP(toy_pot, "water", TYPES).label == "water"
    with pytest.raises(ValueError, match="`head` must be None, got 'a': a model has one head"):
        DP(toy_pot, type_dict=TYPES, head="a")
    with pytest.raises(ValueError, match="`nlist_backend` must be 'auto', got 'vesin': the model"):
        DP(toy_pot, type_dict=TYPES, nlist_backend="vesin")
    with pytest.raises(ValueError, match="`label` must be text, got .*; `type_dict` needs its"):
        DP(toy_pot, TYPES)
    with pytest.raises(ValueError, match="`type_dict` must be given when the calculator is made"):
        calc.set(type_dict={"H": 1})


def test_without_ase(monkeypatch):
    monkeypatch.setitem(sys.modules, "ase", None)
    monkeypatch.delitem(sys.modules, "deeptf.infer.ase")
    with pytest.raises(ImportError, match=r"must have ASE: pip install 'deeptf\[ase\]'"):
        importlib.import_module("deeptf.infer.ase")


def test_parameters_of_a_model(parameter_file):
    with DeepPot(parameter_file) as pot:
        atoms = cluster(num_atoms=4)
        atoms.calc = DP(model=pot, type_dict=TYPES)
        with pytest.raises(ValueError, match="`fparam` must be given"):
            atoms.get_potential_energy()
        atoms.info["fparam"] = [0.0, 0.0]
        atoms.arrays["aparam"] = np.zeros(4)
        energy = atoms.get_potential_energy()
        atoms.info["fparam"] = [0.5, 0.0]
        assert atoms.get_potential_energy() == pytest.approx(energy + 4 * 0.5)
        atoms.arrays["aparam"][1] = 1.0
        assert atoms.get_potential_energy() == pytest.approx(energy + 3.0)


def test_dynamics_conserve_energy(toy_calc):
    atoms = bulk("He", "fcc", a=2.3, cubic=True) * (2, 2, 2)
    atoms.calc = toy_calc
    velocities = np.random.default_rng(0).normal(0, 0.05, (len(atoms), 3))
    atoms.set_velocities(velocities)
    start = atoms.get_total_energy()
    VelocityVerlet(atoms, timestep=0.5 * units.fs).run(100)
    assert abs(atoms.get_total_energy() - start) / len(atoms) < 1e-5


def relaxed(toy_calc):
    """Return an fcc crystal of 32 atoms without stress."""
    atoms = bulk("He", "fcc", a=2.3, cubic=True) * (2, 2, 2)
    atoms.calc = toy_calc
    assert BFGS(StrainFilter(atoms), logfile=None).run(fmax=1e-5, steps=100)
    return atoms


def test_relaxation_of_atoms_and_cell(toy_calc):
    want = relaxed(toy_calc)
    atoms = want.copy()
    atoms.rattle(0.01, seed=0)
    atoms.set_cell(atoms.cell * [1.01, 0.99, 1.0], scale_atoms=True)
    atoms.calc = toy_calc
    assert BFGS(UnitCellFilter(atoms), logfile=None).run(fmax=1e-3, steps=60)
    assert np.abs(atoms.get_stress()).max() < 1e-4
    assert atoms.get_potential_energy() == pytest.approx(want.get_potential_energy(), abs=1e-4)


def test_phonons_of_ase(toy_calc, tmp_path):
    """The acoustic branches start at zero, all others are real."""
    crystal = bulk("He", "fcc", a=relaxed(toy_calc).cell[0, 0] / 2, cubic=True)
    phonons = Phonons(
        crystal, toy_calc, supercell=(2, 2, 2), delta=0.01, name=str(tmp_path / "phonon")
    )
    phonons.run()
    phonons.read(acoustic=True)
    frequency = phonons.band_structure([[0, 0, 0]])[0]
    assert np.abs(frequency[:3]).max() < 1e-4
    assert frequency[3:].min() > 1e-3


def test_phonopy(toy_calc):
    phonopy = pytest.importorskip("phonopy")
    from phonopy.structure.atoms import PhonopyAtoms

    atoms = bulk("He", "fcc", a=relaxed(toy_calc).cell[0, 0] / 2, cubic=True)
    cell = PhonopyAtoms(atoms.get_chemical_symbols(), cell=atoms.cell[:], positions=atoms.positions)
    phonon = phonopy.Phonopy(cell, np.eye(3, dtype=int) * 2, primitive_matrix=np.eye(3))
    phonon.generate_displacements(distance=0.01)
    forces = []
    for supercell in phonon.supercells_with_displacements:
        displaced = Atoms(supercell.symbols, supercell.positions, cell=supercell.cell, pbc=True)
        displaced.calc = toy_calc
        forces.append(displaced.get_forces())
    phonon.forces = forces
    phonon.produce_force_constants()
    phonon.symmetrize_force_constants()
    frequency = phonon.run_qpoints([[0, 0, 0]]).frequencies[0]
    assert np.abs(frequency[:3]).max() < 1e-3
    assert frequency[3:].min() > 0.1
