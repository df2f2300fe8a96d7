"""What LAMMPS gets is what DeepPot gives, on any number of ranks, with newton on and off."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from lammps_models import write_charged
from lammps_runs import Atoms, Lammps, crystal, read_dump, thermo, write_data

from deeptf.infer.deep_pot import DeepPot

PRESSURE = 1.6021765e6  # bar A^3 / eV, as LAMMPS has it
VIRIAL = [0, 4, 8, 1, 2, 5]  # xx yy zz xy xz yz
CENTROID = [0, 4, 8, 3, 6, 7, 1, 2, 5]  # of rows force x position: xx yy zz xy xz yz yx zx zy
SCRIPT = """
units metal
newton {newton}
box tilt large
read_data atoms.data
pair_style deeptf {model}
pair_coeff * *
mass * 10
neighbor 1.0 bin
compute energy all pe/atom pair
compute stress all stress/atom NULL pair
compute centroid all centroid/stress/atom NULL pair
thermo_style custom step pe pxx pyy pzz pxy pxz pyz
thermo_modify format float %.16g
dump 1 all custom 1 dump id x y z fx fy fz c_energy c_stress[*] c_centroid[*]
dump_modify 1 format float %.17g
run 0
"""
SYSTEMS = {
    "orthogonal": crystal((4, 5, 4)),
    "triclinic": crystal((4, 4, 5), tilt=0.3),
    "small": crystal((2, 1, 2), tilt=0.4),  # smaller than the cut-off
    "two": Atoms(np.array([[0.1, 0, 0], [1.5, 1, 1]]), 30 * np.eye(3), np.array([0, 1])),
    "isolated": Atoms(np.array([[1.0, 1, 1], [15, 15, 15.0]]), 30 * np.eye(3), np.array([0, 1])),
    "one": Atoms(np.array([[3.0, 3, 3]]), 3.3 * np.eye(3), np.array([1])),
}


def compare(printed: str, dump: np.ndarray, atoms: Atoms, model: Path) -> None:
    """Check energies, forces and virials against DeepPot."""
    count = len(atoms.type)
    volume = abs(np.linalg.det(atoms.cell))
    with DeepPot(model) as pot:
        energy, force, virial, atom_energy, atom_virial = pot.eval(
            dump[:, 1:4].reshape(1, -1), atoms.cell.reshape(1, 9), atoms.type, atomic=True
        )
    row = thermo(printed)[-1]
    assert abs(row[1] - energy.item()) < 1e-10 * count
    np.testing.assert_allclose(dump[:, 4:7], force[0], rtol=0, atol=1e-9)
    np.testing.assert_allclose(dump[:, 7], atom_energy[0, :, 0], rtol=0, atol=1e-10)
    np.testing.assert_allclose(row[2:] / PRESSURE * volume, virial[0][VIRIAL], rtol=0, atol=1e-8)
    each = atom_virial[0]
    half = 0.5 * (each[:, VIRIAL] + each[:, [0, 4, 8, 3, 6, 7]])
    np.testing.assert_allclose(dump[:, 8:14] / -PRESSURE, half, rtol=0, atol=1e-8)
    np.testing.assert_allclose(dump[:, 14:23] / -PRESSURE, each[:, CENTROID], rtol=0, atol=1e-8)


@pytest.mark.parametrize("newton", ["on", "off"])
@pytest.mark.parametrize("ranks", [1, 2, 4])
@pytest.mark.parametrize("name", ["orthogonal", "triclinic"])
def test_same_as_deep_pot(
    name: str, ranks: int, newton: str, lammps: Lammps, models: list[Path], tmp_path: Path
) -> None:
    write_data(SYSTEMS[name], tmp_path / "atoms.data")
    printed = lammps.run(SCRIPT.format(newton=newton, model=models[0]), tmp_path, ranks)
    compare(printed, read_dump(tmp_path / "dump")[0], SYSTEMS[name], models[0])


@pytest.mark.parametrize("newton", ["on", "off"])
@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_charges_of_all_ranks(ranks: int, newton: str, lammps: Lammps, tmp_path: Path) -> None:
    model = write_charged(tmp_path / "charged.pb")
    for name in ("triclinic", "two") if ranks == 2 else ("triclinic",):
        write_data(SYSTEMS[name], tmp_path / "atoms.data")
        printed = lammps.run(SCRIPT.format(newton=newton, model=model), tmp_path, ranks)
        compare(printed, read_dump(tmp_path / "dump")[0], SYSTEMS[name], model)


def test_charges_in_a_box_without_images(lammps: Lammps, tmp_path: Path) -> None:
    write_charged(tmp_path / "charged.pb")
    write_data(SYSTEMS["orthogonal"], tmp_path / "atoms.data")
    script = "boundary p p f" + SCRIPT.format(newton="on", model="charged.pb")
    assert "`cell` must have a volume" in lammps.message(script, tmp_path)


@pytest.mark.parametrize("name", ["small", "two", "isolated", "one"])
def test_few_atoms_on_two_ranks(
    name: str, lammps: Lammps, models: list[Path], tmp_path: Path
) -> None:
    """Ranks without atoms too."""
    write_data(SYSTEMS[name], tmp_path / "atoms.data")
    printed = lammps.run(SCRIPT.format(newton="off", model=models[0]), tmp_path, 2)
    compare(printed, read_dump(tmp_path / "dump")[0], SYSTEMS[name], models[0])


def test_dynamics_on_ranks_and_threads(lammps: Lammps, models: list[Path], tmp_path: Path) -> None:
    """Places after 100 steps; those of two threads bit for bit."""
    write_data(SYSTEMS["orthogonal"], tmp_path / "atoms.data")
    script = SCRIPT.format(newton="on", model="{model} threads {threads}").replace("run 0", "")
    script += "velocity all create 300 1\nfix 1 all nve\ntimestep 0.0002\nthermo 100\nrun 100\n"
    script = script.replace("dump 1 all custom 1", "dump 1 all custom 100")
    places = {}
    for ranks, threads in [(1, 1), (1, 2), (2, 1), (4, 1)]:
        text = script.format(model=models[0], threads=threads)
        printed = lammps.run(text, tmp_path, ranks)
        assert len(thermo(printed)) == 2
        places[ranks, threads] = read_dump(tmp_path / "dump")[-1][:, 1:4]
    start = SYSTEMS["orthogonal"].coord
    assert abs(places[1, 1] - start).max() > 0.01
    np.testing.assert_array_equal(places[1, 2], places[1, 1])
    for ranks in (2, 4):
        np.testing.assert_allclose(places[ranks, 1], places[1, 1], rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    ("units", "length", "energy"),
    [
        ("real", 1, 23.060549),
        ("electron", 1.88972612, 0.036749308),
        ("si", 1e-10, 1.6021765e-19),
        ("cgs", 1e-8, 1.6021765e-12),
        ("micro", 1e-4, 1.6021765e-4),
        ("nano", 0.1, 160.21765),
    ],
)
def test_units(
    units: str, length: float, energy: float, lammps: Lammps, models: list[Path], tmp_path: Path
) -> None:
    atoms = SYSTEMS["triclinic"]
    write_data(atoms, tmp_path / "atoms.data", length=length)
    script = SCRIPT.format(newton="on", model=models[0])
    script = script.replace("units metal", f"units {units}")
    script = script.replace("neighbor 1.0", f"neighbor {length}")
    printed = lammps.run(script, tmp_path)
    (dump,) = read_dump(tmp_path / "dump")
    with DeepPot(models[0]) as pot:
        expected, force, _ = pot.eval(atoms.coord[None], atoms.cell[None], atoms.type)
    assert thermo(printed)[0, 1] == pytest.approx(energy * expected.item(), rel=2e-6)
    scale = energy / length
    np.testing.assert_allclose(dump[:, 4:7] / scale, force[0], rtol=0, atol=2e-5 * abs(force).max())


@pytest.mark.skipif(shutil.which("taskset") is None, reason="taskset is not installed")
def test_four_ranks_on_one_core(lammps: Lammps, models: list[Path], tmp_path: Path) -> None:
    """They leave the core to each other, and no rank takes more threads than its share."""
    write_data(SYSTEMS["orthogonal"], tmp_path / "atoms.data")
    script = SCRIPT.format(newton="on", model=f"{models[0]} threads 4") + "run 20\n"
    core = str(min(os.sched_getaffinity(0)))
    printed = lammps.run(script, tmp_path, 4, before=["taskset", "-c", core])
    assert "Pair style deeptf runs with 1 threads: no more cores for this rank" in printed
    compare(printed, read_dump(tmp_path / "dump")[-1], SYSTEMS["orthogonal"], models[0])
    assert float(printed.split("Loop time of ")[-1].split()[0]) < 20
