"""Models whose plan the engine does not know, through TensorFlow's C library."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from c_interface import OUTPUTS, Model
from infer.message import Message
from library_files import bindings_file
from random_model import random_arrays
from run_models import system

from deeptf.config import load
from deeptf.data.batch import Batch
from deeptf.exchange import frozen
from deeptf.infer import DeepPot
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.term import TERMS
from deeptf.model.term.standard import Standard
from deeptf.tf import tf

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden" / "frozen" / "format_2.pb.gz"


def changed(content, **changes):
    """Return a model with other values of keys in its description."""
    graph = tf.GraphDef.FromString(content)
    (node,) = [node for node in graph.node if node.name == "deeptf_model"]
    tensor = node.attr["value"].tensor
    tensor.string_val[0] = json.dumps({**json.loads(tensor.string_val[0]), **changes}).encode()
    return graph.SerializeToString()


def unknown_kernel(content):
    (node,) = [n for n in tf.GraphDef.FromString(content).node if n.name == "deeptf_model"]
    plan = json.loads(node.attr["value"].tensor.string_val[0])["plan"]
    plan[0]["stages"][0]["kernel"] = "of tomorrow"
    return changed(content, plan=plan)


def write_parameters(path):
    descriptor = SeE2A((20, 20), 4.0, 1.0, neuron=(4, 8), axis_neuron=3)
    fitting = EnerFitting(neuron=(6, 6), numb_fparam=2, numb_aparam=1)
    config = ModelConfig(Standard(descriptor, fitting), ("A", "B"))
    frozen.write(config, random_arrays(config, seed=1), path)


def write_message(path):
    TERMS[Message.type] = Message
    try:
        config = load(ModelConfig, {"type": "message", "rcut": 2.5, "type_map": ["A", "B"]})
        frozen.write(config, {}, path)
    finally:
        del TERMS[Message.type]


@pytest.fixture(scope="module")
def tensorflow():
    """Return the path of TensorFlow's library with the functions of C."""
    path = Path(tf.sysconfig.get_lib()) / "libtensorflow_cc.so.2"
    if not path.exists():
        pytest.skip("this TensorFlow has no library for C")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tensorflow):
    """Return a folder with models."""
    folder = tmp_path_factory.mktemp("models")
    golden = gzip.decompress(GOLDEN.read_bytes())
    (folder / "golden.native.pb").write_bytes(golden)
    (folder / "golden.pb").write_bytes(changed(golden, plan=None))
    (folder / "golden_hops.pb").write_bytes(changed(golden, plan=None, hops=2))
    heavy = changed(golden, plan=None, pair_bytes=1 << 23)  # room for 32 pairs at a time
    (folder / "golden_heavy.pb").write_bytes(heavy)
    (folder / "golden_whole.pb").write_bytes(changed(golden, plan=None, doors=["coordinates"]))
    write_parameters(folder / "parameters.native.pb")
    content = (folder / "parameters.native.pb").read_bytes()
    (folder / "parameters.pb").write_bytes(unknown_kernel(content))
    write_message(folder / "message.pb")
    return folder


@pytest.fixture(scope="module")
def printed(folder, tensorflow):
    """Return what a process says that evaluates the models."""
    (folder / "another.so").write_bytes(b"nothing")
    bindings_file(folder / "old.so", version="0.0.1")
    bindings_file(folder / "release.so", tensorflow="2.1.0")
    command = [sys.executable, "-X", "faulthandler", HERE / "run_models.py", folder, tensorflow]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(line.partition(":")[::2] for line in done.stdout.splitlines())


@pytest.fixture(scope="module")
def found(folder, printed):
    """Return results by MODEL/DOOR/RESULT."""
    return np.load(folder / "found.npz")


