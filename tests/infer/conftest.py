"""Fixtures: the toy model (toy.py) and a small se_e2_a model (small_network.py)."""

from functools import partial

import pytest
import toy
from small_network import write_network

from deeptf.infer import DeepPot


@pytest.fixture(scope="session")
def toy_file(tmp_path_factory):
    return toy.write(tmp_path_factory.mktemp("toy") / "toy.pb")


@pytest.fixture(scope="session")
def parameter_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("toy") / "parameters.pb"
    return toy.write(path, numb_fparam=2, numb_aparam=1)


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
