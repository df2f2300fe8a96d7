"""The descriptor with a mask of atoms: the laws it obeys, absent atoms, and what it refuses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from physics_suite import PhysicsSuite
from potentials import Potential
from random_model import random_arrays

from deeptf.config import load
from deeptf.exchange import frozen
from deeptf.exchange.compress import compress
from deeptf.infer.deep_pot import DeepPot
from deeptf.model.descriptor.se_a_mask import SeAMask
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.term.standard import Standard
from deeptf.tf import tf

NETS: dict[str, Any] = {"sel": (4, 4), "neuron": (3, 6), "axis_neuron": 2}
MASKED: dict[str, Any] = {"numb_aparam": 1, "use_aparam_as_mask": True}
Frame = dict[str, np.ndarray]


def model(one_side: bool = False, **fitting: Any) -> ModelConfig:
    descriptor = SeAMask(**NETS, type_one_side=one_side)
    return ModelConfig(
        Standard(descriptor, EnerFitting(neuron=(6, 6), **MASKED, **fitting)), ("A", "B")
    )


class TestMask(PhysicsSuite):
    config = model()
    test_periodic_images = None  # there are none
    test_other_cell_of_the_same_lattice = None
    test_extensive = None  # every atom sees all others
    test_smooth_at_the_cut_off = None
    test_virial_is_minus_the_strain_derivative = None  # it is zero
    test_door_for_pairs = None

    def frame(self, seed: int = 0, atoms: int = 7) -> Frame:
        frame = super().frame(seed, atoms)
        frame["cell"] = np.zeros((3, 3))
        frame["aparam"] = (np.arange(atoms) % 4 != 1).astype(float)[:, None]
        return frame


class TestOneSide(TestMask):
    config = model(True, numb_fparam=1, atom_ener=(None, 2.0))


def frame(absent: tuple[int, ...] = ()) -> Frame:
    found = TestMask().frame()
    found["aparam"] = np.ones((7, 1))
    found["aparam"][list(absent)] = 0.0
    return found


@pytest.fixture(scope="module")
def potential() -> Potential:
    return Potential(model(), random_arrays(model()))


def test_absent_atoms_are_seen_by_nobody(potential: Potential) -> None:
    """They may be anywhere, also on top of others, and have the energy of an atom alone."""
    given = frame((1, 4))
    expected = potential([given])
    given["coord"][[1, 4]] = given["coord"][0]
    found = potential([given])
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)
    assert not found["force"][[1, 4]].any() and not found["descriptor"][[1, 4]].any()
    assert not found["virial"].any() and not found["atom_virial"].any()
    for atom in (1, 4):
        alone = {name: given[name][[atom]] for name in ("coord", "type")}
        alone |= {"cell": given["cell"], "fparam": given["fparam"], "aparam": np.ones((1, 1))}
        energy = potential([alone])["energy"]
        np.testing.assert_allclose(found["atom_energy"][atom], energy[0], rtol=1e-14)


def test_it_is_se_e2_a_with_all_neighbours(potential: Potential) -> None:
    plain = SeE2A(**NETS, rcut=90.0, rcut_smth=80.0, embedding="network")
    config = ModelConfig(Standard(plain, EnerFitting(neuron=(6, 6))), ("A", "B"))
    given = frame((1, 4))
    here = given["aparam"][:, 0] > 0
    others = {name: given[name][here] for name in ("coord", "type")} | {"cell": given["cell"]}
    expected = Potential(config, random_arrays(model()))([others])
    found = potential([given])
    for name in ("atom_energy", "force", "descriptor"):
        np.testing.assert_allclose(found[name][here], expected[name], rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"cell": np.eye(3) * 9},
            "frame 1: `cell` must be zeros, or be left out: a model with a mask of atoms sees",
        ),
        (
            {"aparam": np.array([[1], [1], [0.5], [0], [1], [1], [1]])},
            "frame 1, atom 2: `aparam` must be 1 for an atom that is there and 0 for another, "
            "got 0.5",
        ),
    ],
)
def test_frames_that_are_refused(changes: Frame, message: str, potential: Potential) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=re.escape(message)):
        potential([frame(), {**frame(), **changes}])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"descriptor": {"sel": "auto"}}, "`sel` must be a list, the atoms of each type, got 'aut"),
        ({"descriptor": {"rcut": 6.0}}, "rcut: unknown key where the type is se_a_mask"),
        ({"descriptor": {"embedding": "table"}}, "embedding: unknown key where the type is se_a"),
        ({"fitting_net": {"numb_aparam": 2}}, "`numb_aparam` must be 1 with `use_aparam_as_mask`"),
        (
            {"fitting_net": {"use_aparam_as_mask": False}},
            "`use_aparam_as_mask` of fitting_net must be true with the descriptor se_a_mask, got f",
        ),
        (
            {"descriptor": {"type": "se_e2_a"}},
            "`use_aparam_as_mask` of fitting_net must be false with the descriptor se_e2_a, got tr",
        ),
    ],
)
def test_settings_that_are_refused(changes: dict[str, Any], message: str) -> None:
    sections: dict[str, Any] = {
        "descriptor": {"type": "se_a_mask", "sel": [4, 4]},
        "fitting_net": dict(MASKED),
    }
    for name, section in changes.items():
        sections[name] |= section
    with pytest.raises(ValueError, match=re.escape(message)):
        load(ModelConfig, {"type_map": ["A", "B"], **sections}, "model")


def test_it_is_no_part_of_a_hybrid() -> None:
    descriptor = {"type": "hybrid", "list": [{"type": "se_a_mask", "sel": [4, 4]}]}
    with pytest.raises(ValueError, match=r"list\[0\]/type: must be one of .*, got \"se_a_mask\""):
        load(ModelConfig, {"type_map": ["A", "B"], "descriptor": descriptor}, "model")


def test_frozen_models(tmp_path: Path) -> None:
    """They take coordinates alone, and have no nets that tables can stand for."""
    frozen.write(model(), random_arrays(model()), tmp_path / "model.pb")
    with pytest.raises(ValueError, match=r"but se_a_mask has none"):
        compress(tmp_path / "model.pb", tmp_path / "compressed.pb")
    one = frame((2,))
    with DeepPot(tmp_path / "model.pb") as pot:
        assert pot.backend == "engine" and not pot.takes_pairs()
        given = one["coord"].reshape(1, -1), None, one["type"]
        energy = pot.eval(*given, aparam=one["aparam"])[0]
        np.testing.assert_allclose(
            energy, Potential(model(), random_arrays(model()))([one])["energy"][None], rtol=1e-14
        )
        with pytest.raises(ValueError, match="frame 0: `cell` must be zeros"):
            pot.eval(given[0], np.eye(3).reshape(1, 9), given[2], aparam=one["aparam"])
        with pytest.raises(ValueError, match="must be given coordinates and cells, got pairs"):
            pot.eval_pairs([0], [], np.zeros((0, 3)), [], aparam=np.zeros((0, 1)))
