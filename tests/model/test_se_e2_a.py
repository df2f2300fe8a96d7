"""The energy model with se_e2_a: the physics suite for every option, and what is special to the
descriptor.
"""

from __future__ import annotations

import numpy as np
import pytest
from physics_suite import PhysicsSuite
from potentials import Potential
from random_model import random_arrays

from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.term.standard import Standard


def model(
    types: int = 2, descriptor: dict | None = None, fitting: dict | None = None
) -> ModelConfig:
    """Return a small model; rcut exceeds half of the suite's cell."""
    settings = {
        "sel": (20,) * types,
        "rcut": 4.0,
        "rcut_smth": 1.0,
        "neuron": (4, 8),
        "axis_neuron": 3,
    }
    term = Standard(
        SeE2A(**{**settings, **(descriptor or {})}),
        EnerFitting(**{"neuron": (6, 6), **(fitting or {})}),
    )
    return ModelConfig(term, tuple("ABCDEF"[:types]))


class TestTwoSide(PhysicsSuite):
    config = model()


class TestOneSide(PhysicsSuite):
    config = model(3, {"type_one_side": True})


class TestOneType(PhysicsSuite):
    config = model(1)


class TestTimeStepAndEqualWidths(PhysicsSuite):
    config = model(2, {"resnet_dt": True, "neuron": (5, 5, 10), "activation_function": "gelu"})


class TestExcludedTypes(PhysicsSuite):
    config = model(3, {"exclude_types": ((0, 1), (2, 2)), "type_one_side": True})


class TestZeroMean(PhysicsSuite):
    config = model(2, {"set_davg_zero": True}, {"resnet_dt": False})


class TestFrameAndAtomParameters(PhysicsSuite):
    config = model(2, None, {"numb_fparam": 2, "numb_aparam": 1})


class TestAtomicEnergies(PhysicsSuite):
    config = model(2, None, {"atom_ener": (-1.25, None), "numb_fparam": 1})


class TestSelExceeded(PhysicsSuite):
    config = model(2, {"sel": (1, 2)})


class TestSteepNets(PhysicsSuite):
    config = model(2, {"activation_function": "silu"})
    steep = 3.0
    gradient_tolerance = 1e-7


class TestFloat32(PhysicsSuite):
    config = model(2, {"precision": "float32"}, {"precision": "float32"})
    tolerance = 2e-5

    def test_force_is_minus_the_gradient(self) -> None:
        self._same_as_float64("force")

    def test_virial_is_minus_the_strain_derivative(self) -> None:
        self._same_as_float64("virial")

    def test_smooth_at_the_cut_off(self) -> None:
        pytest.skip("the rounding of float32 is larger than the step")

    def _same_as_float64(self, name: str) -> None:
        exact = Potential(model(2), random_arrays(self.config, 1))([self.frame()])[name]
        self.close(self.potential()([self.frame()])[name], exact)


def test_an_isolated_atom_has_its_atom_ener() -> None:
    config = model(2, None, {"atom_ener": (-1.25, None)})
    potential = Potential(config, random_arrays(config, 3))
    atom = {"coord": np.zeros((1, 3)), "cell": np.zeros((3, 3)), "type": np.array([0], np.int32)}
    assert potential.energy(atom) == pytest.approx(-1.25, abs=1e-13)


def test_excluded_types_do_not_feel_each_other() -> None:
    config = model(2, {"exclude_types": ((0, 1),)})
    potential = Potential(config, random_arrays(config, 3))
    pair = {
        "coord": np.array([[0.0, 0, 0], [1.5, 0, 0]]),
        "cell": np.zeros((3, 3)),
        "type": np.array([0, 1], np.int32),
    }
    assert np.all(potential([pair])["force"] == 0)
    pair["type"] = np.array([1, 1], np.int32)
    assert np.any(potential([pair])["force"] != 0)


def test_frames_without_a_type_or_without_pairs() -> None:
    config = model(3, {"type_one_side": True})
    potential = Potential(config, random_arrays(config, 3))
    far = {
        "coord": np.array([[0.0, 0, 0], [50, 0, 0]]),
        "cell": np.zeros((3, 3)),
        "type": np.array([1, 1], np.int32),
    }
    result = potential([far])
    assert np.all(result["force"] == 0) and np.all(np.isfinite(result["energy"]))
    assert result["atom_energy"][0] == result["atom_energy"][1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rcut": 0.0}, "`rcut` must be positive, got 0.0"),
        ({"rcut_smth": 6.0}, "`rcut_smth` must be at least 0 and below rcut"),
        ({"neuron": ()}, "`neuron` must hold positive widths"),
        ({"axis_neuron": 41}, "`axis_neuron` must be from 1 to the last width 40, got 41"),
        ({"sel": "many"}, '`sel` must be a list of integers, "auto" or "auto:factor"'),
        ({"sel": (0, 0)}, "`sel` must hold numbers >= 0, not all 0"),
        ({"activation_function": "tan"}, "`activation_function` must be one of"),
        ({"precision": "float16"}, "`precision` must be one of"),
        ({"exclude_types": ((0, 1, 2),)}, "`exclude_types` must be a list of pairs"),
    ],
)
def test_wrong_settings(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        SeE2A(**settings)


def test_settings_must_fit_the_types() -> None:
    with pytest.raises(ValueError, match="`sel` must have one entry for each of the 2 types"):
        model(2, {"sel": (3,)})
    with pytest.raises(ValueError, match="`exclude_types` must hold types from 0 to 1"):
        model(2, {"exclude_types": ((0, 2),)})
    with pytest.raises(
        ValueError, match="`exclude_types` must leave some pair .* all pairs of the"
    ):
        model(2, {"exclude_types": ((0, 0), (1, 0), (1, 1))})
    with pytest.raises(ValueError, match="`atom_ener` must have one entry"):
        model(2, None, {"atom_ener": (1.0,)})
