"""Vectors of types: their net by hand, and the fitting net that takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from physics_suite import PhysicsSuite
from potentials import Potential
from random_model import random_arrays

from deeptf.config import load
from deeptf.exchange import frozen
from deeptf.infer import DeepPot
from deeptf.input_file import ConfigError
from deeptf.model.descriptor.dpa1 import SeAtten
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.descriptor.se_e2_r import SeE2R
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.parameters import Parameters
from deeptf.model.term.standard import Standard
from deeptf.model.type_embedding import LINEAR, TypeEmbedding
from deeptf.tf import session, tf


def model(types: int = 2, section: TypeEmbedding | None = None, **fitting: object) -> ModelConfig:
    descriptor = SeE2R(sel=(5, 7, 6)[:types], rcut=4.0, rcut_smth=1.0, neuron=(4, 8))
    nets = EnerFitting(**{"neuron": (6, 6), **fitting})
    term = Standard(descriptor, nets, section or TypeEmbedding((2, 4)))
    return ModelConfig(term, tuple("ABC"[:types]))


def vectors_of(section: TypeEmbedding, num_types: int) -> tuple[np.ndarray, dict]:
    with tf.Graph().as_default():
        parameters = Parameters(seed=3)
        vectors = section.vectors(num_types, parameters)
        with session() as run:
            run.run(tf.global_variables_initializer())
            return run.run([vectors, parameters.variables])


def test_the_net_of_unit_vectors() -> None:
    found, arrays = vectors_of(TypeEmbedding((6, 6), resnet_dt=True, use_tebd_bias=True), 3)
    x = np.eye(3)
    for layer in (0, 1):
        matrix, bias, idt = (arrays[f"{layer}/{kind}"] for kind in ("matrix", "bias", "idt"))
        y = np.tanh(x @ matrix + bias) * idt  # 3 -> 6 doubles the width, 6 -> 6 keeps it
        x = y + (np.hstack([x, x]) if layer == 0 else x)
    np.testing.assert_allclose(found[:-1], x, rtol=1e-14)
    assert np.all(found[-1] == 0) and len(found) == 4


def test_the_net_of_models_without_a_section() -> None:
    found, arrays = vectors_of(LINEAR, 3)
    assert list(arrays) == ["0/matrix"] and arrays["0/matrix"].shape == (3, 8)
    np.testing.assert_array_equal(found[:-1], arrays["0/matrix"])


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("neuron", [], r"`neuron` must hold positive widths, got \[\]"),
        ("activation_function", "cosh", "`activation_function` must be one of"),
        ("precision", "float8", "`precision` must be one of"),
        ("seed", -1, "`seed` must be at least 0, got -1"),
        ("use_econf_tebd", True, "`use_econf_tebd` must be false, got true: types are unit"),
    ],
)
def test_wrong_settings(key: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(TypeEmbedding, {key: value})


class TestOneFittingNet(PhysicsSuite):
    config = model(3, atom_ener=(None, -3.0, None), numb_fparam=1, numb_aparam=2)


def test_fitting_takes_descriptor_vector_and_parameters() -> None:
    """E = N(D, te_t, fparam, aparam) - N(D_isolated, te_t, ...) + constant_t, for all types."""
    config = model(3, atom_ener=(None, -3.0, None), numb_fparam=1, numb_aparam=2)
    arrays = random_arrays(config, 2)
    suite = TestOneFittingNet()
    frame, potential = suite.frame(1), Potential(config, arrays)
    found = potential([frame])
    alone = {**frame, "coord": 50.0 * np.arange(21).reshape(7, 3), "cell": np.zeros((3, 3))}
    isolated = potential([alone])
    vectors = np.eye(3)
    for layer in (0, 1):
        y = np.tanh(vectors @ arrays[f"type_embedding/{layer}/matrix"])
        vectors = y + (np.hstack([vectors] * 2) if layer == 1 else 0)
    condition = [np.tile(frame["fparam"], (7, 1)), frame["aparam"]]
    for k, name in enumerate(("fparam", "aparam")):
        mean, stddev = (arrays[f"fitting/{name}_{kind}"] for kind in ("mean", "stddev"))
        condition[k] = (condition[k] - mean) / stddev

    def net(descriptor: np.ndarray) -> np.ndarray:
        x = np.hstack([descriptor, vectors[frame["type"]], *condition])
        for layer in (0, 1):
            weight = {k: arrays[f"fitting/all/{layer}/{k}"] for k in ("matrix", "bias")}
            y = np.tanh(x @ weight["matrix"] + weight["bias"])
            x = x + y * arrays["fitting/all/1/idt"] if layer else y
        return (x @ arrays["fitting/all/last/matrix"] + arrays["fitting/all/last/bias"])[:, 0]

    constant = np.where([False, True, False], -3.0, arrays["fitting/energy_bias"])[frame["type"]]
    expected = net(found["descriptor"]) - net(isolated["descriptor"]) + constant
    np.testing.assert_allclose(found["atom_energy"], expected, rtol=1e-12)
    np.testing.assert_allclose(isolated["atom_energy"], constant, rtol=1e-12)


@pytest.mark.parametrize(
    ("descriptor", "rows"),
    [(SeAtten(sel=6, neuron=(4,), axis_neuron=2), 3), (SeE2A((3, 3), neuron=(4,)), 2)],
    ids=["with a place of no type", "types alone"],
)
def test_vectors_of_a_frozen_model(descriptor: Any, rows: int, tmp_path: Path) -> None:
    linear = TypeEmbedding((5,), "linear")
    config = ModelConfig(Standard(descriptor, EnerFitting((4,)), linear), ("A", "B"))
    arrays = random_arrays(config)
    frozen.write(config, arrays, tmp_path / "model.pb")
    with DeepPot(tmp_path / "model.pb") as potential:
        found = potential.eval_typeebd()
    expected = np.zeros((rows, 5))
    expected[:2] = arrays["type_embedding/0/matrix"]
    np.testing.assert_allclose(found, expected, rtol=1e-15)
