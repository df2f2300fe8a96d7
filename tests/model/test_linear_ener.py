"""Sums of models: the energies of the parts, in engine and graph, by their weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from physics_suite import PhysicsSuite
from potentials import Potential
from random_model import random_arrays

from deeptf.config import dump, load
from deeptf.input_file import ConfigError
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.descriptor.se_e2_r import SeE2R
from deeptf.model.fitting.dipole import DipoleFitting
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.roles import differences, with_function_of
from deeptf.model.scopes import below
from deeptf.model.term.linear_ener import LinearEner
from deeptf.model.term.pairtab import PairTab
from deeptf.model.term.part import Part
from deeptf.model.term.standard import Standard

FITTING = EnerFitting(neuron=(6, 6))
PAIRS = Part(Standard(SeE2A((5, 7), 4.0, 1.0, (4, 8)), FITTING))
RADIAL = Part(Standard(SeE2R((3, 5), 3.2, 0.7, (3, 6)), replace(FITTING, numb_fparam=1)))
TABLE = Part(PairTab("pair.tab", 3.0))


def model(*parts: Part, weights: object = "mean") -> ModelConfig:
    return ModelConfig(LinearEner(parts, weights), ("A", "B"))


class TestSum(PhysicsSuite):
    config = model(PAIRS, RADIAL, TABLE, weights=(0.7, -1.5, 2.0))


class TestNested(PhysicsSuite):
    config = model(Part(LinearEner((RADIAL, PAIRS), "sum")), TABLE)


@pytest.mark.parametrize(
    ("weights", "factors"), [("mean", (0.5, 0.5)), ("sum", (1, 1)), ((0.3, 1.4), (0.3, 1.4))]
)
def test_weights(weights: object, factors: tuple[float, float]) -> None:
    config = model(PAIRS, RADIAL, weights=weights)
    arrays, frame = random_arrays(config, 3), TestSum().frame()
    given = {**frame, "fparam": np.zeros(0)}
    found = Potential(config, arrays)([frame])
    for name in ("energy", "atom_energy", "force", "virial", "atom_virial"):
        parts = [
            Potential(config.of(part), below(arrays, str(k)))([of_part])[name]
            for k, (part, of_part) in enumerate(
                zip(config.term.models, (given, frame), strict=True)
            )
        ]
        expected = factors[0] * parts[0] + factors[1] * parts[1]
        np.testing.assert_allclose(found[name], expected, atol=1e-11)
    assert "descriptor" not in found


def test_settings_from_an_input_and_back() -> None:
    section = {
        "type": "linear_ener",
        "type_map": ["A", "B"],
        "weights": [1, 2],
        "models": [
            {"descriptor": {"type": "se_a", "sel": [3, 4], "n_axis_neuron": 2}},
            {"type": "pairtab", "tab_file": "a.tab", "rcut": 7.0, "data_stat_nbatch": 10},
        ],
    }
    config = load(ModelConfig, section, "model")
    assert config.term.models[0].term.descriptor.axis_neuron == 2
    assert config.needs().rcut == 7.0 and config.term.open_types() == 2
    assert load(ModelConfig, dump(config), "model") == config


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"models": []}, "model: `models` must hold the parts of a sum of models, got none"),
        ({"weights": [1.0]}, r'`weights` must be "mean", "sum" or one number for each of 2'),
        ({"weights": "half"}, "model/weights: must be one of 'mean', 'sum' or a list"),
        (
            {"models": [{"type": "sum"}]},
            r"model/models\[0\]/type: must be one of frozen, linear_ener",
        ),
        (
            {"models": [{"descriptor": {"type": "se_e3"}, "modifier": {}}] * 2},
            r"model/models\[0\]/modifier: is not supported, got .*charges act on whole models",
        ),
    ],
)
def test_errors(section: dict[str, object], message: str) -> None:
    parts = [{"descriptor": {"type": "se_e2_a"}}] * 2
    whole = {"type": "linear_ener", "type_map": ["A"], "models": parts, "weights": "sum"}
    with pytest.raises(ConfigError, match=message):
        load(ModelConfig, whole | section, "model")


def test_parts_must_fit() -> None:
    other = Part(replace(RADIAL.term, fitting_net=replace(FITTING, numb_fparam=2)))
    with pytest.raises(ValueError, match=r"`numb_fparam` must be the same in all .* \[0, 1, 2\]"):
        model(PAIRS, RADIAL, other)
    with pytest.raises(ValueError, match=r"models\[1\] must give energies, got .* dipole"):
        model(PAIRS, Part(Standard(PAIRS.term.descriptor, DipoleFitting())))
    wrong = Part(Standard(SeE2A((5,), 4.0, 1.0, (4, 8)), FITTING))
    with pytest.raises(ValueError, match=r"models\[1\]: `sel` must have one entry"):
        model(PAIRS, wrong)


def test_differences_name_the_part() -> None:
    old, new = model(PAIRS, RADIAL), model(PAIRS, RADIAL, weights="sum")
    (found,) = differences(old, new, "model")
    assert str(found) == 'model/weights is "sum", was "mean"'
    assert with_function_of(old, new) == old
    assert not differences(old, model(PAIRS, RADIAL, weights=(0.5, 0.5)), "model")


def test_what_is_left_of_energies_is_shared() -> None:
    """Changes of parts by their weights make up for it together; tables cannot change."""
    config = model(PAIRS, TABLE, PAIRS, weights=(0.5, 1.0, 2.0))
    arrays = random_arrays(config)

    class System:
        copies = np.ones(2)

        def compositions(self, num_types: int) -> np.ndarray:
            return np.array([[1, 0], [0, 2]])

    left = [(np.array([4.25, -8.5]), np.arange(2))]
    changed, lines = config.term.refitted(arrays, [System()], left, config.type_map)
    name = "fitting/energy_bias"
    assert sorted(changed) == [f"0/{name}", f"2/{name}"] and len(lines) == 2
    change = {key: value - arrays[key] for key, value in changed.items()}
    np.testing.assert_allclose(change[f"0/{name}"], [0.5, -0.5], atol=1e-12)
    np.testing.assert_allclose(change[f"2/{name}"], [2.0, -2.0], atol=1e-12)
