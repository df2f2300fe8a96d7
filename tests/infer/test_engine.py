"""DeepPot on the engine: without TensorFlow, on any number of threads, by the header's structs."""

import ctypes
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from small_run import write_system
from toy import random_frames

import deeptf
from deeptf.infer import DeepPot, engine

HEADER = Path(deeptf.__file__).parents[1] / "op" / "engine" / "deeptf.h"
STRUCTS = {
    "deeptf_load_options": engine.LoadOptions,
    "deeptf_options": engine.Options,
    "deeptf_frames": engine.FramesStruct,
    "deeptf_pairs": engine.PairsStruct,
    "deeptf_results": engine.Results,
}
WITHOUT_TENSORFLOW = """
import sys, time
sys.modules["tensorflow"] = None  # so that an import fails
import numpy as np
from deeptf.__main__ import main
from deeptf.infer import DeepPot, Ensemble, ase

before = time.process_time()
pot = DeepPot("model.pb")
assert time.process_time() - before < 0.2, "s of the processor"
frame = np.eye(3).ravel(), None, [0, 1, 1]
energy = pot.eval(*frame, atomic=True)[0]
assert Ensemble([pot, "model.pb"]).deviation(*frame).energy == 0
atoms = ase.Atoms("HHeHe", np.eye(3), calculator=ase.DP(pot, type_dict={"H": 0, "He": 1}))
assert atoms.get_potential_energy() == energy
assert main(["test", "-m", "model.pb", "-s", "system"]) == 0
assert main(["model-devi", "-m", "model.pb", "model.pb", "-s", "system"]) == 0
try:
    pot.eval_descriptor(*frame)
except ImportError:
    pass
else:
    raise AssertionError("descriptors come from TensorFlow")
"""


def members(struct):
    """Return names and types of a struct in the header, pointers to numbers as addresses."""
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.DOTALL)
    body = re.search(rf"typedef struct {struct} {{(.*?)}} {struct};", text, re.DOTALL)[1]
    types = {"size_t": ctypes.c_size_t, "int32_t": ctypes.c_int32, "const char*": ctypes.c_char_p}
    types["deeptf_add_parts"] = ctypes.c_void_p
    found = [line.strip().rpartition(" ") for line in body.replace("\n", " ").split(";")[:-1]]
    return [
        (name, types.get(kind.strip(), ctypes.c_void_p if "*" in kind else None))
        for kind, _, name in found
    ]


@pytest.mark.skipif(not HEADER.exists(), reason="needs the source folder")
@pytest.mark.parametrize("struct", STRUCTS)
def test_structs_are_those_of_the_header(struct):
    assert STRUCTS[struct]._fields_ == members(struct)
    assert STRUCTS[struct]().size == ctypes.sizeof(STRUCTS[struct])


def test_nothing_but_descriptors_needs_tensorflow(network_file, tmp_path):
    shutil.copy(network_file, tmp_path / "model.pb")
    write_system(tmp_path / "system")
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_results_are_those_of_the_graph(network_parameter_file):
    coords, cells, types = random_frames(4, 9, seed=3)
    types[2, 4] = -1
    rng = np.random.default_rng(0)
    given = {"fparam": rng.normal(size=(4, 2)), "aparam": rng.normal(size=(4, 9)), "atomic": True}
    results = []
    for backend in ("engine", "tensorflow"):
        with DeepPot(network_parameter_file, backend=backend) as pot:
            assert pot.backend == backend
            results.append(pot.eval(coords, cells, types, **given))
    for found, wanted in zip(*results, strict=True):
        assert np.abs(wanted).max() > 1e-3
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-10)


def test_threads_change_no_bit(network_file):
    frames = random_frames(3, 200, seed=1, cell=9.0)
    results = []
    for threads in (1, 2, 3):
        with DeepPot(network_file, threads=threads, backend="engine") as pot:
            results.append(pot.eval(*frames, atomic=True))
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_threads_share_a_model(network_file):
    frames = [random_frames(2, 50, seed=seed, cell=6.0) for seed in range(8)]
    with DeepPot(network_file, threads=1, backend="engine") as pot:
        wanted = [pot.eval(*one) for one in frames]
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda one: pot.eval(*one), frames))
    for a, b in zip(found, wanted, strict=True):
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("most", [1, 9, 20])
def test_groups_of_frames_change_nothing(network_file, most):
    frames = random_frames(5, 9, seed=3)
    with DeepPot(network_file, backend="engine") as pot:
        wanted = pot.eval(*frames, atomic=True)
    with DeepPot(network_file, backend="engine", auto_batch_size=most) as pot:
        found = pot.eval(*frames, atomic=True)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


def test_models_that_the_engine_does_not_run(toy_file, network_file, tmp_path):
    message = f"`backend` must be 'tensorflow' for {toy_file}, got 'engine': the file has no plan"
    with pytest.raises(ValueError, match=message):
        DeepPot(toy_file, backend="engine")
    with pytest.raises(ValueError, match="`backend` must be 'engine', 'tensorflow' or None, got"):
        DeepPot(toy_file, backend="cuda")
    with DeepPot(toy_file) as pot:
        assert pot.backend == "tensorflow"
    path = tmp_path / "new.pb"
    path.write_bytes(network_file.read_bytes().replace(b'"moment_product"', b'"movement_power"'))
    with pytest.raises(ValueError, match="for .*new.pb, got 'engine': .*plan .* this engine has"):
        DeepPot(path, backend="engine")
    with DeepPot(path) as pot:
        assert pot.backend == "tensorflow"


@pytest.fixture
def fresh():
    """Forget the library before and after a test."""
    engine.library.cache_clear()
    yield
    engine.library.cache_clear()


def test_a_package_without_the_engine(network_file, tmp_path, monkeypatch, fresh):
    monkeypatch.setattr(engine, "FOLDER", tmp_path)
    with pytest.raises(ImportError, match="libdeeptf_engine.so` must be built first, got no such"):
        DeepPot(network_file)
    (tmp_path / engine.LIBRARY).write_text("no library")
    with pytest.raises(ImportError, match="libdeeptf_engine.so` must fit this system, got `"):
        DeepPot(network_file)
    with DeepPot(network_file, backend="tensorflow") as pot:
        assert pot.eval(*random_frames(1, 4))[0].shape == (1, 1)
