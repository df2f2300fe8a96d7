"""deeptf in another program: TensorFlow 2, environment, logs and standard files stay as they were.

Each test is one process, since TensorFlow can be imported, and the standard files be closed, in one
order only.
"""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from small_run import write_run

from deeptf.exchange.model_file import read_model
from deeptf.exchange.runnable import graph_def_of
from deeptf.infer import DeepPot
from deeptf.train import checkpoint
from deeptf.train.freeze import freeze

USER = """
import json, logging, os, subprocess, sys
import numpy as np

def environment():  # of this process and of those that it starts
    lines = subprocess.run(["env", "-0"], stdout=subprocess.PIPE).stdout.split(b"\\0")
    return dict(os.environ), sorted(line for line in lines if not line.startswith(b"_="))

def own_work():
    "What a user of TensorFlow 2 does."
    import tensorflow as tf
    assert tf.executing_eagerly() and tf.constant([1.0, 2.0]).numpy().sum() == 3.0
    variable = tf.Variable([2.0, 3.0])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(variable**2)
    assert tape.gradient(loss, variable).numpy().tolist() == [4.0, 6.0]
    variable.assign_add([1.0, 1.0])
    @tf.function
    def steps(x):
        for _ in tf.range(3):
            if tf.reduce_sum(x) > 0:
                x = x * 2.0
        return x
    assert steps(variable).numpy().tolist() == [24.0, 32.0] and len(variable.shape) == 1
    assert isinstance(variable.shape[0], int) and bool(tf.constant(1) == tf.constant(1))
    data = tf.data.Dataset.from_tensor_slices(np.ones((4, 2), "float32")).batch(2)
    assert sum(float(tf.reduce_sum(batch)) for batch in data) == 8.0
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    model.fit(np.ones((4, 2)), np.ones(4), verbose=0)
    level = tf.get_logger().level, os.environ.get("TF_CPP_MIN_LOG_LEVEL")
    return level

def use_model():
    from deeptf.infer import DeepPot
    results = []
    for backend in ("engine", "tensorflow"):
        with DeepPot("model.pb", threads=1, backend=backend) as pot:
            results.append(pot.eval([0, 0, 0, 1.2, 0, 0, 0, 1.3, 0], None, [0, 1, 1]))
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, atol=1e-10)
    return [a.tolist() for a in results[1]]

before = environment()
"""
TENSORFLOW_FIRST = """
level = own_work()
result = use_model()
assert own_work() == level
"""
DEEPTF_FIRST = """
import deeptf.infer.ase, deeptf.infer.deep_pot, deeptf.ops.curve, deeptf.train.run
import tensorflow as tf
assert tf.executing_eagerly()
result = use_model()
own_work()
from deeptf.train.freeze import freeze
from deeptf.train.run import train
assert train("input.json", threads=1) == 0
freeze(".", "frozen.pb")
own_work()
with tf.Graph().as_default():
    assert use_model() == result
"""
END = """
assert environment() == before, (before, environment())
with open("result.json", "w") as stream:
    json.dump(result, stream)
"""
CLOSED = "<&- >&- 2>&-"


def run(code, folder, files=""):
    """Run code between what a user does before and after; return what it printed."""
    (folder / "user.py").write_text(USER + code + END)
    found = subprocess.run(
        ["bash", "-c", f"exec {sys.executable} user.py {files}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a run of the command, whose standard files were closed, and its model."""
    path = tmp_path_factory.mktemp("guest")
    write_run(path, {"training/numb_steps": 3, "training/tensorboard": True})
    command = f"exec {sys.executable} -m deeptf train input.json --threads 1 {CLOSED}"
    subprocess.run(["bash", "-c", command], cwd=path, check=True, timeout=300)
    freeze(path, path / "model.pb")
    return path


def test_after_the_user_s_tensorflow(folder):
    run(TENSORFLOW_FIRST, folder)
    with DeepPot(folder / "model.pb", backend="tensorflow") as pot:
        want = pot.eval([0, 0, 0, 1.2, 0, 0, 0, 1.3, 0], None, [0, 1, 1])
    got = json.loads((folder / "result.json").read_text())
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_before_the_user_s_tensorflow_without_standard_files(folder, tmp_path):
    """Training in the user's process gives the weights that the command gives, bit for bit."""
    for name in ("input.json", "model.pb"):
        shutil.copy(folder / name, tmp_path)
    shutil.copytree(folder / "system", tmp_path / "system")
    run(DEEPTF_FIRST, tmp_path, CLOSED)
    of_command, own = (checkpoint.load(path).arrays for path in (folder, tmp_path))
    assert set(own) == set(of_command)
    assert all(np.array_equal(own[name], of_command[name]) for name in own)
    graph_def = graph_def_of(read_model(tmp_path / "frozen.pb"))
    assert graph_def == graph_def_of(read_model(folder / "model.pb"))
    assert not graph_def.library.function
    rows = [np.loadtxt(place / "lcurve.out") for place in (tmp_path, folder)]
    np.testing.assert_array_equal(*rows)
