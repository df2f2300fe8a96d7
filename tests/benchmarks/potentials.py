"""Error and speed of the standard and the fast model of an example, beside NEP's on the same data.

    python tests/benchmarks/potentials.py water|aluminium [--nep PYTHON] [--work FOLDER]
        [--rounds 3] [--atoms 600]

Models are trained in FOLDER where they are not there yet: those of input.json and fast.json with
deeptf (a minute), and, with the Python of an environment that has torchnep, calorine and
nep-adapters, a NEP for EPOCHS epochs (five minutes). Errors are those on the frames held
out. Times are those of the processor, of one thread, the median of rounds in which the programs
evaluate in turn.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
from cases import absolute_input
from programs import environment

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
INPUTS = {"standard": "input.json", "fast": "fast.json"}
EPOCHS = 120
NEP = """type {types}
version 4
cutoff {cutoff}
n_max 4 4
basis_size 8 8
l_max {l_max}
neuron 30
batch 2
epoch {epochs}
lr 0.01
scheduler_patience 3
lambda_e 0.02
lambda_f 1.0
lambda_v 0.02
"""
CUTOFFS = {"water": ("6 4", "4 2 0"), "aluminium": ("6 5", "4 2 1")}  # A, radial and angular; l_max


@dataclass
class Potential:
    """A potential in a process of its own, and what was measured of it."""

    name: str
    command: list[str]
    process: subprocess.Popen | None = None
    errors: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)  # of an atom

    def open(self) -> None:
        """Start the process, which tells its errors."""
        variables = environment(1) | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(self.command, env=variables, **pipes)
        self.errors = self._answer("errors")

    def evaluate(self) -> None:
        """Let it evaluate for a while."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        atoms, seconds = self._answer("time")
        self.seconds.append(seconds / atoms)

    def _answer(self, word: str) -> list[float]:
        for line in self.process.stdout:  # libraries may write lines of their own
            if line.startswith(word):
                return [float(number) for number in line.split()[1:]]
        raise SystemExit(f"{' '.join(self.command)} ended without an answer")


def write_frames(system: Path, path: Path) -> None:
    """Write a system as an extended XYZ file, with energy, force, virial and the same as stress."""
    names = (system / "type_map.raw").read_text().split()
    symbols = [names[t] for t in np.loadtxt(system / "type.raw", int)]
    keys = ("coord", "box", "energy", "force", "virial")
    columns = [np.load(system / "set.000" / f"{key}.npy").astype(float) for key in keys]
    with open(path, "w") as stream:
        for coord, box, energy, force, virial in zip(*columns, strict=True):
            stress = -virial / abs(np.linalg.det(box.reshape(3, 3)))
            stream.write(f"{len(symbols)}\nenergy={float(energy.item())!r} ")
            for name, values in (("virial", virial), ("stress", stress), ("Lattice", box)):
                stream.write(f'{name}="{" ".join(map(repr, values.tolist()))}" ')
            stream.write('pbc="T T T" Properties=species:S:1:pos:R:3:forces:R:3\n')
            rows = np.column_stack([coord.reshape(-1, 3), force.reshape(-1, 3)]).tolist()
            for symbol, row in zip(symbols, rows, strict=True):
                stream.write(f"{symbol} {' '.join(map(repr, row))}\n")


def own_model(example: str, name: str, work: Path) -> Path:
    """Return the model of an input file of the example, trained where it is not there yet."""
    folder = work / f"{example}_{name}"
    model = folder / "model.pb"
    if not model.exists():
        folder.mkdir(parents=True, exist_ok=True)
        script = absolute_input(ROOT / "examples" / example / INPUTS[name])
        (folder / "input.json").write_text(json.dumps(script, indent=2))
        for words in (("train", "input.json", "--threads", "1"), ("freeze", "-o", "model.pb")):
            _run([sys.executable, "-m", "deeptf", *words], folder)
    return model


def nep(example: str, python: str, work: Path) -> Path:
    """Return the NEP of the example's training frames, trained where it is not there yet."""
    folder = work / f"{example}_nep"
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        data = ROOT / "examples" / example / "data" / "train"
        names = (data / "type_map.raw").read_text().split()
        cutoff, l_max = CUTOFFS[example]
        types = f"{len(names)} {' '.join(names)}"
        text = NEP.format(types=types, cutoff=cutoff, l_max=l_max, epochs=EPOCHS)
        (folder / "nep.in").write_text(text)
        write_frames(data, folder / "train.xyz")
        _run([python, str(HERE / "nep_train.py"), "nep.in", "train.xyz", "."], folder)
        (folder / "done").touch()
    return folder / "nep_best.txt"


def _run(command: list[str], folder: Path) -> None:
    variables = environment(1) | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")


def potentials(options: argparse.Namespace, frames: Path) -> list[Potential]:
    """Return all potentials, trained."""

    def of(name: str, python: str, kind: str, model: Path) -> Potential:
        worker = [python, str(HERE / "calculators.py"), kind]
        return Potential(name, [*worker, str(model), str(frames), str(options.atoms)])

    found = []
    for name in INPUTS:
        model = own_model(options.example, name, options.work)
        found.append(of(f"deeptf, {name}", sys.executable, "deeptf", model))
    if options.nep:
        model = nep(options.example, options.nep, options.work)
        for kind in ("nep-adapters", "calorine"):
            found.append(of(f"NEP, {kind}", options.nep, kind, model))
    return found


def main() -> None:
    """Print a row for each potential."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("example", choices=CUTOFFS)
    parser.add_argument("--nep", metavar="PYTHON")
    parser.add_argument("--work", type=Path, default=Path("potentials"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--atoms", type=int, default=600)
    options = parser.parse_args()
    options.work = options.work.resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    frames = options.work / f"{options.example}.xyz"
    write_frames(ROOT / "examples" / options.example / "data" / "validation", frames)
    compared = potentials(options, frames)
    try:
        for potential in compared:
            potential.open()
        for _ in range(options.rounds):
            for potential in compared:
                potential.evaluate()
    finally:
        for potential in compared:
            if potential.process:
                potential.process.communicate()
    print(f"{'':20s} us/atom  energy meV/atom  force eV/A  virial meV/atom")
    for potential in compared:
        energy, force, virial = potential.errors
        print(
            f"{potential.name:20s} {1e6 * median(potential.seconds):7.1f} {1e3 * energy:16.2f} "
            f"{force:11.4f} {1e3 * virial:16.2f}"
        )


if __name__ == "__main__":
    main()
