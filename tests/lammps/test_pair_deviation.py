"""The file of model deviations: columns and numbers of deepmd-kit, on any number of ranks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lammps_models import write_model
from lammps_runs import Lammps, crystal, read_dump, write_data

from deeptf.infer.deep_pot import DeepPot

ATOMS = crystal((4, 4, 5), tilt=0.2)
NAMES = "max_devi_v min_devi_v avg_devi_v max_devi_f min_devi_f avg_devi_f"
SCRIPT = """
units metal
box tilt large
read_data atoms.data
pair_style deepmd {words}
pair_coeff * *
mass * 10
neighbor 1.0 bin
velocity all create 300 1
fix 1 all nve
timestep 0.0002
dump 1 all custom 1 dump id x y z
dump_modify 1 format float %.17g
run 3
run 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_data(ATOMS, tmp_path / "atoms.data")
    return tmp_path


def expected(
    models: list[Path], coord: np.ndarray, relative: float = 0, relative_v: float = 0
) -> np.ndarray:
    """Return the six columns and those of the atoms (arXiv:1910.12690, eq. 6)."""
    forces, virials = [], []
    for model in models:
        with DeepPot(model) as pot:
            _, force, virial = pot.eval(coord[None], ATOMS.cell[None], ATOMS.type)
        forces.append(force[0])
        virials.append(virial[0] / len(coord))
    mean = np.mean(forces, 0)
    of_force = np.sqrt(np.mean(np.sum((np.array(forces) - mean) ** 2, -1), 0))
    of_virial = np.std(virials, 0)
    if relative:
        of_force /= np.linalg.norm(mean, axis=1) + relative
    if relative_v:
        of_virial /= abs(np.mean(virials, 0)) + relative_v
    average = np.sqrt(np.mean(of_virial**2))
    first = [of_virial.max(), of_virial.min(), average]
    return np.array([*first, of_force.max(), of_force.min(), of_force.mean(), *of_force])


def test_lines(lammps: Lammps, models: list[Path], folder: Path) -> None:
    """The words of a script that was written for deepmd-kit, with four models."""
    four = [*models, write_model(folder / "fourth.pb", seed=4)]
    words = " ".join(map(str, four)) + " out_file md.out out_freq 2 atomic"
    lammps.run(SCRIPT.format(words=words), folder)
    head, *lines = (folder / "md.out").read_text().splitlines()
    assert head == (
        "#       step         max_devi_v         min_devi_v         avg_devi_v"
        "         max_devi_f         min_devi_f         avg_devi_f      atm_devi_f(N)"
    )
    assert [line[:12] for line in lines] == [f"{step:12}" for step in (0, 2, 4)]
    assert {len(line) for line in lines} == {12 + 19 * (6 + len(ATOMS.type))}
    table = np.array([line.split() for line in lines], float)
    dump = read_dump(folder / "dump")
    for row, step in zip(table, (0, 2, -1), strict=True):
        found = expected(four, dump[step][:, 1:4])
        np.testing.assert_allclose(row[1:], found, rtol=1e-6)


@pytest.mark.parametrize("newton", ["on", "off"])
def test_ranks_and_relative_deviations(
    newton: str, lammps: Lammps, models: list[Path], folder: Path
) -> None:
    words = " ".join(map(str, models)) + " relative 0.5 relative_v 0.1 out_freq 1"
    text = SCRIPT.format(words=words).replace("box tilt", f"newton {newton}\nbox tilt")
    lammps.run(text, folder, 2)
    table = np.loadtxt(folder / "model_devi.out")
    assert table[:, 0].tolist() == [0, 1, 2, 3, 3, 4]
    found = expected(models, read_dump(folder / "dump")[0][:, 1:4], 0.5, 0.1)
    np.testing.assert_allclose(table[0, 1:], found[:6], rtol=1e-6)


def test_no_file(lammps: Lammps, models: list[Path], folder: Path) -> None:
    for words in (f"{models[0]} out_file f", f"{models[0]} {models[1]} out_freq 0 out_file f"):
        lammps.run(SCRIPT.format(words=words), folder)
        assert not (folder / "f").exists()


def test_atoms_without_id(lammps: Lammps, models: list[Path], folder: Path) -> None:
    words = f"{models[0]} {models[1]} atomic"
    made = "region box block 0 9 0 9 0 9\ncreate_box 2 box\ncreate_atoms 1 random 9 1 NULL"
    text = SCRIPT.format(words=words).replace("box tilt large", "atom_modify id no")
    text = text.replace("read_data atoms.data", made).replace("dump id", "dump")
    text = text.replace("velocity all create 300 1", "")
    assert "atoms must have IDs for `atomic`: leave out" in lammps.message(text, folder)
