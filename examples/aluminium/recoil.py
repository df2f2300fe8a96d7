"""An atom of a crystal gets 100 eV: `python recoil.py` after `./run.sh fast`.

The model is frozen twice, with a wall of the repulsion of nuclei and without it. Steps are so long
that no atom moves by more than 0.02 A. For both it prints how close atoms come and how well the
total energy is kept: nets alone, which know nothing of such distances, let atoms fall through each
other.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
from ase import units
from ase.build import bulk
from scipy.spatial import cKDTree

from deeptf.infer.ase import DP

HERE = Path(__file__).resolve().parent
CELLS, LATTICE, ENERGY = 6, 4.01, 100.0  # cubic cells of 4 atoms a side, A, eV
WALL = 1.2, 2.1  # A; the closest atoms of the data are 2.11 A apart
LONGEST, FARTHEST = 1.0 * units.fs, 0.02  # of a step, A that an atom may move in it
DIRECTION = np.array([1.0, 2.0, 3.0])  # towards no neighbour, so that atoms hit off their axes


def freeze(run: Path, model: Path, wall: tuple[float, float] | None) -> None:
    """Write the model of a run, with a wall if there is one."""
    command = [sys.executable, "-m", "deeptf", "freeze", "-c", str(run), "-o", str(model)]
    subprocess.run([*command, *(["--zbl", *map(str, wall)] if wall else [])], check=True)


def recoil(model: Path, duration: float) -> tuple[float, float]:
    """Return the shortest distance in A and the largest change of the total energy in eV."""
    atoms = bulk("Al", cubic=True, a=LATTICE).repeat(CELLS)
    atoms.calc = DP(str(model))
    mass, velocity = atoms.get_masses()[:, None], np.zeros((len(atoms), 3))
    velocity[0] = np.sqrt(2 * ENERGY / mass[0, 0]) * DIRECTION / np.linalg.norm(DIRECTION)
    force, total = atoms.get_forces(), atoms.get_potential_energy() + ENERGY
    time, closest, off = 0.0, np.inf, 0.0
    while time < duration:
        step = min(LONGEST, FARTHEST / np.linalg.norm(velocity, axis=1).max())
        velocity += step / 2 * force / mass
        atoms.positions += step * velocity
        force = atoms.get_forces()
        velocity += step / 2 * force / mass
        time += step
        energy = atoms.get_potential_energy() + np.sum(mass * velocity**2) / 2
        off = max(off, abs(energy - total))
        closest = min(closest, nearest(atoms.positions, CELLS * LATTICE))
    return closest, off


def nearest(positions: np.ndarray, box: float) -> float:
    """Return the shortest distance in a cubic box in A."""
    inside = positions % box % box
    return cKDTree(inside, boxsize=box).query(inside, k=2)[0][:, 1].min()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=HERE / "run_fast", help="folder of the run")
    parser.add_argument("--time", type=float, default=300.0, help="fs")
    given = parser.parse_args()
    if not given.run.is_dir():
        sys.exit(f"{given.run} must be the folder of a run, got no folder: ./run.sh fast makes it")
    for name, wall in (("wall", WALL), ("no_wall", None)):
        path = given.run / f"{name}.pb"
        freeze(given.run, path, wall)
        closest, off = recoil(path, given.time * units.fs)
        print(
            f"{path.name}: {4 * CELLS**3} atoms, {ENERGY:g} eV, {given.time:g} fs: closest "
            f"approach {closest:.3f} A, total energy off by {off:.3f} eV",
            flush=True,
        )
