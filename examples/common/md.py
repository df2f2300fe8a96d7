"""Molecular dynamics with LAMMPS and a trained model, and g(r) beside that of the training data.

Run after run.sh, with a Python that has matplotlib and a LAMMPS that has `pair_style deeptf`
(`deeptf lammps build`): `python md.py --lmp .../bin/lmp`. It writes into the folder run/: the
input of LAMMPS, its dump and log, the numbers (rdf.txt) and the picture (rdf.png).
"""

import argparse
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np

SCRIPT = """units metal
atom_style atomic
box tilt large
read_data start.data
replicate {replicate}
{pair}
neighbor 1.0 bin
velocity all create {temperature} 1
fix 1 all nvt temp {temperature} {temperature} {damping}
timestep {timestep}
thermo {report}
thermo_style custom step temp pe etotal press
run {warm}
dump 1 all custom {report} rdf.dump id type x y z
dump_modify 1 sort id
run {steps}
unfix 1
fix 1 all nve
thermo {report}
run {steps}
"""
PAIR = """pair_style deeptf model.pb
pair_coeff * * {names}"""
BIN = 0.05  # A


@dataclass(frozen=True)
class Settings:
    """What is simulated: K, ps, and the frames of the training data that g(r) is compared with."""

    masses: dict[str, float]
    temperature: float
    timestep: float
    steps: int  # of the run at constant temperature, and of the one at constant energy
    replicate: str = "1 1 1"
    first: int = 0  # the frame to start from
    farthest: float = 4.0  # A, of g(r)
    pair: str = PAIR  # lines of the script


def write_start(path: Path, coord: np.ndarray, box: np.ndarray, types: np.ndarray, masses: dict):
    """Write a data file of LAMMPS for one frame, turned so that the cell is lower triangular."""
    cell = np.linalg.cholesky(box @ box.T)
    coord = coord @ np.linalg.inv(box) % 1 @ cell
    lines = ["start", "", f"{len(coord)} atoms", f"{len(masses)} atom types", ""]
    lines += [f"0 {cell[k, k]:.10f} {axis}lo {axis}hi" for k, axis in enumerate("xyz")]
    lines += [f"{cell[1, 0]:.10f} {cell[2, 0]:.10f} {cell[2, 1]:.10f} xy xz yz", "", "Masses", ""]
    lines += [f"{k} {mass}" for k, mass in enumerate(masses.values(), 1)]
    lines += ["", "Atoms # atomic", ""]
    rows = enumerate(zip(types + 1, coord, strict=True), 1)
    lines += [f"{k} {kind} {x:.10f} {y:.10f} {z:.10f}" for k, (kind, (x, y, z)) in rows]
    path.write_text("\n".join(lines) + "\n")


