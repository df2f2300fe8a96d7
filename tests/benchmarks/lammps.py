"""Time and memory of molecular dynamics of water with LAMMPS, beside deepmd-kit, on several ranks.

    python tests/benchmarks/lammps.py --lammps DIR [--model own.pb] [--edges 4 8 16] [--ranks 1 2 4]
        [--peer DIR --peer-model NAME=FILE ...] [--rounds 3] [--steps 1.0] [--most 10000]

DIR is a virtual environment with lammps[mpi], MPICH and deeptf with its plugin; --peer has
deepmd-kit in place of deeptf. Boxes have edge^3 molecules; programs run them in turn, one thread a
rank, and the median of the rounds counts; --steps times the usual number of steps are run. Four
tables:

boxes   one rank: time of LAMMPS's own loop, memory, and a run of no steps from start to end
strong  the largest box on several ranks; an ideal one is as many times faster as ranks have cores
weak    the second box once a rank; an ideal one takes as long as one rank
many    the model of as many as --most ranks (lammps_projection.py), from the first table
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import lammps_projection
import numpy as np
from inference import write_model
from programs import environment
from water import SPACING, write_system

sys.path.insert(0, str(Path(__file__).parents[1]))
SCRIPT = """
units metal
read_data water.data
replicate {copies}
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
COPIES = {1: "1 1 1", 2: "2 1 1", 4: "2 2 1", 8: "2 2 2"}  # of a box, one a rank
ATOM_STEPS = 60000  # of a rank in one round


@dataclass(frozen=True)
class Run:
    """What one run has told."""

    step: float  # s, of LAMMPS's loop
    pair: float  # s of it in the pair style, on average over the ranks
    ghosts: float  # of a rank
    whole: float  # s, of the process from start to end
    memory: float  # MB at most, of one rank


@dataclass(frozen=True)
class Program:
    """A pair style with its model, in the environment of a LAMMPS."""

    name: str
    environment: Path
    style: str
    model: Path

    def run(self, folder: Path, ranks: int, steps: int, copies: int = 1) -> Run:
        """Run steps in a folder with water.data."""
        words = {"style": self.style, "model": self.model, "copies": COPIES[copies]}
        text = SCRIPT.format(steps=steps, warm=min(steps, 10), **words)
        (folder / "in.lammps").write_text(text)
        binary = self.environment / "bin"
        mpi = [str(binary / "mpirun"), "-np", str(ranks)] if ranks > 1 else []
        command = [*mpi, str(binary / "lmp"), "-in", "in.lammps", "-log", "none"]
        variables = environment(1) | {"TF_CPP_MIN_LOG_LEVEL": "3"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        begin = time.perf_counter()
        with subprocess.Popen(command, cwd=folder, env=variables, **pipes) as process:
            printed = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        whole = time.perf_counter() - begin
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} must run, got:\n{printed[-2000:]}")

        def last(pattern: str) -> float:
            return float(re.findall(pattern, printed)[-1])

        number = max(steps, 1)
        pair = last(r"Pair +\|[^|]*\| (\S+)") if steps else 0.0
        loop, ghosts = last(r"Loop time of (\S+) on"), last(r"Nghost: +(\S+) ave")
        return Run(loop / number, pair / number, ghosts, whole, usage.ru_maxrss / 1024)


@dataclass(frozen=True)
class Benchmark:
    """Programs that are compared, and how long they run."""

    programs: list[Program]
    rounds: int
    steps: float

    def measure(
        self, folder: Path, atoms: int, ranks: int = 1, copies: int = 1
    ) -> dict[Program, Run]:
        """Run all programs in turn; `atoms` are those of the box before it is copied."""
        usual = ATOM_STEPS * ranks / (atoms * copies)
        steps = max(10, min(400, int(self.steps * usual)))
        runs: dict[Program, list[Run]] = {program: [] for program in self.programs}
        for _ in range(self.rounds):
            for program, found in runs.items():
                found.append(program.run(folder, ranks, steps, copies))
        return {program: _median(found) for program, found in runs.items()}


def _median(runs: list[Run]) -> Run:
    columns = zip(*(vars(run).values() for run in runs), strict=True)
    return Run(*(median(column) for column in columns))


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


def compare_boxes(benchmark: Benchmark, boxes: dict[int, Path]) -> list[lammps_projection.Box]:
    """Print a row for each box and program; return what the first program did."""
    print(f"{'atoms':>8}  {'program':<17} us/atom/step  relative     MB  no steps, s")
    measured = []
    for atoms, folder in boxes.items():
        start = {program: program.run(folder, 1, 0).whole for program in benchmark.programs}
        runs = benchmark.measure(folder, atoms)
        own = next(iter(runs.values()))
        measured.append(lammps_projection.Box(atoms, own.step, own.pair, own.ghosts))
        for program, run in runs.items():
            print(
                f"{atoms:8d}  {program.name:<17} {1e6 * run.step / atoms:12.2f}"
                f" {run.step / own.step:9.2f} {run.memory:6.0f} {start[program]:12.2f}",
                flush=True,
            )
    return measured


def compare_ranks(
    benchmark: Benchmark, folder: Path, atoms: int, ranks: list[int], weak: bool
) -> None:
    """Print a row for each number of ranks and program."""
    cores = len(os.sched_getaffinity(0))
    print(f"\n{'weak' if weak else 'strong'} scaling, {cores} cores")
    print(f"{'ranks':>8}  {'program':<17}    atoms   ms/step  MB/rank  ghosts/rank  efficiency")
    single: dict[Program, float] = {}
    for number in ranks:
        copies = number if weak else 1
        for program, run in benchmark.measure(folder, atoms, number, copies).items():
            # the work of all ranks, over that of one core for the same atoms
            work = run.step * min(number, cores) / copies
            single.setdefault(program, work)
            print(
                f"{number:8d}  {program.name:<17} {atoms * copies:8d} {1e3 * run.step:9.2f}"
                f" {run.memory:8.0f} {run.ghosts:12.0f} {single[program] / work:11.1%}",
                flush=True,
            )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lammps", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--peer-model", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--edges", type=int, nargs="+", default=[4, 8, 16])
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2, 4], choices=list(COPIES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=float, default=1.0)
    parser.add_argument("--most", type=int, default=10000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        top = Path(temporary)
        model = given.model or top / "own.pb"
        if given.model is None:
            write_model(model, "float64")
        programs = [Program("deeptf", given.lammps, "deeptf", model.resolve())]
        for named in given.peer_model:
            name, path = named.split("=", 1)
            programs.append(Program(name, given.peer, "deepmd", Path(path).resolve()))
        benchmark = Benchmark(programs, given.rounds, given.steps)
        boxes = {}
        for edge in given.edges:
            (top / str(edge)).mkdir()
            boxes[write_data(top / str(edge), edge)] = top / str(edge)
        measured = compare_boxes(benchmark, boxes)
        largest, second = max(boxes), sorted(boxes)[min(1, len(boxes) - 1)]
        compare_ranks(benchmark, boxes[largest], largest, given.ranks, weak=False)
        compare_ranks(benchmark, boxes[second], second, given.ranks, weak=True)
        lammps_projection.print_table(measured, given.most)


if __name__ == "__main__":
    main()
