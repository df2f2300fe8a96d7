"""The local-frame descriptor: the laws that it obeys, its formula by hand, and what it refuses."""

from __future__ import annotations

import re

import numpy as np
import pytest
from physics_suite import PhysicsSuite
from potentials import EnginePotential, Potential
from random_model import random_arrays

from deeptf.data.errors import DataError
from deeptf.data.statistics import visit
from deeptf.data.system import System
from deeptf.model.descriptor.loc_frame import LocFrame
from deeptf.model.descriptor.local_columns import ColumnSums
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.term.standard import Standard
from deeptf.tf import tf

NEAREST = (0, -3, 0, 0, -3, 1)  # the two nearest of any type


def model(axis_rule: tuple[int, ...] = NEAREST * 2, **settings: object) -> ModelConfig:
    given = {"sel_a": (3, 4), "sel_r": (2, 1), "rcut": 6.5, **settings}
    term = Standard(LocFrame(**given, axis_rule=axis_rule), EnerFitting(neuron=(6, 6)))
    return ModelConfig(term, ("A", "B"))


class TestNearest(PhysicsSuite):
    config = model()
    reflected = False  # z' changes its sign
    test_smooth_at_the_cut_off = None  # nothing fades out


class TestNoRadialPlaces(TestNearest):
    config = model(sel_r=(0, 0))


def frame_of(coord: list, types: list) -> dict[str, np.ndarray]:
    return {
        "coord": np.array(coord, float),
        "cell": np.zeros((3, 3)),
        "type": np.array(types, np.int32),
    }


def descriptor(config: ModelConfig, frame: dict[str, np.ndarray]) -> np.ndarray:
    """Return D without its normalisation."""
    width = config.term.descriptor.width
    arrays = random_arrays(config) | {
        "descriptor/mean": np.zeros((2, width)),
        "descriptor/stddev": np.ones((2, width)),
    }
    return Potential(config, arrays)([frame])["descriptor"]


def row(d: np.ndarray, u: np.ndarray, w: np.ndarray) -> list[float]:
    """Return the row of a displacement in the axes of two others."""
    first = u / np.linalg.norm(u)
    across = w - (w @ first) * first
    second = across / np.linalg.norm(across)
    x, y, z = (d @ axis / (d @ d) for axis in (first, second, np.cross(first, second)))
    return [1 / np.linalg.norm(d), z, x, y]


def test_the_formula() -> None:
    """Of an A with B, B, A, A, A and B around it, by distance."""
    around = np.array(
        [[1, 0, 0.1], [0, 1.2, 0], [0.3, 0, -1.5], [-1.6, 0.2, 0], [1, 1, 1], [0, -2, 1]]
    )
    frame = frame_of([[0, 0, 0], *around], [0, 1, 1, 0, 0, 0, 1])
    config = model((0, 1, 0, 1, 0, 1, *NEAREST), sel_a=(1, 3), sel_r=(4, 1), rcut=3.0)
    found = descriptor(config, frame)[0]
    u, w = around[0], around[4]  # the nearest B; of the radial A the second, after one angular one
    rows = [row(around[k], u, w) for k in (2, 0, 1, 5)]
    radial = [1 / np.linalg.norm(around[k]) for k in (3, 4)]
    np.testing.assert_allclose(found, [*np.ravel(rows), *radial, 0, 0, 0], atol=1e-13)


def test_rules_that_leave_out_a_type() -> None:
    """The angular class leaves out -(type + 1), the radial one -type; three of each other."""
    around = np.array([[1, 0, 0], [0, 1.1, 0], [0.1, 0, 1.2], [0, -1.3, 0.2], [0.2, 1, -1]])
    types = [0, 0, 1, 0, 1, 1]
    angular = model((0, -1, 0, 0, -2, 1, *NEAREST), sel_a=(4, 4), sel_r=(0, 0), rcut=3.0)
    found = descriptor(angular, frame_of([[0, 0, 0], *around], types))[0]
    u, w = around[1], around[2]  # the nearest B, the second A
    np.testing.assert_allclose(found[:4], row(around[0], u, w), atol=1e-13)
    radial = model((1, -1, 1, 1, -2, 0, *NEAREST), sel_a=(1, 1), sel_r=(4, 4), rcut=3.0)
    more = np.array([[0, 0.1, 0.8], [0, -0.9, 0.1]])
    found = descriptor(radial, frame_of([[0, 0, 0], *around, *more], [*types, 0, 1]))[0]
    u, w = around[2], around[0]  # of the radial ones the second A, and the first of both types
    np.testing.assert_allclose(found[:4], row(more[0], u, w), atol=1e-13)


