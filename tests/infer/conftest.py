"""Fixtures: the toy model (toy.py) and a small se_e2_a model with random weights."""

from functools import partial

import pytest
import toy
from physics_suite import random_arrays

from deeptf.exchange import frozen
from deeptf.infer import DeepPot
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.term.standard import Standard


@pytest.fixture(scope="session")
def toy_file(tmp_path_factory):
    return toy.write(tmp_path_factory.mktemp("toy") / "toy.pb")


@pytest.fixture(scope="session")
def parameter_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("toy") / "parameters.pb"
    return toy.write(path, numb_fparam=2, numb_aparam=1)


def write_network(path, embedding=None, seed=1, names=("A", "B"), **fitting):
    """Write a model with random weights and the types and cut-off of the toy."""
    style = {"neuron": (4, 8), "axis_neuron": 3, "embedding": embedding}
    descriptor = SeE2A((20, 20), toy.RCUT, 1.0, **style)
    config = ModelConfig(Standard(descriptor, EnerFitting(neuron=(6, 6), **fitting)), names)
    frozen.write(config, random_arrays(config, seed), path)
    return path


@pytest.fixture(scope="session")
def network_file(tmp_path_factory):
    return write_network(tmp_path_factory.mktemp("network") / "network.pb")


@pytest.fixture(scope="session")
def network_parameter_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "parameters.pb"
    return write_network(path, numb_fparam=2, numb_aparam=1)


@pytest.fixture(params=["toy", "network"])
def model_file(request):
    return request.getfixturevalue(f"{request.param}_file")


@pytest.fixture(params=[("toy", "tensorflow"), ("network", "tensorflow"), ("network", "engine")])
def open_pot(request):
    """Return a function that opens a model in a backend."""
    name, backend = request.param
    return partial(DeepPot, request.getfixturevalue(f"{name}_file"), backend=backend)


@pytest.fixture
def pot(open_pot):
    with open_pot() as pot:
        yield pot


@pytest.fixture
def toy_pot(toy_file):
    with DeepPot(toy_file) as pot:
        yield pot
