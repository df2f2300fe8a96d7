"""The radial descriptor: the laws that every model obeys, its formula by hand, and its quirk."""

from __future__ import annotations

import numpy as np
import pytest
from physics_suite import PhysicsSuite
from potentials import Potential
from random_model import random_arrays

from deeptf.exchange import frozen
from deeptf.exchange.model_file import model_of
from deeptf.model.descriptor.se_e2_r import SHARE, SeE2R
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.ranges import NEAR
from deeptf.model.switch import switch_over_distance
from deeptf.model.table_arrays import STORED_NEAR, TABLE, TABLE_GRID, TABLE_ROW
from deeptf.model.term.standard import Standard

RCUT, RCUT_SMTH, SEL = 4.0, 1.0, (5, 7)


def model(types: int = 2, **descriptor: object) -> ModelConfig:
    settings = {"sel": (5, 7, 6)[:types], "rcut": RCUT, "rcut_smth": RCUT_SMTH, "neuron": (4, 8)}
    term = Standard(SeE2R(**{**settings, **descriptor}), EnerFitting(neuron=(6, 6)))
    return ModelConfig(term, tuple("ABC"[:types]))


class TestTwoSide(PhysicsSuite):
    config = model()


class TestNetwork(PhysicsSuite):
    config = model(embedding="network")


class TestExcludedOneSide(PhysicsSuite):
    config = model(3, exclude_types=((0, 1),), type_one_side=True, resnet_dt=True)


def net(arrays: dict[str, np.ndarray], name: str, x: np.ndarray) -> np.ndarray:
    """Return G(x) of a net of widths 4 and 8, [n, 8]."""
    first, second = (
        {kind: arrays[f"descriptor/{name}/{layer}/{kind}"] for kind in ("matrix", "bias")}
        for layer in (0, 1)
    )
    hidden = np.tanh(x[:, None] @ first["matrix"] + first["bias"])
    return np.hstack([hidden, hidden]) + np.tanh(hidden @ second["matrix"] + second["bias"])


@pytest.mark.parametrize("embedding", ["table", "network"])
@pytest.mark.parametrize("excluded", [(), ((0, 1),)])
@pytest.mark.parametrize("one_side", [False, True])
def test_the_formula(embedding: str, excluded: tuple, one_side: bool) -> None:
    """Every place counts the net, an empty one at s = 0; places of excluded types count nothing, or
    the net at 0 where the centres share it.
    """
    config = model(embedding=embedding, exclude_types=excluded, type_one_side=one_side)
    descriptor = config.term.descriptor
    arrays = random_arrays(config, 4)
    coord = np.array([[0, 0, 0], [1.3, 0.2, 0], [0.1, 1.9, 0.4], [2.1, 2.0, -0.3]])
    types = np.array([0, 1, 1, 0], np.int32)
    frame = {"coord": coord, "cell": np.zeros((3, 3)), "type": types}
    found = Potential(config, arrays)([frame])["descriptor"]
    for i, centre in enumerate(types):
        total = np.zeros(8)
        mean, stddev = (arrays[f"descriptor/{k}"][centre, 0] for k in ("mean", "stddev"))
        for t, places in enumerate(SEL):
            r = np.array([np.linalg.norm(coord[j] - coord[i]) for j in range(4) if j != i])
            r = r[(types[np.arange(4) != i] == t) & (r < RCUT)]
            s = np.concatenate(
                [switch_over_distance(r, RCUT_SMTH, RCUT), np.zeros(places - len(r))]
            )
            x = (s - mean) / stddev
            if descriptor.excludes(centre, t):
                if not one_side:
                    continue
                x = np.zeros(places)
            total += net(arrays, descriptor.network_name(centre, t), x).sum(axis=0)
        tolerance = 1e-12 if embedding == "network" else 1e-6
        np.testing.assert_allclose(found[i], total / SHARE / sum(SEL), atol=tolerance)


def test_excluded_pairs_of_a_model_with_tables_alone() -> None:
    """What they count comes from the tables where a model has these in place of nets."""
    own = SeE2R(sel=(9, 8), rcut=4.5, neuron=(3, 6), type_one_side=True, exclude_types=((0, 1),))
    config = ModelConfig(Standard(own, EnerFitting(neuron=(4,))), ("A", "B"))
    arrays = random_arrays(config)
    whole = model_of(frozen.build(config, arrays).SerializeToString(), "")
    names = [f"descriptor/{name}" for name in (TABLE, TABLE_ROW, TABLE_GRID)]
    stored = {name: value for name, value in arrays.items() if "embedding" not in name}
    stored = {name: value for name, value in stored.items() if "table" not in name}
    stored |= {name: whole.constant(name) for name in names}
    stored["descriptor/" + STORED_NEAR] = np.array(NEAR, np.int32)
    coord = np.random.default_rng(0).uniform(0, 5, (6, 3))
    frame = {"coord": coord, "cell": np.zeros((3, 3)), "type": np.arange(6, dtype=np.int32) % 2}
    found, expected = (Potential(config, given)([frame]) for given in (stored, arrays))
    np.testing.assert_allclose(found["energy"], expected["energy"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(found["descriptor"], expected["descriptor"], rtol=0, atol=1e-6)
