"""The command line: help, versions, one clear message for each error, and a run end to end."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from small_run import write_run, write_system

import deeptf
from deeptf.__main__ import main
from deeptf.ops import library as op_library

COMMANDS = ("train", "freeze", "test", "model-devi", "md", "relax", "ipi", "convert")
COMMANDS += ("compress", "lammps", "neighbor-stat", "doctor")


def deeptf_command(*arguments, cwd):
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "deeptf", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
    )


def error_of(capsys, *arguments):
    """Run a command that must fail; return its message."""
    assert main([str(a) for a in arguments]) == 1
    message = capsys.readouterr().err
    assert message.startswith(f"deeptf {arguments[0]}: error: ")
    assert "Traceback" not in message
    return message


def test_version_and_help_need_no_tensorflow(tmp_path):
    code = "import sys; from deeptf.__main__ import main\ntry: main(['--help'])\nfinally: "
    code += "assert not {'tensorflow', 'numpy'} & set(sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert all(command in found.stdout for command in COMMANDS)


def test_version_names_the_kernels(tmp_path, capsys, monkeypatch):
    found = deeptf_command("--version", cwd=tmp_path)
    assert found.stdout == op_library.description() + "\n"
    monkeypatch.setattr(op_library, "FOLDER", tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert f"deeptf {deeptf.__version__}, without ops: a core" in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert f"usage: deeptf {command}" in text
    undocumented = [line for line in text.splitlines() if re.fullmatch(r"  (-\w, )?--\S+", line)]
    assert not undocumented


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["train"],
        ["train", "input.json", "--restart", "a", "--init-model", "b"],
        ["train", "input.json", "--threads", "0"],
        ["test", "-m", "model.pb"],
        ["test", "-s", "a", "-f", "b"],
        ["neighbor-stat", "-s", "a"],
        ["neighbor-stat", "-s", "a", "-r", "x"],
    ],
)
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage: deeptf" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["train", "a.json", "--threads", "x"],
            "--threads: must be an integer of at least 1, got x",
        ),
        (
            ["test", "-s", "a", "-n", "-3"],
            "-n/--numb-test: must be an integer of at least 0, got -3",
        ),
    ],
)
def test_numbers_of_options(arguments, message, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert message in capsys.readouterr().err


def test_missing_files(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "none.json" in error_of(capsys, "train", "none.json")
    assert "none" in error_of(capsys, "freeze", "-c", "none")
    assert "none.pb" in error_of(capsys, "test", "-m", "none.pb", "-s", ".")
    assert "frozen_model.pb" in error_of(capsys, "test", "-s", ".")
    assert "none.txt" in error_of(capsys, "test", "-f", "none.txt")
    assert "none.pb" in error_of(capsys, "convert", "none.pb", "new.pb")
    assert "none" in error_of(capsys, "neighbor-stat", "-s", "none", "-r", "6")
    assert not list(tmp_path.iterdir())


def test_wrong_input_file(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "input.json").write_text("{")
    assert "input.json" in error_of(capsys, "train", "input.json")
    write_run(tmp_path, {"model/descriptor/rcutt": 6.0})
    message = error_of(capsys, "train", "input.json")
    assert "model/descriptor" in message and "rcutt" in message and "rcut" in message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["input.json", "system"]


def test_debug_shows_the_traceback(tmp_path, capsys):
    with pytest.raises(FileNotFoundError):
        main(["freeze", "-c", str(tmp_path / "none"), "--debug"])
    assert len(error_of(capsys, "freeze", "-c", tmp_path / "none").splitlines()) == 1


def test_missing_library(tmp_path, capsys, monkeypatch):
    """A package without its ops says so at the first command that needs them."""
    op_library.library.cache_clear()
    monkeypatch.setattr(op_library, "FOLDER", tmp_path / "nothing")
    system = write_system(tmp_path / "system")
    message = error_of(capsys, "neighbor-stat", "-s", system, "-r", "3")
    assert "must be built first" in message and "pip install" in message
    op_library.library.cache_clear()


def test_missing_tensorflow(capsys, monkeypatch):
    def fail(*_):
        raise ModuleNotFoundError("No module named 'tensorflow'", name="tensorflow")

    monkeypatch.setattr("deeptf.train.freeze.freeze", fail)
    assert "pip install 'deeptf[cpu]'" in error_of(capsys, "freeze")


def test_interrupt(capsys, monkeypatch):
    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("deeptf.train.freeze.freeze", fail)
    assert main(["freeze"]) == 130
    assert capsys.readouterr().err == "deeptf: interrupted\n"


def output_of(capsys, *arguments):
    """Run a command in this process; return what it printed."""
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def test_from_data_to_errors_and_forces(tmp_path, capsys, monkeypatch):
    """train, train on, freeze, test, and the model in ASE."""
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path)
    found = deeptf_command("train", "input.json", "-o", "full.json", "--threads", "1", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith(op_library.description() + "\n")
    assert (tmp_path / "lcurve.out").read_text().startswith("# ")
    assert json.loads((tmp_path / "full.json").read_text())["model"]["type_map"] == ["A", "B"]
    write_run(tmp_path, {"training/numb_steps": 25})
    assert main(["train", "input.json", "--restart", "."]) == 0
    capsys.readouterr()
    assert re.search(r"25\S* -> model.pb\n$", output_of(capsys, "freeze", "-o", "model.pb"))
    told = output_of(capsys, "test", "-m", "model.pb", *"-s system -n 4 -d detail".split())
    assert "system: 4 frames" in told and "force" in told
    assert np.loadtxt(tmp_path / "detail.f.out").shape == (24, 6)

    from ase import Atoms

    from deeptf.infer.ase import DP

    coord = np.load(tmp_path / "system" / "set.000" / "coord.npy")[0].reshape(-1, 3)
    cell = np.load(tmp_path / "system" / "set.000" / "box.npy")[0].reshape(3, 3)
    calc = DP(model=tmp_path / "model.pb", type_dict={"H": 0, "He": 1})
    atoms = Atoms("HHe2HHe2", coord, cell=cell, pbc=True, calculator=calc)
    predicted = np.loadtxt(tmp_path / "detail.e.out")[0, 1]
    assert atoms.get_potential_energy() == pytest.approx(predicted, rel=1e-12)
    np.testing.assert_allclose(
        atoms.get_forces(), np.loadtxt(tmp_path / "detail.f.out")[:6, 3:], atol=1e-10
    )
