"""The data sets of the examples: shapes, sums, units and the split into training and held out; and
where the common script of the examples puts what it makes.

It reads the files as they are in the repository and does not train anything.
"""

import importlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import dpdata
import numpy as np
import pytest

from deeptf.train.options import load_input

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SYSTEMS = sorted(path.parent for path in EXAMPLES.glob("*/data/*/type.raw"))
TYPES = {
    "alloy": {"Al": 32},  # of type.raw; each frame has types of its own
    "aluminium": {"Al": 32},
    "water": {"O": 16, "H": 32},
    "ethanol": {"H": 6, "C": 2, "O": 1},
}
MAX_BYTES = 5_000_000


def load(system):
    return {path.stem: np.load(path) for path in (system / "set.000").glob("*.npy")}


def name_of(system):
    return "/".join(system.parts[-3:])


def test_every_example_ships_both_parts():
    expected = {f"{name}/data/{part}" for name in TYPES for part in ("train", "validation")}
    assert {name_of(system) for system in SYSTEMS} == expected


@pytest.mark.parametrize("system", SYSTEMS, ids=name_of)
class TestSystem:
    def test_arrays_have_the_shape_of_the_molecule_and_are_finite(self, system):
        arrays, atoms = load(system), len((system / "type.raw").read_text().split())
        frames = len(arrays["energy"])
        widths = {"coord": 3 * atoms, "force": 3 * atoms}
        if not (system / "nopbc").exists():
            widths |= {"box": 9, "virial": 9}
        if "real_atom_types" in arrays:
            widths["real_atom_types"] = atoms
        if system.parts[-3] == "water":
            widths |= {"atomic_dipole": atoms, "dipole": 3, "polarizability": 9}
        assert set(arrays) == {"energy", *widths}
        assert arrays["energy"].shape == (frames,)
        assert arrays["energy"].dtype == np.float64
        for name, width in widths.items():
            assert arrays[name].shape == (frames, width), name
        assert all(np.isfinite(values).all() for values in arrays.values())

    def test_composition_and_type_map(self, system):
        names = (system / "type_map.raw").read_text().split()
        types = [names[int(t)] for t in (system / "type.raw").read_text().split()]
        found = {name: types.count(name) for name in names if name in types}
        assert found == TYPES[system.parts[-3]]

    def test_forces_sum_to_zero(self, system):
        arrays = load(system)
        force = arrays["force"].reshape(len(arrays["force"]), -1, 3).astype(np.float64)
        assert np.abs(force.sum(axis=1)).max() < 1e-4
        assert np.abs(force).max() > 0.1

    def test_virial_is_symmetric_and_of_the_size_of_a_pressure(self, system):
        arrays = load(system)
        if "virial" not in arrays:
            return
        virial = arrays["virial"].reshape(-1, 3, 3).astype(np.float64)
        volume = np.abs(np.linalg.det(arrays["box"].reshape(-1, 3, 3).astype(np.float64)))
        pressure = np.trace(virial, axis1=1, axis2=2) / 3 / volume * 160.21766  # GPa
        assert np.abs(virial - virial.transpose(0, 2, 1)).max() < 1e-4
        assert np.abs(pressure).max() < 50

    def test_dpdata_reads_it(self, system):
        arrays = load(system)
        if "real_atom_types" in arrays:
            systems = dpdata.MultiSystems()
            systems.load_systems_from_file(str(system), fmt="deepmd/npy/mixed")
            read = systems.get_nframes()
        else:
            read = len(dpdata.LabeledSystem(str(system), fmt="deepmd/npy"))
        assert read == len(arrays["energy"])


@pytest.mark.parametrize("example", TYPES)
def test_a_tenth_is_held_out_and_training_has_none_of_it(example):
    data = EXAMPLES / example / "data"
    train, held_out = (load(data / part) for part in ("train", "validation"))
    total = len(train["energy"]) + len(held_out["energy"])
    assert len(held_out["energy"]) == total // 10
    seen = {frame.tobytes() for frame in train["coord"]}
    assert not any(frame.tobytes() in seen for frame in held_out["coord"])
    assert len(seen) == len(train["coord"])


