"""Walls and blends beside a term: the laws that every model obeys, training's gradients, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from physics_suite import PhysicsSuite
from potentials import Potential, batch_of
from random_model import random_arrays

from deeptf.config import dump, load
from deeptf.input_file import ConfigError
from deeptf.model.descriptor.dpa1 import SeAttenV2
from deeptf.model.descriptor.hybrid import Hybrid
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.descriptor.se_e2_r import SeE2R
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.pair_potential import Zbl
from deeptf.model.parameters import Parameters
from deeptf.model.roles import differences
from deeptf.model.term.linear_ener import LinearEner
from deeptf.model.term.part import Part
from deeptf.model.term.standard import Standard
from deeptf.tf import assign, session, tf

PAIRS = SeE2A((5, 7), 4.0, 1.0, (4, 8))
FITTING = EnerFitting(neuron=(6, 6))
BLEND = {"use_srtab": "any.tab", "smin_alpha": 0.3, "sw_rmin": 1.8, "sw_rmax": 3.4}
WALL = Zbl(1.5, 3.9)


def model(descriptor: Any = PAIRS, types: tuple[str, ...] = ("O", "H"), **more: Any) -> ModelConfig:
    return ModelConfig(Standard(descriptor, FITTING), types, **more)


class TestBlend(PhysicsSuite):
    config = model(**BLEND)


class TestBlendOfParts(PhysicsSuite):
    """The largest cut-off counts, whatever the parts."""

    config = model(Hybrid((SeE2R((3, 5), 3.2, 0.7, (3, 6)), PAIRS)), srtab_add_bias=False, **BLEND)


class TestBlendOfMixedTypes(PhysicsSuite):
    """A neighbour counts by its type though the descriptor's places have none."""

    config = model(SeAttenV2(sel=12, rcut=4.0, rcut_smth=1.0, neuron=(4, 8), attn_layer=0), **BLEND)


class TestWall(PhysicsSuite):
    config = model(zbl=WALL)
    gradient_tolerance = 1e-7  # of large numbers


def energies(config: ModelConfig, **more: Any) -> tuple[np.ndarray, ...]:
    """Return energies, forces and pairs of atoms of a model with these arrays or others."""
    suite = PhysicsSuite()
    suite.config = config
    arrays = {**random_arrays(config, 1), **more}
    found = Potential(config, arrays)([suite.frame()])
    return found["atom_energy"], found["force"], found["virial"]


def test_a_wall_is_added() -> None:
    plain, wall = energies(model()), energies(model(zbl=WALL))
    alone = energies(model(zbl=WALL), **zero_nets())
    for a, b, c in zip(plain, wall, alone, strict=True):
        np.testing.assert_allclose(b, a + c, rtol=1e-10, atol=1e-10)
    assert np.abs(alone[1]).max() > 0.1


def zero_nets() -> dict[str, np.ndarray]:
    """Return arrays with which the nets give nothing."""
    arrays = random_arrays(model(), 1)
    named = {k: np.zeros_like(v) for k, v in arrays.items() if "/last/" in k}
    return {**named, "fitting/energy_bias": np.zeros(2)}


