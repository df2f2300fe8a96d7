"""Time and memory of energy, force and virial from 192 to 98,304 atoms: both must grow linearly.

    python tests/benchmarks/inference.py [--precision float32] [--edges 4 8 16 32] [--threads 2]

A freshly initialised model (25/50/100, axis 16, 240x3, rcut 6 A) on boxes of made-up water, edge^3
molecules each; each size in a process of its own, the first evaluation left out where short. The
working memory of DeepPot is bounded by its blocks; what grows are the pairs and the results.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from water import standard_input, write_system

sys.path.insert(0, str(Path(__file__).parents[1]))


def write_model(path: Path, precision: str) -> None:
    """Write a frozen model with weights as at the start of training."""
    from physics_suite import random_arrays

    from deeptf.exchange import frozen
    from deeptf.train.options import load_input

    config = load_input(standard_input(Path("unused"), 1, precision))[0].model
    frozen.write(config, random_arrays(config), path)


def one_size(model: Path, edge: int, threads: int) -> None:
    """Print atoms, seconds of one evaluation and peak memory in MB."""
    from deeptf.infer.deep_pot import DeepPot

    with tempfile.TemporaryDirectory() as folder:
        system = write_system(Path(folder) / "water", frames=1, edge=edge)
        coord, cell = (np.load(system / "set.000" / f"{name}.npy") for name in ("coord", "box"))
    types = np.tile([0, 1, 1], edge**3)
    with DeepPot(model, threads=threads) as potential:
        potential.eval(coord[:, :9], None, types[:3])  # reads the graph
        seconds = []
        while sum(seconds) < 2.0:
            begin = time.perf_counter()
            potential.eval(coord, cell, types)
            seconds.append(time.perf_counter() - begin)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(len(types), sorted(seconds)[len(seconds) // 2], memory)


def main() -> None:
    """Print one row for each size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--precision", default="float64", choices=["float64", "float32"])
    parser.add_argument("--edges", type=int, nargs="+", default=[4, 8, 16, 32])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--one", nargs=2, metavar=("MODEL", "EDGE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one_size(Path(options.one[0]), int(options.one[1]), options.threads)
        return
    print(f"{'atoms':>8s} {'seconds':>9s} {'us/atom':>9s} {'peak MB':>9s}   {options.precision}")
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.pb"
        write_model(model, options.precision)
        for edge in options.edges:
            command = [sys.executable, __file__, "--threads", str(options.threads)]
            command += ["--one", str(model), str(edge)]
            text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            atoms, seconds, memory = (float(word) for word in text.split())
            row = f"{atoms:8.0f} {seconds:9.3f} {1e6 * seconds / atoms:9.1f} {memory:9.0f}"
            print(row, flush=True)


if __name__ == "__main__":
    main()
