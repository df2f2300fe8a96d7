"""Runs of models with a modifier: labels lose its part, and frozen models give it back."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_model import random_arrays
from small_run import INPUT, TYPES, write_run, write_system

from deeptf.config import load
from deeptf.data.errors import DataError
from deeptf.exchange import frozen
from deeptf.exchange.model_file import read_model
from deeptf.infer import DeepPot
from deeptf.infer.test import test as compare
from deeptf.model.model import MODIFIER, ModelConfig
from deeptf.train import checkpoint
from deeptf.train.freeze import freeze
from deeptf.train.labels import take_off, with_modifier
from deeptf.train.origin import read_origin
from deeptf.train.run import train
from deeptf.train.start import start

CHARGES = {
    "type": "dipole_charge",
    "model_name": "dipole.pb",
    "model_charge_map": [-2.0],
    "sys_charge_map": [1.5, 0.5],
    "ewald_beta": 0.4,
    "ewald_h": 1.5,
}
CHANGES = {"model/modifier": CHARGES}
NET = {"type": "dipole", "sel_type": [0], "neuron": [6, 6]}
LABELS = ("energy", "force", "virial")


def dipole_model(path: Path, names: tuple[str, ...] = ("A", "B"), **changes: Any) -> Path:
    """Write a model of dipoles with random weights."""
    own = {"rcut": 3.0, "embedding": "network", "sel": [12] * len(names)}
    descriptor = INPUT["model"]["descriptor"] | own
    settings = {"type_map": list(names), "descriptor": descriptor, "fitting_net": NET | changes}
    config = load(ModelConfig, settings, "model")
    arrays = random_arrays(config)
    frozen.write(config, arrays, path)
    return path


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of an input whose model has a modifier, in the current folder."""
    monkeypatch.chdir(tmp_path)
    dipole_model(tmp_path / "dipole.pb")
    return write_run(tmp_path, CHANGES)


def newest() -> dict[str, np.ndarray]:
    return checkpoint.load(".").arrays


def test_a_run(run: Path, capsys: pytest.CaptureFixture) -> None:
    """Training, a restart bit for bit without the file of the dipoles, and the frozen model."""
    assert train(run) == 0
    out = capsys.readouterr().out
    assert "long range taken off the labels of 6 frames" in out
    assert (
        "note: `model_charge_map` and `sys_charge_map` leave a charge in 6 frames, frame 0 of "
        "system has +1 e: a uniform background makes up for it"
    ) in out
    told = np.loadtxt("lcurve.out")
    assert told[-1, 1] < told[0, 1]
    whole = newest()
    Path("dipole.pb").rename("moved.pb")
    assert train(run, restart="model.ckpt-10.npz") == 0
    again = newest()
    assert whole.keys() == again.keys() and any(name.startswith(MODIFIER) for name in whole)
    assert all(whole[name].tobytes() == again[name].tobytes() for name in whole)
    freeze(".", "model.pb")
    coord, cell = (np.load(f"system/set.000/{name}.npy") for name in ("coord", "box"))
    with DeepPot("model.pb") as model:
        found = model.eval(coord, cell, TYPES)
        rest = model.eval(coord, cell, TYPES, skip_modifier=True)
        assert model.get_model_def_script()["modifier"]["model_charge_map"] == [-2.0]
    data = start(run, restart=".").data.training.systems[0].batch(range(6))
    for label, value, without in zip(LABELS, found, rest, strict=True):
        taken = np.load(f"system/set.000/{label}.npy").ravel() - data.labels[label].ravel()
        assert np.abs(taken).max() > 1e-3
        np.testing.assert_allclose((value - without).ravel(), taken, atol=1e-10)
    capsys.readouterr()
    errors = compare("model.pb", "system")
    energy = np.load("system/set.000/energy.npy")
    assert errors["e"].rmse == pytest.approx(np.sqrt(np.mean((found[0][:, 0] - energy) ** 2)))


def test_new_runs_from_its_weights(run: Path, capsys: pytest.CaptureFixture) -> None:
    train(run)
    freeze(".", "model.pb")
    weights = read_model("model.pb").arrays
    changed = CHANGES | {"model/modifier": CHARGES | {"sys_charge_map": [1.0, 1.0]}}
    for given in ({"init_frozen": "model.pb"}, {"init_model": "."}, {"finetune": "model.pb"}):
        begun = start(write_run(run.parent, changed), **given)
        name = "fitting/type_0/0/matrix"
        np.testing.assert_array_equal(begun.values[name], weights[name])
        assert begun.config.model.modifier.sys_charge_map == (1.0, 1.0)
        assert not any(name.startswith(MODIFIER) for name in begun.values)
    short = start(write_run(run.parent), init_frozen="model.pb")
    assert short.config.model.modifier is None and not short.kept
    with pytest.raises(ValueError, match=r"model/modifier must be \{.*\}, got null; give these"):
        train(write_run(run.parent), restart=".")
    with pytest.raises(ValueError, match=r'model/modifier must be \{.*"sys_charge_map": \[1.5, 0'):
        train(write_run(run.parent, changed), restart=".")


