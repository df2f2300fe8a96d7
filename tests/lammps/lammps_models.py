"""Small models with random weights for tests of LAMMPS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from array_names import SHORTEST
from physics_suite import random_arrays

from deeptf.exchange import frozen
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.term.standard import Standard

RCUT = 4.0


def write_model(
    path: Path,
    seed: int = 1,
    rcut: float = RCUT,
    shortest: float | None = None,
    names: tuple[str, str] = ("A", "B"),
    kind: type = EnerFitting,
    **fitting: Any,
) -> Path:
    """Write a model of two types; `shortest` is the distance of neighbours in its data."""
    descriptor = SeE2A((20, 20), rcut, 1.0, (4, 8), axis_neuron=3)
    config = ModelConfig(Standard(descriptor, kind(neuron=(6, 6), **fitting)), names)
    arrays = random_arrays(config, seed)
    if shortest is not None:
        arrays[SHORTEST] = np.full((2, 2), shortest)
    frozen.write(config, arrays, path)
    return path
