"""DeepPot and `deeptf doctor` on GPUs: messages without one, and models on an emulated one.

The latter with `pytest --emulated-engine LIBRARY`, which tests/engine/emulated.sh builds.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from engine_files import ENGINE, FOLDER, ROOT, open_engine, write_golden_model
from library_files import write_line

import deeptf
from deeptf.exchange.convert import convert
from deeptf.infer import DeepPot
from deeptf.ops.library import CORES, ENGINE_CUDA

GOLDEN_KINDS = ROOT / "tests" / "golden" / "kinds"
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

KINDS = {  # golden models and where they run
    "dplr_ener": "GPU 0, emulated",
    "hybrid_a_r": "GPU 0, emulated",
    "loc_frame": "GPU 0, emulated",
    "se_a_ebd_v2": "GPU 0, emulated",
    "se_a_mask": "GPU 0, emulated",
    "se_atten_l1_mask": "GPU 0, emulated",
    "se_atten_v2_l0_compressed": "GPU 0, emulated",
    "se_e2_a_tebd": "GPU 0, emulated",
    "se_e3": "GPU 0, emulated",
    "spin": "GPU 0, emulated",
}
KINDS_ON_A_GPU = """
import sys
sys.modules["tensorflow"] = None
import numpy as np
from deeptf.infer import DeepPot

for name in sys.argv[1:]:
    auto, cpu = DeepPot(f"{name}.pb"), DeepPot(f"{name}.pb", gpu="no")
    golden = np.load(f"{name}.npz")
    more = {"atomic": True} | {"aparam": golden["aparam"] for key in golden if key == "aparam"}
    for cell in (golden["cell"].reshape(1, 9), None):
        if cell is not None and "energy" not in golden or cell is None and name == "dplr_ener":
            continue
        given = golden["coord"].reshape(1, -1), cell, golden["types"]
        for a, b in zip(auto.eval(*given, **more), cpu.eval(*given, **more), strict=True):
            assert np.allclose(a, b, rtol=1e-11, atol=1e-11 * np.abs(b).max()), name
    print(name, auto.device, sep=": ")
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


def run_on_gpu(code: str, folder: Path, engine: Path, *arguments: str) -> str:
    """Run code in a folder with a package that has the engine's kernels for GPUs."""
    shutil.copytree(FOLDER, folder / "site" / "deeptf", ignore=PARTS)
    shutil.copy(engine, folder / "site" / "deeptf" / ENGINE_CUDA)
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "site")},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_models_on_an_emulated_gpu(model: Path, emulated_engine: Path) -> None:
    assert run_on_gpu(ON_A_GPU, model.parent, emulated_engine) == "as on the CPU\n"


def test_a_sum_of_blends_on_an_emulated_gpu(tmp_path: Path, emulated_engine: Path) -> None:
    """Each part has the soft minimum and the table of its own pairs."""
    golden = gzip.decompress((GOLDEN_KINDS.parent / "sum_of_blends.pb.gz").read_bytes())
    (tmp_path / "old.pb").write_bytes(golden)
    convert(tmp_path / "old.pb", tmp_path / "model.pb")
    assert run_on_gpu(ON_A_GPU, tmp_path, emulated_engine) == "as on the CPU\n"


def test_kinds_of_models_on_an_emulated_gpu(tmp_path: Path, emulated_engine: Path) -> None:
    for name in KINDS:
        golden = GOLDEN_KINDS / f"{name}.pb.gz"
        (tmp_path / "old.pb").write_bytes(gzip.decompress(golden.read_bytes()))
        convert(tmp_path / "old.pb", tmp_path / f"{name}.pb")
        shutil.copy(GOLDEN_KINDS / f"{name}.npz", tmp_path)
    found = run_on_gpu(KINDS_ON_A_GPU, tmp_path, emulated_engine, *KINDS)
    assert found.splitlines() == [f"{name}: {device}" for name, device in KINDS.items()]