def test_opposite_axes() -> None:
    """The second axis goes to the next neighbour where both would point in opposite directions."""
    around = np.array([[1, 0, 0], [-1.1, 0, 0.001], [0.1, 1.2, 0], [0, 0.3, 1.4]])
    config = model(sel_a=(4, 1), sel_r=(0, 0), rcut=3.0)
    found = descriptor(config, frame_of([[0, 0, 0], *around], [0] * 5))[0]
    np.testing.assert_allclose(found[12:16], row(around[3], around[0], around[2]), atol=1e-13)


def test_of_equally_distant_neighbours_the_first_one_comes_first() -> None:
    around = np.array([[0, 0, 1.0], [1, 0, 0], [0, 1, 0]])
    config = model(sel_a=(2, 1), sel_r=(0, 0), rcut=1.5)
    found = descriptor(config, frame_of([[0, 0, 0], *around], [0] * 4))[0]
    np.testing.assert_allclose(found[:8], [1, 0, 1, 0, 1, 0, 0, 1], atol=1e-13)


def test_an_atom_without_axes_is_an_error() -> None:
    config = model((0, 1, 0, 0, 0, 0, *NEAREST))
    triangle = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]])
    frame = frame_of([*triangle, *(triangle + 30)], [0, 0, 1, 0, 1, 1])
    message = re.escape(
        "atom 3: `axis_rule` must name neighbours that are there, but type 0 has none within 6.5 A "
        "for the rule [0, 0, 0] of axis 2: take a larger `rcut` or another rule"
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        Potential(config, random_arrays(config))([frame])
    with pytest.raises(ValueError, match=message):
        EnginePotential(config, random_arrays(config))([frame])


def test_axes_on_one_line_are_an_error(tmp_path) -> None:
    """The look at the data names system and frame, and counts atoms in the frame."""
    coord = np.random.default_rng(0).normal(0, 1, (3, 5, 3))
    coord[2] = [[0, 0, 0], [1, 0, 0], [3, 0, 0], [0, 0, 2], [0, 4, 0]]
    (tmp_path / "set.000").mkdir()
    np.save(tmp_path / "set.000" / "coord.npy", coord.reshape(3, -1))
    np.save(tmp_path / "set.000" / "energy.npy", np.zeros(3))
    np.savetxt(tmp_path / "type.raw", [0, 1, 1, 0, 0], fmt="%d")
    (tmp_path / "nopbc").touch()
    sums = ColumnSums(model((0, 1, 0, 0, 1, 1, *NEAREST)).term.descriptor)
    message = (
        r"frame 2, atom 0: `axis_rule` must name neighbours in two directions, but those of type "
        r"0, \[\[0, 1, 0\], \[0, 1, 1\]\], lie on one line: take other rules"
    )
    with pytest.raises(DataError, match=f"system .*: {message}"):
        visit([System(tmp_path, ("A", "B"))], [1], [sums])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rcut": 0.0}, "`rcut` must be positive"),
        ({"sel_r": (1,)}, "`sel_a` and `sel_r` must hold a number >= 0 for each type"),
        ({"axis_rule": NEAREST}, "`axis_rule` must hold 6 numbers for each type of `sel_a`"),
        ({"axis_rule": (2, 0, 0, 0, 0, 1, *NEAREST)}, "with class 0 or 1 and rank >= 0"),
        ({"axis_rule": (0, 0, 3, 0, 0, 1, *NEAREST)}, "for which there are 3 places"),
        ({"axis_rule": (0, 0, 1, 0, 0, 1, *NEAREST)}, "must name two neighbours of a centre"),
        (
            {"sel_a": (3,), "sel_r": (1,), "axis_rule": NEAREST},
            "must have one entry for each of the 2 types",
        ),
    ],
)
def test_errors(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model(**settings)
