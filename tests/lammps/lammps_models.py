"""Small models with random weights for tests of LAMMPS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from array_names import SHORTEST
from random_model import random_arrays

from deeptf.exchange import frozen
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting.dipole import DipoleFitting
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.spin import Spin
from deeptf.model.term.dipole_charge import DipoleCharge
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


def write_spins(path: Path, length: float, norm: float, seed: int = 1) -> Path:
    """Write a model of two types, of which the first has spins."""
    descriptor = SeE2A((20, 20), RCUT, 1.0, (4, 8), axis_neuron=3)
    spin = Spin((True, False), (length,), (norm,))
    config = ModelConfig(Standard(descriptor, EnerFitting(neuron=(6, 6)), spin=spin), ("A", "B"))
    frozen.write(config, random_arrays(config, seed), path)
    return path


def write_charged(path: Path) -> Path:
    """Write a model with charges at its atoms and at centres beside atoms of the first type."""
    descriptor = SeE2A((20, 20), RCUT, 1.0, (4, 8), axis_neuron=3)
    near = SeE2A((12, 12), 3.2, 0.5, (4, 6), axis_neuron=2, embedding="network")
    dipoles = Standard(near, DipoleFitting(neuron=(5, 5), sel_type=(0,)))
    charges = DipoleCharge("dipole.pb", (-3.0,), (2.0, 0.7), dipole_model=dipoles)
    term = Standard(descriptor, EnerFitting(neuron=(6, 6)))
    config = ModelConfig(term, ("A", "B"), modifier=charges)
    frozen.write(config, random_arrays(config), path)
    return path
