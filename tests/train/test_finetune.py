"""Fine-tuning: what is carried over, drawn and fitted where types and data are others."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_model import random_arrays
from small_run import TYPES, changed_input, write_run, write_system

from deeptf.exchange import frozen
from deeptf.infer.deep_pot import DeepPot
from deeptf.model.retyping import by_type, places_of_types
from deeptf.train import checkpoint
from deeptf.train.freeze import freeze
from deeptf.train.options import load_input
from deeptf.train.run import train
from deeptf.train.start import Run, start

SHIFT = {"A": 3.0, "B": -1.5}  # eV, of the energies of the new data
NETS = {"rcut": 3.5, "rcut_smth": 1.0, "neuron": [4, 8], "axis_neuron": 2, "embedding": "network"}
WITHOUT_AXES = {name: value for name, value in NETS.items() if name != "axis_neuron"}
KINDS: dict[str, dict[str, Any]] = {
    "se_e2_a": {**NETS, "type": "se_e2_a", "sel": [8, 16], "set_davg_zero": True},
    "one side": {
        **NETS,
        "type": "se_e2_a",
        "sel": [8, 16],
        "type_one_side": True,
        "exclude_types": [[0, 0]],
    },
    "se_e2_r": {**WITHOUT_AXES, "type": "se_e2_r", "sel": [8, 16]},
    "se_e3": {**WITHOUT_AXES, "type": "se_e3", "sel": [8, 16]},
    "se_a_ebd_v2": {**NETS, "type": "se_a_ebd_v2", "sel": [8, 16]},
    "se_atten": {**NETS, "type": "se_atten", "sel": 24, "attn_layer": 1, "attn": 4},
    "hybrid": {
        "type": "hybrid",
        "list": [
            {**NETS, "type": "se_e2_a", "sel": [8, 16]},
            {**WITHOUT_AXES, "type": "se_e2_r", "rcut": 3.0, "sel": [8, 16]},
        ],
    },
}
VECTORS = {"neuron": [5, 6]}  # of types


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_new(folder: Path, types: str = "ABBABB", name: str = "new") -> Path:
    """Write the system with other types, the energies of A and B moved."""
    rng = np.random.default_rng(3)
    path = write_system(folder / name)
    energy = np.load(path / "set.000" / "energy.npy")
    energy = energy + sum(SHIFT.get(t, 0.0) for t in types) + rng.normal(0, 0.01, len(energy))
    np.save(path / "set.000" / "energy.npy", energy)
    names = sorted(set(types))
    np.savetxt(path / "type.raw", [names.index(t) for t in types], fmt="%d")
    (path / "type_map.raw").write_text("\n".join(names))
    return path


def first_model(folder: Path, descriptor: dict[str, Any], **changes: Any) -> Path:
    """Write a model of A and B with random weights."""
    script = changed_input({"model/descriptor": descriptor, **changes})
    config = load_input(script)[0].model
    frozen.write(config, random_arrays(config), folder / "old.pb")
    return folder / "old.pb"


def tuned(folder: Path, old: Path, type_map: list[str], changes: dict[str, Any]) -> Run:
    """Begin a run from it, and write the model of its first step."""
    given = {"model/type_map": type_map, "training/training_data/systems": ["new"]}
    run = start(write_run(folder, {**given, **changes}), finetune=old)
    frozen.write(run.config.model, run.values, folder / "tuned.pb")
    return run


def forces_and_energies(model: str | Path, types: list[str]) -> tuple[np.ndarray, np.ndarray]:
    coord, box = (np.load(f"new/set.000/{name}.npy") for name in ("coord", "box"))
    with DeepPot(model) as pot:
        names = list(pot.get_type_map())
        energy, force, _ = pot.eval(coord, box, [names.index(t) for t in types])
    return force, energy


@pytest.mark.parametrize("kind", KINDS)
def test_models_of_more_types_in_another_order(
    kind: str, folder: Path, capsys: pytest.CaptureFixture
) -> None:
    """Frames of old types have the same forces, and their energies follow the labels."""
    vectors = {"model/type_embedding": VECTORS} if kind in ("se_e2_a", "se_atten") else {}
    old = first_model(folder, KINDS[kind], **vectors)
    write_new(folder)
    sections = copy.deepcopy(KINDS[kind])
    if "sel" in sections:
        sections["sel"] = "auto"
    for part in sections.get("list", ()):
        part["sel"] = "auto"
    sections.pop("exclude_types", None)
    capsys.readouterr()
    tuned(folder, old, ["C", "B", "A"], {"model/descriptor": sections, **vectors})
    told = capsys.readouterr().out
    assert "types that go on B A; new types C\n" in told
    assert re.search(r"\d+ arrays carried over; \d+ (with rows of new types|drawn) \(", told)
    found, expected = (forces_and_energies(one, list("ABBABB")) for one in ("tuned.pb", old))
    np.testing.assert_allclose(found[0], expected[0], rtol=0, atol=1e-9)
    label = np.load("new/set.000/energy.npy")
    moved = expected[1][:, 0] + np.mean(label - expected[1][:, 0])
    np.testing.assert_allclose(found[1][:, 0], moved, rtol=0, atol=1e-8)


@pytest.mark.parametrize("kind", ["se_e3", "se_a_ebd_v2", "se_atten"])
def test_types_that_are_dropped(kind: str, folder: Path, capsys: pytest.CaptureFixture) -> None:
    """Of a model that has a net for all, or for places with neighbours alone, forces stay."""
    old = first_model(folder, KINDS[kind])
    write_new(folder, "BBBBBB")
    section = {**KINDS[kind], "sel": "auto"}
    tuned(folder, old, ["B"], {"model/descriptor": section})
    assert "types that go on B; dropped types A\n" in capsys.readouterr().out
    found, expected = (forces_and_energies(one, list("BBBBBB"))[0] for one in ("tuned.pb", old))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_places_of_dropped_types(folder: Path) -> None:
    old = first_model(folder, KINDS["se_e2_a"])
    write_new(folder, "BBBBBB")
    run = tuned(folder, old, ["B"], {"model/descriptor": {**KINDS["se_e2_a"], "sel": "auto"}})
    assert run.config.model.term.descriptor.sel == (24,)
    assert not [name for name in run.values if "embedding_1" in name]


def test_other_data_of_the_same_types(folder: Path, capsys: pytest.CaptureFixture) -> None:
    """All arrays but the energy bias are those of the model, from a checkpoint too."""
    section = {"model/descriptor": KINDS["se_e2_a"], "training/numb_steps": 1}
    train(write_run(folder, section))
    before = checkpoint.load(folder).model_arrays()
    write_new(folder)
    write_new(folder, "AAABBB", "more")
    changes = {"training/training_data/systems": ["new", "more"], **section}
    capsys.readouterr()
    run = start(write_run(folder, changes), finetune=folder)
    told = capsys.readouterr().out
    assert "types that go on A B\n" in told and "that fits 12 frames\n" in told
    assert re.search(r"energy bias in eV: A -?[\d.]+ -> -?[\d.]+, B -?[\d.]+ -> -?[\d.]+\n", told)
    changed = [k for k in before if not np.array_equal(before[k], run.values[k])]
    assert changed == ["descriptor/shortest", "fitting/energy_bias"]
    moved = run.values["fitting/energy_bias"] - before["fitting/energy_bias"]
    left = []
    for name, types in (("new", TYPES), ("more", [0, 0, 0, 1, 1, 1])):
        count = np.bincount(types)
        left.append(np.load(f"{name}/set.000/energy.npy") - count @ moved)
    freeze(folder, "old.pb")
    for energy, types, name in zip(left, ("ABBABB", "AAABBB"), ("new", "more"), strict=True):
        coord, box = (np.load(f"{name}/set.000/{n}.npy") for n in ("coord", "box"))
        with DeepPot("old.pb") as pot:
            of_model = pot.eval(coord, box, [0 if t == "A" else 1 for t in types])[0][:, 0]
        assert abs(np.mean(energy - of_model)) < 1e-9
    train("input.json", finetune="old.pb")
    bias = checkpoint.load(folder).arrays["fitting/energy_bias"]
    np.testing.assert_allclose(bias, run.values["fitting/energy_bias"], rtol=0, atol=1e-9)


def test_given_energies_of_atoms_stay(folder: Path) -> None:
    old = first_model(folder, KINDS["se_e2_a"], **{"model/fitting_net/atom_ener": [-2.0, None]})
    write_new(folder)
    changes = {"model/type_map": ["B", "A"], "training/training_data/systems": ["new"]}
    run = start(write_run(folder, changes), finetune=old)
    assert run.config.model.term.fitting_net.atom_ener == (None, -2.0)
    before = frozen.read_arrays(old)[1]["fitting/energy_bias"]
    after = run.values["fitting/energy_bias"]
    assert after[1] == before[0] and after[0] != before[1]


def test_data_without_energies(folder: Path, capsys: pytest.CaptureFixture) -> None:
    old = first_model(folder, KINDS["se_e2_a"])
    write_new(folder)
    (folder / "new/set.000/energy.npy").unlink()
    start(write_run(folder, {"training/training_data/systems": ["new"]}), finetune=old)
    assert "that fits 0 frames" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"model/type_map": ["C", "D"]},
            "`type_map` must have a type of the model to go on from, old.pb with A B, got C D",
        ),
        (
            {"model/type_map": ["A", "B", "C"], "model/descriptor/neuron": [4, 4]},
            "have the shapes of their model (old.pb): model/descriptor/neuron must be [4, 8], got",
        ),
        (
            {"model/type_map": ["A", "B", "C"], "model/descriptor": {"type": "se_e2_r"}},
            'model/descriptor/type must be "se_e2_a", got "se_e2_r"',
        ),
    ],
)
def test_what_is_refused(changes: dict[str, Any], message: str, folder: Path) -> None:
    first_model(folder, KINDS["se_e2_a"])
    write_new(folder, "CDDCDD" if "D" in changes["model/type_map"] else "ABBABB")
    given = {"training/training_data/systems": ["new"], "model/descriptor/sel": "auto", **changes}
    with pytest.raises(ValueError, match=re.escape(message)):
        start(write_run(folder, given), finetune="old.pb")


def test_vectors_of_types_with_a_residual(folder: Path) -> None:
    vectors = {"model/type_embedding": {"neuron": [4, 4]}}
    old = first_model(folder, KINDS["se_atten"], **vectors)
    write_new(folder)
    changes = {"model/type_map": ["A", "B", "C"], "model/descriptor": KINDS["se_atten"], **vectors}
    changes["training/training_data/systems"] = ["new"]
    message = "types of .*old.pb cannot be changed: .* of 2 types, got 3 types: with 2 of them the"
    with pytest.raises(ValueError, match=message):
        start(write_run(folder, changes), finetune=old)


def test_local_frames_keep_their_types(folder: Path) -> None:
    rule = [0, -3, 0, 0, -3, 1]
    local = {
        "type": "loc_frame",
        "sel_a": [2, 4],
        "sel_r": [0, 0],
        "rcut": 4.5,
        "axis_rule": rule * 2,
    }
    old = first_model(folder, local)
    write_new(folder)
    changes = {"model/descriptor": local, "training/training_data/systems": ["new"]}
    start(write_run(folder, changes), finetune=old)
    with pytest.raises(ValueError, match="`type_map` must be that of the model where the descri"):
        start(write_run(folder, {**changes, "model/type_map": ["B", "A"]}), finetune=old)


def test_arrays_by_type() -> None:
    array = np.arange(4, dtype=np.float32).reshape(2, 2)
    found = by_type(array, [1, None, 0], axes=2)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [[3, np.nan, 2], [np.nan] * 3, [1, np.nan, 0]])
    assert places_of_types([4, 8, 2], [2, None, 0]) == (2, 0, 12)
