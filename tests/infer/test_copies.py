"""Copies of a DeepPot and of the calculator: in this process, pickled, in new ones and in forks."""

import copy
import multiprocessing
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from small_network import write_network
from toy import random_frames

from deeptf.infer import DeepPot
from deeptf.infer.ase import DP


def through_pickle(value):
    return pickle.loads(pickle.dumps(value))


COPIES = [copy.copy, copy.deepcopy, through_pickle]


def equal(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("make", COPIES)
def test_copy_of_deep_pot(model_file, tmp_path, monkeypatch, make):
    frames = random_frames(3, 4)
    path = shutil.copy(model_file, tmp_path)
    monkeypatch.chdir(tmp_path)
    with DeepPot(Path(path).name, threads=1, memory=12345, auto_batch_size=8) as pot:
        want = pot.eval(*frames)
        monkeypatch.chdir("/")
        with make(pot) as other:
            assert equal(other.eval(*frames), want)
            assert (other._settings, other.backend) == (pot._settings, pot.backend)
        assert equal(pot.eval(*frames), want)
    with pytest.raises(ValueError, match="must be open, got the closed one"):
        make(pot).eval(*frames)


def test_copy_after_the_file_has_changed(toy_file, network_file, tmp_path):
    path = shutil.copy(toy_file, tmp_path / "model.pb")
    with DeepPot(path) as pot:
        kept = pickle.dumps(pot)
        shutil.copy(network_file, path)
        with pytest.raises(ValueError, match="`model_file` must be as it was .*has changed: open"):
            pickle.loads(kept)
        os.remove(path)
        with pytest.raises(FileNotFoundError, match="model.pb: no such file"):
            copy.deepcopy(pot)


def water():
    return Atoms("HHe2", [[0, 0, 0], [1.2, 0, 0], [0, 1.3, 0.2]])


@pytest.mark.parametrize("make", COPIES)
def test_copy_of_a_calculator(toy_pot, make):
    atoms = water()
    atoms.calc = DP(model=toy_pot, type_dict={"H": 0, "He": 1})
    energy = atoms.get_potential_energy()
    other = atoms.copy()
    other.calc = make(atoms.calc)
    assert (other.calc.pot is atoms.calc.pot) == (make is copy.copy)
    assert other.get_potential_energy() == energy
    other.rattle(0.05)
    assert other.get_potential_energy() != energy
    assert atoms.get_potential_energy() == energy and len(atoms.calc.results["forces"]) == 3


def energy_of(atoms):
    return atoms.get_potential_energy()


def test_calculator_in_a_process_that_starts_anew(toy_pot, monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    atoms = water()
    atoms.calc = DP(model=toy_pot, type_dict={"H": 0, "He": 1})
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(energy_of, [atoms]) == [atoms.get_potential_energy()]


FORK = """
import os, signal, sys
import numpy as np
from deeptf.infer import DeepPot

grid = 2.0 * np.stack(np.meshgrid(*[np.arange(12)] * 3), -1).reshape(-1, 3)
coords = grid + np.random.default_rng(1).uniform(-0.3, 0.3, grid.shape)
frame = coords, None, np.arange(len(coords)) % 2
settings = {"threads": 2, "backend": sys.argv[2]}
pot = DeepPot(sys.argv[1], **settings)
energy = pot.eval(*frame)[0]

def unchanged(): return pot.eval(*frame)[0]
def opened(): return DeepPot(sys.argv[1], **settings).eval(*frame)[0]
def idle(): return energy

for use in (unchanged, opened, idle):
    child = os.fork()
    if not child:
        signal.alarm(60)
        sys.exit(0 if np.array_equal(use(), energy) else 3)
    status = os.waitpid(child, 0)[1]
    assert status == 0, (use, status)
assert np.array_equal(pot.eval(*frame)[0], energy)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("backend", ["engine", "tensorflow"])
def test_forks_evaluate_and_exit(tmp_path, backend):
    """Threads do not fork: nothing may wait for one.

    Embedding nets take TensorFlow's, the rest those of the ops.
    """
    model = write_network(tmp_path / "model.pb", "network")
    run = subprocess.run(
        [sys.executable, "-c", FORK, str(model), backend],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
