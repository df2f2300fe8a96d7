"""Open data of a run: type map, labels for the loss, and what is said about the systems."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_run import write_system

from deeptf.data.opening import Data, Wanted, open_data, systems_of
from deeptf.data.options import DataOptions
from deeptf.input_file import ConfigError
from deeptf.properties import DIPOLE, ENERGY, FORCE, FORCE_WEIGHT

TERMS = {"e": [ENERGY], "f": [FORCE]}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def opened(*systems: str, validation: tuple[str, ...] = (), terms=None, **options) -> Data:
    """Open systems, with TERMS of the loss."""
    wanted = Wanted(["A", "B"], terms=TERMS if terms is None else terms)
    other = DataOptions(validation) if validation else None
    return open_data(DataOptions(systems, **options), other, wanted)


def test_types_without_names_are_counted_by_sel(folder, capsys) -> None:
    (write_system(folder / "system") / "type_map.raw").unlink()
    data = open_data(DataOptions("system"), None, Wanted(least_types=3))
    assert data.type_map == ("Type_0", "Type_1", "Type_2")
    assert "type_map Type_0 Type_1 Type_2, since no system has" in capsys.readouterr().out


def test_types_of_validation_systems_count(folder) -> None:
    for name in ("system", "valid"):
        (write_system(folder / name) / "type_map.raw").unlink()
    (folder / "valid/type.raw").write_text("0 1 2 2 1 0")
    data = open_data(DataOptions("system"), DataOptions("valid"), Wanted())
    assert data.type_map == ("Type_0", "Type_1", "Type_2")


def test_labels_that_the_loss_needs(folder, capsys) -> None:
    write_system(folder / "system")
    write_system(folder / "part")
    (folder / "part/set.000/force.npy").unlink()
    opened("system")
    assert "note" not in capsys.readouterr().out
    opened("system", "part", validation=("part",))
    out = capsys.readouterr().out
    assert "note: 6 of 12 training frames have force: the others add nothing to its term" in out
    assert "note: no validation system has force: its term of the loss is 0" in out
    message = r"must have labels for the loss \(force\), got none in 1 systems"
    with pytest.raises(ValueError, match=message):
        opened("part", terms={"f": [FORCE]})
    np.save(folder / "part/set.000/atom_pref.npy", np.ones((6, 6)))
    with pytest.raises(ValueError, match=r"\(atom_pref, force\), got none"):
        opened("part", terms={"pf": [FORCE_WEIGHT, FORCE]})


def test_labels_of_atoms_that_are_not_there(folder, capsys) -> None:
    write_system(folder / "system", dipole=np.zeros((6, 3)))
    message = (
        r"labels for the loss \(dipole\) and atoms of the types \[2\] of type_map that have th"
    )
    with pytest.raises(ValueError, match=message):
        opened("system", terms={"gl": [replace(DIPOLE, types=(2,))]})
    assert "no training system has dipole and atoms that have one" in capsys.readouterr().out


def test_the_log_of_many_systems(folder, capsys) -> None:
    write_system(folder / "system")
    opened(*["system"] * 25)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "training: 25 systems, 150 frames"
    assert lines[1:21] == ["  system: 6 frames of 6 atoms"] * 20
    assert lines[21:] == ["  and 5 more, of 6 to 6 atoms", "validation: 0 systems, 0 frames"]


def test_types_that_only_the_input_names_are_said(folder, capsys) -> None:
    for name in ("system", "other"):
        (write_system(folder / name) / "type_map.raw").unlink()
    write_system(folder / "named")
    opened("named", "system", "other")
    assert (
        "note: no type_map.raw in system and 1 more: types count as in `type_map` (0 A, 1 B)\n"
    ) in capsys.readouterr().out
    opened("named")
    assert "note: no type_map.raw" not in capsys.readouterr().out


def test_one_system_of_one_frame(folder, capsys) -> None:
    write_system(folder / "system", frames=1)
    opened("system")
    assert capsys.readouterr().out.splitlines()[:2] == [
        "training: 1 system, 1 frame",
        "  system: 1 frame of 6 atoms",
    ]


def test_what_is_used_more_or_less_is_said(folder, capsys) -> None:
    copies = [[100], [0], [1], [1], [1], [1]]
    np.save(write_system(folder / "system") / "set.000/numb_copy.npy", copies)
    opened("system", "system", sys_probs=(1.0, 0.0))
    out = capsys.readouterr().out
    assert "note: 208 training frames an epoch by numb_copy.npy, 2 frames never" in out
    assert "note: probability 0, not used for training: system" in out


def test_systems_that_are_too_large(folder, capsys) -> None:
    write_system(folder / "system")
    data = opened("system", batch_size="filter:6")
    assert (len(data.training.systems), data.validation) == (1, None)
    assert "note" not in capsys.readouterr().out
    shutil.copytree("system", "small")
    (folder / "small/type.raw").write_text("0 1")
    for name in ("coord", "force"):
        file = folder / "small/set.000" / f"{name}.npy"
        np.save(file, np.load(file)[:, :6])
    data = opened("system", "small", batch_size="filter:5")
    assert [system.path for system in data.training.systems] == ["small"]
    assert "note: 1 systems of more than 5 atoms are left out" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"`batch_size` must leave some system, got 'filter:5'"):
        opened("system", batch_size="filter:5")


@pytest.mark.parametrize(
    ("training", "found"),
    [
        ({"training_data": {"systems": ["a"]}}, ["a"]),
        ({"training_data": {"systems": "a"}, "validation_data": {"systems": ["b"]}}, ["a", "b"]),
        ({"systems": ["b", "a"], "set_prefix": "set", "mixed_precision": {}}, ["b", "a"]),
    ],
)
def test_systems_of_an_input_file(training: dict, found: list[str], folder: Path) -> None:
    """Of any that deepmd-kit reads: its other keys are not looked at."""
    for name in ("a", "b"):
        write_system(folder / name)
    (folder / "input.json").write_text(json.dumps({"model": {"type": "any"}, "training": training}))
    assert systems_of("input.json") == found


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, r"training: must be an object \{\.\.\.\}, got null"),
        ({"training": {}}, "training/training_data: must be an object"),
        ({"training": {"training_data": {"systems": []}}}, "must name at least one system"),
    ],
)
def test_an_input_file_without_systems(content: dict, message: str, folder: Path) -> None:
    (folder / "input.json").write_text(json.dumps(content))
    with pytest.raises(ConfigError, match=message):
        systems_of("input.json")