def check(found, wanted):
    np.testing.assert_allclose(found, wanted.reshape(found.shape), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("cut", ["", ".cut"])
@pytest.mark.parametrize(
    "name", ["golden", "golden_hops", "golden_heavy", "golden_whole", "parameters"]
)
def test_agrees_with_the_engine(found, name, cut):
    """Also in blocks of a few atoms, with further centres, and from coordinates alone."""
    doors = ["frames"] if "whole" in name else ["frames", "list", "pairs", "owned"]
    for door in doors:
        for result in (*OUTPUTS, "outside_count", "outside_distance"):
            native = found[f"{name.split('_')[0]}.native/{door}/{result}"]
            check(found[f"{name}{cut}/{door}/{result}"], native)


def test_there_is_something_to_compare(found):
    assert np.abs(found["golden.native/frames/force"]).max() > 0.01  # eV/A
    assert found["golden.native/frames/outside_count"].sum() > 0
    assert np.isfinite(found["golden.native/frames/outside_distance"]).any()
    assert found["golden.native/owned/energy"] != found["golden.native/list/energy"]


@pytest.mark.parametrize("cut", ["", ".cut"])
def test_model_of_two_hops(folder, found, cut):
    """Lists have further centres; blocks of a few atoms find theirs."""
    frames = system()
    batch = Batch(frames["coord"], frames["cell"], frames["type"], np.array(frames["frame_row"]))
    with DeepPot(folder / "message.pb", threads=1) as pot:
        wanted = pot.evaluate(batch, tuple(OUTPUTS))
        first = pot.evaluate(batch.part(0, 1), tuple(OUTPUTS))
    for name in OUTPUTS:
        check(found[f"message{cut}/frames/{name}"], wanted[name])
        for door in ("list", "pairs"):
            check(found[f"message{cut}/{door}/{name}"], first[name])


def test_nothing_is_opened_for_native_models(printed):
    assert "native without TensorFlow" in printed


def test_messages(printed, folder, tensorflow):
    model = f" {folder / 'golden.pb'}: "
    assert printed["missing"].startswith(
        model + "the plan of the model must be one of kernels that this engine has, or "
        f"TensorFlow's C library be there to run its graph, got neither ({folder}/libtensorflow"
    )
    assert "give its path as `tensorflow` in deeptf_load_options" in printed["missing"]
    assert printed["foreign"] == (
        f"{model}`tensorflow` must be the C library of TensorFlow 2, got libm.so.6 without "
        "TF_Version"
    )
    assert printed["no ops"].startswith(
        f"{model}the op library `{folder}/libdeeptf.so` must be there to run a model in TensorFlow"
    )
    assert printed["another"].startswith(f"{model}`{folder}/another.so` must be the ops of deeptf")
    assert "old.so` must be of deeptf 0.1.0, got 0.0.1: " in printed["old"]
    assert "release.so` must be built for TensorFlow 2." in printed["release"]
    assert "got one for 2.1.0: give a TensorFlow 2.1 as `tensorflow`" in printed["release"]
    assert printed["second"] == (
        f"{model}the plan of the model must be one of kernels that this engine has, or "
        "`tensorflow` must be what this process has opened for an earlier model, with "
        f"TensorFlow from {tensorflow}, got {folder}/libtensorflow.so.2"
    )


def test_takes_the_tensorflow_of_this_process(folder, found):
    """Python has opened it, and the ops."""
    for name in ("golden", "golden_whole"):
        model = Model(folder / f"{name}.pb")
        results = model.evaluate(**system(), threads=2)
        check(results["force"], found["golden.native/frames/force"])


def test_large_frame(folder):
    """Blocks grow; the number of threads does not change a bit."""
    rng = np.random.default_rng(2)
    grid = np.stack(np.meshgrid(*[np.arange(9)] * 3, indexing="ij"), -1).reshape(-1, 3)
    frame = {
        "coord": 2.5 * grid + rng.uniform(-0.3, 0.3, (729, 3)),
        "cell": np.eye(3)[None] * 22.5,
        "type": rng.integers(0, 2, 729, np.int32),
        "frame_row": [0, 729],
    }
    native = Model(folder / "golden.native.pb").evaluate(**frame)
    model = Model(folder / "golden.pb")
    found, other = (model.evaluate(**frame, threads=threads) for threads in (1, 3))
    for name, value in found.items():
        check(value, native[name])
        np.testing.assert_array_equal(value, other[name])


def test_wrong_input(folder):
    """The message of an op, and that of the engine where there is no door."""
    whole = Model(folder / "golden_whole.pb")
    frames = system()
    frames["coord"][12] = frames["coord"][13]
    message = r"atoms 2 and 3 of frame 1 on top of each other"
    for name, most_atoms in (("golden", 0), ("golden_whole", 4)):
        with pytest.raises(ValueError, match=message):
            Model(folder / f"{name}.pb").evaluate(**frames, most_atoms=most_atoms)
    one = {"type": np.zeros(1, np.int32), "row": np.zeros(2, np.int32), "num_owned": 1}
    with pytest.raises(ValueError, match="must be given coordinates and cell, got neighbours"):
        whole.evaluate_pairs(**one)


def test_domain_without_its_further_centres(folder):
    pairs = {
        "type": np.zeros(2, np.int32),
        "row": np.array([0, 1], np.int32),
        "neighbor": np.array([1], np.int32),
        "displacement": np.array([[0, 0, 2.0]]),
        "num_owned": 1,
    }
    model = Model(folder / "message.pb")
    message = "up to 1 steps along pairs .* got none of atom 1, 1 away: give the ghosts"
    with pytest.raises(ValueError, match=message):
        model.evaluate_pairs(**pairs)
    pairs["displacement"][0, 2] = 2.6  # beyond the cut-off: no step
    assert not model.evaluate_pairs(**pairs)["energy"].any()


def test_model_without_a_wanted_result(folder, tmp_path):
    graph = tf.GraphDef.FromString((folder / "golden.pb").read_bytes())
    (node,) = [node for node in graph.node if node.name == "atom_virial"]
    graph.node.remove(node)
    path = tmp_path / "model.pb"
    outputs = ["energy", "force"]
    path.write_bytes(changed(graph.SerializeToString(), outputs=outputs))
    model = Model(path)
    assert np.isfinite(model.evaluate(**system(), outputs=outputs)["force"]).all()
    with pytest.raises(ValueError, match="`atom_virial` must be a result of the model .* NULL"):
        model.evaluate(**system())


def test_damaged_graph(folder, tmp_path):
    graph = tf.GraphDef.FromString((folder / "golden.pb").read_bytes())
    del graph.node[3]
    path = tmp_path / "model.pb"
    path.write_bytes(graph.SerializeToString())
    with pytest.raises(ValueError, match="`model_file` must hold a whole graph, got `"):
        Model(path)
