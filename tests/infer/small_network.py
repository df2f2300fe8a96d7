"""A small se_e2_a model with random weights and the types and cut-off of the toy (toy.py)."""

import toy
from random_model import random_arrays

from deeptf.exchange import frozen
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.term.standard import Standard


def write_network(path, embedding=None, seed=1, names=("A", "B"), **fitting):
    """Write the model and return its path."""
    style = {"neuron": (4, 8), "axis_neuron": 3, "embedding": embedding}
    descriptor = SeE2A((20, 20), toy.RCUT, 1.0, **style)
    config = ModelConfig(Standard(descriptor, EnerFitting(neuron=(6, 6), **fitting)), names)
    frozen.write(config, random_arrays(config, seed), path)
    return path
