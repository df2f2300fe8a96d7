"""The build: one-sentence errors of setup.py, and the C++ tests of the core with sanitizers."""

import importlib.util
import os
import platform
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
from setuptools import Distribution
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def build():
    """Return setup.py as a module, without running a build."""
    spec = importlib.util.spec_from_file_location("deeptf_setup", ROOT / "setup.py")
    module = importlib.util.module_from_spec(spec)
    with mock.patch("setuptools.setup"):
        spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("version", ["2.16.2", "2.18.1", "2.21.0", "2.20.0-rc0"])
def test_supported_tensorflow(build, version):
    build.check_version(version)


@pytest.mark.parametrize("version", ["2.15.1", "2.22.0", "1.15.5", "3.0.0"])
def test_unsupported_tensorflow(build, version):
    with pytest.raises(
        SystemExit, match=f"TensorFlow must be 2.16 to 2.21, got {version}: install"
    ):
        build.check_version(version)


def test_no_tensorflow(build, monkeypatch, tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise ImportError('no tensorflow here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(SystemExit, match=r"TensorFlow must be importable by .*no tensorflow here"):
        build.find_tensorflow()


def test_this_tensorflow_is_found(build):
    found = build.find_tensorflow()
    assert Path(found["include"], "tensorflow").is_dir() and found["link"]


@pytest.mark.parametrize(
    ("names", "what"), [(["no-such-compiler"], "a C++17 compiler"), (["no-such-cmake"], "CMake")]
)
def test_missing_program(build, names, what):
    with pytest.raises(
        SystemExit, match=rf"{what.replace('+', '.')} must be installed, found none"
    ):
        build.find_program(names, what, "install it")


def test_cmake_of_this_environment_comes_first(build, monkeypatch, tmp_path):
    program = tmp_path / "cmake"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert build.find_program(["cmake"], "CMake", "") == str(program)


def test_no_compiler_stops_the_whole_build(tmp_path):
    command = [sys.executable, "setup.py", "build_ext", "-b", str(tmp_path), "-t", str(tmp_path)]
    run = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "CXX": "no-such-compiler"},
        capture_output=True,
        text=True,
    )
    assert run.returncode
    assert run.stderr.strip().splitlines()[-1].startswith("deeptf: a C++17 compiler must be")


def configure(build, folder, levels):
    """Run CMake for these levels; return the run."""
    try:
        cmake = build.find_program(["cmake"], "CMake", "")
        build.find_program(["c++", "g++", "clang++"], "a compiler", "")
    except SystemExit as missing:
        pytest.skip(str(missing))
    command = [cmake, "-S", str(ROOT / "op"), "-B", str(folder), f"-DDEEPTF_MARCH={levels}"]
    command += ["-DTENSORFLOW_INCLUDE=/nothing"]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="levels of x86-64")
@pytest.mark.parametrize(
    ("given", "levels"),
    [
        ("", ["x86-64-v2", "x86-64-v3", "x86-64-v4"]),
        ("native", ["native"]),
        ("x86-64-v3;native;x86-64-v3", ["native", "x86-64-v3"]),
    ],
)
def test_each_level_has_its_core(build, tmp_path, given, levels):
    run = configure(build, tmp_path, given)
    assert run.returncode == 0, run.stdout + run.stderr
    targets = {path.name for path in (tmp_path / "CMakeFiles").glob("deeptf_core_*.dir")}
    assert targets == {f"deeptf_core_{level}.dir" for level in levels}


def test_a_level_that_the_compiler_does_not_know(build, tmp_path):
    run = configure(build, tmp_path, "no-such-level")
    assert run.returncode
    message = " ".join(run.stderr.split())
    assert "must know every CPU level in DEEPTF_MARCH" in message
    assert "does not take -march=no-such-level: give levels that it knows" in message


def test_an_editable_build_has_the_levels_of_the_last_build(build, monkeypatch, tmp_path):
    package, built = tmp_path / "deeptf", tmp_path / "build" / "deeptf"
    for folder in (package, built):
        folder.mkdir(parents=True)
    for path in (package / "libdeeptf_core.old.so", built / "libdeeptf_core.native.so"):
        path.write_bytes(b"core")
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build_ext, "copy_extensions_to_source", lambda _: None)
    command = build.BuildLibrary(Distribution())
    command.build_lib = str(tmp_path / "build")
    command.copy_extensions_to_source()
    assert [path.name for path in package.iterdir()] == ["libdeeptf_core.native.so"]


def test_a_source_distribution_can_be_built(build):
    command = build.BuildLibrary(Distribution())
    command.extensions = []
    files = set(command.get_source_files())
    assert {"op/CMakeLists.txt", "op/core/exports.map", "op/core/gemm.h"} <= files


@pytest.mark.slow
def test_core_with_sanitizers(build, tmp_path):
    try:
        build.find_program(["c++", "g++", "clang++"], "a compiler", "")
        cmake, ctest = (build.find_program([name], name, "") for name in ("cmake", "ctest"))
    except SystemExit as missing:
        pytest.skip(str(missing))
    steps = [
        [cmake, "-S", str(ROOT / "op"), "-B", str(tmp_path), "-DDEEPTF_TESTS=ON"],
        [cmake, "--build", str(tmp_path), "--parallel", "2"],
        [ctest, "--test-dir", str(tmp_path), "--parallel", "2", "--output-on-failure"],
    ]
    for step in steps:
        run = subprocess.run(step, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr
        assert "warning:" not in run.stderr + run.stdout
