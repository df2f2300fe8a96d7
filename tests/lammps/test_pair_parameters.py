"""Parameters of frames and atoms: numbers, computes and fixes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lammps_models import write_model
from lammps_runs import Lammps, crystal, read_dump, thermo, write_data

from deeptf.infer.deep_pot import DeepPot

ATOMS = crystal((4, 4, 4))
SCRIPT = """
units metal
read_data atoms.data
mass * 10
variable one equal 0.3
variable two equal -0.2
variable each atom 0.1*x
variable scalar equal 1.5
fix two all vector 1 v_one v_two
fix ave all ave/time 1 1 1 v_one v_two
compute temperature all temp
compute reduced all reduce sum v_each v_each
compute each all property/atom x
compute both all property/atom x y
pair_style deeptf model.pb {words}
pair_coeff * *
neighbor 1.0 bin
thermo_style custom step pe
thermo_modify format float %.16g
run 1
"""


@pytest.fixture
def folder(tmp_path: Path, parameter_model: Path) -> Path:
    write_data(ATOMS, tmp_path / "atoms.data")
    (tmp_path / "model.pb").symlink_to(parameter_model)
    return tmp_path


def energy(
    model: Path, fparam: list[float], aparam: np.ndarray, coord: np.ndarray = ATOMS.coord
) -> float:
    with DeepPot(model) as pot:
        frame = coord[None], ATOMS.cell[None], ATOMS.type
        return pot.eval(*frame, fparam=fparam, aparam=aparam)[0].item()


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize(
    ("words", "fparam", "each"),
    [
        ("fparam 0.3 -0.2 aparam 0.7", [0.3, -0.2], False),
        ("fparam_from_fix ave aparam 0.7", [0.3, -0.2], False),
        ("fparam_from_compute temperature aparam 0.7", [0.0, 0.0], False),
        ("fparam 0.3 -0.2 aparam_from_compute each", [0.3, -0.2], True),
    ],
)
def test_sources(
    words: str, fparam: list[float], each: bool, ranks: int, lammps: Lammps, folder: Path
) -> None:
    printed = lammps.run(SCRIPT.format(words=words), folder, ranks)
    aparam = ATOMS.coord[:, :1] % np.diag(ATOMS.cell)[0] if each else np.full((64, 1), 0.7)
    found = energy(folder / "model.pb", fparam, aparam.ravel())
    assert thermo(printed)[-1, 1] == pytest.approx(found, abs=1e-9)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "`fparam` must be 2 numbers for this model, got none"),
        ("fparam 1 aparam 1", "`fparam` must be 2 numbers for this model, got fparam with 1"),
        ("fparam 1 2", "`aparam` must be 1 numbers for this model, got none"),
        ("fparam 1 2 ttm x", "`ttm x` must name a fix ttm, got none of that ID"),
        ("fparam 1 2 ttm ave", "`ttm ave` must name a fix ttm, got a fix ave/time"),
        ("fparam_from_compute x aparam 1", "`fparam_from_compute x` must name a compute, got none"),
        ("fparam_from_fix x aparam 1", "`fparam_from_fix x` must name a fix, got none of that ID"),
        (
            "fparam_from_compute each aparam 1",
            "must name a compute with a scalar or a vector of 2 numbers, got another one",
        ),
        (
            "fparam_from_fix ave 2 aparam 1",
            "must name a fix with a scalar or a vector of 3 numbers, got another one",
        ),
        (
            "fparam 1 2 aparam_from_compute both",
            "must name a compute with 1 numbers per atom, got another one",
        ),
    ],
)
def test_messages(words: str, message: str, lammps: Lammps, folder: Path) -> None:
    assert message in lammps.message(SCRIPT.format(words=words), folder)


CELLS = 3, 2, 4
TTM = """
units metal
newton {newton}
read_data atoms.data
mass * 10
pair_style deeptf model.pb fparam 0.3 -0.2 ttm electrons
pair_coeff * *
neighbor 1.0 bin
velocity all create 300 1
fix 1 all nve
fix electrons all ttm 7 1.0 1.0 1000.0 0.001 0.0 1.0 3 2 4 infile start outfile 1 end
timestep 0.0002
dump 1 all custom 1 dump id x y z
dump_modify 1 format float %.17g
thermo_style custom step pe
thermo_modify format float %.16g
thermo 1
run 3
"""


def temperatures(path: Path, coord: np.ndarray) -> np.ndarray:
    """Return those at atoms from a file of fix ttm."""
    temperature = np.zeros(CELLS)
    x, y, z, values = np.loadtxt(path).T
    temperature[x.astype(int) - 1, y.astype(int) - 1, z.astype(int) - 1] = values
    share = coord / np.diag(ATOMS.cell) % 1
    return temperature[tuple(np.int_(share * CELLS).T)]


@pytest.mark.parametrize(("ranks", "newton"), [(1, "on"), (2, "off")])
def test_temperatures_of_electrons(ranks: int, newton: str, lammps: Lammps, folder: Path) -> None:
    """Those at the beginning of each step, which change."""
    cells = list(np.ndindex(CELLS))
    values = np.random.default_rng(0).uniform(0.2, 1.0, len(cells))
    lines = [f"{x + 1} {y + 1} {z + 1} {t}" for (x, y, z), t in zip(cells, values, strict=True)]
    (folder / "start").write_text("\n".join(lines) + "\n")
    found = thermo(lammps.run(TTM.format(newton=newton), folder, ranks))[:, 1]
    files = ["start", "end.1", "end.2"]
    for step, name in ((0, "start"), (1, "start"), (2, "end.1"), (3, "end.2")):
        coord = read_dump(folder / "dump")[step][:, 1:4]
        each = temperatures(folder / name, coord)
        expected = energy(folder / "model.pb", [0.3, -0.2], each, coord)
        assert found[step] == pytest.approx(expected, abs=1e-9)
    first, *_, last = (np.loadtxt(folder / name)[:, 3] for name in files)
    assert abs(np.sort(last) - np.sort(first)).max() > 1e-3


def test_a_model_with_more_than_the_temperature(lammps: Lammps, tmp_path: Path) -> None:
    write_data(ATOMS, tmp_path / "atoms.data")
    write_model(tmp_path / "model.pb", numb_fparam=2, numb_aparam=2)
    message = lammps.message(TTM.format(newton="on"), tmp_path)
    assert "`aparam` must be 2 numbers for this model, got ttm electrons with 1" in message
