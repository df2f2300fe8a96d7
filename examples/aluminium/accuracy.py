"""Measures the accuracy of the aluminium labels: tighter settings and finite differences.

It works on disordered, strained cells of four atoms with 4x4x4 k-points: the same density of
k-points as 2x2x2 in the cells of 32 atoms, for a small part of the cost.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import accuracy, pwscf  # noqa: E402
from generate import SETTINGS, random_strain  # noqa: E402

SYMBOLS = ["Al"] * 4
CORNERS = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
DISPLACEMENT = 0.15  # angstrom, root mean square
SMALL = replace(SETTINGS, kpoints=(4, 4, 4, 1, 1, 1), system={**SETTINGS.system, "nbnd": "10"})
VARIANTS = {
    "40 Ry": {"system": {**SMALL.system, "ecutwfc": "40", "ecutrho": "160"}},
    "8x8x8 k-points": {"kpoints": (8, 8, 8, 1, 1, 1)},
}


def small_cells(count: int) -> dict[str, np.ndarray]:
    """Disordered, strained face-centred cubic cells with lattice constants from 3.9 to 4.2 A."""
    generator = np.random.default_rng(7)
    coord, box = [], []
    for constant in np.linspace(3.9, 4.2, count):
        cell = constant * random_strain(generator)
        coord.append(CORNERS @ cell + generator.normal(scale=DISPLACEMENT, size=(4, 3)))
        box.append(cell)
    return {"coord": np.array(coord), "box": np.array(box)}


if __name__ == "__main__":
    options = accuracy.parse(__doc__.splitlines()[0], Path(__file__), frames=range(5))
    options.work = options.work / "small_cells"
    options.work.mkdir(parents=True, exist_ok=True)
    cells = small_cells(len(options.frames))
    np.savez(options.work / "geometries.npz", **cells)
    for frame in options.frames:
        pwscf.label(options, SMALL, SYMBOLS, frame, cells)
    accuracy.finite_differences(options, SMALL, SYMBOLS)
    accuracy.compare_settings(options, SMALL, VARIANTS, SYMBOLS)
