"""DPA-1 with attention: the laws that every model obeys, smoothness, isolated atoms, training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from physics_suite import PhysicsSuite
from potentials import Potential
from random_model import random_arrays
from small_run import write_run

from deeptf.model.descriptor.dpa1 import SeAtten
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.term.standard import Standard
from deeptf.model.type_embedding import TypeEmbedding
from deeptf.train import checkpoint
from deeptf.train.run import train

SMOOTH = {"tebd_input_mode": "strip", "smooth_type_embedding": True, "set_davg_zero": False}
DESCRIPTOR = {
    "type": "se_atten",
    "sel": 20,
    "neuron": [4, 8],
    "axis_neuron": 2,
    "attn": 6,
    "attn_layer": 2,
    "rcut": 3.5,
    "rcut_smth": 1.0,
}


def model(types: int = 2, **descriptor: object) -> ModelConfig:
    settings = {"sel": 12, "rcut": 4.0, "rcut_smth": 1.0, "neuron": (4, 8), "attn": 6}
    term = Standard(
        SeAtten(**{**settings, **descriptor}), EnerFitting(neuron=(6, 6)), TypeEmbedding((2, 4))
    )
    return ModelConfig(term, tuple("ABC"[:types]))


class TestJoined(PhysicsSuite):
    config = model()


class TestSmooth(PhysicsSuite):
    config = model(3, sel=5, attn_layer=1, attn_mask=True, exclude_types=((0, 2),), **SMOOTH)


class TestWithoutDirections(PhysicsSuite):
    config = model(attn_dotr=False, smooth_type_embedding=True, type_one_side=True)


def jump(config: ModelConfig) -> float:
    """Return how much the energy of four atoms changes where one leaves another's reach."""
    potential = Potential(config, random_arrays(config, 2))
    frame = {
        "coord": np.array([[0, 0, 0], [1.0, 0.8, 0], [-1.1, 0.3, 0.9], [0.0, 0, 0]]),
        "cell": np.zeros((3, 3)),
        "type": np.array([0, 1, 0, 1], np.int32),
    }
    energies = []
    for shift in (-1e-9, 1e-9):
        frame["coord"][3] = [0, 0, config.term.descriptor.rcut + shift]
        energies.append(potential.energy(frame))
    return abs(energies[1] - energies[0])


def test_only_smooth_attention_has_no_jump_at_the_cut_off() -> None:
    assert jump(model(**SMOOTH)) < 1e-10
    assert jump(model(sel=2, **SMOOTH)) < 1e-10
    assert jump(model()) > 1e-5


@pytest.mark.parametrize("options", [{}, {"attn_mask": True, **SMOOTH}])
def test_an_atom_alone_has_the_energy_of_empty_places(options: dict) -> None:
    """Where mean values are not zero they count, through all layers."""
    config = model(**{"set_davg_zero": False, **options})
    arrays = random_arrays(config)
    frame = {
        "coord": np.zeros((1, 3)),
        "cell": np.zeros((3, 3)),
        "type": np.zeros(1, np.int32),
    }
    layer = {
        name.rsplit("attention_1/", 1)[1]: arrays[name] for name in arrays if "attention_1/" in name
    }
    before = Potential(config, arrays)([frame])["descriptor"]
    assert np.any(before != 0)
    arrays["descriptor/attention_1/output/bias"] = layer["output/bias"] + np.arange(8)
    assert np.any(Potential(config, arrays)([frame])["descriptor"] != before)
    for part in ("query", "key", "value"):
        arrays[f"descriptor/attention_1/{part}/matrix"] *= 2
    arrays["descriptor/attention_1/output/bias"] = layer["output/bias"]
    np.testing.assert_array_equal(Potential(config, arrays)([frame])["descriptor"], before)


@pytest.mark.parametrize(
    ("precision", "options"), [("float32", {}), ("float64", {"trainable_ln": False, **SMOOTH})]
)
def test_training_goes_on_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str, options: dict
) -> None:
    monkeypatch.chdir(tmp_path)
    changes = {
        "model/descriptor": {**DESCRIPTOR, **options, "precision": precision},
        "model/fitting_net/precision": precision,
        "training/numb_steps": 20,
        "training/disp_freq": 10,
    }
    path = write_run(tmp_path, changes)
    train(path)
    whole, rows = checkpoint.load(tmp_path), np.genfromtxt("lcurve.out", names=True)
    assert rows["rmse_trn"][-1] < rows["rmse_trn"][0]
    (tmp_path / "model.ckpt-20.npz").unlink()
    train(path, restart="model.ckpt")
    again = checkpoint.load(tmp_path)
    assert set(again.arrays) == set(whole.arrays)
    for name, value in whole.arrays.items():
        np.testing.assert_array_equal(again.arrays[name], value, err_msg=name)
    moved = np.any(whole.arrays["descriptor/attention_0/norm/shift"] != 0)
    assert moved == (precision == "float32")  # the other one is not trained
    assert whole.arrays["descriptor/attention_0/query/matrix"].dtype == precision


def test_smooth_attention_is_recommended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    note = "note: this attention jumps where an atom crosses the cut-off"
    for options in ({}, SMOOTH):
        changes = {"model/descriptor": {**DESCRIPTOR, **options}, "training/numb_steps": 1}
        train(write_run(tmp_path, changes))
        assert (note in capsys.readouterr().out) == (not options)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("attn_layer", -1, "`attn_layer` must be at least 0 and `attn` at least 1, got -1 and 6"),
        ("attn", 0, "`attn_layer` must be at least 0 and `attn` at least 1, got 2 and 0"),
        ("ln_eps", 0.0, "`ln_eps` must be positive, got 0.0"),
        ("excluded_have_mean", True, "`excluded_have_mean` must be false where gates are not"),
    ],
)
def test_messages(key: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model(**{key: value})
