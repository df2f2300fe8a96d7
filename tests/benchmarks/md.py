"""Time of a step of `deeptf md` beside that of the engine: the overhead of Python, ASE and files.

    python tests/benchmarks/md.py [--edge 4] [--steps 300] [--ensembles nve nvt npt]

A made-up box of edge^3 water molecules and a net with random weights; one thread, the time of the
processor, the median of the steps. The last column is the mean, with a line of the log every 10
steps and a frame every 100, as they are by default.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
from inference import write_model
from water import SPACING, write_system

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def write_structure(folder: Path, edge: int) -> Path:
    """Write the box as a structure file."""
    from ase import Atoms
    from ase.io import write

    system = write_system(folder / "system", frames=1, edge=edge)
    coord = np.load(system / "set.000" / "coord.npy")[0].reshape(-1, 3)
    atoms = Atoms("OHH" * edge**3, coord, cell=[edge * SPACING] * 3, pbc=True)
    write(folder / "water.extxyz", atoms)
    return folder / "water.extxyz"


class Clock:
    """The time of the processor at the end of each step, and what of it was the engine's, in s."""

    def __init__(self) -> None:
        self.engine = 0.0
        self.marks: list[tuple[float, float]] = []

    def timed(self, function: Callable) -> Callable:
        """Return a function of the engine that is timed."""

        def call(*given: object) -> None:
            begin = time.process_time()
            function(*given)
            self.engine += time.process_time() - begin

        return call

    def marked(self, function: Callable) -> Callable:
        """Return a function that is called once a step and ends it."""

        def call(*given: object) -> None:
            function(*given)
            self.marks.append((time.process_time(), self.engine))

        return call

    def steps(self) -> np.ndarray:
        """Return the time of each step and the engine's part [steps, 2] in ms; begin anew."""
        found = 1000 * np.diff(self.marks, axis=0)
        self.marks.clear()
        return found


def main() -> None:
    """Print a row for each ensemble."""
    from deeptf.infer import backend_engine
    from deeptf.infer.md import run as module
    from deeptf.infer.md.settings import Settings

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--edge", type=int, default=4)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--ensembles", nargs="+", default=["nve", "nvt", "npt"])
    options = parser.parse_args()
    clock = Clock()
    backend_engine.engine.call = clock.timed(backend_engine.engine.call)
    module.check_step = clock.marked(module.check_step)
    print(
        f"{3 * options.edge**3} atoms, ms    step  engine  overhead  overhead with log and frames"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_model(folder / "model.pb", "float32")
        structure = write_structure(folder, options.edge)
        for ensemble in options.ensembles:
            told = Settings(options.steps, ensemble, timestep=1e-4, temperature=10.0)
            with redirect_stdout(StringIO()):
                module.run(
                    structure, [folder / "model.pb"], str(folder / ensemble), told, threads=1
                )
            steps = clock.steps()
            overhead = steps[:, 0] - steps[:, 1]
            step, engine = np.median(steps, axis=0)
            print(
                f"{ensemble:15s} {step:8.3f} {engine:7.3f} {np.median(overhead):9.3f} "
                f"{overhead.mean():28.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
