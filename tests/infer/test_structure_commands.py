"""`deeptf md`, `deeptf relax` and `deeptf ipi` as a user gives them."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from ase.io import read
from md_runs import columns, write_cluster
from small_network import write_network

from deeptf.__main__ import main
from deeptf.infer import ipi
from deeptf.infer import structure as checks


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_network(tmp_path_factory.mktemp("md") / "model.pb", names=("H", "He"))


@pytest.fixture
def structure(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_cluster(tmp_path)


def command(*arguments):
    return main([str(argument) for argument in arguments])


def test_dynamics_with_tables_and_picture(model, structure, capsys):
    pytest.importorskip("matplotlib")
    told = [
        "--supercell",
        2,
        1,
        1,
        "-e",
        "npt",
        "-T",
        50,
        "-P",
        10,
        "--timestep",
        0.25,
        "--log-every",
        5,
    ]
    told += ["--frame-every", 2, "--rdf", "--msd"]
    assert command("md", structure, "-m", model, model, "-n", 10, *told) == 0
    assert list(columns("md.log")["step"]) == [0, 5, 10]
    assert np.loadtxt("md.rdf").shape[1] == 4
    assert Path("md.rdf").read_text().split()[1:5] == ["r", "H-H", "H-He", "He-He"]
    np.testing.assert_allclose(np.loadtxt("md.msd")[:, 0], [0, 0.0005, 0.001, 0.0015])
    assert Path("md.png").read_bytes().startswith(b"\x89PNG")
    assert command("md", structure, "-m", model, model, "-n", 12, *told, "--restart") == 0
    assert list(columns("md.log")["step"]) == [0, 5, 10, 12]
    assert "deviation 0 eV/A" in capsys.readouterr().out


def test_without_matplotlib(model, structure, monkeypatch, capsys):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "matplotlib" else found(name)
    )
    assert command("md", structure, "-m", model, "-n", 1, "-o", "new/run") == 0
    assert "no new/run.png: it needs matplotlib, pip install 'deeptf[plot]'" in (
        capsys.readouterr().out
    )


def test_no_structure_of_an_open_system(model, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    structure = write_cluster(tmp_path, pbc=False)
    assert command("md", structure, "-m", model, "-n", 1, "--rdf", "--msd") == 0
    assert "no md.rdf: g(r) needs a cell with three periodic" in capsys.readouterr().out
    assert Path("md.msd").exists() and Path("md.png").exists() and not Path("md.rdf").exists()


@pytest.mark.parametrize("name", ["md", "relax", "ipi"])
def test_without_ase(model, structure, monkeypatch, capsys, name):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "ase" else found(name)
    )
    more = ["--unix", "x"] if name == "ipi" else []
    assert command(name, structure, "-m", model, *more) == 1
    error = capsys.readouterr().err
    message = f"`deeptf {name}` must have ASE 3.25 or newer, got none: pip install 'deeptf[ase]'"
    assert error == f"deeptf {name}: error: {message}\n"


def test_an_old_ase(model, structure, monkeypatch, capsys):
    monkeypatch.setattr(checks, "version", lambda name: "3.24.0")
    assert command("md", structure, "-m", model) == 1
    assert "must have ASE 3.25 or newer, got 3.24.0: pip" in capsys.readouterr().err


def test_relaxation(model, structure, capsys):
    assert command("relax", structure, "-m", model, "--fmax", 100, "-o", "new/atoms.cif") == 0
    assert Path("new/atoms.cif").exists()
    told = ["-o", "more.extxyz", "--fmax", 1e-9, "-n", 1, "--supercell", 1, 1, 2]
    assert command("relax", structure, "-m", model, *told) == 1
    assert "not relaxed to 1e-09 eV/A in 1 steps" in capsys.readouterr().out
    assert len(read("more.extxyz")) == 2 * len(read(structure))


def test_ipi_passes_the_address(model, structure, monkeypatch, capsys):
    monkeypatch.setattr(ipi, "WAIT", 0.0)
    for told in (["--unix", "/nowhere/at_all"], ["--inet", "127.0.0.1:1"]):
        assert command("ipi", structure, "-m", model, *told) == 1
        assert f"`{told[0][2:]}` must be where i-PI listens, got {told[1]}" in (
            capsys.readouterr().err
        )
