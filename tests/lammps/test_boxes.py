"""Boxes and numbers of atoms that change: what is true at the end, DeepPot says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from lammps_models import write_model
from lammps_runs import Atoms, Lammps, crystal, read_dump, thermo, write_data

from deeptf.infer.deep_pot import DeepPot

HEAD = """
units metal
boundary {boundary}
box tilt large
read_data atoms.data
pair_style deeptf {model}
pair_coeff * *
mass * 10
neighbor 1.0 bin
"""
DUMP = """
dump 1 all custom {steps} dump id x y z fx fy fz type
dump_modify 1 format float %.17g
"""
TAIL = """
thermo_style custom step pe lx ly lz xy xz yz
thermo_modify format float %.17g lost ignore
{dump}
timestep 0.0002
run {steps}
""".replace("{dump}", DUMP)
CHANGES = {  # by fix 2, in the second half of each step
    "scale": ("fix 1 all nve\nfix 2 all deform 1 x scale 0.9 y scale 1.1 remap x", 0),
    "flip": ("fix 1 all nve\nfix 2 all deform 1 xy delta 3.0 remap x", 0.45),
    "pressure": ("velocity all create 300 1\nfix 2 all nph tri 0 0 0.05", 0.2),
}


def check_end(printed: str, dump: Path, model: Path, periodic: bool) -> np.ndarray:
    """Compare energy and forces of the last step with DeepPot's; return its dump."""
    row, table = thermo(printed)[-1], read_dump(dump)[-1]
    cell = np.diag(row[2:5])
    cell[1, 0], cell[2, 0], cell[2, 1] = row[5:]
    with DeepPot(model) as pot:
        box = cell.reshape(1, 9) if periodic else None
        types = table[:, 7].astype(int) - 1
        energy, force, _ = pot.eval(table[:, 1:4][None], box, types)
    assert abs(row[1] - energy.item()) < 1e-10 * len(table)
    np.testing.assert_allclose(table[:, 4:7], force[0], rtol=0, atol=1e-9)
    return table


@pytest.mark.parametrize("name", CHANGES)
def test_changing_boxes(name: str, lammps: Lammps, models: list[Path], tmp_path: Path) -> None:
    body, tilt = CHANGES[name]
    write_data(crystal((4, 4, 4), tilt), tmp_path / "atoms.data")
    text = HEAD.format(boundary="p p p", model=models[0]) + body + TAIL.format(steps=40)
    text += "unfix 2\nundump 1\n" + DUMP.format(steps=1) + "run 0\n"
    printed = lammps.run(text, tmp_path, 2)
    first, *_, last = re.findall(r"\n +0 .*|\n +40 .*", printed)
    before, after = (np.array(line.split(), float)[2:] for line in (first, last))
    assert abs(after - before).max() > 0.01
    if name == "flip":
        assert after[3] < 0 < before[3]
    check_end(printed, tmp_path / "dump", models[0], periodic=True)


def test_deposited_and_lost_atoms(lammps: Lammps, models: list[Path], tmp_path: Path) -> None:
    """Without periods, in a box that shrinks to the atoms at one side."""
    write_data(crystal((4, 4, 3)), tmp_path / "atoms.data")
    body = """
region high block 2 7 2 7 6.5 6.8
fix 1 all nve
fix 2 all deposit 3 2 10 7 region high vz -5 -5 near 1.0
group fast id 1
velocity fast set -2000 0 0
run_style verlet
"""
    text = HEAD.format(boundary="f s f", model=models[0]) + body + TAIL.format(steps=60)
    printed = lammps.run(text, tmp_path, 2)
    table = check_end(printed, tmp_path / "dump", models[0], periodic=False)
    assert 1 not in table[:, 0] and len(table) > 48


def test_a_surface(lammps: Lammps, models: list[Path], tmp_path: Path) -> None:
    """Periods in two directions: a cell of one vector more than is needed is the same."""
    atoms = crystal((4, 4, 3))
    write_data(atoms, tmp_path / "atoms.data")
    text = HEAD.format(boundary="p p m", model=models[0]) + "fix 1 all nve" + TAIL.format(steps=5)
    printed = lammps.run(text, tmp_path, 4)
    table = read_dump(tmp_path / "dump")[-1]
    with DeepPot(models[0]) as pot:
        cell = np.diag([*np.diag(atoms.cell)[:2], 50.0])
        energy, force, _ = pot.eval(table[:, 1:4][None], cell[None], atoms.type)
    assert thermo(printed)[-1, 1] == pytest.approx(energy.item(), abs=1e-8)
    np.testing.assert_allclose(table[:, 4:7], force[0], rtol=0, atol=1e-9)


