"""Model files as the readers in C++ and in Python see them."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from deeptf.exchange.model_file import read_model

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"

pytestmark = pytest.mark.slow  # a program is compiled

Reader = Callable[[Path], list[str]]  # gives the lines that the program prints


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    compiler = next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None)
    if compiler is None:
        pytest.skip("a C++ compiler must be installed")
    program = tmp_path_factory.mktemp("reader") / "read_model"
    sources = [*(ROOT / "op" / "engine" / "file").glob("*.cc"), ROOT / "tests/op/read_model.cc"]
    command = [compiler, "-std=c++17", "-O0", "-I", ROOT / "op", *sources, "-o", program]
    subprocess.run(command, check=True)

    def lines(path: Path) -> list[str]:
        run = subprocess.run([program, path], capture_output=True, text=True)
        if run.returncode == 1:
            raise ValueError(run.stderr)
        assert run.returncode == 0 and not run.stderr
        return run.stdout.splitlines()

    return lines


def unpacked(name: str, folder: Path) -> Path:
    path = folder / "model.pb"
    path.write_bytes(gzip.decompress((GOLDEN / f"{name}.pb.gz").read_bytes()))
    return path


def check_equal(path: Path, lines: list[str]) -> None:
    """Assert that the Python reader finds what the other one printed, bit for bit."""
    model = read_model(path)
    description, *constants = lines
    assert json.loads(description) == model.metadata
    assert [line.split(" ")[0] for line in constants] == sorted(model.metadata["constants"])
    for line in constants:
        name, rank, *rest = line.split(" ")
        shape, numbers = rest[: int(rank)], rest[int(rank) :]
        expected = model.constant(name)
        assert tuple(map(int, shape)) == expected.shape
        np.testing.assert_array_equal(np.array(numbers, float), expected.ravel())


def test_a_frozen_model(read: Reader, tmp_path: Path) -> None:
    path = unpacked("frozen/format_2", tmp_path)
    lines = read(path)
    assert len(lines) > 40
    check_equal(path, lines)


def message(read: Callable[[Path], object], path: Path) -> str:
    with pytest.raises(ValueError) as caught:
        read(path)
    return str(caught.value)


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda content: content[: len(content) // 2],
    "text": lambda _: b"\n node {\n}",
    "another graph": lambda content: content.replace(b"deeptf_model", b"other__model"),
    "empty": lambda _: b"",
}


@pytest.mark.parametrize("name", CHANGES)
def test_both_say_the_same(read: Reader, tmp_path: Path, name: str) -> None:
    path = unpacked("frozen/format_2", tmp_path)
    path.write_bytes(CHANGES[name](path.read_bytes()))
    assert message(read, path) == message(read_model, path)


def test_a_later_format(read: Reader, tmp_path: Path) -> None:
    path = unpacked("frozen/format_2", tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"format": 2', b'"format": 3'))
    assert f"must have format 2, got {path} with format 3" in message(read, path)
    assert message(read, path) == message(read_model, path).replace("2 or 1", "2")


def test_a_model_of_another_program(read: Reader, tmp_path: Path) -> None:
    path = unpacked("parameters", tmp_path)
    assert "a model of deepmd-kit; convert it" in message(read, path)
    assert message(read, path) == message(read_model, path)


def test_a_model_that_python_alone_reads(read: Reader, tmp_path: Path) -> None:
    path = unpacked("frozen/format_1", tmp_path)
    assert f"must have format 2, got {path} with format 1" in message(read, path)
    assert read_model(path).arrays


def all_constants(path: Path) -> None:
    """Read what the description lists; ValueError where something else is there."""
    model = read_model(path)
    for name, about in model.metadata["constants"].items():
        found = model.constant(name)
        floats = ("float32", "float64") if about["type"] == "float64" else ("int32",)
        if found.dtype not in floats or found.ndim != len(about["shape"]):
            raise ValueError(name)


def test_what_one_refuses_the_other_refuses(read: Reader, tmp_path: Path) -> None:
    """The reader in Python looks at more parts of a file."""
    path = unpacked("frozen/format_2", tmp_path)
    content = path.read_bytes()
    places = [content.index(name.encode()) for name in read_model(path).metadata["constants"]]
    generator = np.random.default_rng(0)
    both, neither = 0, 0
    for _ in range(60):
        damaged = bytearray(content)
        at = generator.choice(places) + generator.integers(-20, 80)
        damaged[at] = generator.integers(256)
        path.write_bytes(damaged)
        try:
            lines = read(path)
        except ValueError:
            with pytest.raises(ValueError):
                all_constants(path)
            neither += 1
            continue
        try:
            all_constants(path)
        except ValueError:
            continue
        check_equal(path, lines)
        both += 1
    assert both > 5 and neither > 5
