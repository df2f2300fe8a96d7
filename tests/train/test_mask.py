"""A run with a mask of atoms: it learns, goes on bit for bit, and is tested on its data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from restarts import assert_goes_on
from small_run import TYPES, write_run, write_system

from deeptf.data.errors import DataError
from deeptf.infer.deep_pot import DeepPot
from deeptf.infer.test import test as compare
from deeptf.train.freeze import freeze
from deeptf.train.run import train

FRAMES = 6
ABSENT = 5  # atom, in every other frame
CHANGES = {
    "model/descriptor": {"type": "se_a_mask", "sel": [2, 4], "neuron": [4, 8], "axis_neuron": 2},
    "model/fitting_net": {"neuron": [8, 8], "numb_aparam": 1, "use_aparam_as_mask": True},
    "loss": {},
    "training/numb_steps": 40,
    "training/save_freq": 20,
}


def write_masked(folder: Path) -> None:
    write_system(folder)
    path = folder / "set.000"
    coord, force = (np.load(path / f"{name}.npy") for name in ("coord", "force"))
    mask = np.ones((FRAMES, 6))
    mask[::2, ABSENT] = 0
    coord = coord.reshape(FRAMES, 6, 3)
    coord[::2, ABSENT] = coord[::2, 0]  # absent atoms may be anywhere
    force = force.reshape(FRAMES, 6, 3) * mask[..., None]
    for name, value in (("coord", coord), ("force", force), ("aparam", mask)):
        np.save(path / f"{name}.npy", value.reshape(FRAMES, -1))
    (path / "virial.npy").unlink()
    (folder / "nopbc").touch()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_masked(tmp_path / "system")
    return tmp_path


def test_a_run(folder: Path, capsys: pytest.CaptureFixture) -> None:
    train(write_run(folder, CHANGES))
    errors = np.genfromtxt("lcurve.out", names=True)["rmse_f_trn"]
    assert errors[-3:].mean() < errors[:2].mean()
    assert_goes_on(folder, 40)
    freeze(folder, "frozen.pb")
    capsys.readouterr()
    compare("frozen.pb", "system")
    assert "6 frames" in capsys.readouterr().out
    coord, mask = (np.load(f"system/set.000/{name}.npy") for name in ("coord", "aparam"))
    with DeepPot("frozen.pb") as pot:
        force = pot.eval(coord, None, TYPES, aparam=mask)[1]
    assert not force[::2, ABSENT].any() and force[1::2, ABSENT].all()


def test_statistics_name_frames_with_another_mask(folder: Path) -> None:
    path = folder / "system" / "set.000" / "aparam.npy"
    mask = np.load(path)
    mask[3, 2] = 2
    np.save(path, mask)
    message = "system system: frame 3, atom 2: `aparam` must be 1 .* and 0 for another, got 2"
    with pytest.raises(DataError, match=message):
        train(write_run(folder, CHANGES))


def test_cells_are_refused(folder: Path) -> None:
    (folder / "system" / "nopbc").unlink()
    with pytest.raises(DataError, match="system system: frame 0: `cell` must be zeros, or be"):
        train(write_run(folder, CHANGES))
