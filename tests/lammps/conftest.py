"""Fixtures: LAMMPS with the plugin, and small models with random weights."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from lammps_models import RCUT, write_model
from lammps_runs import Lammps, copy_package, environment

from deeptf.ops.library import ENGINE_CUDA


@pytest.fixture(scope="session")
def lammps(tmp_path_factory: pytest.TempPathFactory) -> Lammps:
    """LAMMPS, for which `deeptf lammps build` has compiled the plugin."""
    found = Lammps(environment(), copy_package(tmp_path_factory.mktemp("site")))
    done = found.python("-m", "deeptf", "lammps", "build")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{found.plugin}: pair_style deeptf, for lammps 2")
    return found


@pytest.fixture
def with_gpu(lammps: Lammps, emulated_engine: Path) -> Iterator[Lammps]:
    """LAMMPS with the emulated kernels beside the engine."""
    there = lammps.site / "deeptf" / ENGINE_CUDA
    shutil.copy(emulated_engine, there)
    yield lammps
    there.unlink()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three models; the last one has another cut-off."""
    folder = tmp_path_factory.mktemp("models")
    seeds = {1: RCUT, 2: RCUT, 3: 3.0}
    return [write_model(folder / f"model_{seed}.pb", seed, rcut) for seed, rcut in seeds.items()]


@pytest.fixture(scope="session")
def parameter_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with two parameters of the frame and one of each atom."""
    path = tmp_path_factory.mktemp("models") / "parameters.pb"
    return write_model(path, numb_fparam=2, numb_aparam=1)
