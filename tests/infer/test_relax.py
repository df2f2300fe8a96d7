"""Relaxations of atoms and cell, and their messages."""

import numpy as np
import pytest
import toy
from ase.build import bulk
from ase.io import read, write
from md_runs import write_cluster

from deeptf.infer import DeepPot
from deeptf.infer.ase import DP
from deeptf.infer.relax import BAR, relax


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return toy.write(tmp_path_factory.mktemp("relax") / "toy.pb", type_map=("H", "He"))


@pytest.fixture
def crystal(tmp_path):
    atoms = bulk("He", "fcc", a=2.25, cubic=True) * 2
    atoms.rattle(0.03, seed=0)
    path = tmp_path / "crystal.extxyz"
    write(path, atoms)
    return path


def test_atoms_and_cell_relax(model, crystal, tmp_path, capsys):
    output = tmp_path / "relaxed.vasp"
    assert relax(crystal, model, output, cell=True, pressure=1e5, fmax=0.02)
    atoms = read(output)
    with DeepPot(model) as pot:
        atoms.calc = DP(pot)
        assert np.abs(atoms.get_forces()).max() < 0.02
        assert -atoms.get_stress()[:3] / BAR == pytest.approx([1e5] * 3, rel=0.01)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("step     0 | E ") and " bar | V 91.125 A^3" in said[0]
    assert said[-1].startswith(f"{output}: relaxed, energy ")


def test_what_is_left_is_said(model, crystal, tmp_path, capsys):
    output = tmp_path / "relaxed.extxyz"
    assert not relax(crystal, model, output, fmax=1e-6, steps=2)
    assert f"{output}: not relaxed to 1e-06 eV/A in 2 steps" in capsys.readouterr().out
    assert read(output).cell == pytest.approx(read(crystal).cell[:])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"fmax": 0.0}, "`fmax` must be a positive force in eV/A, got 0.0"),
        ({"steps": -1}, "`steps` must be at least 0, got -1"),
        ({"pressure": float("nan")}, "`pressure` must be a number of bar, got nan"),
        ({"output": "atoms.extxyz"}, "`output` must be a new name, got .*, which exists"),
        ({"output": "x.what"}, "`output` must end as a format that ASE writes, such as"),
        ({"output": "what"}, "`output` must end as a format that ASE writes, such as"),
        ({"cell": True}, "three periodic directions for a cell that relaxes, got pbc .False"),
    ],
)
def test_messages(model, tmp_path, given, message):
    structure = write_cluster(tmp_path, pbc=False)
    output = tmp_path / given.pop("output", "new.extxyz")
    with pytest.raises(ValueError, match=message):
        relax(structure, model, output, **given)
