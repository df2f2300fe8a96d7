"""The three-body descriptor: the laws that every model obeys, and its formula by hand."""

from __future__ import annotations

import numpy as np
import pytest
from array_names import SHORTEST
from physics_suite import PhysicsSuite
from potentials import Potential
from random_model import random_arrays
from test_se_e2_r import net

from deeptf.model.descriptor.se_e3 import SeE3
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.switch import switch_over_distance
from deeptf.model.term.standard import Standard

RCUT, RCUT_SMTH, SEL = 4.0, 1.0, (5, 7)


def model(types: int = 2, **descriptor: object) -> ModelConfig:
    settings = {"sel": (5, 7, 6)[:types], "rcut": RCUT, "rcut_smth": RCUT_SMTH, "neuron": (4, 8)}
    term = Standard(SeE3(**{**settings, **descriptor}), EnerFitting(neuron=(6, 6)))
    return ModelConfig(term, tuple("ABC"[:types]))


class TestTables(PhysicsSuite):
    config = model()


class TestNetwork(PhysicsSuite):
    config = model(embedding="network")


class TestThreeTypes(PhysicsSuite):
    config = model(3, resnet_dt=True)


@pytest.mark.parametrize("embedding", ["table", "network"])
def test_the_formula(embedding: str) -> None:
    config = model(embedding=embedding)
    arrays = random_arrays(config, 4) | {SHORTEST: np.full((2, 2), 1.2)}
    arrays["descriptor/mean"][:] = 0.07  # of the radial column, which does not count
    arrays["descriptor/mean"][:, 1:] = 0
    coord = np.array([[0, 0, 0], [1.3, 0.2, 0], [0.1, 1.9, 0.4], [2.1, 2.0, -0.3], [-1.5, 0, 1]])
    types = np.array([0, 1, 1, 0, 1], np.int32)
    frame = {"coord": coord, "cell": np.zeros((3, 3)), "type": types}
    found = Potential(config, arrays)([frame])["descriptor"]
    for i, centre in enumerate(types):
        d = coord - coord[i]
        r = np.linalg.norm(d, axis=1)
        near = (r > 0) & (r < RCUT)
        v = np.zeros_like(d)
        s = switch_over_distance(r[near], RCUT_SMTH, RCUT) / arrays["descriptor/stddev"][centre, 1]
        v[near] = (s / r[near])[:, None] * d[near]
        total = np.zeros(8)
        for a, b in ((0, 0), (0, 1), (1, 1)):
            q = (v[types == a] @ v[types == b].T).ravel()
            total += q @ net(arrays, f"embedding_{a}_{b}", q) / (SEL[a] * SEL[b])
        tolerance = 1e-12 if embedding == "network" else 1e-6
        np.testing.assert_allclose(found[i], total, atol=tolerance)


def test_pairs_closer_than_the_data_are_counted() -> None:
    config = model()
    short = np.array([[2.0, 1.5], [1.5, 1.25]])
    potential = Potential(config, random_arrays(config, 2) | {SHORTEST: short})
    coord = np.array([[0.0, 0, 0], [0, 0, 0.8], [0, 0, 20], [0, 1.7, 20], [0.9, 0, 40], [0, 0, 40]])
    feed = {
        "coord:0": coord,
        "cell:0": np.zeros((1, 3, 3)),
        "atom_type:0": np.array([0, 1, 0, 0, 1, 1], np.int32),
        "frame_row:0": np.array([0, 6], np.int32),
    }
    found = potential.run(feed, ("outside_count", "outside_distance"))
    # a net knows neighbours as close as any centre has them: 1.2 A for those of type 0
    np.testing.assert_array_equal(found["outside_count"], [[0, 1], [1, 2]])
    np.testing.assert_allclose(found["outside_distance"], [[np.inf, 0.8], [0.8, 0.9]])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"exclude_types": ((0, 1),)}, "`exclude_types` must be empty where the type is se_e3"),
        ({"sel": (0, 3)}, "`sel` must hold numbers >= 1 where the type is se_e3"),
    ],
)
def test_errors(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model(**settings)
