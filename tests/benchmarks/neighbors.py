"""Time and memory of the ops from 192 to 100,000 atoms: both must grow linearly.

The density of water (0.1 atoms per cubic A), rcut 6 A: about 90 neighbours an atom. One row a size:
CPU milliseconds of NeighborPairs, SortPairs, Environment and ForceVirial, their sum in microseconds
per atom, and the growth of the peak memory in kB per atom, of which the outputs are about 9.

    python tests/benchmarks/neighbors.py [--threads 2] [--atoms 192 1536 ...]

On one core of a Zen 4 server that was busy with other work (spikes are its doing):

    # CPU ms, 1 thread(s)
    # atoms       pairs        sort environment       force     us/atom     kB/atom
        192       0.368       0.111       0.244       0.300        5.33        14.0
        384       1.299       0.240       0.550       0.673        7.19        11.0
        768       2.053       0.347       1.529       1.087        6.53         9.8
       1536       5.354       1.628       2.366       3.161        8.14         9.0
       3072       7.865       2.560       3.886       4.044        5.97        10.8
       6144      16.475       5.697      17.187       2.964        6.89        11.1
      12288      31.355      12.261      13.875      20.857        6.38        11.5
      24576      60.695      24.133      30.333      43.609        6.46        11.5
      49152     112.022      44.341      58.002      78.044        5.95        11.1
     100000     238.187      93.737     131.804     138.563        6.02        11.1
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time

import numpy as np

from deeptf.ops.environment import environment
from deeptf.ops.force import force_virial
from deeptf.ops.pairs import neighbor_pairs, sort_pairs
from deeptf.tf import session, tf

RCUT_SMTH, RCUT, DENSITY = 0.5, 6.0, 0.1
SIZES = [192, 384, 768, 1536, 3072, 6144, 12288, 24576, 49152, 100000]
STEPS = ("pairs", "sort", "environment", "force")


def box_of_atoms(number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return coordinates on a disturbed lattice, cell and types of a cube with `number` atoms."""
    side = (number / DENSITY) ** (1 / 3)
    points = int(np.ceil(number ** (1 / 3)))
    grid = np.stack(np.meshgrid(*[np.arange(points)] * 3), -1).reshape(-1, 3)[:number]
    rng = np.random.default_rng(0)
    coord = (grid + rng.uniform(-0.3, 0.3, grid.shape)) * side / points
    return coord, np.eye(3)[None] * side, (np.arange(number) % 3 > 0).astype(np.int32)


def steps_of(coord: np.ndarray, cell: np.ndarray, atom_type: np.ndarray) -> list[tf.Operation]:
    """Build the chain of ops; each needs all before it."""
    frame_row = np.array([0, len(coord)], np.int32)
    listed = neighbor_pairs(coord, cell, atom_type, frame_row, RCUT)
    pairs = sort_pairs(*listed, atom_type, 2)
    zero, one = np.zeros((2, 4)), np.ones((2, 4))
    rows = environment(pairs.displacement, pairs.centre, atom_type, zero, one, RCUT_SMTH, RCUT)
    force, _ = force_virial(rows[:, 1:], pairs, frame_row)
    return [listed[0].op, pairs.centre.op, rows.op, force.op]


def time_steps(system: tuple[np.ndarray, ...], threads: int) -> list[float]:
    """Return the milliseconds of each step: best of the chain up to it, less the one before."""
    totals = [0.0]
    with tf.Graph().as_default(), session(threads=threads) as run:
        steps = steps_of(*system)
        for step in steps:
            best = np.inf
            for _ in range(max(3, 20000 // len(system[0]))):
                start = time.process_time()
                run.run(step)
                best = min(best, time.process_time() - start)
            totals.append(best * 1e3)
    return list(np.diff(totals))


def measure(number: int, threads: int) -> None:
    """Print one row of the table; runs in a process of its own, for the sake of the peak memory."""
    time_steps(box_of_atoms(16), threads)  # loads the library and starts the threads
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = time_steps(box_of_atoms(number), threads)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    each = " ".join(f"{value:11.3f}" for value in times)
    print(f"{number:7d} {each} {sum(times) * 1e3 / number:11.2f} {memory / number:11.1f}")


def main() -> None:
    """Print the table, one process per size."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--atoms", type=int, nargs="*", default=SIZES)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        return measure(options.one, options.threads)
    names = " ".join(f"{name:>11s}" for name in STEPS)
    print(
        f"# CPU ms, {options.threads} thread(s)\n# atoms {names}     us/atom     kB/atom",
        flush=True,
    )
    for number in options.atoms:
        command = [
            sys.executable,
            __file__,
            "--threads",
            str(options.threads),
            "--one",
            str(number),
        ]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
