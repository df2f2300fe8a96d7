"""Models with spins: physics of atoms and spins together, settings and messages."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from physics_suite import PhysicsSuite, derivative
from plan import Plan
from potentials import Potential, batch_of
from random_model import random_arrays

from deeptf.config import dump, load
from deeptf.exchange import frozen
from deeptf.input_file import ConfigError
from deeptf.model.descriptor.dpa1 import SeAtten
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting.dipole import DipoleFitting
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.spin import Spin
from deeptf.model.term.linear_ener import LinearEner
from deeptf.model.term.part import Part
from deeptf.model.term.standard import Standard
from deeptf.tf import tf

SPIN = Spin((True, True, False), (0.3, 0.4), (1.5, 1.2))
PAIRS, FITTING = SeE2A((3, 4, 2), 4.0, 1.0, (4, 8)), EnerFitting(neuron=(6, 6))
TERM = Standard(PAIRS, FITTING, spin=SPIN)


class TestSpin(PhysicsSuite):
    """The first five atoms are real, the others the virtual atoms of four of them."""

    config = ModelConfig(TERM, ("A", "B", "C"))
    real = 5
    gradient_tolerance = 1e-7  # energies are steep where atoms are 0.3 A apart

    def frame(self, seed: int = 0, atoms: int = 7) -> dict[str, np.ndarray]:
        real = super().frame(seed, min(atoms, self.real))
        types = np.array([0, 1, 2, 1, 0], np.int32)[: len(real["type"])]
        spins = np.random.default_rng(seed + 10).normal(size=(len(types), 3))
        own = [np.flatnonzero(types == k) for k in (0, 1)]
        length = [SPIN.virtual_len[k] for k in (0, 1) for _ in own[k]]
        own = np.concatenate(own)
        away = spins[own] / np.linalg.norm(spins[own], axis=1)[:, None]
        away *= np.array(length)[:, None]
        return {
            **real,
            "coord": np.concatenate([real["coord"], real["coord"][own] + away]),
            "type": np.concatenate([types, types[own] + 3]).astype(np.int32),
            "aparam": np.zeros((len(types) + len(own), 0)),
            "owner": own,
        }

    def _virtual(self, frame: dict[str, np.ndarray]) -> np.ndarray:
        return np.flatnonzero(frame["type"] >= 3)

    def _factor(self, frame: dict[str, np.ndarray]) -> np.ndarray:
        kind = frame["type"][self._virtual(frame)] - 3
        return np.array(SPIN.virtual_len)[kind] / np.array(SPIN.spin_norm)[kind]

    def test_translation(self) -> None:
        for frame in (self.frame(), self.open_frame()):
            moved = {**frame, "coord": frame["coord"] + np.array([3.1, -8.2, 0.7])}
            before, after = (self.potential()([f]) for f in (frame, moved))
            self.close(after["energy"], before["energy"])
            self.close(after["force"], before["force"])
            self.close(before["force"][: self.real].sum(axis=0), np.zeros(3))

    def test_permutation(self) -> None:
        """The order of atoms of a type, and of their virtual atoms."""
        frame = self.frame()
        order = np.array([4, 3, 2, 1, 0, 6, 5, 8, 7])
        mixed = {**frame, **{name: frame[name][order] for name in ("coord", "type")}}
        before, after = (self.potential()([f]) for f in (frame, mixed))
        self.close(after["energy"], before["energy"])
        self.close(after["force"], before["force"][order])
        self.close(after["virial"], before["virial"])

    def test_smooth_at_the_cut_off(self) -> None:
        frame = {**self.open_frame(), "type": np.array([2, 2], np.int32)}
        results = []
        for distance in (4.0 - 1e-6, 4.0 + 1e-6):
            frame["coord"] = np.array([[0, 0, 0], [distance, 0, 0]])
            results.append(self.potential()([frame]))
        self.close(results[0]["energy"], results[1]["energy"])
        np.testing.assert_allclose(results[0]["force"], 0, atol=1e-8)

    def test_force_is_minus_the_gradient(self, step: float = 1e-4) -> None:
        """On atoms at constant spins, and on spins."""
        for frame in (self.frame(), self.open_frame()):
            force, virtual = self.potential()([frame])["force"], self._virtual(frame)
            numeric = np.zeros_like(force)
            for atom in range(len(force)):
                group = [atom, *virtual[frame["owner"] == atom]]
                scale = 1.0 if atom < self.real else self._factor(frame)[atom - self.real]
                for axis in range(3):
                    move = partial(self._moved_group, frame, group, axis)
                    numeric[atom, axis] = -scale * derivative(move, step)
            scale = max(1.0, np.max(np.abs(force)))
            np.testing.assert_allclose(force, numeric, rtol=0, atol=self.gradient_tolerance * scale)

    def _moved_group(
        self, frame: dict[str, np.ndarray], group: list[int], axis: int, x: float
    ) -> float:
        coord = frame["coord"].copy()
        coord[group, axis] += x
        return self.potential().energy({**frame, "coord": coord})

    def test_virial_is_minus_the_strain_derivative(self, step: float = 1e-4) -> None:
        """At constant spins."""
        frame = self.frame()
        virial = self.potential()([frame])["virial"].reshape(3, 3)
        numeric = np.zeros((3, 3))
        for place in np.ndindex(3, 3):
            numeric[place[::-1]] = -derivative(partial(self._strained, frame, place), step)
        scale = max(1.0, np.max(np.abs(virial)))
        np.testing.assert_allclose(virial, numeric, rtol=0, atol=self.gradient_tolerance * scale)
        assert np.abs(virial - virial.T).max() > 1e-6  # spins do not turn

    def _strained(self, frame: dict[str, np.ndarray], place: tuple[int, ...], x: float) -> float:
        strain = np.eye(3)
        strain[place] += x
        real, virtual = frame["coord"][: self.real], self._virtual(frame)
        away = frame["coord"][virtual] - real[frame["owner"]]
        coord = real @ strain
        strained = np.concatenate([coord, coord[frame["owner"]] + away])
        return self.potential().energy({**frame, "coord": strained, "cell": frame["cell"] @ strain})

    def test_a_batch_equals_its_frames(self) -> None:
        frames = [self.frame(0), self.open_frame(1), self.frame(2, 3), self.frame(3, 1)]
        together = self.potential()(frames)
        alone = [self.potential()([frame]) for frame in frames]
        for name in together:
            self.close(together[name], np.concatenate([result[name] for result in alone]))

    def test_door_for_pairs(self) -> None:
        assert self.config.needs().doors == ("coordinates",)

    @pytest.mark.parametrize("_choose", [Potential], indirect=True)
    def test_both_kinds_of_forces(self) -> None:
        frame, potential = self.frame(), self.potential()
        names = "force", "real_force", "magnetic_force", "atom_energy"
        given = {
            "coord:0": frame["coord"],
            "cell:0": frame["cell"][None],
            "atom_type:0": frame["type"],
            "frame_row:0": [0, len(frame["type"])],
        }
        found = potential.run(given, names)
        np.testing.assert_array_equal(found["real_force"] + found["magnetic_force"], found["force"])
        assert np.all(found["real_force"][self.real :] == 0)
        assert np.all(found["magnetic_force"][: self.real] == 0)
        assert np.all(found["atom_energy"][self.real :] == 0)

    @pytest.mark.parametrize("_choose", [Potential], indirect=True)
    def test_the_plan_gives_the_same(self, tmp_path: Path) -> None:
        expected = self.potential()([self.frame(), self.open_frame(1)])
        frozen.write(self.config, self._arrays, tmp_path / "model.pb")
        batch = batch_of([self.frame(), self.open_frame(1)])
        given = batch.coord, batch.cell, batch.atom_type, batch.frame_row
        found = Plan(tmp_path / "model.pb")(*given)
        for name in ("energy", "atom_energy", "force", "virial"):
            self.close(found[name], expected[name])

    def test_a_spin_without_its_virtual_atom(self) -> None:
        frames = [self.frame(0), self.frame(1)]
        frames[1]["type"][-1] = 3
        message = (
            "frame 1: .* must .* a virtual atom of type 3 for each atom of type 0, got 3 for 2"
        )
        with pytest.raises((tf.errors.InvalidArgumentError, ValueError), match=message):
            self.potential()(frames)


def test_settings_from_an_input_and_back() -> None:
    section = {
        "type_map": ["A", "B"],
        "spin": {"use_spin": [True, False], "virtual_len": [0.4], "spin_norm": [1.2]},
        "descriptor": {"type": "se_e2_a", "sel": [3, 4]},
    }
    config = load(ModelConfig, section, "model")
    assert config.type_map == ("A", "B", "A_spin") and config.num_types == 3
    assert config.term.descriptor.sel == (3, 4, 3)
    assert load(ModelConfig, dump(config), "model") == config
    section["spin"]["scheme"] = "deepspin"
    assert load(ModelConfig, section, "model") == config


@pytest.mark.parametrize(
    ("spin", "message"),
    [
        ({"use_spin": [False, True]}, "model/spin: `use_spin` must be true for the first types"),
        ({"use_spin": [False, False]}, r"at least one, and false for the others, got \[False, "),
        ({"virtual_len": [0.4, 0.3]}, "`virtual_len` must hold a positive number for each of 1 t"),
        ({"spin_norm": [0.0]}, "`spin_norm` must hold a positive number for each of 1 types"),
        ({"use_spin": [True] + [False] * 4}, "`type_map` must name the 5 types of `spin/use_spin`"),
        ({"scheme": "other"}, "model/spin/scheme: is not supported"),
    ],
)
def test_errors(spin: dict[str, object], message: str) -> None:
    right = {"use_spin": [True, False], "virtual_len": [0.4], "spin_norm": [1.2]}
    section = {"type_map": ["A", "B"], "spin": right | spin, "descriptor": {"type": "se_e2_a"}}
    with pytest.raises(ConfigError, match=message):
        load(ModelConfig, section, "model")


def test_what_goes_without_spins() -> None:
    with pytest.raises(ValueError, match="`spin` must go with the descriptor se_e2_a"):
        Standard(PAIRS, DipoleFitting(), spin=SPIN)
    with pytest.raises(ValueError, match="se_e2_a, no `type_embedding` .*, got se_atten and ener"):
        Standard(SeAtten(sel=12, rcut=4.0, rcut_smth=1.0), spin=SPIN)
    with pytest.raises(ValueError, match=r"models\[0\] must not have spins"):
        LinearEner((Part(TERM),), "sum")
    with pytest.raises(ValueError, match="types with spins and their virtual types belong toge"):
        TERM.with_types([1, 0])


def test_given_energies_of_atoms() -> None:
    """An atom alone has its energy, with a spin or not."""
    given = EnerFitting(neuron=(6,), atom_ener=(1.0, None, 3.0))
    config = ModelConfig(Standard(PAIRS, given, spin=SPIN), ("A", "B", "C"))
    frame = {
        "coord": np.zeros((1, 3)),
        "cell": np.zeros((3, 3)),
        "type": np.array([2], np.int32),
    }
    potential = Potential(config, random_arrays(config))
    assert potential.energy(frame) == pytest.approx(3.0, abs=1e-12)
