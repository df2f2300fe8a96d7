"""A run on atoms with spins, from the input to the test."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from small_run import INPUT, SPIN, SPIN_LOSS, TYPES, changed_input, write_spin_system

from deeptf.data.errors import DataError
from deeptf.data.system import System
from deeptf.infer import evaluator
from deeptf.infer.ase import DP
from deeptf.infer.backend import ENGINE
from deeptf.infer.deep_pot import DeepPot
from deeptf.infer.test import test as compare
from deeptf.input_file import ConfigError
from deeptf.train import checkpoint
from deeptf.train.freeze import freeze
from deeptf.train.run import train

FRAMES = 4


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of an input; both atoms of the first type have spins."""
    monkeypatch.chdir(tmp_path)
    write_spin_system(tmp_path / "system", FRAMES)
    changes = {"model/spin": SPIN, "loss": SPIN_LOSS, "training/numb_steps": 10}
    script = changed_input(changes | {"training/save_freq": 5, "training/disp_freq": 5})
    (tmp_path / "input.json").write_text(json.dumps(script))
    return tmp_path / "input.json"


def test_a_run(path: Path, capsys: pytest.CaptureFixture) -> None:
    train(path)
    (closest,) = re.findall(r"shortest distance (\S+) A, at most", capsys.readouterr().out)
    assert float(closest) > 2 * SPIN["virtual_len"][0]  # virtual atoms do not count
    told = np.loadtxt("lcurve.out")
    columns = Path("lcurve.out").read_text().splitlines()[0].split()[1:]
    kinds = ["", "_e", "_fr", "_fm", "_v"]
    assert columns == ["step", *(f"rmse{kind}_trn" for kind in kinds), "lr"]
    assert np.isfinite(told).all() and told[-1, 1] < told[0, 1]
    last = checkpoint.load(".").arrays
    train(path, restart="model.ckpt-5")
    for name, value in checkpoint.load(".").arrays.items():
        np.testing.assert_array_equal(value, last[name])
    assert last["fitting/energy_bias"].shape == (2,)
    assert last["descriptor/mean"].shape == (3, 4)
    freeze(".", "model.pb")
    capsys.readouterr()
    compare("model.pb", "system", detail="detail")
    table = capsys.readouterr().out.splitlines()
    assert any("magnetic force" in line and line.endswith("  eV/uB") for line in table)
    coord, cell, label = (np.load(f"system/set.000/{n}.npy") for n in ("coord", "box", "force"))
    types = [*TYPES, 2, 2]
    with DeepPot("model.pb") as pot:
        found = pot.eval(coord, cell, types, atomic=True)
        assert pot.get_type_map() == ["A", "B", "A_spin"]
        assert pot.get_ntypes_spin() == 1 and pot.backend == ENGINE
    with pytest.raises(ValueError, match="`model` must be one without spins, got model.pb: ASE"):
        DP(model="model.pb")
    assert found[3].shape == (FRAMES, 6, 1) and found[4].shape == (FRAMES, 8, 9)
    np.testing.assert_allclose(found[3].sum(axis=1), found[0], rtol=1e-12)
    label, force = label.reshape(FRAMES, -1, 3), found[1]
    for key, atoms in (("fr", slice(0, 6)), ("fm", slice(6, 8))):
        table = np.loadtxt(f"detail.{key}.out")
        both = [value[:, atoms].reshape(-1, 3) for value in (label, force)]
        np.testing.assert_allclose(table, np.hstack(both), rtol=1e-9, atol=1e-12)
    assert not Path("detail.f.out").exists()


def test_errors_of_both_kinds_of_forces_need_no_tensorflow(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = System("system", ["A", "B", "A_spin"])
    batch = system.batch(system.used_frames)
    kinds = ["real_force", "magnetic_force"]
    with DeepPot(_frozen(path), backend="tensorflow") as pot:
        expected = pot.evaluate(batch, kinds)
    monkeypatch.setattr(evaluator, "tensorflow_backend", lambda: pytest.fail("not the engine"))
    with DeepPot("model.pb") as pot:
        found = pot.evaluate(batch, kinds)
    assert list(found) == kinds
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-12)
        assert value.any() and not value.all()


def test_the_bias_of_virtual_atoms_is_their_atoms(
    path: Path, capsys: pytest.CaptureFixture
) -> None:
    train(path, finetune=_frozen(path))
    assert "energy bias in eV: A" in capsys.readouterr().out
    assert checkpoint.load(".").arrays["fitting/energy_bias"].shape == (2,)


def _frozen(path: Path) -> str:
    train(path)
    freeze(".", "model.pb")
    return "model.pb"


def test_errors(path: Path) -> None:
    script = json.loads(path.read_text())
    script["loss"] = INPUT["loss"]
    path.write_text(json.dumps(script))
    with pytest.raises(ConfigError, match="`loss/type` must be ener_spin for a model with spins"):
        train(path)
    del script["model"]["spin"]
    script["loss"] = SPIN_LOSS
    path.write_text(json.dumps(script))
    with pytest.raises(ConfigError, match="ener_spin must have a model that gives magnetic_force"):
        train(path)
    script["model"]["spin"] = SPIN
    path.write_text(json.dumps(script))
    np.savetxt("system/type.raw", [*TYPES, 2, 1], fmt="%d")
    with pytest.raises(DataError, match=r"system: frame \d: `atom_types` must have a virtual "):
        train(path)
