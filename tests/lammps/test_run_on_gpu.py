"""LAMMPS with models on a GPU, which is emulated (tests/engine/emulated.sh) or not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lammps_models import write_charged, write_model, write_spins
from lammps_runs import Lammps, crystal, read_dump, thermo, write_data

from deeptf.model.fitting.dipole import DipoleFitting
from deeptf.ops.library import ENGINE_CUDA

SCRIPT = """
units metal
atom_style atomic
read_data atoms.data
mass * 10
pair_style deeptf a.pb b.pb gpu {gpu} out_freq 4 out_file devi.{gpu}
pair_coeff * *
neighbor 0.4 bin
neigh_modify every 1 delay 0 check yes
velocity all create 3000 1
fix 1 all nve
compute energy all pe/atom
compute stress all stress/atom NULL
timestep 0.002
thermo 4
thermo_style custom step pe press pxy
thermo_modify format float %.16g
dump 1 all custom 12 dump.{gpu} id x y z fx fy fz c_energy c_stress[1] c_stress[4]
dump_modify 1 format float %.17g
run 12
"""

PAIR = "compute turning all property/atom fmx fmy fmz\npair_style deepspin"


@pytest.fixture
def folder(tmp_path: Path, models: list[Path]) -> Path:
    """Return a folder with atoms.data, a.pb and b.pb."""
    write_data(crystal((3, 3, 4), 0.1), tmp_path / "atoms.data")
    for name, path in zip(("a.pb", "b.pb"), models, strict=False):
        (tmp_path / name).symlink_to(path)
    return tmp_path


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_run_is_that_on_the_cpu(with_gpu: Lammps, folder: Path, ranks: int) -> None:
    found = {gpu: with_gpu.run(SCRIPT.format(gpu=gpu), folder, ranks) for gpu in ("no", "yes")}
    for name in ("a.pb", "b.pb"):
        assert f"Model {name} runs on GPU 0, emulated\n" in found["yes"]
    assert "runs on" not in found["no"]
    on_cpu, on_gpu = thermo(found["no"]), thermo(found["yes"])
    assert len(on_cpu) == 4 and np.ptp(on_cpu[:, 1]) > 1e-5
    np.testing.assert_allclose(on_gpu, on_cpu, rtol=1e-9)
    builds = next(line for line in found["yes"].splitlines() if "Neighbor list builds" in line)
    assert 0 < int(builds.split("=")[1]) < 12  # lists were kept, and made anew
    for name in ("dump", "devi"):
        read = read_dump if name == "dump" else np.loadtxt
        got, wanted = read(folder / f"{name}.yes"), read(folder / f"{name}.no")
        np.testing.assert_allclose(got, wanted, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("ranks", [1, 2])
def test_charges_are_those_on_the_cpu(with_gpu: Lammps, tmp_path: Path, ranks: int) -> None:
    write_data(crystal((2, 2, 3), 0.1), tmp_path / "atoms.data")
    write_charged(tmp_path / "a.pb")
    script = SCRIPT.replace("b.pb", "").replace("out_freq 4 out_file devi.{gpu}", "")
    found = {gpu: with_gpu.run(script.format(gpu=gpu), tmp_path, ranks) for gpu in ("no", "yes")}
    assert "Model a.pb runs on GPU 0, emulated\n" in found["yes"]
    np.testing.assert_allclose(thermo(found["yes"]), thermo(found["no"]), rtol=1e-9)
    got, wanted = read_dump(tmp_path / "dump.yes"), read_dump(tmp_path / "dump.no")
    np.testing.assert_allclose(got, wanted, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("ranks", [1, 2])
def test_spins_are_those_on_the_cpu(with_gpu: Lammps, tmp_path: Path, ranks: int) -> None:
    """With lists that stay, though virtual atoms are added to them in each step."""
    atoms = crystal((3, 3, 4), 0.1)
    spins = np.column_stack([np.tile([0.6, 0, 0.8], (len(atoms.type), 1)), 1.2 * (atoms.type == 0)])
    write_data(atoms, tmp_path / "atoms.data", style="spin", spins=spins)
    write_spins(tmp_path / "a.pb", 0.4, 1.2)
    script = SCRIPT.replace("b.pb", "").replace("out_freq 4 out_file devi.{gpu}", "")
    script = script.replace("atom_style atomic", "atom_style spin")
    script = script.replace("id x y z", "id x y z c_turning[*]").replace("pair_style deeptf", PAIR)
    found = {gpu: with_gpu.run(script.format(gpu=gpu), tmp_path, ranks) for gpu in ("no", "yes")}
    assert "Model a.pb runs on GPU 0, emulated\n" in found["yes"]
    np.testing.assert_allclose(thermo(found["yes"]), thermo(found["no"]), rtol=1e-9)
    builds = next(line for line in found["yes"].splitlines() if "Neighbor list builds" in line)
    assert 0 < int(builds.split("=")[1]) < 12
    got, wanted = read_dump(tmp_path / "dump.yes"), read_dump(tmp_path / "dump.no")
    assert all(np.abs(step[:, 4:7]).max() > 1 for step in wanted)
    np.testing.assert_allclose(got, wanted, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("ranks", [1, 2])
def test_dipoles_are_those_on_the_cpu(with_gpu: Lammps, folder: Path, ranks: int) -> None:
    """In a run with lists that stay and lists that are new."""
    write_model(folder / "dipole.pb", kind=DipoleFitting)
    dipoles = "compute dipole all deeptf/tensor/atom dipole.pb A B gpu {gpu}\ncompute energy"
    script = SCRIPT.replace("compute energy", dipoles, 1).replace("all custom 12", "all custom 3")
    script = script.replace("id x y z", "id x y z c_dipole[*]").replace("b.pb", "")
    script = script.replace("out_freq 4 out_file devi.{gpu}", "")
    found = {gpu: with_gpu.run(script.format(gpu=gpu), folder, ranks) for gpu in ("no", "yes")}
    assert "Model dipole.pb runs on GPU 0, emulated\n" in found["yes"]
    assert "runs on" not in found["no"]
    got, wanted = read_dump(folder / "dump.yes"), read_dump(folder / "dump.no")
    assert len(wanted) == 5 and all(np.abs(step[:, 4:7]).max() > 1e-3 for step in wanted)
    np.testing.assert_allclose(got, wanted, rtol=1e-7, atol=1e-9)


def test_a_gpu_that_must_be_there(lammps: Lammps, folder: Path) -> None:
    if (lammps.site / "deeptf" / ENGINE_CUDA).exists():
        pytest.skip("kernels for GPUs are built")
    message = lammps.message(SCRIPT.format(gpu="yes"), folder, 2)
    assert "a.pb: `gpu` must be auto or no here, got yes: kernels for GPUs must be" in message
    assert "got no file" in message
    message = lammps.message(SCRIPT.format(gpu="maybe"), folder)
    assert "`gpu` must be auto, no or yes, got maybe" in message