def test_labels_that_are_there(run: Path) -> None:
    """Virtual atoms, sets without some labels, and frames that nobody uses."""
    (run.parent / "system").rename(run.parent / "full")
    path = write_system(run.parent / "system", numb_copy=np.array([1, 1, 0, 1, 2, 1]))
    for label in ("virial", "energy"):
        (path / "set.000" / f"{label}.npy").unlink()
    np.savetxt(path / "type.raw", [-1, 1, 1, 0, 1, 1], fmt="%d")
    begun = start(run)
    (system,) = begun.data.training.systems
    batch = system.batch([0, 4])
    assert not batch.has["energy"].any() and not batch.labels["energy"].any()
    taken = np.load(path / "set.000/force.npy")[[0, 4]].reshape(2, 6, 3)[:, 1:]
    taken = taken - batch.labels["force"].reshape(2, 5, 3)
    assert np.abs(taken).min() > 1e-6


def test_a_neutral_system_has_no_note(run: Path, capsys: pytest.CaptureFixture) -> None:
    neutral = {"model/modifier": CHARGES | {"sys_charge_map": [1.0, 0.5]}}
    start(write_run(run.parent, neutral))
    assert "leave a charge" not in capsys.readouterr().out


def test_statistics_know_the_modifier(run: Path) -> None:
    with_it = start(run).values["fitting/energy_bias"]
    without = start(write_run(run.parent)).values["fitting/energy_bias"]
    again = start(write_run(run.parent, CHANGES)).values["fitting/energy_bias"]
    assert np.abs(with_it - without).max() > 1e-3
    np.testing.assert_array_equal(with_it, again)


def test_other_workers_get_all_of_it(run: Path) -> None:
    begun = start(run)
    other = pickle.loads(pickle.dumps(begun))
    assert other.kept.keys() == begun.kept.keys() and begun.kept
    for label in LABELS:
        own, theirs = (
            one.data.training.systems[0].batch([3]).labels[label] for one in (begun, other)
        )
        np.testing.assert_array_equal(own, theirs)


def test_frames_without_a_cell(run: Path) -> None:
    Path("system/nopbc").touch()
    with pytest.raises(DataError, match="system: frame 0 must have a cell, got nopbc: charges of"):
        train(run)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"names": ("B", "A")}, "must be a model of the types A B, in this order, got .* with B A"),
        ({"names": ("A", "B", "C")}, "of the types A B, in this order, got dipole.pb with A B C"),
        ({"sel_type": [0, 1]}, "`model_charge_map` must have a charge for each of the 2 types wi"),
        ({"type": "polar"}, "must be a model of dipoles, got dipole.pb, which gives polar"),
    ],
)
def test_models_that_do_not_fit(run: Path, written: dict[str, Any], message: str) -> None:
    dipole_model(run.parent / "dipole.pb", **written)
    with pytest.raises(ValueError, match=message):
        train(run)


def test_files_that_are_no_models(run: Path) -> None:
    Path("dipole.pb").unlink()
    message = "`model/modifier/model_name` must be a frozen model of dipoles, but: dipole.pb must"
    with pytest.raises(
        ValueError, match=f"{message} be a frozen model, got no such file; the path"
    ):
        train(run)
    Path("dipole.pb").write_text("nothing")
    with pytest.raises(ValueError, match="dipole.pb must be a frozen deeptf model"):
        train(run)


def test_long_looks_say_how_far_they_are(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    begun = start(run)
    monkeypatch.setattr("deeptf.train.labels.PAUSE", -1.0)
    model, arrays = with_modifier(begun.config.model, read_origin())
    capsys.readouterr()
    take_off(begun.data, model, arrays)
    assert "long range of 6 of 6 frames" in capsys.readouterr().out


def test_the_written_input_starts_the_same_run(run: Path) -> None:
    start(run, output="out.json")
    given = json.loads(Path("out.json").read_text())
    assert given["model"]["modifier"]["dipole_model"]["fitting_net"]["type"] == "dipole"
    assert start("out.json").config.model == start(run).config.model
