"""The build: programs, levels and files, one-sentence errors, and C++ tests with sanitizers."""

import os
import platform
import re
import subprocess
import sys

import pytest
from setup_file import ROOT, load_setup
from setuptools import Distribution
from setuptools.command.build_ext import build_ext

build = pytest.fixture(scope="module")(load_setup)


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


def test_an_editable_build_has_the_files_of_the_last_build(build, monkeypatch, tmp_path):
    package, built = tmp_path / "deeptf", tmp_path / "build" / "deeptf"
    for path in (
        *(package / "libdeeptf_core.old.so", package / "include" / "old.h"),
        *(built / "libdeeptf_core.native.so", built / "libdeeptf_engine.so"),
        *(built / "include" / "deeptf.h", built / "cmake" / "c", built / "pkgconfig" / "p"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build_ext, "copy_extensions_to_source", lambda _: None)
    command = build.BuildLibrary(Distribution())
    command.build_lib = str(tmp_path / "build")
    command.copy_extensions_to_source()
    files = {str(path.relative_to(package)) for path in package.rglob("*") if path.is_file()}
    assert files == {
        *("libdeeptf_core.native.so", "libdeeptf_engine.so"),
        *("include/deeptf.h", "cmake/c", "pkgconfig/p"),
    }


def test_a_build_forgets_the_last_one(build, monkeypatch, tmp_path):
    """Neither CMake's memory of another TensorFlow nor cores of other levels stay."""
    tensorflow = {
        "version": "2.19.1",
        "include": "/i",
        "compile": ["-I/i", "-DA=1"],
        "link": ["-l"],
    }
    monkeypatch.setattr(build, "find_tensorflow", lambda: tensorflow)
    monkeypatch.setattr(build, "find_program", lambda names, *_: f"/bin/{names[0]}")
    monkeypatch.setenv("DEEPTF_MARCH", "x86-64-v3,native")
    command = build.BuildLibrary(Distribution({"name": "deeptf"}))
    command.build_temp, command.build_lib = str(tmp_path / "temp"), str(tmp_path / "lib")
    core = tmp_path / "lib" / "deeptf" / "libdeeptf_core.old.so"
    for path in (tmp_path / "temp" / "op" / "CMakeCache.txt", core):
        path.parent.mkdir(parents=True)
        path.touch()
    calls = []
    command.spawn = calls.append
    command.build_extension(build.Extension("deeptf.libdeeptf", sources=[]))
    assert not core.exists() and not (tmp_path / "temp" / "op").exists()
    configure, compiling, installing = calls
    assert configure[:3] == ["/bin/cmake", "-G", "Ninja"] and compiling[1] == "--build"
    package = str(tmp_path / "lib" / "deeptf")
    assert installing[1] == "--install" and installing[-2:] == ["--prefix", package]
    settings = dict(option.split("=", 1) for option in configure if option.startswith("-D"))
    assert settings["-DTENSORFLOW_VERSION"] == "2.19.1"
    assert settings["-DTENSORFLOW_COMPILE"] == "-DA=1" and settings["-DTENSORFLOW_LINK"] == "-l"
    assert settings["-DDEEPTF_MARCH"] == "x86-64-v3;native"


def nvcc(folder, says):
    path = folder / "nvcc"
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return str(path)


def test_gpu_kernels_are_built_where_nvcc_is_found(build, monkeypatch, tmp_path, capsys):
    new = nvcc(tmp_path, "Cuda compilation tools, release 12.4, V12.4.131")
    monkeypatch.setenv("PATH", str(tmp_path))
    wanted = {"DEEPTF_CUDA": "device", "CMAKE_CUDA_COMPILER": new}
    assert build.cuda_settings() == wanted
    monkeypatch.setenv("DEEPTF_CUDA", "off")
    assert build.cuda_settings() == {}
    monkeypatch.setenv("DEEPTF_CUDA", "/absent/nvcc")
    with pytest.raises(SystemExit, match="must be `off` or a path of nvcc, got '/absent/nvcc'"):
        build.cuda_settings()
    monkeypatch.setenv("DEEPTF_CUDA", nvcc(tmp_path, "release 11.2, V11.2.152"))
    with pytest.raises(SystemExit, match="must be of CUDA 11.8 or newer .* is release 11.2"):
        build.cuda_settings()
    monkeypatch.delenv("DEEPTF_CUDA")
    assert build.cuda_settings() == {} and "none are built" in capsys.readouterr().out


def test_a_source_distribution_can_be_built(build):
    command = build.BuildLibrary(Distribution())
    command.extensions = []
    files = set(command.get_source_files())
    assert {"op/CMakeLists.txt", "op/core/base/exports.map", "op/core/base/gemm.h"} <= files
    engine = ("CMakeLists.txt", "deeptf.h", "deeptf.hpp", "deeptf.pc.in", "exports.map", "open.cc")
    assert {f"op/engine/{name}" for name in engine} <= files


def included(folder):
    """Return (file, header) for what the files of a folder include in <>."""
    found = set()
    for path in (ROOT / folder).rglob("*.*"):
        if path.parent.name == "cuda":  # a library of its own
            continue
        for header in re.findall(r"^ *#include <(.*)>", path.read_text(), re.MULTILINE):
            found.add((path.name, header))
    return found


def test_the_core_needs_neither_linux_nor_a_framework():
    names = {header for _, header in included("op/core")}
    assert {"vector", "cstdint"} <= names
    system = {header for header in names if "/" in header or header.endswith(".h")}
    # POSIX, for a fork; and where a sanitizer is compiled in
    assert system == {"pthread.h", "sanitizer/asan_interface.h"}
    for path in (ROOT / "op" / "core").rglob("*.*"):
        if path.parent.name == "cuda":
            continue
        assert re.findall(r'#include "(?!core/)(.*)"', path.read_text()) == [], path


def test_what_needs_linux_is_left_out_elsewhere():
    linux = {file for file, header in included("op/train") if header.startswith(("linux/", "sys/"))}
    assert linux == {"meeting.cc"}
    leaning = re.compile(r'#include "(train/(host|meeting)|tf/host)')
    for path in [*(ROOT / "op" / "train").glob("*.cc"), *(ROOT / "op" / "tf").glob("*.cc")]:
        leans = leaning.search(path.read_text()) is not None
        assert leans == path.name.startswith(("host_", "meeting")), path


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
