"""Blends and walls in parts of a sum and in models from files: laws, energies by hand, errors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import twins
from physics_suite import PhysicsSuite
from potentials import Potential, batch_of
from random_model import random_arrays

from deeptf.config import dump, load
from deeptf.data.pairs import PairFinder
from deeptf.exchange import frozen
from deeptf.infer.deep_pot import DeepPot
from deeptf.input_file import ConfigError
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.descriptor.se_e2_r import SeE2R
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.pair_potential import Zbl
from deeptf.model.roles import differences
from deeptf.model.scopes import below
from deeptf.model.term.frozen import Frozen
from deeptf.model.term.linear_ener import LinearEner
from deeptf.model.term.pairtab import PairTab
from deeptf.model.term.part import Part
from deeptf.model.term.standard import Standard

FITTING = EnerFitting(neuron=(6, 6))
PAIRS = Standard(SeE2A((5, 7), 4.0, 1.0, (4, 8)), FITTING)
RADIAL = Standard(SeE2R((3, 5), 3.2, 0.7, (3, 6)), FITTING)
BLEND = {"use_srtab": "any.tab", "smin_alpha": 0.3, "sw_rmin": 1.8, "sw_rmax": 3.1}
WALL = Zbl(1.5, 3.1)


def model(*parts: Part, weights: object = (0.7, -1.5, 2.0), **more: Any) -> ModelConfig:
    return ModelConfig(LinearEner(parts, weights), ("O", "H"), **more)


class TestBlends(PhysicsSuite):
    """One of a part with the shorter cut-off, and one of a model from a file."""

    config = model(
        Part(RADIAL, **BLEND),
        Part(PAIRS),
        Part(Frozen("any.pb", Part(PAIRS, **BLEND, srtab_add_bias=False))),
    )


class TestWalls(PhysicsSuite):
    """Of a part, of the whole, and in place of the nets of a part within a part."""

    lengths = {k: v for k, v in BLEND.items() if k != "use_srtab"}
    config = model(
        Part(PAIRS, zbl=WALL),
        Part(LinearEner((Part(RADIAL, zbl=WALL, **lengths), Part(PAIRS)), (0.4, 1.2))),
        weights="sum",
        zbl=Zbl(1.2, 2.0),
    )
    gradient_tolerance = 1e-7  # of large numbers


LABELS = ("energy", "atom_energy", "force", "virial", "atom_virial")


def test_weights_count_for_the_whole_energies_of_parts() -> None:
    config, suite = TestBlends.config, TestBlends()
    arrays, frames = random_arrays(config, 3), [suite.frame(), suite.open_frame(1)]
    found = Potential(config, arrays)(frames)
    parts = [
        Potential(config.of(part), below(arrays, str(k)))(frames)
        for k, part in enumerate(config.term.models)
    ]
    for name in LABELS:
        expected = sum(w * one[name] for w, one in zip(config.term.factors, parts, strict=True))
        np.testing.assert_allclose(found[name], expected, atol=1e-11)


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("frozen", [True, False])
def test_energies_of_atoms_by_hand(with_bias: bool, frozen: bool) -> None:
    """sum_k w_k (s_i (V_i + bias_k) + (1 - s_i) E_i^k), with the bias and cut-off of each part."""
    blended = Part(RADIAL, **BLEND, srtab_add_bias=with_bias)
    part = Part(Frozen("any.pb", blended)) if frozen else blended
    config = model(Part(PAIRS), part, weights=(0.4, -1.3))
    arrays, frame = random_arrays(config, 5), TestBlends().frame()
    frame["coord"][1] = frame["coord"][0] + [1.3, 0.4, -0.2]  # one pair nearer than all others
    rcut, types, own = RADIAL.descriptor.rcut, frame["type"], below(arrays, "1")
    nets = {name: value for name, value in own.items() if "short_range" not in name}
    plain, net = (
        Potential(config.of(Part(term)), of_term)([frame])["atom_energy"]
        for term, of_term in ((PAIRS, below(arrays, "0")), (RADIAL, nets))
    )
    with PairFinder(rcut) as find:
        found = find(batch_of([frame]))
    pairs = twins.sort_pairs(found.row, found.neighbor, found.displacement, types, 2)
    order = pairs[0]
    column = {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 2}
    table, switch = np.zeros(len(types)), np.zeros(len(types))
    table[order] = twins.pair_energies(
        lambda r, a, b: twins.pair_table(
            r, own["short_range/nodes"][column[a, b]], own["short_range/grid"], rcut
        ),
        pairs,
        types,
    )[0]
    lengths = (BLEND[name] for name in ("smin_alpha", "sw_rmin", "sw_rmax"))
    switch[order] = twins.soft_minimum(pairs, len(types), *lengths)[0]
    assert switch[0] > 0.5 and np.any((switch > 0.01) & (switch < 0.99))
    near = table + with_bias * own["fitting/energy_bias"][types]
    expected = 0.4 * plain - 1.3 * (switch * near + (1 - switch) * net)
    energy = Potential(config, arrays)([frame])["atom_energy"]
    np.testing.assert_allclose(energy, expected, rtol=1e-11)


NETS = {"descriptor": {"type": "se_e2_a", "sel": [4, 4], "rcut": 4.0, "rcut_smth": 1.0}}
LENGTHS = {"smin_alpha": 0.1, "sw_rmin": 0.5, "sw_rmax": 1.0}
TABLE = {"use_srtab": "a.tab", **LENGTHS}
WALLED = {"zbl": {"rin": 1.0, "rout": 2.0}}


def section(part: dict[str, Any], **more: Any) -> dict[str, Any]:
    parts = [NETS, {**NETS, **part}]
    return {"type": "linear_ener", "type_map": ["O", "H"], "weights": "sum", "models": parts} | more


@pytest.mark.parametrize("part", [TABLE, WALLED, {**WALLED, **LENGTHS}, {}])
def test_settings_from_an_input_and_back(part: dict[str, Any]) -> None:
    """Parts without such keys are written as before they had any."""
    config = load(ModelConfig, section(part), "model")
    plain, own = dump(config)["models"]
    assert own == {**plain, **part} and "srtab_add_bias" not in own
    assert load(ModelConfig, dump(config), "model") == config


def test_differences_name_the_part() -> None:
    old, new = (load(ModelConfig, section({**TABLE, "sw_rmax": r}), "model") for r in (1.0, 1.5))
    (found,) = differences(old, new, "model")
    assert (found.place, found.role) == ("model/models[1]/sw_rmax", "function")


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"use_srtab": "a"}, r"models\[1\]: `smin_alpha` must be a number of A for a blend, got n"),
        (LENGTHS, r"models\[1\]: `smin_alpha` must go with `use_srtab` or `zbl`, got neither"),
        ({"zbl": {"rin": 1.0, "rout": 4.5}}, r"models\[1\]: `rout` of zbl must be at most the cut"),
        ({"zbl": {"rin": 1.0}}, r"models\[1\]/zbl/rout: must be a finite number, got nothing"),
        ({"use_srtab": 1, **LENGTHS}, r"models\[1\]/use_srtab: must be a string or null, got 1"),
        (
            {"modifier": {"type": "dipole_charge"}},
            r"models\[1\]/modifier: is not supported, .*: charges act on whole models: give it bes",
        ),
        (
            {**WALLED, "fitting_net": {"type": "dipole"}},
            r"models\[1\]: `zbl` must go with a model of energies, got dipole",
        ),
    ],
)
def test_errors(part: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(ModelConfig, section(part), "model")


def test_walls_of_parts_need_names_of_elements() -> None:
    with pytest.raises(ConfigError, match=r"models\[1\]: `type_map` must have names of elements"):
        load(ModelConfig, section(WALLED, type_map=["O", "Wat"]), "model")
    inner = {"type": "frozen", "model_file": "any.pb", "model": {**NETS, **WALLED}}
    with pytest.raises(ConfigError, match="`type_map` must have names of elements"):
        load(ModelConfig, {**inner, "type_map": ["Wat", "O"]}, "model")


def test_blends_of_other_terms() -> None:
    for term, end in (
        (PairTab("a.tab", 4.0), "pairtab"),
        (LinearEner((Part(PAIRS),), "sum"), "linear_ener; give it in the `models`"),
        (Frozen("any.pb", Part(PAIRS)), "frozen"),
    ):
        with pytest.raises(ValueError, match=f"must go with a standard model, got {end}$"):
            Part(term, **BLEND)


def test_one_short_range_of_a_model_from_a_file() -> None:
    """Its arrays have those names already; that of a part of the model does not matter."""
    inner = Frozen("any.pb", Part(PAIRS, **BLEND))
    for term in (inner, Frozen("other.pb", Part(inner))):
        with pytest.raises(ValueError, match="`zbl` must be left out: the model in `model_file` h"):
            Part(term, zbl=WALL)
    of_part = Frozen("sum.pb", Part(LinearEner((Part(inner),), "sum")))
    assert replace(Part(of_part), zbl=WALL).short_range is not None


@pytest.mark.parametrize("backend", ["engine", "tensorflow"])
def test_atoms_that_a_table_of_a_part_does_not_have_are_named(backend: str, tmp_path: Path) -> None:
    """Among the pairs of a shorter cut-off than that of the whole, and shorter ones of these."""
    near = Part(PairTab("any.tab", 2.5))
    inner = Part(LinearEner((Part(RADIAL, **BLEND), near), "sum"))
    config = model(Part(PAIRS), inner, weights="sum")
    arrays = random_arrays(config, 1)
    frozen.write(config, arrays, tmp_path / "model.pb")
    x = np.array([[0, 0, 0], [3.6, 0, 0], [0, 3.5, 0], [3.5, 0.12, 0], [0.0, 0, 3.7], [0, 0, 2.4]])
    with (
        DeepPot(tmp_path / "model.pb", backend=backend) as pot,
        pytest.raises(
            ValueError, match=r"atoms (1 and 3|3 and 1) of frame 0 must be at a distance"
        ),
    ):
        pot.eval(x.reshape(1, -1), None, [0, 1, 0, 1, 0, 1])
