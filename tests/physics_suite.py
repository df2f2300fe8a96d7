"""Physics that every model must obey, as one class of tests: a test file per model inherits it and
says how to build.

Translation, rotation, permutation, periodic images, extensivity, continuity at the cut-off, force =
-dE/dx, virial = -dE/dstrain, a batch equals its frames one by one, the door for pairs equals the
door for coordinates, atomic virials add up to the virial. All of it is asked of the graph and of
the engine.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from potentials import EnginePotential, Potential, batch_of
from random_model import random_arrays

from deeptf.data.pairs import PairFinder
from deeptf.model.model import ModelConfig


class PhysicsSuite:
    """Inherit it, set `config`; every test runs on a small triclinic cell with several images in
    the cut-off.
    """

    config: ModelConfig
    tolerance = 1e-10
    steep = 1.0  # factor on the weights
    native = True  # whether the model has a plan, so that the engine runs it
    reflected = True  # whether reflections change nothing
    with_cells = False  # whether every frame must have a cell

    @pytest.fixture(autouse=True, params=[Potential, EnginePotential], ids=["graph", "engine"])
    def _choose(self, request: pytest.FixtureRequest) -> None:
        self._kind = request.param
        if request.param is EnginePotential and not self.native:
            pytest.skip("TensorFlow alone runs this model")

    def potential(self) -> Potential | EnginePotential:
        """Return the model with random weights (one of a kind per class)."""
        cls = type(self)
        if "_made" not in cls.__dict__:
            cls._made, cls._arrays = {}, random_arrays(self.config, 1, self.steep)
        if self._kind not in cls._made:
            cls._made[self._kind] = self._kind(self.config, cls._arrays)
        return cls._made[self._kind]

    def frame(self, seed: int = 0, atoms: int = 7) -> dict[str, np.ndarray]:
        """Return a frame of atoms on a disturbed grid in a triclinic cell of about 6 A."""
        rng = np.random.default_rng(seed)
        cell = np.array([[5.9, 0.0, 0.0], [1.1, 5.6, 0.0], [-0.7, 0.9, 6.3]])
        grid = np.stack(np.meshgrid(*[np.arange(2)] * 3), -1).reshape(-1, 3)[:atoms] / 2 + 0.1
        needs = self.config.needs()
        return {
            "coord": grid @ cell + rng.uniform(-0.4, 0.4, (atoms, 3)),
            "cell": cell,
            "type": (np.arange(atoms) % self.config.num_types).astype(np.int32),
            "fparam": rng.normal(size=needs.numb_fparam),
            "aparam": rng.normal(size=(atoms, needs.numb_aparam)),
        }

    def open_frame(self, seed: int = 0) -> dict[str, np.ndarray]:
        """Return the same atoms without a cell, where the model takes such frames."""
        cell = self.frame(seed)["cell"]
        return {**self.frame(seed), "cell": cell if self.with_cells else np.zeros((3, 3))}

    def close(self, found: np.ndarray, expected: np.ndarray) -> None:
        """Assert equality within the tolerance, relative to the size of `expected` where that is
        above 1.
        """
        scale = max(1.0, float(np.max(np.abs(expected), initial=0)))
        np.testing.assert_allclose(found, expected, rtol=0, atol=self.tolerance * scale)

    def test_translation(self) -> None:
        for frame in (self.frame(), self.open_frame()):
            moved = {**frame, "coord": frame["coord"] + np.array([3.1, -8.2, 0.7])}
            before, after = (self.potential()([f]) for f in (frame, moved))
            self.close(after["energy"], before["energy"])
            self.close(after["force"], before["force"])
            self.close(before["force"].sum(axis=0), np.zeros(3))

    def test_rotation_and_reflection(self) -> None:
        frame = self.frame()
        random = np.random.default_rng(5).normal(size=(3, 3))
        rotation = np.linalg.qr(random)[0]
        rotation *= np.linalg.det(rotation)
        for turn in (rotation, -rotation) if self.reflected else (rotation,):
            turned = {**frame, "coord": frame["coord"] @ turn, "cell": frame["cell"] @ turn}
            before, after = (self.potential()([f]) for f in (frame, turned))
            self.close(after["energy"], before["energy"])
            self.close(after["force"], before["force"] @ turn)
            virial = turn.T @ before["virial"].reshape(3, 3) @ turn
            self.close(after["virial"].reshape(3, 3), virial)

    def test_permutation(self) -> None:
        frame = self.frame()
        order = np.random.default_rng(6).permutation(len(frame["type"]))
        mixed = {**frame, **{name: frame[name][order] for name in ("coord", "type", "aparam")}}
        before, after = (self.potential()([f]) for f in (frame, mixed))
        self.close(after["energy"], before["energy"])
        self.close(after["force"], before["force"][order])
        self.close(after["atom_energy"], before["atom_energy"][order])

    def test_periodic_images(self) -> None:
        frame = self.frame()
        shift = np.random.default_rng(7).integers(-2, 3, (len(frame["type"]), 3))
        moved = {**frame, "coord": frame["coord"] + shift @ frame["cell"]}
        before, after = (self.potential()([f]) for f in (frame, moved))
        self.close(after["energy"], before["energy"])
        self.close(after["force"], before["force"])
        self.close(after["virial"], before["virial"])

    def test_other_cell_of_the_same_lattice(self) -> None:
        frame = self.frame()
        change = np.array([[1, 0, 0], [1, 1, 0], [-1, 2, -1]])  # determinant -1
        other = {**frame, "cell": change @ frame["cell"]}
        before, after = (self.potential()([f]) for f in (frame, other))
        self.close(after["energy"], before["energy"])
        self.close(after["virial"], before["virial"])

    def test_extensive(self) -> None:
        frame = self.frame()
        n = len(frame["type"])
        double = {
            **{name: np.concatenate([frame[name]] * 2) for name in ("type", "aparam")},
            "coord": np.concatenate([frame["coord"], frame["coord"] + frame["cell"][0]]),
            "cell": frame["cell"] * np.array([[2], [1], [1]]),
            "fparam": frame["fparam"],
        }
        before, after = (self.potential()([f]) for f in (frame, double))
        self.close(after["energy"], 2 * before["energy"])
        self.close(after["force"][:n], before["force"])
        self.close(after["virial"], 2 * before["virial"])

    def test_smooth_at_the_cut_off(self) -> None:
        rcut = self.config.needs().rcut
        frame = self.open_frame()
        frame = {**frame, "coord": frame["coord"][:2].copy(), "type": frame["type"][:2]}
        frame["aparam"] = frame["aparam"][:2]
        results = []
        for distance in (rcut - 1e-6, rcut + 1e-6):
            frame["coord"] = np.array([[0, 0, 0], [distance, 0, 0]])
            results.append(self.potential()([frame]))
        self.close(results[0]["energy"], results[1]["energy"])
        np.testing.assert_allclose(results[0]["force"], 0, atol=1e-8)

    def test_force_is_minus_the_gradient(self, step: float = 1e-4) -> None:
        for frame in (self.frame(), self.open_frame()):
            force = self.potential()([frame])["force"]
            numeric = np.zeros_like(force)
            for place in np.ndindex(*force.shape):
                energy = partial(self._moved, frame, place)
                numeric[place] = -derivative(energy, step)
            scale = max(1.0, np.max(np.abs(force)))
            np.testing.assert_allclose(force, numeric, rtol=0, atol=self.gradient_tolerance * scale)

    gradient_tolerance = 1e-8

    def test_virial_is_minus_the_strain_derivative(self, step: float = 1e-4) -> None:
        frame = self.frame()
        virial = self.potential()([frame])["virial"].reshape(3, 3)
        numeric = np.zeros((3, 3))
        for place in np.ndindex(3, 3):
            numeric[place] = -derivative(partial(self._strained, frame, place), step)
        scale = max(1.0, np.max(np.abs(virial)))
        np.testing.assert_allclose(virial, numeric, rtol=0, atol=self.gradient_tolerance * scale)
        self.close(virial, virial.T)

    def test_a_batch_equals_its_frames(self) -> None:
        frames = [self.frame(0), self.open_frame(1), self.frame(2, 3), self.frame(3, 1)]
        together = self.potential()(frames)
        alone = [self.potential()([frame]) for frame in frames]
        for name in together:
            self.close(together[name], np.concatenate([result[name] for result in alone]))

    def test_virtual_atoms_change_nothing(self) -> None:
        frame = self.frame()
        more = {
            **frame,
            "coord": np.insert(frame["coord"], 2, [0.3, 0.2, 0.1], axis=0),
            "type": np.insert(frame["type"], 2, -1).astype(np.int32),
            "aparam": np.insert(frame["aparam"], 2, 0, axis=0),
        }
        before, after = (self.potential()([f]) for f in (frame, more))
        self.close(after["energy"], before["energy"])
        self.close(np.delete(after["force"], 2, axis=0), before["force"])
        assert np.all(after["force"][2] == 0) and after["atom_energy"][2] == 0

    def test_sums_over_atoms(self) -> None:
        result = self.potential()([self.frame()])
        self.close(result["atom_energy"].sum(), result["energy"][0])
        self.close(result["atom_virial"].sum(axis=0), result["virial"][0])

    def test_door_for_pairs(self) -> None:
        frame = self.frame()
        with PairFinder(self.config.needs().rcut) as find:
            pairs = find(batch_of([frame]))
        results, expected = self.potential().of_pairs(frame, pairs), self.potential()([frame])
        for name, value in results.items():  # the engine adds the pairs of an atom in another order
            self.close(value, expected[name])

    @pytest.mark.parametrize("_choose", [EnginePotential], indirect=True)
    def test_engine_equals_graph(self) -> None:
        frames = [self.frame(), self.open_frame(1)]
        found = self.potential()(frames)
        self._kind = Potential
        expected = self.potential()(frames)
        for name, value in found.items():
            self.close(value, expected[name])

    def _moved(self, frame: dict[str, np.ndarray], place: tuple[int, ...], x: float) -> float:
        coord = frame["coord"].copy()
        coord[place] += x
        return self.potential().energy({**frame, "coord": coord})

    def _strained(self, frame: dict[str, np.ndarray], place: tuple[int, ...], x: float) -> float:
        strain = np.eye(3)
        strain[place] += x
        strained = {"coord": frame["coord"] @ strain, "cell": frame["cell"] @ strain}
        return self.potential().energy({**frame, **strained})


def derivative(function, step: float) -> float:
    """Fourth-order central difference at 0."""
    outer = function(2 * step) - function(-2 * step)
    inner = function(step) - function(-step)
    return (8 * inner - outer) / (12 * step)
