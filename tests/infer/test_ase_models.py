"""The ASE calculator: several models, bands of images at the same time, and its name in ASE."""

import copy
import pickle
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import get_calculator_class
from ase.io import read, write
from ase.mep import NEB
from ase.optimize import FIRE
from md_runs import write_cluster
from small_network import write_network

from deeptf.infer import DeepPot
from deeptf.infer.ase import DP

NAMES = ("H", "He")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return [write_network(folder / f"{n}.pb", seed=n, names=NAMES) for n in range(1, 4)]


@pytest.fixture
def atoms(tmp_path):
    return read(write_cluster(tmp_path))


def test_several_models(models, atoms, tmp_path):
    """The first one gives the results; the others say how much they disagree."""
    atoms.calc = DP(models)
    forces = atoms.get_forces()
    deviation = atoms.calc.results["deviation"]
    each = []
    for model in models:
        with DeepPot(model) as pot:
            each.append(pot.eval(atoms.positions, atoms.cell[:], atoms.numbers - 1)[1][0])
    np.testing.assert_array_equal(forces, each[0])
    spread = ((each - np.mean(each, axis=0)) ** 2).sum(axis=2).mean(axis=0)
    np.testing.assert_allclose(deviation, np.sqrt(spread))
    np.testing.assert_array_equal(atoms.calc.get_property("deviation", atoms), deviation)
    write(tmp_path / "out.extxyz", atoms)
    np.testing.assert_allclose(read(tmp_path / "out.extxyz").get_forces(), forces, atol=1e-6)
    for make in (copy.copy, copy.deepcopy, lambda calc: pickle.loads(pickle.dumps(calc))):
        other = make(atoms.calc)
        moved = atoms.copy()
        moved.rattle(0.01)
        assert np.abs(other.get_property("deviation", moved) - deviation).max() > 1e-8
    one = Atoms("H", calculator=DP(models[:1]))
    one.get_forces()
    assert "deviation" not in one.calc.results


def test_models_that_do_not_go_together(models, tmp_path):
    other = write_network(tmp_path / "other.pb", names=("H", "Li"))
    with pytest.raises(ValueError, match="`models` must have the same `type_map`"):
        DP([models[0], other])
    with pytest.raises(ValueError, match="`models` must be a list of at least one model"):
        DP([])


def test_bands_in_parallel(models, atoms):
    """Images in threads, each with a copy of the calculator, give the forces of one by one."""

    def band(parallel):
        images = [atoms.copy() for _ in range(5)]
        images[-1].positions[0] += [0.3, 0.2, 0.0]
        calc = DP(models[0], threads=1)
        for image in images:
            image.calc = copy.deepcopy(calc)
        found = NEB(images, method="improvedtangent", parallel=parallel)
        found.interpolate()
        FIRE(found, logfile=None).run(fmax=0.0, steps=3)
        return found.get_forces()

    np.testing.assert_array_equal(band(True), band(False))


def test_name_in_ase():
    assert get_calculator_class("deeptf") is import_module("deeptf.infer.ase").DP


def test_plugin_of_ase():
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    module = import_module(project["entry-points"]["ase.plugins"]["deeptf"])
    pytest.importorskip("ase._4.plugins.plugin")
    (plugin,) = module.__ase_plugins__
    assert (plugin.name, plugin()) == ("deeptf", import_module("deeptf.infer.ase").DP)
