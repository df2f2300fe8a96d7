"""Runs on dipoles, polarizabilities and densities of states, from the input to the test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_run import TYPES, write_run, write_system

from deeptf.data.errors import DataError
from deeptf.data.system import System
from deeptf.infer import DeepDipole, DeepDOS, DeepPolar
from deeptf.infer.test import test as compare
from deeptf.input_file import ConfigError
from deeptf.properties import ATOM_DIPOLE
from deeptf.train.freeze import freeze
from deeptf.train.run import train

CHOSEN = np.array(TYPES) == 1  # four of six atoms
FRAMES = 6
RANDOM = np.random.default_rng(4)
TENSOR = {"type": "tensor", "pref": 0.5, "pref_atomic": 1.0}
NETS = {"neuron": [6, 6]}


def labels(width: int) -> dict[str, np.ndarray]:
    """Return labels of atoms [F, 4 k], of the chosen ones alone, and of frames [F, k]."""
    atoms = RANDOM.normal(size=(FRAMES, CHOSEN.sum(), width))
    if width == 9:
        matrix = atoms.reshape(FRAMES, -1, 3, 3)
        atoms = (matrix + matrix.transpose(0, 1, 3, 2)).reshape(atoms.shape) + np.eye(3).ravel()
    return {"atomic": atoms.reshape(FRAMES, -1), "frame": atoms.sum(axis=1)}


def columns() -> list[str]:
    return Path("lcurve.out").read_text().splitlines()[0].split()[1:]


@pytest.mark.parametrize(
    ("kind", "label", "width", "opened"),
    [("dipole", "dipole", 3, DeepDipole), ("polar", "polarizability", 9, DeepPolar)],
)
def test_tensors(kind, label, width, opened, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    given = labels(width)
    own = {f"atomic_{label}": given["atomic"], label: given["frame"]}
    weighted = 6 if kind == "dipole" else CHOSEN.sum()  # of all atoms, or the chosen ones
    weight = {"atomic_weight": np.ones((FRAMES, weighted))}
    write_system(tmp_path / "system", FRAMES, **own, **weight)
    net = {"type": kind, "sel_type": [1], **NETS}
    loss = TENSOR | {"enable_atomic_weight": True}
    path = write_run(tmp_path, {"model/fitting_net": net, "loss": loss})
    assert train(path) == 0
    assert columns() == ["step", "rmse_trn", "rmse_lc_trn", "rmse_gl_trn", "lr"]
    told = np.loadtxt("lcurve.out")
    assert np.isfinite(told).all() and told[-1, 1] < told[0, 1]
    first = capsys.readouterr().out
    assert ("polarizability of an atom" in first) == (kind == "polar")
    assert train(path, restart=".") == 0  # nothing is left to do
    freeze(".", "model.pb")
    with pytest.raises(ValueError, match="must be a model of energies, got model.pb, which gives"):
        train(path, finetune="model.pb")
    capsys.readouterr()
    compare("model.pb", "system", detail="detail", atomic=True)
    printed = capsys.readouterr().out
    coord, cell = (np.load(f"system/set.000/{name}.npy") for name in ("coord", "box"))
    with opened("model.pb") as model:
        found = model.eval(coord, cell, TYPES)
        assert model.get_sel_type() == [1]
    wanted = given["atomic"].reshape(FRAMES, -1, width)
    error = np.sqrt(((found[:, CHOSEN] - wanted) ** 2).mean())
    assert f"{error:.6e}" in printed
    table = np.loadtxt("detail.lc.out")
    np.testing.assert_allclose(table[:, :width], wanted.reshape(-1, width), rtol=1e-12)
    whole = np.loadtxt("detail.out")
    np.testing.assert_allclose(whole[:, width:], found.sum(axis=1), rtol=1e-9, atol=1e-9)


def test_atoms_of_weight_0_need_no_label(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = labels(3)["atomic"].reshape(FRAMES, -1, 3)
    weight = np.tile([1.0, 1.0, 2.0, 0.0], (FRAMES, 1))
    rows = []
    for number, of_last in enumerate((0.0, 1e6)):
        given[:, 3] = of_last
        system = write_system(tmp_path / f"{number}", FRAMES, atomic_dipole=given)
        np.save(system / "set.000/atomic_weight.npy", weight)
        loss = {"type": "tensor", "pref": 0, "pref_atomic": 1, "enable_atomic_weight": True}
        changes = {
            "model/fitting_net": {"type": "dipole", "sel_type": [1], **NETS},
            "loss": loss,
            "training/training_data/systems": system.name,
            "training/numb_steps": 1,
            "training/disp_file": f"{number}.out",
        }
        assert train(write_run(tmp_path, changes)) == 0
        rows.append(np.loadtxt(f"{number}.out"))
    np.testing.assert_array_equal(*rows)
    np.testing.assert_array_equal(rows[0][:, 1], rows[0][:, 2])  # rmse and rmse_lc


def test_densities_of_states(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    of_atoms = RANDOM.uniform(size=(FRAMES, 6, 5))
    own = {"atom_dos": of_atoms.reshape(FRAMES, -1), "dos": of_atoms.sum(axis=1)}
    write_system(tmp_path / "system", FRAMES, **own, fparam=RANDOM.normal(size=(FRAMES, 1)))
    net = {"type": "dos", "numb_dos": 5, "numb_fparam": 1, **NETS}
    loss = {"type": "dos", "start_pref_dos": 0.5, "limit_pref_cdf": 0.1, "start_pref_acdf": 0.2}
    path = write_run(tmp_path, {"model/fitting_net": net, "loss": loss})
    assert train(path) == 0
    rmse = [f"rmse_{name}_trn" for name in ("dos", "ados", "cdf", "acdf")]
    assert columns() == ["step", "rmse_trn", *rmse, "lr"]
    told = np.loadtxt("lcurve.out")
    assert np.isfinite(told).all() and told[-1, 1] < told[0, 1]
    freeze(".", "model.pb")
    errors = compare("model.pb", "system", atomic=True)
    assert errors["ados"].rmse == pytest.approx(told[-1, 3], rel=0.2)  # of one batch
    with DeepDOS("model.pb") as model:
        assert model.get_numb_dos() == 5 and model.get_dim_fparam() == 1


@pytest.mark.parametrize(
    ("net", "loss", "message"),
    [
        ({"type": "dipole"}, {"type": "ener"}, "loss/type` ener must have a model that gives ener"),
        ({"type": "ener"}, TENSOR, "loss/type` tensor must have a model that gives dipole or pol"),
        (
            {"type": "dipole"},
            {"type": "dos"},
            "dos must have .* that gives dipole, atom",
        ),
        ({"type": "dipole"}, TENSOR | {"pref": -1}, "`pref` must be at least 0, got -1"),
        (
            {"type": "dipole"},
            {"type": "tensor", "pref": 0, "pref_atomic": 0},
            "`loss` must have a prefactor above 0, got 0 for both",
        ),
    ],
)
def test_losses_that_do_not_fit(net, loss, message, tmp_path):
    write_system(tmp_path / "system")
    with pytest.raises(ConfigError, match=message):
        train(write_run(tmp_path, {"model/fitting_net": net, "loss": loss}))


def test_labels_of_chosen_atoms(tmp_path):
    """With sel_type a file has the numbers of these atoms, or of all."""
    chosen = ATOM_DIPOLE.__class__(**{**vars(ATOM_DIPOLE), "types": (1,)})
    few = labels(3)["atomic"]
    path = write_system(tmp_path / "few", FRAMES, atomic_dipole=few)
    read = System(path, ("A", "B"), wanted=[chosen]).batch([2, 0]).labels["atomic_dipole"]
    read = read.reshape(2, 6, 3)
    np.testing.assert_array_equal(read[:, CHOSEN].reshape(2, -1), few[[2, 0]])
    assert not read[:, ~CHOSEN].any()
    wrong = write_system(tmp_path / "wrong", FRAMES, atomic_dipole=few[:, :9])
    message = f"dipole.npy must have 18 numbers a frame, of all 6 atoms, or {few.shape[1]}, of the"
    with pytest.raises(DataError, match=f"{message} .* by `sel_type`, got 54 in 6 frames"):
        System(wrong, ("A", "B"), wanted=[chosen]).frame(0)
