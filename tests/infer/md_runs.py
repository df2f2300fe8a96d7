"""Short runs of molecular dynamics for tests."""

import numpy as np
import toy
from ase import Atoms
from ase.io import write

from deeptf.infer.md.settings import Settings


def settings(ensemble="nvt", **others):
    """Return settings of few steps."""
    return Settings(**{"steps": 12, "log_every": 2, "frame_every": 4, **others}, ensemble=ensemble)


def write_cluster(folder, num_atoms=8, pbc=True, symbols=("H", "He")):
    """Write atoms that are not too close, for models of H and He, and return the path."""
    coords, cells, types = toy.random_frames(1, num_atoms, 0)
    named = [symbols[t] for t in types[0]]
    path = folder / "atoms.extxyz"
    write(path, Atoms(named, coords.reshape(-1, 3), cell=cells.reshape(3, 3) * pbc, pbc=pbc))
    return path


def columns(path):
    """Return the numbers of a log by column."""
    from deeptf.infer.md.sample import read_log

    return {name: np.asarray(values) for name, values in read_log(path).items()}
