"""Parameters of frames and atoms: numbers, computes and fixes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lammps_runs import Lammps, crystal, thermo, write_data

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


def energy(model: Path, fparam: list[float], aparam: list[float] | np.ndarray) -> float:
    with DeepPot(model) as pot:
        frame = ATOMS.coord[None], ATOMS.cell[None], ATOMS.type
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