def test_labels_of_water_are_those_of_its_script(monkeypatch):
    """Of the first frame, and of one that is turned; a molecule alone has the dipole of charges."""
    monkeypatch.syspath_prepend(EXAMPLES / "water")
    tensors = importlib.import_module("tensors")
    system = EXAMPLES / "water/data/validation"
    arrays, types = load(system), np.loadtxt(system / "type.raw", int)
    coord, box = (arrays[name][0].reshape(-1, 3).astype(float) for name in ("coord", "box"))
    found = tensors.tensors(coord, box, types)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    turned = tensors.tensors(coord @ turn, box @ turn, types)
    for name, value in found.items():
        np.testing.assert_allclose(value, arrays[name][0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(turned["dipole"], found["dipole"] @ turn, atol=1e-9)
    matrix = found["polarizability"].reshape(3, 3)
    np.testing.assert_allclose(
        turned["polarizability"], (turn.T @ matrix @ turn).ravel(), atol=1e-9
    )
    alone = tensors.tensors(
        np.array([[0, 0, 0], [1.0, 0, 0], [0, 1.0, 0]]), 30 * np.eye(3), types[:3]
    )
    np.testing.assert_allclose(alone["dipole"], [0.33, 0.33, 0], atol=1e-12)


def test_alloys_are_of_one_to_five_metals():
    types = load(EXAMPLES / "alloy/data/train")["real_atom_types"]
    assert {len(set(frame)) for frame in types} == set(range(1, 6))
    assert np.bincount(types.ravel(), minlength=5).min() > types.size / 10


def test_denser_aluminium_has_the_higher_pressure():
    """The sign of the virial: -dE/d(strain), so its trace falls with the volume of a solid."""
    arrays = load(EXAMPLES / "aluminium/data/train")
    volume = np.linalg.det(arrays["box"].reshape(-1, 3, 3).astype(np.float64)) / 32
    pressure = arrays["virial"][:, [0, 4, 8]].sum(axis=1) / volume
    assert pressure[volume < 15.2].min() > 0
    assert pressure[volume > 18].max() < pressure[volume < 15.2].min()


INPUTS = sorted(EXAMPLES.glob("*/*.json"))
OF_DATA = [path for path in INPUTS if path.parent.name in TYPES]


@pytest.mark.parametrize("path", OF_DATA, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_inputs_are_taken_and_name_the_types_of_the_data(path):
    model = load_input(json.loads(path.read_text()))[0].model
    assert [*model.type_map] == (path.parent / "data/train/type_map.raw").read_text().split()


@pytest.mark.parametrize("example", ["aluminium", "water"])
def test_fast_inputs_have_smaller_nets(example):
    standard, fast = (
        load_input(json.loads((EXAMPLES / example / name).read_text()))[0].model.term
        for name in ("input.json", "fast.json")
    )
    for section in ("descriptor", "fitting_net"):
        one, other = getattr(standard, section), getattr(fast, section)
        assert sum(other.neuron) < sum(one.neuron) and other.precision == "float32"


@pytest.mark.parametrize(("chosen", "folder"), [("", "run"), ("fast", "run_fast")])
@pytest.mark.parametrize("example", TYPES)
def test_run_works_in_the_folder_of_its_example(example, chosen, folder, tmp_path):
    """With a stand-in for deeptf that writes down where it is called and what for."""
    for name in ("common", example):
        (tmp_path / name).mkdir()
        shutil.copy(EXAMPLES / name / "run.sh", tmp_path / name, follow_symlinks=False)
    (tmp_path / example / f"{chosen or 'input'}.json").touch()
    program = tmp_path / "deeptf"
    program.write_text(
        '#!/bin/sh\ntest "$1" != train || test -f $2\necho "$PWD $1" >> "$0.calls"\n'
    )
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = [tmp_path / example / "run.sh", *([chosen] if chosen else [])]
    subprocess.run(command, check=True, env=environment)
    place = tmp_path / example / folder
    calls = [f"{place} {command}" for command in ("train", "freeze", "test")]
    assert (tmp_path / "deeptf.calls").read_text().splitlines() == calls


def test_all_examples_together_are_small():
    sizes = [path.stat().st_size for path in EXAMPLES.glob("*/data/**/*") if path.is_file()]
    assert sum(sizes) < MAX_BYTES
