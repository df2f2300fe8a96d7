"""Cost of a training step of deeptf against the number of atoms and against the number of types.

    python tests/benchmarks/scaling.py [--precision float32] [--edges 4 8 16] [--types 1 5 10]

Atoms: boxes of made-up water, 3 edge^3 atoms, rcut 6 A; the time per atom must stay the same, that
is, the power of the number of atoms that fits the times best must be near 1. Types: an alloy of 256
atoms with 100 neighbours, with an embedding net for each neighbour type, and with one for each pair
of types (`two-side`), of which there are many more. MB/atom is what the steps took beyond the
program before them. Each size runs in a process of its own; a size that would need more memory than
there is, by the memory per atom of the one before, is left out.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from cases import alloy_case, water_case

ALLOY_EDGE, ALLOY_NEIGHBORS = 4, 100
TWO_SIDE = "two-side"  # types
WARM_UP, SECONDS, LEAST = 3, 5.0, 5  # steps left out, then seconds and steps at least


def one_size(kind: str, number: int, precision: str, threads: int) -> None:
    """Print atoms, milliseconds of a step and MB that the steps took."""
    from steps import prepared

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "system"
        if kind == "edge":
            script = water_case(place, number, precision, 1, None)
            atoms = 3 * number**3
        else:
            script = alloy_case(place, number, ALLOY_EDGE, precision, 1, ALLOY_NEIGHBORS)
            script["model"]["descriptor"]["type_one_side"] = kind != TWO_SIDE
            atoms = 4 * ALLOY_EDGE**3
        with prepared(script, threads) as steps:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            for _ in range(WARM_UP):
                steps.take()
            times = [steps.take()]
            while len(times) < LEAST or sum(times) < 1e3 * SECONDS:
                times.append(steps.take())
            after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(atoms, statistics.median(times), (after - before) / 1024)


def table(kind: str, numbers: list[int], options: argparse.Namespace) -> None:
    """Print one row for each number."""
    print(f"\n{kind:>8s} {'atoms':>8s} {'ms/step':>9s} {'us/atom':>9s} {'MB/atom':>9s}")
    memory = 0.0  # MB per atom
    measured = []
    for number in numbers:
        need = 3 * number**3 * memory if kind == "edge" else 0.0
        if need > _free_memory():
            print(f"{number:8d}: left out, needs about {need / 1024:.0f} GB", flush=True)
            continue
        command = [sys.executable, __file__, "--one", kind, str(number)]
        command += ["--precision", options.precision, "--threads", str(options.threads)]
        text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        atoms, time, total = (float(word) for word in text.split())
        memory = total / atoms
        measured.append((number, atoms, time))
        row = f"{number:8d} {atoms:8.0f} {time:9.2f} {1e3 * time / atoms:9.1f} {memory:9.3f}"
        print(row, flush=True)
    if len(measured) > 1:
        types, atoms, times = np.log(measured).T
        power = np.polyfit(atoms if kind == "edge" else types, times, 1)[0]
        print(f"time grows as {'atoms' if kind == 'edge' else 'types'}^{power:.2f}", flush=True)


def _free_memory() -> float:
    """Return the MB that a process may take."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    entries = {name: value.split()[0] for name, value in (line.split(":") for line in lines)}
    return 0.9 * int(entries["MemAvailable"]) / 1024


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--precision", default="float64", choices=["float64", "float32"])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--edges", type=int, nargs="*", default=[4, 6, 8, 12, 16])
    parser.add_argument("--types", type=int, nargs="*", default=[1, 2, 5, 10])
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one_size(options.one[0], int(options.one[1]), options.precision, options.threads)
        return
    print(f"{options.precision}, {options.threads} threads")
    table("edge", options.edges, options)
    table("types", options.types, options)
    table(TWO_SIDE, options.types, options)


if __name__ == "__main__":
    main()
