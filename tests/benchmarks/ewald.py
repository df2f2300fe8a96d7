"""Cost and accuracy of the sum over charges, up to 10,000 atoms of water.

    PYTHONPATH=.:tests python tests/benchmarks/ewald.py [THREADS]

Atoms lie on a disturbed grid at the density of water, each oxygen with a centre beside it; charges,
beta and spacing are those of DPLR models. Accuracy is the largest error against the sum as it is
written, in NumPy, where that is quick, and what a spacing twice as fine changes.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import twins

from deeptf.ops.ewald import Charges, Ewald, ewald
from deeptf.tf import session, tf

DENSITY = 0.1003  # atoms per A^3
BETA, SPACING = 0.4, 1.0
SIZES = (192, 648, 1536, 5184, 10125)  # atoms
QUICK = 700  # atoms, for the twin


def water(atoms: int) -> Charges:
    """Return atoms in threes, one of them with a centre."""
    rng = np.random.default_rng(atoms)
    length = (atoms / DENSITY) ** (1 / 3)
    side = int(np.ceil(atoms ** (1 / 3)))
    grid = np.stack(np.meshgrid(*[np.arange(side)] * 3), -1).reshape(-1, 3)[:atoms]
    coord = (grid + rng.uniform(-0.2, 0.2, grid.shape)) * length / side
    centres = coord[::3] + rng.normal(0, 0.05, coord[::3].shape)
    charge = np.concatenate(
        [np.where(np.arange(atoms) % 3 == 0, 6.0, 1.0), np.full(len(centres), -8.0)]
    )
    sites = np.concatenate([coord, centres])
    return Charges(sites, charge, length * np.eye(3)[None], np.array([0, len(sites)], np.int32))


def evaluated(charges: Charges, spacing: float, threads: int) -> tuple[Ewald, float]:
    """Return what the op gives, and the shortest time of five in seconds."""
    with tf.Graph().as_default() as graph:
        given = [tf.placeholder(array.dtype, array.shape) for array in charges]
        result, feed = ewald(Charges(*given), BETA, spacing), dict(zip(given, charges, strict=True))
        with session(graph, threads) as run:
            times, found = [], run.run(result, feed)
            for _ in range(5):
                begin = time.perf_counter()
                found = run.run(result, feed)
                times.append(time.perf_counter() - begin)
    return found, min(times)


def main() -> None:
    """Print a line for each size."""
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    print(f"beta {BETA} 1/A, spacing {SPACING} A, {threads} threads")
    print("atoms  sites  ms  ms/1000 atoms  rounding (eV/A)  left out (eV/A)  energy left out (eV)")
    for atoms in SIZES:
        charges = water(atoms)
        found, seconds = evaluated(charges, SPACING, threads)
        fine, _ = evaluated(charges, SPACING / 2, threads)
        rounding = np.nan
        if atoms <= QUICK:
            want = twins.ewald(charges.coord, charges.charge, charges.cell[0], BETA, SPACING)
            rounding = np.abs(found.force - want[1]).max()
        print(
            f"{atoms:5d}  {len(charges.coord):5d}  {1e3 * seconds:.1f}  "
            f"{1e6 * seconds / atoms:.1f}  {rounding:.1e}  "
            f"{np.abs(found.force - fine.force).max():.1e}  "
            f"{abs(found.energy - fine.energy)[0]:.1e}",
            flush=True,
        )


if __name__ == "__main__":
    main()
