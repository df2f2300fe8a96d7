"""`deeptf md` and LAMMPS with the pair style go the same way from the same start."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.io import read, write
from lammps_models import write_model
from lammps_runs import crystal, write_data

from deeptf.infer.md.run import run
from deeptf.infer.md.sample import read_log
from deeptf.infer.md.settings import Settings

STEPS, TIMESTEP = 100, 0.5  # fs
LAMMPS_UNIT = 1.0364269e-4  # eV of 1 g/mol (A/ps)^2, rounded in LAMMPS; masses make up for it
SCRIPT = """units metal
atom_style atomic
atom_modify map array
read_data atoms.data
{masses}
pair_style deeptf model.pb
pair_coeff * * H He
{velocities}
fix 1 all nve
timestep {timestep}
thermo_style custom step pe temp press
thermo_modify norm no format float %.14g
run {steps}
dump 1 all custom 1 end.dump id xu yu zu
dump_modify 1 sort id format float %.14g
run 0
"""


def test_nve_is_that_of_lammps(lammps, tmp_path):
    names = ("H", "He")
    write_model(tmp_path / "model.pb", names=names)
    start = crystal((4, 4, 4))
    atoms = Atoms([names[t] for t in start.type], start.coord, cell=start.cell, pbc=True)
    atoms.set_velocities(np.random.default_rng(1).normal(0, 0.05, atoms.positions.shape))
    write(tmp_path / "atoms.extxyz", atoms)
    atoms = read(tmp_path / "atoms.extxyz")  # rounded
    write_data(start._replace(coord=atoms.positions), tmp_path / "atoms.data")
    told = Settings(STEPS, "nve", timestep=TIMESTEP, frame_every=STEPS)
    run(tmp_path / "atoms.extxyz", [tmp_path / "model.pb"], str(tmp_path / "run"), told)

    unit = 1e-6 / units.fs**2 / LAMMPS_UNIT  # of a mass
    mass = dict(zip(atoms.symbols, atoms.get_masses(), strict=True))
    velocity = atoms.get_velocities() * units.fs * 1000  # A/ps
    script = SCRIPT.format(
        masses="\n".join(f"mass {k + 1} {mass[name] * unit:.14g}" for k, name in enumerate(names)),
        velocities="\n".join(
            f"set atom {k + 1} vx {x:.16g} vy {y:.16g} vz {z:.16g}"
            for k, (x, y, z) in enumerate(velocity)
        ),
        timestep=TIMESTEP / 1000,
        steps=STEPS,
    )
    said = lammps.run(script, tmp_path).splitlines()
    found = np.loadtxt(tmp_path / "end.dump", skiprows=9)[:, 1:]
    end = read(tmp_path / "run.extxyz", -1)
    assert np.abs(end.positions - atoms.positions).max() > 0.05
    moved = end.positions - found
    moved -= np.round(moved @ np.linalg.inv(start.cell)) @ start.cell
    assert np.abs(moved).max() < 1e-8
    log = read_log(tmp_path / "run.log")
    row = next(line.split() for line in reversed(said) if line.split()[:1] == [str(STEPS)])
    potential, temperature, pressure = map(float, row[1:])
    assert log["potential"][-1] == pytest.approx(potential, abs=1e-7)
    assert log["temperature"][-1] == pytest.approx(temperature, rel=1e-5)  # by other constants
    assert log["pressure"][-1] == pytest.approx(pressure, rel=1e-5)
