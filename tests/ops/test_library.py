"""Loading the op library: the core for this CPU, and one clear sentence when something is missing,
stale or for another CPU.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from library_files import bindings_file, core_file, cuda_file

import deeptf
from deeptf.ops import library as op_library
from deeptf.ops.library import check_bindings, choose_core, read_core, this_cpu
from deeptf.tf import session, tf

BUILT = re.escape(op_library.BUILD)
LEVELS = {
    "x86-64-v2": "sse4_2",
    "x86-64-v3": "sse4_2 avx2 fma",
    "x86-64-v4": "sse4_2 avx2 fma avx512f",
}
CORES = sorted(op_library.FOLDER.glob(op_library.CORES))
NUMERIC = (
    "test_curve_sum.py::test_sum_equals_the_twin",
    "test_fitting_net.py::test_every_activation_equals_plain_tensorflow[tanh-float32]",
    "test_fitting_net.py::test_every_activation_equals_plain_tensorflow[tanh-float64]",
    "test_curve_range.py::test_wrong_shapes",
)


@pytest.fixture
def all_levels(tmp_path):
    for level, features in LEVELS.items():
        core_file(tmp_path, level, features)
    return tmp_path


@pytest.mark.parametrize(
    ("cpu", "level"),
    [
        ("sse2 sse4_2", "x86-64-v2"),
        ("sse2 sse4_2 avx2", "x86-64-v2"),
        ("sse2 sse4_2 avx2 fma", "x86-64-v3"),
        ("sse2 sse4_2 avx2 fma avx512f amx", "x86-64-v4"),
        ("", "x86-64-v2"),  # a system that does not tell its CPU's features
    ],
)
def test_the_highest_level_of_the_cpu_is_taken(all_levels, cpu, level):
    assert choose_core(all_levels, set(cpu.split())).level == level


def test_native_is_taken_where_it_fits(all_levels):
    core_file(all_levels, "native", LEVELS["x86-64-v4"] + " gfni")
    cpu = set(LEVELS["x86-64-v4"].split())
    assert choose_core(all_levels, cpu).level == "x86-64-v4"
    assert choose_core(all_levels, cpu | {"gfni"}).level == "native"


def test_levels_that_the_cpu_lacks_are_refused(all_levels):
    (all_levels / "libdeeptf_core.x86-64-v2.so").unlink()
    message = (
        r"must be built for this CPU, got x86-64-v3, x86-64-v4, and this CPU lacks avx2 fma of "
        rf"x86-64-v3: {BUILT} for every CPU"
    )
    with pytest.raises(ImportError, match=message):
        choose_core(all_levels, {"sse2", "sse4_2"})


def test_a_core_of_another_version_is_refused(tmp_path):
    core_file(tmp_path, "x86-64-v3", "avx2", version="0.0.9")
    message = f"must be of deeptf {deeptf.__version__}, got 0.0.9: {BUILT}"
    with pytest.raises(ImportError, match=message):
        choose_core(tmp_path, {"avx2"})


def test_a_folder_without_cores_is_named(tmp_path):
    with pytest.raises(
        ImportError, match=rf"{tmp_path}/\S+` must be built first, got none: {BUILT}"
    ):
        choose_core(tmp_path, set())


def test_fitting_bindings_pass(tmp_path):
    check_bindings(bindings_file(tmp_path / "library.so"), "2.18.0")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"version": "0.0.9"}, f"must be of deeptf {deeptf.__version__}, got 0.0.9: {BUILT}"),
        (
            {"tensorflow": "2.17.0"},
            r"built for TensorFlow 2.18.1, got one for 2.17.0: `DEEPTF_TENSORFLOW=2.18.1 pip "
            r"install \.` in the source folder of deeptf builds it; or install TensorFlow 2.17$",
        ),
    ],
)
def test_stale_bindings_are_refused(tmp_path, given, message):
    path = bindings_file(tmp_path / "library.so", **given)
    with pytest.raises(ImportError, match=message):
        check_bindings(path, "2.18.1")


def test_missing_bindings_are_named(tmp_path):
    with pytest.raises(ImportError, match=f"no such file: {BUILT}"):
        check_bindings(tmp_path / "none.so", "2.18.1")


@pytest.mark.parametrize("read", [read_core, lambda path: check_bindings(path, "2.18.1")])
def test_another_file_is_refused(tmp_path, read):
    path = tmp_path / "library.so"
    path.write_bytes(b"something else")
    with pytest.raises(ImportError, match=r"must be the \w+ of deeptf's ops, got another file"):
        read(path)


@pytest.mark.parametrize("broken", ["core", "bindings"])
def test_a_library_that_does_not_load_is_refused(tmp_path, monkeypatch, broken):
    bindings_file(tmp_path / op_library.BINDINGS, tensorflow=tf.__version__)
    if broken == "core":
        core_file(tmp_path, "x86-64-v2", "")
    else:
        core = choose_core(op_library.FOLDER, this_cpu()).path
        (tmp_path / core.name).symlink_to(core)
    monkeypatch.setattr(op_library, "FOLDER", tmp_path)
    with pytest.raises(ImportError, match=f"must match TensorFlow {tf.__version__} .*, got `"):
        op_library.library.__wrapped__()


def test_an_op_that_the_library_lacks_is_refused():
    ops = op_library.library()
    assert ops.has("environment") and not ops.has("op_of_tomorrow")
    with pytest.raises(
        ImportError, match=f"must have the op op_of_tomorrow, got an older.*{BUILT}"
    ):
        ops.op_of_tomorrow(1)
    with pytest.raises(AttributeError):
        _ = ops.__wrapped__


def test_this_build_says_what_it_is():
    check_bindings(op_library.FOLDER / op_library.BINDINGS, tf.__version__)
    core = choose_core(op_library.FOLDER, this_cpu())
    assert (
        core.version == deeptf.__version__ and core.path.name == f"libdeeptf_core.{core.level}.so"
    )
    assert core.features <= this_cpu()
    cards = op_library.architectures(op_library.FOLDER / op_library.CUDA, tf.__version__)
    gpu = f"for GPUs of {cards}" if cards else "none for GPUs"
    assert op_library.description() == f"deeptf {core.version}, kernels for {core.level}, {gpu}"


def test_gpu_kernels_of_another_build_are_refused(tmp_path):
    path = tmp_path / op_library.CUDA
    assert op_library.architectures(path) is None
    assert op_library.architectures(cuda_file(path), "2.18.0") == "sm_80 sm_90"
    with pytest.raises(
        ImportError, match="must be built for TensorFlow 2.19.1, got one for 2.18.1"
    ):
        op_library.architectures(path, "2.19.1")
    with pytest.raises(ImportError, match=f"must be of deeptf {deeptf.__version__}, got 0.1"):
        op_library.architectures(cuda_file(path, version="0.1"))


def test_a_gpu_without_kernels_gives_one_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(op_library, "CUDA", "absent.so")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _: ["GPU:0"])
    load = op_library.library.__wrapped__
    with pytest.warns(UserWarning, match="sees a GPU, and there is no library .*absent.so"):
        load()


@pytest.mark.slow
@pytest.mark.parametrize("path", CORES, ids=[path.name for path in CORES])
def test_each_level_of_this_cpu_computes_right(path):
    """Tests of ops against plain TensorFlow and NumPy in a process that has this core."""
    core = read_core(path)
    if not core.features <= this_cpu():
        pytest.skip("this CPU has it not")
    code = f"""if True:
        import pytest
        from deeptf.ops import library as op_library
        op_library.this_cpu = lambda: {set(core.features) or {"none"}}
        failed = pytest.main(["-q", "-p", "no:cacheprovider", *{NUMERIC}])
        loaded = {{line.split()[-1] for line in open("/proc/self/maps") if "deeptf_core" in line}}
        assert not failed and loaded == {{{str(path.resolve())!r}}}, loaded
    """
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_each_session_has_its_own_number_of_threads():
    def threads_of(number):
        with tf.Graph().as_default():
            product = tf.matmul(tf.ones([400, 400]), tf.ones([400, 400]))
            with session(threads=number) as run:
                run.run(product)
                return len(os.listdir("/proc/self/task"))

    one, four = threads_of(1), threads_of(4)
    assert four >= one + 3


def test_ops_keep_to_the_threads_of_a_session_in_a_process_with_devices():
    """Where TensorFlow has made its threads before, as many as it liked."""
    code = """if True:
        import os, tensorflow
        tensorflow.config.threading.set_intra_op_parallelism_threads(1)
        assert tensorflow.ones([2]).numpy()[1] == 1
        import numpy as np
        from deeptf.ops.moments import neighbor_sum
        from deeptf.tf import session, tf
        def threads_of(number):
            with tf.Graph().as_default():
                count, weight, value = map(tf.placeholder, (tf.int32, tf.float64, tf.float64))
                total = neighbor_sum(count, weight, value)
                feed = {count: np.full(2000, 50), weight: np.ones([100000, 4])}
                with session(threads=number) as run:
                    assert run.run(total, feed | {value: np.ones([100000, 8])})[0, 0, 0] == 50
                    return len(os.listdir("/proc/self/task"))
        one, four = threads_of(1), threads_of(4)
        assert four == one + 3, (one, four)
    """
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
