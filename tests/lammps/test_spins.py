"""Models with spins in LAMMPS: forces, magnetic forces and virials are those of DeepPot.

With `pytest --emulated-engine LIBRARY` (tests/engine/emulated.sh) on a GPU, too.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from lammps_models import write_model, write_spins
from lammps_runs import Atoms, Lammps, crystal, read_dump, thermo, write_data

from deeptf.infer.deep_pot import DeepPot

PRESSURE = 1.6021765e6  # bar A^3 / eV, as LAMMPS has it
HBAR = 4.135667403e-3 / (2 * np.pi)  # eV ps, as LAMMPS has it in metal units
VIRIAL = [0, 4, 8, 1, 2, 5]  # xx yy zz xy xz yz
CENTROID = [0, 4, 8, 3, 6, 7, 1, 2, 5]  # of rows force x position: xx yy zz xy xz yz yx zx zy
LENGTH, NORM = 0.4, 1.2  # of models here; the first type has spins
SCRIPT = """
units metal
atom_style spin
newton {newton}
box tilt large
read_data atoms.data
pair_style {style} {models}
pair_coeff * * {names}
mass * 10
neighbor 0.5 bin
compute spin all property/atom spx spy spz sp fmx fmy fmz
compute energy all pe/atom pair
compute centroid all centroid/stress/atom NULL pair
thermo_style custom step pe pxx pyy pzz pxy pxz pyz
thermo_modify format float %.16g
dump 1 all custom 1 dump id x y z fx fy fz c_spin[*] c_energy c_centroid[*]
dump_modify 1 format float %.17g
run 0
"""
ATOMS = crystal((4, 4, 5), tilt=0.2)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("spin")
    return [write_spins(folder / f"{seed}.pb", LENGTH, NORM, seed) for seed in (1, 2)]


def spins_of(atoms: Atoms) -> np.ndarray:
    """Return unit vectors and lengths, which are 0 for the second type, [N, 4]."""
    random = np.random.default_rng(4)
    spin = random.normal(size=(len(atoms.type), 3))
    length = random.uniform(0.9, 1.3, len(spin)) * (atoms.type == 0)
    return np.column_stack([spin / np.linalg.norm(spin, axis=1)[:, None], length])


@pytest.fixture(params=["", " gpu yes"], ids=["cpu", "gpu"])
def device(request: pytest.FixtureRequest) -> str:
    """Return words of the pair style for the CPU and for the emulated GPU."""
    if request.param:
        request.getfixturevalue("with_gpu")
    return request.param


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_data(ATOMS, tmp_path / "atoms.data", style="spin", spins=spins_of(ATOMS))
    return tmp_path


def script(models: list[Path], words: str = "", **changes: str) -> str:
    text = {"style": "deeptf", "newton": "on", "names": "A B"} | changes
    return SCRIPT.format(models=" ".join(map(str, models)) + words, **text)


def evaluated(model: Path, coord: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the results of DeepPot, and fm of all atoms in rad THz."""
    spin, own = spins_of(ATOMS), np.flatnonzero(ATOMS.type == 0)
    away = (LENGTH / NORM * spin[:, :3] * spin[:, 3:])[own]
    types = np.concatenate([ATOMS.type, np.full(len(own), 2)])
    with DeepPot(model) as pot:
        places = np.concatenate([coord, coord[own] + away])
        found = pot.eval(places.reshape(1, -1), ATOMS.cell.reshape(1, 9), types, atomic=True)
    number, force, each = len(coord), found[1][0], found[4][0]
    turning = np.zeros_like(coord)
    turning[own] = force[number:] * spin[own, 3:] / HBAR
    of_atoms = each[:number].copy()
    of_atoms[own] += each[number:]
    return found[0].item(), force[:number], found[2][0], found[3][0, :, 0], of_atoms, turning


@pytest.mark.parametrize("newton", ["on", "off"])
@pytest.mark.parametrize("ranks", [1, 2])
def test_same_as_deep_pot(
    ranks: int, newton: str, device: str, lammps: Lammps, models: list[Path], folder: Path
) -> None:
    style = "deeptf" if ranks == 1 else "deepspin"
    printed = lammps.run(script(models[:1], device, newton=newton, style=style), folder, ranks)
    assert ("runs on GPU 0, emulated" in printed) == bool(device)
    dump, row = read_dump(folder / "dump")[0], thermo(printed)[-1]
    energy, force, virial, atom_energy, each, turning = evaluated(models[0], dump[:, 1:4])
    assert abs(row[1] - energy) < 1e-8
    np.testing.assert_allclose(dump[:, 4:7], force, rtol=0, atol=1e-8)
    np.testing.assert_allclose(dump[:, 11:14], turning, rtol=1e-7, atol=1e-6)
    assert abs(turning).max() > 1
    np.testing.assert_allclose(dump[:, 14], atom_energy, rtol=0, atol=1e-9)
    virial = virial.reshape(3, 3)
    symmetric = 0.5 * (virial + virial.T).ravel()[VIRIAL]
    volume = abs(np.linalg.det(ATOMS.cell))
    np.testing.assert_allclose(row[2:] / PRESSURE * volume, symmetric, rtol=0, atol=1e-6)
    np.testing.assert_allclose(dump[:, 15:24] / -PRESSURE, each[:, CENTROID], rtol=0, atol=1e-7)


