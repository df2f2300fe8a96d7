"""The build: one-sentence errors of setup.py, and the C++ tests of the core with sanitizers."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

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
