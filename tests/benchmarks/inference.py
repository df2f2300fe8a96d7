"""Time and memory of energy, force and virial of water in Python, beside deepmd-kit and the limit.

    python tests/benchmarks/inference.py [--peer DP] [--precision float32] [--edges 4 8 16 32 70]
        [--threads 2] [--level x86-64-v3] [--rounds 3]

The net is the one that water models are usually trained with (25/50/100, axis 16, 240x3, rcut 6 A);
boxes are made up, edge^3 molecules each. With --peer, the `dp` program of an environment with
deepmd-kit and TensorFlow, that trains the model for a few steps, freezes and compresses it, and
deeptf evaluates the same model, converted and compressed. Every program has a process of its own;
they evaluate in turn, and the median of the rounds counts. The memory of an atom is what a process
takes beyond that for three atoms. The limit is the least arithmetic (limit.py) at the speed of
NumPy's products of matrices.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from limit import evaluation_gflop, measured_peak
from programs import environment
from water import standard_input, write_system

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent))
SEED_STEPS = 20


@dataclass
class Program:
    """A program with its model, and what was measured of it for one box."""

    name: str
    command: tuple[str, ...]  # evaluate.py and what comes before the system
    path: str  # PYTHONPATH
    process: subprocess.Popen | None = None
    start: float = 0.0  # s
    base: float = 0.0  # MB
    seconds: list[float] = field(default_factory=list)
    memory: float = 0.0  # MB
    energy: float = 0.0  # eV

    def open(self, system: Path, threads: int) -> None:
        """Start the process and wait until it is ready."""
        variables = environment(threads) | {"PYTHONPATH": self.path, "TF_CPP_MIN_LOG_LEVEL": "3"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        command = [*self.command, str(system), str(threads)]
        self.process = subprocess.Popen(command, env=variables, **pipes)
        self.start, self.base = self._answer("ready")
        self.seconds = []

    def evaluate(self) -> None:
        """Let it evaluate for a while."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        seconds, self.memory, self.energy = self._answer("done")
        self.seconds.append(seconds)

    def close(self) -> None:
        """End the process."""
        self.process.communicate()

    def _answer(self, word: str) -> list[float]:
        for line in self.process.stdout:  # libraries may write lines of their own
            if line.startswith(word):
                return [float(number) for number in line.split()[1:]]
        raise SystemExit(f"{' '.join(self.command)} ended without an answer")


def write_model(path: Path, precision: str) -> None:
    """Write a frozen model with weights as at the start of training."""
    from random_model import random_arrays

    from deeptf.exchange import frozen
    from deeptf.train.options import load_input

    config = load_input(standard_input(Path("unused"), 1, precision))[0].model
    frozen.write(config, random_arrays(config), path)


def peer_models(dp: str, precision: str, folder: Path) -> tuple[Path, Path]:
    """Return a model that deepmd-kit has trained for a few steps, and the same compressed."""
    system = write_system(folder / "data")
    script = standard_input(system, SEED_STEPS, precision)
    script["training"]["disp_freq"] = SEED_STEPS  # deepmd-kit saves where it reports
    (folder / "input.json").write_text(json.dumps(script))
    for arguments in (
        ("train", "input.json"),
        ("freeze", "-o", "peer.pb"),
        ("compress", "-i", "peer.pb", "-o", "compressed.pb"),
    ):
        subprocess.run([dp, "--tf", *arguments], cwd=folder, check=True, capture_output=True)
    return folder / "peer.pb", folder / "compressed.pb"


def own_model(peer: Path, precision: str, folder: Path) -> Path:
    """Return the peer's model for deeptf."""
    full, own = folder / "full.pb", folder / "own.pb"
    for arguments in (
        ("convert", str(peer), str(full)),
        ("compress", "-i", str(full), "-o", str(own), "--precision", precision),
    ):
        command = [sys.executable, "-m", "deeptf", *arguments]
        variables = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run(command, check=True, capture_output=True, env=variables)
    return own


def package_with_level(level: str, folder: Path) -> Path:
    """Return a folder with a copy of the package that has the core of one CPU level alone."""
    package = folder / level / "deeptf"
    skipped = shutil.ignore_patterns("libdeeptf_core.*", "__pycache__")
    shutil.copytree(ROOT / "deeptf", package, ignore=skipped)
    shutil.copy(ROOT / "deeptf" / f"libdeeptf_core.{level}.so", package)
    return package.parent


def programs(options: argparse.Namespace, folder: Path) -> list[Program]:
    """Return deeptf and what it is compared with."""
    worker = str(HERE / "evaluate.py")
    found, model = [], folder / "own.pb"
    if options.peer:
        full, compressed = peer_models(options.peer, options.precision, folder)
        model = own_model(full, options.precision, folder)
        python = str(Path(options.peer).with_name("python"))
        for name, path in (("dp compressed", compressed), ("dp", full)):
            found.append(Program(name, (python, worker, "peer", str(path)), ""))
    else:
        write_model(model, options.precision)
    command = (sys.executable, worker, "deeptf", str(model))
    own = [Program("deeptf", command, str(ROOT))]
    for level in options.level:
        own.append(Program(f"deeptf {level}", command, str(package_with_level(level, folder))))
    return own + found


def measure(all_programs: list[Program], system: Path, options: argparse.Namespace) -> None:
    """Let the programs evaluate one box in turn."""
    try:
        for program in all_programs:
            program.open(system, options.threads)
        for _ in range(options.rounds):
            for program in all_programs:
                program.evaluate()
    finally:
        for program in all_programs:
            if program.process:
                program.close()


def report(all_programs: list[Program], atoms: int, limit: float) -> None:
    """Print a row for each program; limit in us per atom."""
    own = median(all_programs[0].seconds)
    for program in all_programs:
        seconds = median(program.seconds)
        per_atom = 1e6 * seconds / atoms
        kilobytes = 1024 * (program.memory - program.base) / atoms
        print(
            f"{atoms:8d} {program.name:17s} {per_atom:8.1f} {limit / per_atom:6.0%} "
            f"{seconds / own:7.2f} {kilobytes:9.1f} {program.start:8.2f} "
            f"{program.energy / atoms:14.8f}",
            flush=True,
        )


def main() -> None:
    """Print the rows of all sizes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--peer", metavar="DP", help="the dp program of deepmd-kit")
    parser.add_argument("--precision", default="float64", choices=["float64", "float32"])
    parser.add_argument("--edges", type=int, nargs="+", default=[4, 8, 16])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--level", nargs="*", default=[], help="further CPU levels of deeptf")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    peak = measured_peak(options.precision, options.threads)
    print(f"{options.precision}, {options.threads} thread(s), products at {peak:.1f} GFLOP/s")
    print("   atoms program            us/atom  limit   ratio   KB/atom  start s        eV/atom")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compared = programs(options, folder)
        for edge in options.edges:
            system = write_system(folder / f"water_{edge}", frames=1, edge=edge)
            atoms = 3 * edge**3
            if edge == options.edges[0]:
                limit = 1e6 * evaluation_gflop(system, options.precision) / atoms / peak  # us
            measure(compared, system, options)
            report(compared, atoms, limit)


if __name__ == "__main__":
    main()
