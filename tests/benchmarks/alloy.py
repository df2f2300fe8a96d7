"""A made-up alloy for timings: types drawn for the places of an fcc lattice, with thermal noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from frames import write_frames

NAMES = ("Ni", "Co", "Cr", "Fe", "Mn", "Cu", "Al", "Ti", "V", "Zn")
LATTICE = 3.6  # A, edge of a cell of four atoms
DENSITY = 4 / LATTICE**3  # atoms per cubic A
NOISE = 0.1  # A
PLACES = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2


def write_system(folder: Path, types: int, frames: int = 8, edge: int = 3, seed: int = 0) -> Path:
    """Write `frames` frames of 4 edge^3 atoms, as many of each type as of any other."""
    rng = np.random.default_rng(seed)
    cells = np.stack(np.meshgrid(*[np.arange(edge)] * 3), -1).reshape(-1, 1, 3)
    lattice = LATTICE * (cells + PLACES).reshape(-1, 3)
    coord = lattice + rng.normal(0, NOISE, (frames, *lattice.shape))
    drawn = rng.permutation(np.arange(len(lattice)) % types)
    return write_frames(folder, coord, edge * LATTICE, drawn, NAMES[:types], rng)