def test_deviations(device: str, lammps: Lammps, models: list[Path], folder: Path) -> None:
    lammps.run(script(models, f" out_freq 1 out_file md.out atomic{device}"), folder, 2)
    head, line = (folder / "md.out").read_text().splitlines()
    kinds = [
        f"{which}_devi_{kind}" for kind in ("v", "fr", "fm") for which in ("max", "min", "avg")
    ]
    assert head.split() == ["#", "step", *kinds, "atm_devi_f(N)"]
    coord = read_dump(folder / "dump")[0][:, 1:4]
    found = [evaluated(model, coord) for model in models]
    spin = spins_of(ATOMS)[:, 3:]
    numbers = []
    for forces in (
        [one[1] for one in found],
        [
            np.divide(one[5] * HBAR, spin, out=np.zeros_like(one[5]), where=spin > 0)
            for one in found
        ],
    ):
        own = np.linalg.norm(forces[0] - forces[1], axis=1) / 2
        numbers += [own.max(), own.min(), own.mean()]
    row = np.array(line.split(), float)
    np.testing.assert_allclose(row[4:10], numbers, rtol=1e-6, atol=1e-9)
    own = np.linalg.norm(found[0][1] - found[1][1], axis=1) / 2
    np.testing.assert_allclose(row[10:], own, rtol=1e-6, atol=1e-9)


def test_messages(lammps: Lammps, models: list[Path], folder: Path, tmp_path: Path) -> None:
    plain = write_model(tmp_path / "plain.pb")
    other = write_spins(tmp_path / "other.pb", LENGTH, 2 * NORM)
    for text, message in (
        (
            script(models, names="A A_spin"),
            "must name types of model .* \\(A B\\) or NULL, got A_sp",
        ),
        (script([models[0], other]), "must have the spins of the first model"),
        (script([models[0], plain]), "must have the spins of the first model"),
        (
            script([plain], style="deepspin"),
            "deepspin must have a model with spins, got .* without: `pair_style deeptf` runs it",
        ),
        (script(models, names="B A"), "of a type with spins must have one, got the length 0.0"),
    ):
        assert re.search(message, lammps.message(text, folder))
    write_data(ATOMS, folder / "atoms.data")
    text = script(models[:1]).replace("atom_style spin", "").replace("c_spin[*]", "")
    text = text.replace("compute spin", "#")
    assert "atoms must have spins for a model with" in lammps.message(text, folder)


def test_spins_without_effect_are_told(
    lammps: Lammps, models: list[Path], folder: Path, tmp_path: Path
) -> None:
    said = lammps.run(script([write_model(tmp_path / "plain.pb")]), folder)
    assert "WARNING: spins of atoms do not act on this pair style: its model has none" in said
    assert "do not act" not in lammps.run(script(models[:1]), folder)


def test_spins_turn_to_lower_energies(lammps: Lammps, models: list[Path], folder: Path) -> None:
    """LAMMPS takes magnetic forces for torques."""
    text = script(models[:1]).replace("run 0", "thermo 5\nmin_style spin\nminimize 0 0 20 100")
    energies = thermo(lammps.run(text, folder))[:, 1]
    assert len(energies) == 5 and np.all(np.diff(energies) < 0)


def test_dynamics(lammps: Lammps, models: list[Path], folder: Path) -> None:
    """At constant spins, with lists that are made and kept: the energy stays, on any ranks."""
    run = "velocity all create 300 1\nfix 1 all nve\ntimestep 0.0002\nrun 60\n"
    text = script(models[:1]).replace("run 0", run).replace("all custom 1", "all custom 60")
    text = text.replace("step pe", "step etotal")
    places = []
    for ranks in (1, 2):
        energies = thermo(lammps.run(text, folder, ranks))[:, 1]
        assert len(energies) == 2 and np.ptp(energies) < 2e-3
        places.append(read_dump(folder / "dump")[-1][:, 1:4])
    assert abs(places[0] - ATOMS.coord).max() > 0.05
    np.testing.assert_allclose(places[1], places[0], rtol=0, atol=1e-8)