@pytest.mark.parametrize("newton", ["on", "off"])
def test_two_atoms_that_fly_from_rank_to_rank(
    newton: str, lammps: Lammps, models: list[Path], tmp_path: Path
) -> None:
    """At least two of four ranks have no atom."""
    atoms = Atoms(np.array([[2.0, 2, 2], [3.9, 2, 2]]), 12 * np.eye(3), np.array([0, 1]))
    write_data(atoms, tmp_path / "atoms.data")
    body = "velocity all set 1000 700 -50\nfix 1 all nve"
    text = f"newton {newton}\n" + HEAD.format(boundary="p p p", model=models[0]) + body
    printed = lammps.run(text + TAIL.format(steps=100), tmp_path, 4)
    first, last = read_dump(tmp_path / "dump")
    assert abs(last[:, 1:4] - first[:, 1:4]).max() > 4
    check_end(printed, tmp_path / "dump", models[0], periodic=True)


def test_no_atom_is_left(lammps: Lammps, models: list[Path], tmp_path: Path) -> None:
    write_data(crystal((2, 2, 2)), tmp_path / "atoms.data")
    words = f"{models[0]} {models[1]} out_freq 10 atomic"
    body = "velocity all set 3000 0 0\nfix 1 all nve\ncompute s all stress/atom NULL pair"
    text = HEAD.format(boundary="f f f", model=words) + body + TAIL.format(steps=40)
    printed = lammps.run(text, tmp_path, 2)
    assert thermo(printed)[-1, 1] == 0
    assert "steps with 0 atoms" in printed
    lines = (tmp_path / "model_devi.out").read_text().splitlines()
    assert lines[-1].split() == ["40", *["0.000000e+00"] * 6]


@pytest.mark.parametrize("sort", ["0 0", "1 2.0"])
def test_order_of_atoms(sort: str, lammps: Lammps, models: list[Path], tmp_path: Path) -> None:
    """LAMMPS leaves atoms where they are, or sorts them each time that it makes lists."""
    write_data(crystal((4, 4, 4)), tmp_path / "atoms.data")
    body = f"atom_modify sort {sort}\nneigh_modify every 1 delay 0 check no\n"
    body += "velocity all create 3000 1\nfix 1 all nve"
    text = HEAD.format(boundary="p p p", model=models[0]) + body + TAIL.format(steps=20)
    printed = lammps.run(text, tmp_path, 2)
    check_end(printed, tmp_path / "dump", models[0], periodic=True)


@pytest.mark.parametrize("ranks", [1, 2])
def test_pairs_closer_than_the_data(ranks: int, lammps: Lammps, tmp_path: Path) -> None:
    """A warning for each pair of types at the end of the run, for all ranks together."""
    places = np.array([[0.0, 0, 0], [1.0, 0, 0], [0, 0, 9], [0, 1.1, 9], [5, 5, 5]])
    write_data(Atoms(places, 30 * np.eye(3), np.array([0, 1, 1, 1, 0])), tmp_path / "atoms.data")
    write_model(tmp_path / "model.pb", shortest=1.6)
    text = HEAD.format(boundary="p p p", model="model.pb") + TAIL.format(steps=1)
    printed = lammps.run(text, tmp_path, ranks)
    found = re.findall(r"WARNING: (\d+ times a neighbour of.*) \(deeptf:0\)", printed)
    text = "{} times a neighbour of type {} of an atom of type {} was closer than in the data of "
    text += "model model.pb, which end at 1.280 A: the closest at {} A of atoms {} and {} in step 0"
    assert found[0] == text.format(2, "B", "A", "1.000", 1, 2)
    assert found[1] == text.format(2, "A", "B", "1.000", 2, 1)
    same = "4", "B", "B", "1.100"
    assert found[2:] in ([text.format(*same, 3, 4)], [text.format(*same, 4, 3)])
