"""`deeptf doctor`: a line for each thing, the fix for what is missing, and the exit status."""

import shutil
import sys
from importlib import metadata
from pathlib import Path

import pytest
from library_files import bindings_file, core_file, cuda_file

import deeptf
from deeptf.__main__ import main
from deeptf.commands import findings
from deeptf.commands.findings import LEVELS, level_of
from deeptf.lammps import build, found
from deeptf.ops import library as op_library

V2, V3, V4 = LEVELS.values()
SOURCE = "in the source folder of deeptf"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a folder for the compiled libraries of a package that is built for TensorFlow 2.17."""
    bindings_file(tmp_path / op_library.BINDINGS, tensorflow="2.17.1")
    core_file(tmp_path, "x86-64-v2", V2)
    core_file(tmp_path, "x86-64-v3", f"{V2} {V3}")
    monkeypatch.setattr(op_library, "FOLDER", tmp_path)
    return tmp_path


def module(folder, monkeypatch, name, text):
    """Put a module where this process and those that it starts find it first."""
    (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(folder))


def test_this_environment(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deeptf").mkdir()  # a source folder: the package that runs is examined, not this
    (tmp_path / "deeptf" / "__init__.py").touch()
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "training can run"
    found = dict(line.split(maxsplit=1) for line in lines[:-1])
    assert list(found) == [
        *("deeptf", "Python", "numpy", "h5py", "tqdm", "TensorFlow", "kernels", "engine"),
        *("LAMMPS", "CPU", "threads", "GPU", "Horovod", "dpdata", "ase", "matplotlib"),
    ]
    assert found["Python"].endswith(sys.executable)
    assert found["numpy"] == metadata.version("numpy")
    from deeptf.tf import tf

    assert found["TensorFlow"] == tf.__version__
    chosen = op_library.choose_core(op_library.FOLDER, op_library.this_cpu()).level
    assert found["kernels"].startswith(f"{chosen}, of those built: ")
    built_for = op_library.tensorflow_of(op_library.FOLDER / op_library.BINDINGS)
    assert f"; built for TensorFlow {built_for}" in found["kernels"]
    assert found["engine"].startswith(f"{deeptf.__version__}, kernels for {chosen}, ")
    for folder in ("include", "cmake", "pkgconfig"):
        assert str(op_library.FOLDER / folder) in found["engine"]
    assert found["CPU"].endswith(level_of(op_library.this_cpu()))
    assert found["threads"].startswith(
        f"{findings.usable_cores()}, the cores that this process may"
    )
    cards = op_library.architectures(op_library.FOLDER / op_library.CUDA)
    assert found["GPU"].endswith(f"; kernels for {cards}" if cards else "; CPU kernels only")


def test_without_tensorflow_the_status_is_1(capsys, tmp_path, monkeypatch):
    module(tmp_path, monkeypatch, "tensorflow", "raise ImportError('no libtensorflow')")
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "training cannot run: see TensorFlow"
    (line,) = (line for line in lines if line.startswith("TensorFlow "))
    built_for = op_library.tensorflow_of(op_library.FOLDER / op_library.BINDINGS)
    release = ".".join(built_for.split(".")[:2])
    assert line.endswith(
        "cannot be imported (ImportError: no libtensorflow): "
        f"pip install 'tensorflow-cpu=={release}.*'"
    )
    assert any(line.split() == ["GPU", "not", "known", "without", "TensorFlow"] for line in lines)


def test_a_library_that_ends_its_process(tmp_path, monkeypatch):
    module(
        tmp_path,
        monkeypatch,
        "tensorflow",
        "import os, signal\nos.kill(os.getpid(), signal.SIGILL)",
    )
    told, failure = findings.try_in_process(findings.LOAD_TENSORFLOW)
    assert told == {} and failure == "the process was ended by SIGILL"


def test_gpus_and_their_kernels(package):
    loaded = {"gpus": 0, "tensorflow": "2.17.1"}
    assert findings.gpu({}).text == "not known without TensorFlow"
    none = "none seen by TensorFlow; CPU kernels only"
    assert findings.gpu(loaded) == findings.Finding("GPU", none)
    assert findings.gpu({**loaded, "gpus": 2}).fix.endswith(", where nvcc is found")
    cuda_file(package / op_library.CUDA, tensorflow="2.17.1")
    assert findings.gpu(loaded).text == "none seen by TensorFlow; kernels for sm_80 sm_90"
    cuda_file(package / op_library.CUDA, version="0.0")
    assert "must be of deeptf" in findings.gpu(loaded).text


def test_what_was_found_before_a_failure_counts():
    told, failure = findings.try_in_process("tell(a=1)\ntell(b='x')\nraise ValueError('c')")
    assert told == {"a": 1, "b": "x"} and failure == "ValueError: c"


def test_a_tensorflow_that_is_not_installed(package, monkeypatch):
    monkeypatch.setattr(findings.importlib.util, "find_spec", lambda _: None)
    finding = findings.tensorflow({}, "No module")
    assert finding.stops and finding.text == "not installed"
    assert finding.fix == "pip install 'tensorflow-cpu==2.17.*'"
    (package / op_library.BINDINGS).unlink()
    assert findings.tensorflow({}, "No module").fix == f"pip install '.[cpu]' {SOURCE}"


def test_ops_for_another_tensorflow_are_the_kernels_line(package):
    with pytest.raises(ImportError) as refused:
        op_library.check_bindings(package / op_library.BINDINGS, "2.18.1")
    finding = findings.kernels(True, f"ImportError: {refused.value}")
    assert finding.stops and finding.text == str(refused.value)
    assert f"`DEEPTF_TENSORFLOW=2.18.1 pip install .` {SOURCE}" in finding.text


def test_ops_that_are_not_built(package):
    (package / op_library.BINDINGS).unlink()
    finding = findings.kernels(False, "no TensorFlow")
    assert finding.stops and "must be built first, got no such file" in finding.text


@pytest.mark.parametrize(
    ("cpu", "text", "fix"),
    [
        (f"{V2} {V3}", "x86-64-v3, of those built: x86-64-v2, x86-64-v3; built for", ""),
        (
            f"{V2} {V3} {V4}",
            "this CPU could run x86-64-v4",
            f"`pip install .` {SOURCE}, with DEEPTF_MARCH not set",
        ),
        (V2, "x86-64-v2, of those built: x86-64-v2, x86-64-v3; built for TensorFlow 2.17.1", ""),
    ],
)
def test_kernels_below_the_level_of_the_cpu(package, monkeypatch, cpu, text, fix):
    monkeypatch.setattr(op_library, "this_cpu", lambda: set(cpu.split()))
    finding = findings.kernels(True, "")
    assert text in finding.text and finding.fix == fix and not finding.stops
    assert ("could run" in finding.text) == bool(fix)


def test_an_engine_that_is_not_built(package):
    finding = findings.engine()
    assert finding.text.startswith("not built") and finding.fix == f"`pip install .` {SOURCE}"
    assert not finding.stops


def test_an_engine_that_cannot_open_a_core(package):
    (engine,) = Path(deeptf.__file__).parent.glob("libdeeptf_engine.*")
    shutil.copy(engine, package)
    for core in package.glob(op_library.CORES):
        core.unlink()
    text = findings.engine().text
    assert f"a core library `{package}/{op_library.CORES}` must be beside the engine, got" in text


def test_an_engine_that_does_not_load(package):
    (package / "libdeeptf_engine.so").write_bytes(b"nothing")
    finding = findings.engine()
    assert "OSError" in finding.text and finding.fix == f"`pip install .` {SOURCE}"


@pytest.mark.parametrize(
    ("cpu", "level"),
    [("", ""), (V2, "x86-64-v2"), (f"{V2} {V4}", "x86-64-v2"), (f"{V2} {V3} {V4}", "x86-64-v4")],
)
def test_level_of_a_cpu(cpu, level):
    assert level_of(set(cpu.split())) == level


def test_horovod_is_tried(tmp_path, monkeypatch):
    package = tmp_path / "horovod"
    package.mkdir()
    (package / "__init__.py").write_text("__version__ = '0.28.1'")
    answers = "mpi_built = lambda: 0\ngloo_built = lambda: 1\n"
    (package / "tensorflow.py").write_text(answers)
    monkeypatch.syspath_prepend(str(tmp_path))
    finding = findings.horovod()
    assert (finding.text, finding.fix) == ("0.28.1, with gloo", "")
    (package / "tensorflow.py").write_text("raise ImportError('another TensorFlow')")
    finding = findings.horovod()
    assert finding.text == "cannot be imported (ImportError: another TensorFlow)"
    assert finding.fix == f"examples/horovod/install.sh {SOURCE}" and not finding.stops


def test_packages_that_are_missing(monkeypatch):
    monkeypatch.setattr(findings.importlib.util, "find_spec", lambda _: None)
    assert findings.required_package("h5py") == ("h5py", "not installed", "pip install h5py", True)
    assert findings.optional_package("ase", "MD") == (
        *("ase", "not installed (MD)", "pip install ase", False),
    )
    assert findings.horovod().text == "not installed (trains on several workers)"


def test_a_package_without_metadata(tmp_path, monkeypatch):
    module(tmp_path, monkeypatch, "own_ase", "")
    assert findings.optional_package("own_ase", "MD").text == "of unknown version"


@pytest.mark.parametrize(
    ("built_for", "text"),
    [
        ("", "stable_2, without pair_style deeptf: `deeptf lammps build`"),
        ("stable_1", "stable_2, pair_style deeptf was built for stable_1: `deeptf lammps build`"),
        ("stable_2", "stable_2, with pair_style deeptf"),
    ],
)
def test_the_plugin_of_lammps(monkeypatch, tmp_path, built_for, text):
    there = found.Lammps("lammps 2", "stable_2", (), (), ())
    monkeypatch.setattr(found, "installed", lambda: there)
    monkeypatch.setattr(findings, "plugin_folder", lambda: str(tmp_path))
    (tmp_path / build.NAME).write_text(f"deeptf-lammps|{built_for}|")
    finding = findings.lammps()
    assert finding.text + (f": {finding.fix}" if finding.fix else "") == text
