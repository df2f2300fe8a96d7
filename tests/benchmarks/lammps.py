"""Time and memory of molecular dynamics of water with LAMMPS, beside deepmd-kit, on several ranks.

    python tests/benchmarks/lammps.py --lammps DIR [--model own.pb] [--edges 4 8 16] [--ranks 1 2 4]
        [--peer DIR --peer-model NAME=FILE ...] [--rounds 3] [--most 10000]

DIR is a virtual environment with lammps[mpi], MPICH and deeptf with its plugin; --peer has
deepmd-kit in place of deeptf. Boxes have edge^3 molecules; programs run them in turn, one thread
a rank, and the median of the rounds counts. Steps are those of LAMMPS's own loop; memory is that of
one rank; start is a run of no steps. Then what a step would take on many ranks (--most): compute
and traffic are measured here, latency and bandwidth of the network are assumed.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
from inference import write_model
from water import DENSITY, SPACING, write_system

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
SCRIPT = """
units metal
read_data water.data
mass 1 15.999
mass 2 1.008
pair_style {style} {model}
pair_coeff * *
neighbor 2.0 bin
neigh_modify every 10 delay 0 check no
velocity all create 300 1
fix 1 all nve
timestep 0.0001
thermo 1000000
run {warm}
run {steps}
"""
SHELL = 8.0  # A, cut-off and skin
LATENCY, BANDWIDTH = 2e-6, 1e10  # s a message and bytes/s of a rank, of a cluster's network
SWAPS = 12  # messages of a step: there and back in three dimensions


@dataclass
class Program:
    """A pair style with its model, and what was measured of it for one box and number of ranks."""

    name: str
    environment: Path
    style: str
    model: Path
    seconds: list[float] = field(default_factory=list)  # of a step
    memory: float = 0.0  # MB
    start: float = 0.0  # s

    def run(self, folder: Path, ranks: int, steps: int) -> str:
        """Run steps in a folder with water.data; return what LAMMPS prints."""
        warm = min(steps, 10)
        text = SCRIPT.format(style=self.style, model=self.model, steps=steps, warm=warm)
        (folder / "in.lammps").write_text(text)
        binary = self.environment / "bin"
        mpi = [str(binary / "mpirun"), "-np", str(ranks)] if ranks > 1 else []
        command = [*mpi, str(binary / "lmp"), "-in", "in.lammps", "-log", "none"]
        variables = os.environ | {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
        variables |= {
            "TF_INTRA_OP_PARALLELISM_THREADS": "1",
            "DP_INTRA_OP_PARALLELISM_THREADS": "1",
        }
        variables |= {
            "TF_INTER_OP_PARALLELISM_THREADS": "1",
            "DP_INTER_OP_PARALLELISM_THREADS": "1",
        }
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        begin = time.perf_counter()
        with subprocess.Popen(command, cwd=folder, env=variables, **pipes) as process:
            printed = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} must run, got:\n{printed[-2000:]}")
        if steps == 0:
            self.start = time.perf_counter() - begin
        self.memory = max(self.memory, usage.ru_maxrss / 1024)
        return printed

    def measure(self, folder: Path, ranks: int, steps: int) -> None:
        """Add a round."""
        printed = self.run(folder, ranks, steps)
        self.seconds.append(float(re.findall(r"Loop time of (\S+) on", printed)[-1]) / steps)


def write_data(folder: Path, edge: int) -> int:
    """Write water.data with edge^3 molecules; return the number of atoms."""
    system = write_system(folder / "system", frames=1, edge=edge)
    coord = np.load(next(system.glob("set.*/coord.npy")))[0].reshape(-1, 3) % (edge * SPACING)
    lines = ["water", "", f"{len(coord)} atoms", "2 atom types", ""]
    lines += [f"0 {edge * SPACING} {axis}lo {axis}hi" for axis in "xyz"]
    lines += ["", "Atoms # atomic", ""]
    rows = enumerate(zip(np.tile([1, 2, 2], edge**3), coord, strict=True), 1)
    lines += [f"{k} {kind} {x:.12g} {y:.12g} {z:.12g}" for k, (kind, (x, y, z)) in rows]
    (folder / "water.data").write_text("\n".join(lines) + "\n")
    return len(coord)


def compare(programs: list[Program], given: argparse.Namespace, folder: Path) -> list[tuple]:
    """Print a row for each box, number of ranks and program; return those of the first program."""
    print(f"{'atoms':>8} {'ranks':>5}  {'program':<17} us/atom/step  relative  MB/rank  start s")
    rows = []
    for edge in given.edges:
        box = folder / str(edge)
        box.mkdir()
        atoms = write_data(box, edge)
        for ranks in given.ranks:
            steps = max(10, min(400, 60000 * ranks // atoms))
            for program in programs:
                program.seconds, program.memory = [], 0.0
                program.run(box, ranks, 0)
            for _ in range(given.rounds):
                for program in programs:
                    program.measure(box, ranks, steps)
            own = median(programs[0].seconds)
            rows.append((atoms, ranks, own))
            for program in programs:
                seconds = median(program.seconds)
                print(
                    f"{atoms:8d} {ranks:5d}  {program.name:<17} {1e6 * seconds / atoms:12.2f}"
                    f" {seconds / own:9.2f} {program.memory:8.0f} {program.start:8.2f}",
                    flush=True,
                )
    return rows


def ghosts(atoms: float) -> float:
    """Return how many ghosts a cubic part with so many atoms has."""
    edge = (atoms / DENSITY) ** (1 / 3)
    return DENSITY * ((edge + 2 * SHELL) ** 3 - edge**3)


def project(rows: list[tuple], most: int) -> None:
    """Print what a step takes on many ranks.

    The time of one rank here is that of its atoms and of its ghosts: t = a n + b ghosts(n), by
    least squares of the relative errors over the boxes. A ghost sends its place and gets its force
    back, 48 bytes; a step is as slow as that and SWAPS messages.
    """
    single = [(atoms, seconds) for atoms, ranks, seconds in rows if ranks == 1]
    if len(single) < 2:
        return
    matrix = np.array([[n / t, ghosts(n) / t] for n, t in single])
    atom, ghost = np.linalg.lstsq(matrix, np.ones(len(single)), rcond=None)[0]
    ghost = max(ghost, 0.0)
    print(f"an atom {1e6 * atom:.2f} us, a ghost {1e6 * ghost:.3f} us; a network of")
    print(f"{1e6 * LATENCY:.0f} us and {1e-9 * BANDWIDTH:.0f} GB/s a rank on {most} ranks:")
    print("atoms/rank   ms/step   network   efficiency")
    for atoms in (50, 200, 1000, 5000):
        network = SWAPS * LATENCY + 48 * ghosts(atoms) / BANDWIDTH
        total = atom * atoms + ghost * ghosts(atoms) + network
        share, kept = network / total, atom * atoms / total
        print(f"{atoms:10d} {1e3 * total:9.3f} {share:9.1%} {kept:12.1%}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lammps", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--peer-model", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--edges", type=int, nargs="+", default=[4, 8, 16])
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--most", type=int, default=10000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = given.model or folder / "own.pb"
        if given.model is None:
            write_model(model, "float64")
        programs = [Program("deeptf", given.lammps, "deeptf", model.resolve())]
        for named in given.peer_model:
            name, path = named.split("=", 1)
            programs.append(Program(name, given.peer, "deepmd", Path(path).resolve()))
        project(compare(programs, given, folder), given.most)


if __name__ == "__main__":
    main()
