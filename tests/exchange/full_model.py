"""A small frozen model whose embedding nets are evaluated in full."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from array_names import SHORTEST
from random_model import random_arrays

from deeptf.exchange import frozen
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.term.standard import Standard

RCUT, RCUT_SMTH = 4.0, 1.0
CLOSEST = 1.6  # A, in its data


def write_full(path: Path, kind: type = SeE2A, **changes: object) -> Path:
    """Write the model with random weights and return its path."""
    settings = {"neuron": (4, 8, 8), "embedding": "network", **changes}
    descriptor = kind((8, 16), RCUT, RCUT_SMTH, **settings)
    config = ModelConfig(Standard(descriptor, EnerFitting(neuron=(6, 6))), ("A", "B"))
    arrays = random_arrays(config, 1) | {SHORTEST: np.full((2, 2), CLOSEST)}
    frozen.write(config, arrays, path)
    return path