def read_dump(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return coordinates [F, N, 3], cells [F, 3, 3] and types [N] of a dump."""
    coords, cells, types = [], [], []
    for part in path.read_text().split("ITEM: TIMESTEP\n")[1:]:
        head, atoms = part.split("ITEM: ATOMS")
        bounds = [line.split() for line in head.split("ITEM: BOX BOUNDS")[1].splitlines()[1:]]
        low, high, *tilt = np.array(bounds, float).T
        xy, xz, yz = tilt[0] if tilt else (0, 0, 0)
        low -= [min(0, xy, xz, xy + xz), min(0, yz), 0]
        high -= [max(0, xy, xz, xy + xz), max(0, yz), 0]
        cells.append(np.diag(high - low) + np.array([[0, 0, 0], [xy, 0, 0], [xz, yz, 0]]))
        table = np.array([line.split() for line in atoms.splitlines()[1:]], float)
        coords.append(table[:, 2:5])
        types = table[:, 1].astype(int) - 1
    return np.array(coords), np.array(cells), types


def distribution(
    coord: np.ndarray, cell: np.ndarray, types: np.ndarray, pair: tuple[int, int], farthest: float
) -> np.ndarray:
    """Return g(r) of a pair of types, mean of the frames, in bins up to `farthest`."""
    edges = np.arange(0, farthest + BIN / 2, BIN)
    shells = 4 / 3 * np.pi * np.diff(edges**3)
    images = np.array(list(np.ndindex(3, 3, 3))) - 1.0
    first, second = (np.flatnonzero(types == kind) for kind in pair)
    total = np.zeros(len(shells))
    for places, box in zip(coord, cell, strict=True):
        between = places[second][None] - places[first][:, None]
        between -= np.round(between @ np.linalg.inv(box)) @ box
        distance = np.linalg.norm(between[:, :, None] + images @ box, axis=-1)
        count = np.histogram(distance[distance > 1e-3], edges)[0]
        others = len(second) - (pair[0] == pair[1])
        total += count / shells / (len(first) * others / abs(np.linalg.det(box)))
    return total / len(coord)


def drift(log: Path, atoms: int, timestep: float) -> float:
    """Return the slope of the energy of the last run, in meV per atom and ps."""
    part = log.read_text().split("   Step  ")[-1].split("Loop time")[0].splitlines()[1:]
    table = np.array([line.split() for line in part if line.split()[0].isdigit()], float)
    return 1e3 * np.polyfit(table[:, 0] * timestep, table[:, 3] / atoms, 1)[0]


def draw(path: Path, curves: dict[str, tuple[np.ndarray, np.ndarray]], farthest: float) -> None:
    """Draw g(r) of the data and of the dynamics for each pair of types."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    middle = np.arange(BIN / 2, farthest, BIN)
    figure, axes = pyplot.subplots(1, len(curves), figsize=(4 * len(curves), 3), squeeze=False)
    for axis, (name, (data, found)) in zip(axes[0], curves.items(), strict=True):
        axis.plot(middle, data[: len(middle)], "k--", label="data")
        axis.plot(middle, found[: len(middle)], "C0", label="model")
        axis.set(title=name, xlabel="r (A)", ylabel="g(r)", xlim=(0.5, farthest))
        peaks = max(
            curve[middle > 1.4].max() for curve in (data[: len(middle)], found[: len(middle)])
        )
        axis.set_ylim(0, 1.15 * peaks)
    axes[0][0].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main(settings: Settings, folder: Path, frames: Sequence[int] | slice = slice(None)) -> None:
    """Run the dynamics in FOLDER/run and compare with those frames of FOLDER/data/train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lmp", nargs="+", default=["lmp"], help="LAMMPS, after mpirun if wanted")
    given = parser.parse_args()
    run, data = folder / "run", folder / "data" / "train"
    types = np.loadtxt(data / "type.raw", int)
    coord, box = (np.load(data / "set.000" / f"{name}.npy") for name in ("coord", "box"))
    coord = coord.reshape(len(coord), -1, 3).astype(float)
    box = box.reshape(-1, 3, 3).astype(float)
    start = settings.first
    write_start(run / "start.data", coord[start], box[start], types, settings.masses)
    names = list(settings.masses)
    text = SCRIPT.format(
        pair=settings.pair.format(names=" ".join(names)),
        temperature=settings.temperature,
        timestep=settings.timestep,
        damping=100 * settings.timestep,
        replicate=settings.replicate,
        warm=settings.steps // 4,
        steps=settings.steps,
        report=max(settings.steps // 200, 1),
    )
    (run / "in.lammps").write_text(text)
    subprocess.run([*given.lmp, "-in", "in.lammps", "-log", "log.lammps"], cwd=run, check=True)
    moved = read_dump(run / "rdf.dump")
    curves = {}
    for pair in combinations_with_replacement(range(len(names)), 2):
        reference = distribution(coord[frames], box[frames], types, pair, settings.farthest)
        found = distribution(*moved, pair, settings.farthest)
        curves["-".join(names[kind] for kind in pair)] = reference, found
    middle = np.arange(BIN / 2, settings.farthest, BIN)
    columns = [curve[: len(middle)] for both in curves.values() for curve in both]
    head = "r " + " ".join(f"{name}_data {name}_model" for name in curves)
    np.savetxt(run / "rdf.txt", np.column_stack([middle, *columns]), "%.4f", header=head)
    draw(run / "rdf.png", curves, settings.farthest)
    slope = drift(run / "log.lammps", len(moved[2]), settings.timestep)
    print(f"drift of the energy: {slope:.4f} meV per atom and ps; g(r): {run / 'rdf.png'}")
