"""Loading the op library: one clear sentence when it is missing, stale or for another CPU."""

import os
import re
import subprocess
import sys

import pytest

import deeptf
from deeptf import ops
from deeptf.tf import session, tf

BUILT = re.escape(ops.BUILD)


def library_file(path, version=deeptf.__version__, tensorflow="2.18.1", features="avx2 fma"):
    line = f"deeptf-build|{version}|{tensorflow}|native|{features}|"
    path.write_bytes(b"\x7fELF\0" + line.encode() + b"\0")
    return path


def test_a_fitting_library_passes(tmp_path):
    path = library_file(tmp_path / "library.so")
    ops.check_library(path, "2.18.0", {"avx2", "fma", "sse2"})
    ops.check_library(path, "2.18.1", set())  # a system that does not tell its CPU's features


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"version": "0.0.9"}, f"must be of deeptf {deeptf.__version__}, got 0.0.9: {BUILT}"),
        ({"tensorflow": "2.17.0"}, f"built for TensorFlow 2.18.1, got one for 2.17.0: {BUILT}"),
        ({"features": "avx2 avx512f"}, r"must be built for this CPU, got one with avx512f"),
    ],
)
def test_a_stale_library_is_refused(tmp_path, given, message):
    path = library_file(tmp_path / "library.so", **given)
    with pytest.raises(ImportError, match=message):
        ops.check_library(path, "2.18.1", {"avx2", "fma"})


def test_a_missing_library_is_named(tmp_path):
    with pytest.raises(ImportError, match=f"no such file: {BUILT}"):
        ops.check_library(tmp_path / "none.so", "2.18.1", set())


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "library.so"
    path.write_bytes(b"something else")
    with pytest.raises(ImportError, match="must be the deeptf op library, got another file"):
        ops.check_library(path, "2.18.1", set())


def test_a_library_that_does_not_load_is_refused(tmp_path, monkeypatch):
    path = library_file(tmp_path / "library.so", tensorflow=tf.__version__, features="")
    monkeypatch.setattr(ops, "LIBRARY", path)
    with pytest.raises(ImportError, match=f"must match TensorFlow {tf.__version__}, got `"):
        ops.library.__wrapped__()


def test_a_library_without_an_op_is_refused(monkeypatch):
    monkeypatch.setattr(ops, "OPS", (*ops.OPS, "op_of_tomorrow"))
    with pytest.raises(
        ImportError, match=f"must have the op op_of_tomorrow, got an older.*{BUILT}"
    ):
        ops.library.__wrapped__()


def test_this_build_says_what_it_is():
    version, tensorflow, march, features = ops.read_build_line(ops.LIBRARY)
    assert version == deeptf.__version__
    assert tensorflow.split(".")[:2] == tf.__version__.split(".")[:2]
    assert march and set(features) <= ops.this_cpu()


def test_each_session_has_its_own_number_of_threads():
    def threads_of(number):
        with tf.Graph().as_default():
            product = tf.matmul(tf.ones([400, 400]), tf.ones([400, 400]))
            with session(threads=number) as run:
                run.run(product)
                return len(os.listdir("/proc/self/task"))

    one, four = threads_of(1), threads_of(4)
    assert four >= one + 3


def test_the_first_run_prints_nothing():
    code = "from deeptf.tf import tf, session; session().run(tf.constant(1))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "" and run.stderr == ""


def test_what_a_failing_import_prints_is_shown(tmp_path):
    (tmp_path / "tensorflow.py").write_text(
        "import os\nos.write(2, b'a useful hint')\nraise ImportError('broken')"
    )
    run = subprocess.run(
        [sys.executable, "-c", "import deeptf.tf"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert run.returncode and "a useful hint" in run.stderr and "broken" in run.stderr
