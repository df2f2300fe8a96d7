"""libdeeptf_engine opens the core for this CPU that lies beside it, or says why it cannot."""

from __future__ import annotations

import ctypes
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from engine_files import ENGINE, FOLDER, ROOT, open_engine, program, run
from library_files import core_file, write_line

import deeptf
from deeptf.ops.library import CORES, choose_core, this_cpu

BUILD = "install deeptf again: `pip install .` or `cmake -S op -B build` in its source folder"
HEADER = (ROOT / "op" / "engine" / "deeptf.h").read_text()
FUNCTIONS = set(re.findall(r"^\w.*?\b(deeptf_\w+)\(", HEADER, re.MULTILINE))


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """Return a folder with a copy of the engine and no core."""
    shutil.copy(ENGINE, tmp_path)
    return tmp_path


def refusal(folder: Path) -> str:
    """Return what an engine without a core says, which none of its functions may crash on."""
    engine = open_engine(folder / ENGINE.name)
    model = ctypes.c_void_p()
    assert engine.deeptf_load(b"model.pb", None, ctypes.byref(model)) != 0 and not model
    assert engine.deeptf_load_content(b"model", b"", 0, None, ctypes.byref(model)) != 0
    assert engine.deeptf_evaluate(None, None, None, None) != 0
    assert engine.deeptf_force_deviation(0, 0, None, ctypes.c_double(0), None) != 0
    engine.deeptf_free(None)
    assert engine.deeptf_version() == b""
    return engine.deeptf_last_error().decode()


def test_the_core_is_the_one_that_python_takes() -> None:
    level = choose_core(FOLDER, this_cpu()).level
    version = open_engine(ENGINE).deeptf_version().decode()
    assert version == f"{deeptf.__version__}, kernels for {level}"


def test_the_most_of_this_cpu_is_used(alone: Path) -> None:
    cpu = sorted(this_cpu() or {"none"})
    core_file(alone, "low", "")
    core_file(alone, "middle", " ".join(cpu[:2]))
    core_file(alone, "high", " ".join(cpu[:3]))
    core_file(alone, "beyond", f"{' '.join(cpu)} more")
    chosen = choose_core(alone, this_cpu()).path
    assert refusal(alone).startswith(f"the core library `{chosen}` must have the engine and match")


def test_a_folder_without_cores(alone: Path) -> None:
    message = f"a core library `{alone}/{CORES}` must be beside the engine, got none: {BUILD}"
    assert refusal(alone) == message


def test_cores_for_another_cpu(alone: Path) -> None:
    core_file(alone, "one", "of_tomorrow avx")
    core_file(alone, "two", "avx of_today of_tomorrow")
    assert refusal(alone) == (
        f"a core library `{alone}/{CORES}` must be built for this CPU, got one, two, and this CPU "
        f"lacks {'' if 'avx' in this_cpu() else 'avx '}of_tomorrow of one: {BUILD}"
    )


def test_a_core_of_another_version(alone: Path) -> None:
    path = core_file(alone, "old", "", version="0.0.9")
    assert refusal(alone) == (
        f"the core library `{path}` must be of deeptf {deeptf.__version__}, got 0.0.9: {BUILD}"
    )


@pytest.mark.parametrize(
    "line", ["", "deeptf-core|", "deeptf-core|0.1.0|level", "deeptf-core|1|2|3"]
)
def test_a_file_that_is_no_core(alone: Path, line: str) -> None:
    path = write_line(alone / "libdeeptf_core.other.so", line)
    assert refusal(alone) == f"`{path}` must be a core of deeptf, got another file: {BUILD}"


def test_a_core_without_the_engine(alone: Path) -> None:
    source, core = alone / "core.c", alone / "libdeeptf_core.bare.so"
    source.write_text(f'const char build[] = "deeptf-core|{deeptf.__version__}|bare| |";\n')
    run(program("cc"), "-shared", "-fPIC", source, "-o", core)
    assert re.match(
        f"the core library `{core}` must have the engine and match this system, got "
        f"`.*deeptf_engine_api.*`: {BUILD}",
        refusal(alone),
    )


def test_many_threads_open_it_at_once(alone: Path) -> None:
    core = choose_core(FOLDER, this_cpu())
    shutil.copy(core.path, alone)
    engine = open_engine(alone / ENGINE.name)
    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(lambda _: engine.deeptf_version(), range(64)))
    assert set(versions) == {f"{deeptf.__version__}, kernels for {core.level}".encode()}


def test_the_functions_of_the_header_are_all_that_is_seen() -> None:
    table = (ROOT / "op" / "engine" / "api_table.h").read_text()
    assert set(re.findall(r"X\((deeptf_\w+)\)", table)) == FUNCTIONS
    seen = run(program("nm"), "-D", "--defined-only", "--format=posix", ENGINE).stdout
    assert {line.split()[0] for line in seen.splitlines()} == FUNCTIONS


def test_two_cores_in_a_process_are_apart() -> None:
    """Each calls its own functions, although those of the first may be there for all others."""
    core = choose_core(FOLDER, this_cpu()).path
    assert "_ZN6deeptf" not in run(program("readelf"), "--relocs", "--wide", core).stdout