def test_a_blend_goes_from_one_energy_to_the_other() -> None:
    """Far from each other atoms have the energy of the nets, and near that of the table."""
    far, near = {**BLEND, "sw_rmin": 0.1, "sw_rmax": 0.2}, {**BLEND, "sw_rmin": 7, "sw_rmax": 8}
    for a, b in zip(energies(model(**far)), energies(model()), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    bias = random_arrays(model(), 1)["fitting/energy_bias"]
    types = np.arange(7) % 2
    with_bias = energies(model(**near))[0]
    without = energies(model(srtab_add_bias=False, **near))[0]
    np.testing.assert_allclose(with_bias - without, bias[types], rtol=1e-12)
    other = energies(model(**near), **zero_nets() | {"fitting/energy_bias": bias})[0]
    np.testing.assert_allclose(with_bias, other, rtol=1e-12)


def model_of_parts() -> ModelConfig:
    """Return a sum of a blend with a shorter cut-off than that of the other part, and a wall."""
    near = Part(Standard(SeE2R((3, 5), 3.2, 0.7, (3, 6)), FITTING), **{**BLEND, "sw_rmax": 3.0})
    parts = near, Part(Standard(PAIRS, FITTING), zbl=WALL)
    return ModelConfig(LinearEner(parts, (0.6, -1.1)), ("O", "H"))


@pytest.mark.parametrize(
    "config",
    [model(**BLEND), model(zbl=WALL), model_of_parts()],
    ids=["blend", "wall", "parts"],
)
def test_gradients_of_a_loss_of_forces(config: ModelConfig) -> None:
    suite = PhysicsSuite()
    suite.config = config
    batch = batch_of([suite.frame()])
    with tf.Graph().as_default() as graph:
        parameters = Parameters(random_arrays(config, 1))
        inputs = config.inputs()
        values = config.build(inputs, parameters).values
        wanted = np.random.default_rng(3).normal(size=(7, 3))
        loss = tf.reduce_sum((values["force"] - wanted) ** 2) + values["energy"][0] ** 2 / 50
        names = ["fitting/type_0/0/matrix", "descriptor/0_1/1/matrix"]
        if isinstance(config.term, LinearEner):
            names = [f"{part}/{name}" for part in (0, 1) for name in names]
        names = [n for n in names if n in parameters.variables] or sorted(parameters.variables)[:2]
        variables = [parameters.variables[name] for name in names]
        grads = tf.gradients(loss, variables)
        feed = {getattr(inputs, k): getattr(batch, k) for k in ("coord", "cell", "atom_type")}
        feed[inputs.frame_row] = batch.frame_row
        with session(graph) as run:
            run.run(tf.global_variables_initializer())
            found, start = run.run([grads, variables], feed)
            for variable, grad, value in zip(variables, found, start, strict=True):
                place = np.unravel_index(np.argmax(np.abs(grad)), grad.shape)
                ends = []
                for step in (1e-5, -1e-5):
                    moved = value.copy()
                    moved[place] += step
                    assign(run, variable, moved)
                    ends.append(run.run(loss, feed))
                assign(run, variable, value)
                numeric = (ends[0] - ends[1]) / 2e-5
                np.testing.assert_allclose(grad[place], numeric, rtol=2e-6)


SECTION = {
    "type_map": ["O", "H"],
    "descriptor": {"type": "se_e2_a", "sel": [4, 4], "rcut": 4.0, "rcut_smth": 1.0},
}
LENGTHS = {"smin_alpha": 0.1, "sw_rmin": 0.5, "sw_rmax": 1.0}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"use_srtab": "a"}, "`smin_alpha` must be a number of A for a blend, got null"),
        (
            {"use_srtab": "a", "smin_alpha": 0.1, "sw_rmin": 1.0},
            "`sw_rmax` must be a number of A for a blend, got null",
        ),
        (LENGTHS, "`smin_alpha` must go with `use_srtab` or `zbl`, got neither of them"),
        (
            {"use_srtab": "a", **LENGTHS, "sw_rmax": 0.5},
            "be positive and `sw_rmin` from 0 to below `sw_rmax`, got 0.1, 0.5, 0.5",
        ),
        (
            {"use_srtab": "a", "zbl": {"rin": 1.0, "rout": 2.0}, **LENGTHS},
            "`use_srtab` and `zbl` must not be given both",
        ),
        ({"zbl": {"rin": 1.0}}, "model/zbl/rout: must be a finite number, got nothing"),
        (
            {"zbl": {"rin": 2.0, "rout": 1.0}},
            "`rin` must be positive and below `rout`, got 2.0 and 1.0",
        ),
        (
            {"zbl": {"rin": 1.0, "rout": 4.5}},
            "`rout` of zbl must be at most the cut-off 4.0 A, got 4.5",
        ),
        (
            {"zbl": {"rin": 1.0, "rout": 2.0}, "type_map": ["O", "Wat"]},
            "`type_map` must have names of elements for a wall by atomic numbers, got Wat",
        ),
        (
            {"zbl": {"rin": 1.0, "rout": 2.0}, "fitting_net": {"type": "dipole"}},
            "`zbl` must go with a model of energies, got dipole",
        ),
        (
            {
                "zbl": {"rin": 1.0, "rout": 2.0},
                "spin": {"use_spin": [True, False], "virtual_len": [0.3], "spin_norm": [1.2]},
            },
            "`zbl` must be left out of models with spins",
        ),
        (
            {"use_srtab": "a", **LENGTHS, "type": "pairtab", "tab_file": "b", "rcut": 4.0},
            "`use_srtab` must go with a standard model, got pairtab",
        ),
    ],
)
def test_errors(changes: dict[str, Any], message: str) -> None:
    section = {**SECTION, **changes}
    if section.get("type") == "pairtab":
        del section["descriptor"]
    with pytest.raises(ConfigError) as caught:
        load(ModelConfig, section, "model")
    assert message in str(caught.value)


def test_settings_from_an_input_and_back() -> None:
    for more in ({"use_srtab": "a.tab", **LENGTHS}, {"zbl": {"rin": 1.0, "rout": 2.0}}):
        config = load(ModelConfig, {**SECTION, **more}, "model")
        assert load(ModelConfig, dump(config), "model") == config
    (found,) = differences(model(zbl=Zbl(1.0, 2.0)), model(zbl=Zbl(1.0, 3.0)), "model")
    assert (found.place, found.role) == ("model/zbl/rout", "function")
