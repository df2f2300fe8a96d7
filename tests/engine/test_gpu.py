"""DeepPot and `deeptf doctor` on GPUs: messages without one, and models on an emulated one.

The latter with `pytest --emulated-engine LIBRARY`, which tests/engine/emulated.sh builds.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from engine_files import ENGINE, FOLDER, open_engine, write_golden_model
from library_files import write_line

import deeptf
from deeptf.infer import DeepPot
from deeptf.ops.library import CORES, ENGINE_CUDA

PARTS = shutil.ignore_patterns("__pycache__", "libdeeptf.so", "libdeeptf_cuda.so")
ON_A_GPU = """
import os, sys
sys.modules["tensorflow"] = None  # so that an import fails
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from deeptf.infer import DeepPot, ase

auto, cpu = DeepPot("model.pb"), DeepPot("model.pb", gpu="no")
assert (auto.device, cpu.device) == ("GPU 0, emulated", "CPU")
assert DeepPot("model.pb", gpu="yes").device == auto.device
rng = np.random.default_rng(1)
sites = np.array(list(np.ndindex(2, 2, 3)), float)

def frames(seed, n=12):
    rng = np.random.default_rng(seed)
    coord = 2.2 * sites[:n] + rng.uniform(-0.3, 0.3, (2, n, 3))
    cell = np.tile(np.diag([4.4, 4.6, 6.8]).ravel(), (2, 1))
    return coord.reshape(2, -1), cell, [0, 1] * (n // 2)

def same(seed):
    given = frames(seed, 12 - 2 * (seed % 3))
    pairs = zip(auto.eval(*given, atomic=True), cpu.eval(*given, atomic=True), strict=True)
    return all(np.allclose(a, b, rtol=1e-12, atol=1e-12 * np.abs(b).max()) for a, b in pairs)

with ThreadPoolExecutor(3) as pool:
    assert all(pool.map(same, range(6)))
atoms = ase.Atoms("HHe", [[0, 0, 0], [1.5, 0, 0]], calculator=ase.DP("model.pb", gpu="yes",
    type_dict={"H": 0, "He": 1}))
energy = cpu.eval(atoms.positions.reshape(1, -1), None, [0, 1])[0].item()
assert abs(atoms.get_potential_energy() - energy) < 1e-12
try:
    auto.eval(np.zeros((1, 6)), None, [0, 1])
except ValueError as error:
    assert "atoms 0 and 1 of frame 0" in str(error), error
else:
    raise AssertionError("atoms are on top of each other")
child = os.fork()
if child == 0:
    try:
        auto.eval(*frames(1))
    except ValueError as error:
        os._exit(0 if "got a fork of it" in str(error) else 2)
    os._exit(3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert same(1)
from deeptf.commands import findings
assert findings.engine().text.endswith("; 1 GPUs, kernels for emulated"), findings.engine().text
print("as on the CPU")
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_golden_model(tmp_path)


@pytest.mark.skipif((FOLDER / ENGINE_CUDA).exists(), reason="kernels for GPUs are built")
def test_without_kernels_for_gpus(model: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert DeepPot(model).device == DeepPot(model, gpu="no").device == "CPU"
    with pytest.raises(ValueError, match="must be 'auto' or 'no' for .*, got 'yes': .*got no file"):
        DeepPot(model, gpu="yes")


def test_keywords_of_gpus(model: Path) -> None:
    with pytest.raises(ValueError, match="`gpu` must be one of auto, no, yes, got 'maybe'"):
        DeepPot(model, gpu="maybe")
    with pytest.raises(ValueError, match="got 'yes': `backend` is 'tensorflow'"):
        DeepPot(model, gpu="yes", backend="tensorflow")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (None, "kernels for GPUs must be there, got no file `{library}`: "),
        ("nothing", "kernels for GPUs `{library}` must be of deeptf {version}, got another file: "),
        (
            "deeptf-engine-cuda|9.9|sm_80|",
            "kernels for GPUs `{library}` must be of deeptf {version}, got 9.9: ",
        ),
        (
            "deeptf-engine-cuda|{version}|sm_80|",
            "kernels for GPUs `{library}` must match this system, got `{library}: ",
        ),
    ],
)
def test_libraries_that_cannot_be_used(tmp_path: Path, line: str | None, message: str) -> None:
    shutil.copy(ENGINE, tmp_path)
    for core in FOLDER.glob(CORES):
        shutil.copy(core, tmp_path)
    names = {"library": tmp_path / ENGINE_CUDA, "version": deeptf.__version__}
    if line is not None:
        write_line(names["library"], line.format(**names))
    engine = open_engine(tmp_path / ENGINE.name)
    engine.deeptf_gpu_error.restype = engine.deeptf_version.restype
    assert engine.deeptf_num_gpus() == 0
    assert engine.deeptf_gpu_error().decode().startswith(message.format(**names))


def test_models_on_an_emulated_gpu(model: Path, emulated_engine: Path) -> None:
    shutil.copytree(FOLDER, model.parent / "site" / "deeptf", ignore=PARTS)
    shutil.copy(emulated_engine, model.parent / "site" / "deeptf" / ENGINE_CUDA)
    run = subprocess.run(
        [sys.executable, "-c", ON_A_GPU],
        cwd=model.parent,
        env={**os.environ, "PYTHONPATH": str(model.parent / "site")},
        capture_output=True,
        text=True,
    )
    assert run.stdout == "as on the CPU\n", run.stderr
