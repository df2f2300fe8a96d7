"""The working memory that a model says it needs, against measured peaks of resident memory."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from random_model import random_arrays

from deeptf.exchange import frozen
from deeptf.exchange.model_file import read_model
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.term.standard import Standard

SPACING, RCUT = 2.0, 5.0  # A
EVALUATE = """
import json, re, sys
import numpy as np
from deeptf.infer import DeepPot

def peak():  # ru_maxrss would begin with the memory of the process that started this one
    return 1024 * int(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1])

model, edge, spacing = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
grid = spacing * np.stack(np.meshgrid(*[np.arange(edge)] * 3), -1).reshape(-1, 3)
coord = grid + np.random.default_rng(1).uniform(-0.3, 0.3, grid.shape)
with DeepPot(model, threads=2, memory=1 << 50, backend=sys.argv[4]) as potential:
    potential.eval(coord[:2], None, [0, 0])
    before = peak()
    potential.eval(coord, edge * spacing * np.eye(3), np.zeros(len(coord), int))
print(json.dumps([len(coord), peak() - before]))
"""


def model(precision, embedding, neuron, axis_neuron, fitting_neuron):
    """Return a model of one type."""
    style = {"axis_neuron": axis_neuron, "precision": precision, "embedding": embedding}
    descriptor = SeE2A((60,), RCUT, 1.0, neuron, **style)
    fitting = EnerFitting(neuron=fitting_neuron, precision=precision)
    return ModelConfig(Standard(descriptor, fitting), ("A",))


@pytest.mark.parametrize(
    ("precision", "embedding", "pair", "atom"),
    [
        ("float32", "table", 117, 23_500),
        ("float64", "table", 180, 43_300),
        ("float32", "network", 1_800, 25_000),
    ],
)
def test_usual_widths(precision, embedding, pair, atom):
    """Measured for 25/50/100, axis 16, 240x3, bytes."""
    needs = model(precision, embedding, (25, 50, 100), 16, (240, 240, 240)).needs()
    assert pair <= needs.pair_bytes <= 1.4 * pair
    assert atom <= needs.atom_bytes <= 1.2 * atom


def peak(embedding, edge, tmp_path, backend):
    """Return the number of atoms, the bytes of an evaluation, and what the model says of them."""
    config = model("float32", embedding, (16, 32, 64), 8, (64, 64))
    path = tmp_path / "model.pb"
    frozen.write(config, random_arrays(config), path)
    command = [sys.executable, "-c", EVALUATE, str(path), str(edge), str(SPACING), backend]
    run = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path)
    return *json.loads(run.stdout), read_model(path).metadata


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
@pytest.mark.parametrize(("embedding", "edge"), [("table", 20), ("network", 12)])
def test_peak_of_an_evaluation(embedding, edge, tmp_path):
    atoms, measured, said = peak(embedding, edge, tmp_path, "tensorflow")
    pairs = atoms * 4 / 3 * np.pi * RCUT**3 / SPACING**3
    estimate = atoms * said["atom_bytes"] + pairs * said["pair_bytes"]
    assert 0.5 < measured / estimate < 1.3


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
def test_the_engine_needs_little(tmp_path):
    """A few MB for the block of each thread, and less than 1 kB an atom."""
    atoms, measured, _ = peak("table", 40, tmp_path, "engine")
    assert measured < 20e6 + 1000 * atoms
