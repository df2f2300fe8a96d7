"""Programs in C, C++ and Fortran evaluate a model by the engine, without TensorFlow and Python."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from engine_files import (
    EXAMPLE,
    FOLDER,
    HERE,
    ROOT,
    link_options,
    program,
    run,
    write_golden_model,
)

WARNINGS = ("-Wall", "-Wextra", "-Werror", "-pedantic")
ATOMS = EXAMPLE / "atoms.xyz"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model."""
    path = tmp_path_factory.mktemp("programs")
    write_golden_model(path)
    return path


@pytest.fixture(scope="module")
def energy(folder: Path) -> Path:
    """Return the example in C."""
    target = folder / "energy_c"
    options = ("-std=c99", *WARNINGS, EXAMPLE / "energy.c", *link_options(FOLDER), "-lm")
    run(program("cc"), *options, "-o", target)
    return target


def check_output(text: str) -> None:
    """Compare with the results of TensorFlow's graph, and with what the README shows."""
    golden = np.load(ROOT / "tests" / "golden" / "frozen" / "format_2.npz")
    numbers = [float(number) for number in re.findall(r"-?\d+\.\d+", text)]
    largest = np.linalg.norm(golden["force"], axis=-1).max()
    np.testing.assert_allclose(numbers, [golden["energy"].item(), largest], rtol=0, atol=1e-9)
    for line in text.splitlines():
        assert f"    {line}\n" in (EXAMPLE / "README.md").read_text()


def test_the_example_in_c(energy: Path, folder: Path) -> None:
    check_output(run(energy, folder / "model.pb", ATOMS).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="the loader of glibc tells what it loads")
def test_neither_tensorflow_nor_python_is_loaded(energy: Path, folder: Path) -> None:
    traced = run(energy, folder / "model.pb", ATOMS, env={**os.environ, "LD_DEBUG": "files"})
    loaded = set(re.findall(r"calling init: (\S+)", traced.stderr))
    assert any("libdeeptf_core." in path for path in loaded)
    names = [Path(path).name for path in loaded]
    assert not [name for name in names if re.search("tensorflow|python|libdeeptf[.]so", name)]


@pytest.mark.parametrize(
    ("model", "atoms", "message"),
    [
        ("nothing.pb", ATOMS, "energy: `model_file` must be a frozen model, got nothing.pb"),
        ("model.pb", "nothing.xyz", "nothing.xyz: cannot be read"),
        ("model.pb", "water.xyz", "O: the model does not know this element"),
        ("model.pb", "short.xyz", "short.xyz: holds fewer atoms than it says"),
    ],
)
def test_what_the_example_refuses(
    energy: Path, folder: Path, model: str, atoms: str, message: str
) -> None:
    (folder / "water.xyz").write_text("1\n\nO 0 0 0\n")
    (folder / "short.xyz").write_text("2\n\nA 0 0 0\n")
    done = subprocess.run([energy, model, atoms], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith(message)


def test_the_example_in_fortran(folder: Path) -> None:
    target = folder / "energy_f90"
    options = ("-Wall", f"-J{folder}", EXAMPLE / "energy.f90", *link_options(FOLDER))
    run(program("gfortran"), *options, "-o", target)
    check_output(run(target, folder / "model.pb", ATOMS).stdout)


def test_the_example_in_cpp(folder: Path) -> None:
    target = folder / "energy_cpp"
    options = ("-std=c++17", *WARNINGS, EXAMPLE / "energy.cpp", *link_options(FOLDER))
    run(program("c++"), *options, "-o", target)
    check_output(run(target, folder / "model.pb", ATOMS).stdout)


@pytest.mark.parametrize(
    ("compiler", "language", "standard", "header"),
    [
        ("cc", "c", "c99", "deeptf.h"),
        ("cc", "c", "c11", "deeptf.h"),
        ("c++", "c++", "c++11", "deeptf.h"),
        ("c++", "c++", "c++20", "deeptf.hpp"),
    ],
)
def test_a_header_compiles(compiler: str, language: str, standard: str, header: str) -> None:
    options = (f"-x{language}", f"-std={standard}", *WARNINGS, f"-I{FOLDER / 'include'}")
    code = f"#include <{header}>\n#include <{header}>\nint main(void) {{ return 0; }}\n"
    run(program(compiler), *options, "-fsyntax-only", "-", input=code)


def test_every_function_of_the_wrapper(folder: Path) -> None:
    target = folder / "wrapper"
    options = ("-std=c++17", *WARNINGS, HERE / "wrapper.cc", *link_options(FOLDER))
    run(program("c++"), *options, "-o", target)
    assert run(target, folder / "model.pb").stdout == "no failures\n"
