"""Descriptors side by side: the laws that every model obeys, and what its parts alone say."""

from __future__ import annotations

import numpy as np
import pytest
from physics_suite import PhysicsSuite
from potentials import Potential
from random_model import descriptors, random_arrays

from deeptf.config import dump, load
from deeptf.input_file import ConfigError
from deeptf.model.descriptor.hybrid import Hybrid
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.descriptor.se_e2_r import SeE2R
from deeptf.model.descriptor.se_e3 import SeE3
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.roles import differences, with_function_of, with_values
from deeptf.model.term.standard import Standard

PAIRS = SeE2A((5, 7), 4.0, 1.0, (4, 8))
RADIAL = SeE2R((3, 5), 3.2, 0.7, (3, 6))
TRIPLES = SeE3((4, 6), 3.0, 0.5, (4, 8))


def model(*parts: object) -> ModelConfig:
    return ModelConfig(Standard(Hybrid(parts), EnerFitting(neuron=(6, 6))), ("A", "B"))


class TestPairsAndTriples(PhysicsSuite):
    config = model(PAIRS, TRIPLES)


class TestNested(PhysicsSuite):
    config = model(Hybrid((RADIAL, TRIPLES)), PAIRS)


class TestMixedPrecision(PhysicsSuite):
    config = model(SeE2R((3, 5), 3.2, 0.7, (3, 6), precision="float32"), TRIPLES)
    tolerance, gradient_tolerance = 1e-5, 1e-4


@pytest.mark.parametrize("embedding", ["table", "network"])
def test_the_descriptor_is_that_of_the_parts(embedding: str) -> None:
    config = with_values(model(Hybrid((RADIAL, TRIPLES)), PAIRS), embedding=embedding)
    arrays = random_arrays(config, 2)
    frame = PhysicsSuite.frame(TestNested())
    found = Potential(config, arrays)([frame])["descriptor"]
    parts = []
    for scope, part in descriptors(config.term.descriptor):
        alone = ModelConfig(Standard(part, EnerFitting(neuron=(6, 6))), ("A", "B"))
        own = {
            name.replace(f"{scope}/", "descriptor/"): value
            for name, value in arrays.items()
            if name.startswith(f"{scope}/")
        }
        fitting = {k: v for k, v in random_arrays(alone, 2).items() if k.startswith("fitting")}
        parts.append(Potential(alone, own | fitting)([frame])["descriptor"])
    np.testing.assert_allclose(found, np.concatenate(parts, axis=1), atol=1e-12)


def test_settings_from_an_input_and_back() -> None:
    section = {
        "type": "hybrid",
        "list": [
            {"type": "se_a", "sel": [3, 4], "n_axis_neuron": 2, "_comment": "an old spelling"},
            {"type": "hybrid", "list": [{"type": "se_at", "sel": [2, 2], "rcut": 4.0}]},
        ],
    }
    config = load(ModelConfig, {"type_map": ["A", "B"], "descriptor": section}, "model")
    pairs, inner = config.term.descriptor.list
    assert pairs.axis_neuron == 2 and inner.list[0] == SeE3((2, 2), 4.0)
    assert config.term.descriptor.rcut == 6.0 and config.term.open_types() == 2
    assert load(ModelConfig, dump(config), "model") == config


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([], "model/descriptor: `list` must hold the parts of a hybrid descriptor, got none"),
        ({}, "model/descriptor/list: must be a list"),
        ([{"type": "se_e4"}], r"model/descriptor/list\[0\]/type: must be one of hybrid, loc_frame"),
        ([{"type": "se_e3", "rcit": 3.0}], r"list\[0\]/rcit: unknown key; did you mean 'rcut'"),
        ([{"type": "se_e3", "axis_neuron": 3}], r"list\[0\]/axis_neuron: unknown key where the "),
        ([{"type": "se_e2_a", "sel": [3]}], "part 0 of `list`: `sel` must have one entry for each"),
        ([{"type": "se_e3", "env_protection": 1.0}], r"list\[0\]/env_protection: is not supported"),
    ],
)
def test_errors(parts: object, message: str) -> None:
    section = {"type": "hybrid", "list": parts}
    with pytest.raises((ConfigError, ValueError), match=message):
        load(ModelConfig, {"type_map": ["A", "B"], "descriptor": section}, "model")


def test_differences_name_the_part() -> None:
    old, new = model(PAIRS, TRIPLES), model(PAIRS, SeE3((4, 6), 3.5, 0.5, (4, 8)))
    (found,) = differences(old, new, "model")
    assert str(found) == "model/descriptor/list[1]/rcut is 3.5, was 3.0"
    assert with_function_of(old, new) == old
    (found,) = differences(old, model(PAIRS), "model")
    assert str(found) == "number of objects in model/descriptor/list is 1, was 2"
    (found,) = differences(old, model(PAIRS, RADIAL), "model")
    assert str(found) == 'model/descriptor/list[1]/type is "se_e2_r", was "se_e3"'
