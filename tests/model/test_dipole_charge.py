"""Charges at atoms and Wannier centres beside a model: the laws they obey, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import twins
from physics_suite import PhysicsSuite
from plan import Plan
from potentials import batch_of
from random_model import random_arrays

from deeptf.config import dump, load
from deeptf.exchange import frozen
from deeptf.exchange.compress import compress
from deeptf.infer import DeepDipole, DeepPot, engine
from deeptf.infer.backend import ENGINE, TENSORFLOW
from deeptf.input_file import ConfigError
from deeptf.model.descriptor.hybrid import Hybrid
from deeptf.model.descriptor.se_a_mask import SeAMask
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting.dipole import DipoleFitting
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import MODIFIER, ModelConfig
from deeptf.model.term.dipole_charge import DipoleCharge
from deeptf.model.term.standard import Standard
from deeptf.model.type_embedding import TypeEmbedding

NETS: dict[str, Any] = {"sel": (6, 6), "neuron": (4, 6), "axis_neuron": 2, "rcut_smth": 1.0}
FINE = 0.5  # A, a spacing that leaves no wave out that counts


def dipoles(rcut: float = 3.0, sel_type: tuple[int, ...] = (0,), **nets: Any) -> Standard:
    descriptor = SeE2A(rcut=rcut, **{"embedding": "network", **NETS, **nets})
    return Standard(descriptor, DipoleFitting(neuron=(5, 5), sel_type=sel_type))


def model(
    own_rcut: float = 3.4, dipole: Standard | None = None, charges: tuple[float, ...] = (-8.0,)
) -> ModelConfig:
    term = Standard(SeE2A(rcut=own_rcut, **NETS), EnerFitting(neuron=(6, 6)))
    own = DipoleCharge("dipole.pb", charges, (6.0, 1.5), 0.4, FINE, dipole or dipoles())
    return ModelConfig(term, ("A", "B"), modifier=own)


class TestDipoleCharge(PhysicsSuite):
    config = model()
    with_cells = True
    test_smooth_at_the_cut_off = None  # charges have none
    test_door_for_pairs = None


class TestFurtherDipoles(TestDipoleCharge):
    """A cut-off beyond that of the model, tables, and centres at atoms of both types."""

    config = model(2.9, dipoles(3.3, (1, 0), embedding="table"), (-8.0, -2.5))
    gradient_tolerance = 1e-7


def arrays_of(config: ModelConfig) -> dict[str, np.ndarray]:
    return random_arrays(config, 1)


def parts_of(config: ModelConfig, folder: Path) -> tuple[Path, Path, Path]:
    """Write the model, its short range and its dipoles."""
    arrays = arrays_of(config)
    own = {k: v for k, v in arrays.items() if not k.startswith(MODIFIER)}
    of_dipole = {k.removeprefix(f"{MODIFIER}/"): v for k, v in arrays.items() if k not in own}
    dipole = ModelConfig(config.modifier.dipole_model, config.type_map)
    paths = folder / "whole.pb", folder / "short.pb", folder / "dipole.pb"
    frozen.write(config, arrays, paths[0])
    frozen.write(config.unmodified, own, paths[1])
    frozen.write(dipole, of_dipole, paths[2])
    return paths


@pytest.mark.parametrize("config", [model(), TestFurtherDipoles.config], ids=["one", "both"])
def test_is_the_sum_of_its_parts(config: ModelConfig, tmp_path: Path) -> None:
    frame = TestDipoleCharge().frame()
    given = frame["coord"].reshape(1, -1), frame["cell"].reshape(1, 9), frame["type"]
    whole, short, dipole = parts_of(config, tmp_path)
    with DeepDipole(dipole) as opened:
        shift = opened.eval(*given)[0]
    modifier = config.modifier
    chosen = list(modifier.dipole_model.fitting_net.sel_type)
    centres = np.flatnonzero(np.isin(frame["type"], chosen))
    sites = np.concatenate([frame["coord"], frame["coord"][centres] + shift[centres]])
    of_centres = [modifier.model_charge_map[chosen.index(t)] for t in frame["type"][centres]]
    charge = np.concatenate([np.array(modifier.sys_charge_map)[frame["type"]], of_centres])
    long = twins.ewald(sites, charge, frame["cell"], modifier.ewald_beta, modifier.ewald_h)
    with DeepPot(whole) as total, DeepPot(short) as rest:
        found, without = total.eval(*given, atomic=True), rest.eval(*given, atomic=True)
        skipped = total.eval(*given, atomic=True, skip_modifier=True)
    assert found[0].item() == pytest.approx(without[0].item() + long[0], rel=1e-12)
    for one, other in zip(skipped, without, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)
    of_atoms = charge * long[3] / 2
    expected = of_atoms[:7].copy()
    expected[centres] += of_atoms[7:]
    np.testing.assert_allclose((found[3] - without[3])[0, :, 0], expected, rtol=1e-10)


def test_plan_in_numpy(tmp_path: Path) -> None:
    """With the dipoles on a part of the pairs, and nets of some types in float32."""
    nets = {"precision": "float32"}
    hybrid = Hybrid((SeE2A(rcut=3.0, **NETS), SeE2A(rcut=2.5, **NETS, **nets)))
    own = Standard(hybrid, DipoleFitting(neuron=(5, 5), sel_type=(1,), resnet_dt=False, **nets))
    config = model(3.4, own)
    frozen.write(config, arrays_of(config), tmp_path / "model.pb")
    frames = [TestDipoleCharge().frame(seed, atoms) for seed, atoms in enumerate((7, 4))]
    batch = batch_of(frames)
    expected = Plan(tmp_path / "model.pb")(
        batch.coord, batch.cell, batch.atom_type, batch.frame_row
    )
    for backend in (ENGINE, TENSORFLOW):
        with DeepPot(tmp_path / "model.pb", backend=backend) as opened:
            found = opened.evaluate(batch, list(expected))
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, atol=2e-5, err_msg=name)


def test_vectors_of_types(tmp_path: Path) -> None:
    config = model(3.4, replace(dipoles(), type_embedding=TypeEmbedding((2,))))
    frozen.write(config, arrays_of(config), tmp_path / "model.pb")
    found = []
    for backend in (ENGINE, TENSORFLOW):
        with DeepPot(tmp_path / "model.pb", backend=backend) as opened:
            found.append(opened.evaluate(batch_of([TestDipoleCharge().frame()])))
    for name, value in found[0].items():
        np.testing.assert_allclose(value, found[1][name], atol=1e-10)


def test_threads_and_blocks_do_not_change_bits(tmp_path: Path) -> None:
    path, batch = parts_of(model(), tmp_path)[0], batch_of([TestDipoleCharge().frame()])
    found = []
    for settings in ({"threads": 1}, {"threads": 3}, {"threads": 2, "auto_batch_size": 2}):
        with DeepPot(path, backend=ENGINE, **settings) as opened:
            found.append(opened.evaluate(batch, ["energy", "force", "virial", "atom_virial"]))
    for name, value in found[0].items():
        assert all(value.tobytes() == other[name].tobytes() for other in found[1:])


def test_each_result_alone(tmp_path: Path) -> None:
    path, batch = parts_of(model(), tmp_path)[0], batch_of([TestDipoleCharge().frame()])
    names = ["energy", "atom_energy", "force", "virial", "atom_virial"]
    with DeepPot(path, backend=ENGINE) as opened:
        found = opened.evaluate(batch, names)
        for name in names:
            np.testing.assert_array_equal(opened.evaluate(batch, [name])[name], found[name])


@pytest.mark.parametrize("backend", [ENGINE, TENSORFLOW])
def test_what_frames_must_have(backend: str, tmp_path: Path) -> None:
    path, frame = parts_of(model(), tmp_path)[0], TestDipoleCharge().frame()
    coord, cell = np.tile(frame["coord"].ravel(), (2, 1)), np.tile(frame["cell"].ravel(), (2, 1))
    cell[1] = 0.0
    message = "frame 1: `cell` must have a volume, since charges act on all their images, got none"
    with DeepPot(path, backend=backend) as opened:
        with pytest.raises(ValueError, match=message):
            opened.eval(coord, cell, frame["type"])


def test_pairs_alone_are_refused_by_the_engine(tmp_path: Path) -> None:
    path = parts_of(model(), tmp_path)[0]
    opened = engine.Model(str(path), path.read_bytes())
    types, row = np.zeros(1, np.int32), np.zeros(2, np.int32)
    given = engine.PairsStruct(num_centres=1, num_owned=1, num_all=1)
    given.type, given.row = engine.address(types), engine.address(row)
    with pytest.raises(ValueError, match="must be given coordinates and a cell, got pairs"):
        engine.call("evaluate_pairs", opened.handle, given, engine.Options(), engine.Results())


def test_doors(tmp_path: Path) -> None:
    path = parts_of(model(), tmp_path)[0]
    with DeepPot(path) as opened:
        assert not opened.takes_pairs() and opened.get_rcut() == 3.4
        with pytest.raises(ValueError, match="must be given coordinates and cells, got pairs"):
            opened.eval_pairs([0, 0], [], np.zeros((0, 3)), [0])


def test_settings_survive_a_file() -> None:
    assert load(ModelConfig, dump(model())) == model()


def test_compressed(tmp_path: Path) -> None:
    frame = TestDipoleCharge().frame()
    given = frame["coord"].reshape(1, -1), frame["cell"].reshape(1, 9), frame["type"]
    path = parts_of(model(), tmp_path)[0]
    compress(path, tmp_path / "tables.pb")
    with DeepPot(path) as opened, DeepPot(tmp_path / "tables.pb") as tables:
        for one, other in zip(opened.eval(*given), tables.eval(*given), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sys_charge_map": [6.0]}, r"a charge for each of the 2 types, got \[6.0\]"),
        ({"model_charge_map": [1, 2]}, r"`model_charge_map` must have .* 1 types with dipoles"),
        ({"ewald_beta": 0}, "model/modifier: `ewald_beta` must be positive, got 0.0"),
        ({"ewald_h": -1}, "model/modifier: `ewald_h` must be positive, got -1.0"),
        ({"type": "charge"}, "model/modifier/type: must be one of dipole_charge, got"),
    ],
)
def test_wrong_settings(change: dict[str, Any], message: str) -> None:
    given = dump(model())
    given["modifier"] |= change
    with pytest.raises(ConfigError, match=message):
        load(ModelConfig, given, "model")


def test_only_energies_in_cells() -> None:
    masked = SeAMask(sel=(4, 4), neuron=(3, 6), axis_neuron=2)
    fitting = EnerFitting(neuron=(6, 6), numb_aparam=1, use_aparam_as_mask=True)
    for term, message in (
        (dipoles(), "`modifier` must be left out, or the model be one of energies, got dipole"),
        (Standard(masked, fitting), "`modifier` must be left out with a mask of atoms"),
    ):
        with pytest.raises(ValueError, match=message):
            replace(model(), term=term)
