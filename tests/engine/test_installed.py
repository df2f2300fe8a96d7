"""The engine is built and installed without TensorFlow, and its folders can be moved."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from engine_files import (
    ENGINE,
    EXAMPLE,
    FOLDER,
    ROOT,
    open_engine,
    program,
    run,
    write_golden_model,
)

import deeptf

SUFFIX = ENGINE.suffix


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the prefix of an engine that was installed elsewhere and moved."""
    folder = tmp_path_factory.mktemp("installed")
    cmake, build, prefix = program("cmake"), folder / "build", folder / "prefix"
    settings = ["-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O0 -Werror"]
    run(cmake, "-S", ROOT / "op", "-B", build, *settings, "-DDEEPTF_MARCH=native")
    run(cmake, "--build", build, "--parallel", os.cpu_count())
    run(cmake, "--install", build, "--prefix", prefix)
    return prefix.rename(folder / "moved")


@pytest.fixture(params=["installed", "package"])
def layout(request: pytest.FixtureRequest) -> tuple[Path, Path, Path]:
    """Return the prefix, the folder of the library and that of pkg-config."""
    if request.param == "package":
        return FOLDER, FOLDER, FOLDER / "pkgconfig"
    prefix = request.getfixturevalue("installed")
    (library,) = prefix.glob(f"lib*/libdeeptf_engine{SUFFIX}")
    return prefix, library.parent, library.parent / "pkgconfig"


def energies(folder: Path, *programs: str) -> list[str]:
    model = write_golden_model(folder)
    return [run(folder / name, model, EXAMPLE / "atoms.xyz").stdout for name in programs]


@pytest.mark.slow
def test_what_is_installed(installed: Path) -> None:
    files = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    sources = {name for name in files if name.startswith("share/deeptf/lammps/")}
    assert "share/deeptf/lammps/CMakeLists.txt" in sources
    assert {re.sub("^lib[^/]*/", "lib/", name) for name in files - sources} == {
        *("include/deeptf.h", "include/deeptf.hpp", "lib/pkgconfig/deeptf.pc"),
        *("lib/libdeeptf_core.native.so", f"lib/libdeeptf_engine{SUFFIX}"),
        *(f"lib/cmake/deeptf/deeptfConfig{part}.cmake" for part in ("", "-debug", "Version")),
    }
    (engine,) = installed.glob(f"lib*/libdeeptf_engine{SUFFIX}")
    version = open_engine(engine).deeptf_version().decode()
    assert version == f"{deeptf.__version__}, kernels for native"


@pytest.mark.slow
def test_pkg_config(layout: tuple[Path, Path, Path], tmp_path: Path) -> None:
    _, library, pkgconfig = layout
    environment = {**os.environ, "PKG_CONFIG_PATH": str(pkgconfig)}
    version = run(program("pkg-config"), "--modversion", "deeptf", env=environment).stdout
    assert version.strip() == deeptf.__version__
    make = (program("make"), "-f", EXAMPLE / "Makefile", f"VPATH={EXAMPLE}", "energy_c")
    run(*make, cwd=tmp_path, env=environment)
    energies(tmp_path, "energy_c")
    linked = run(program("ldd"), tmp_path / "energy_c").stdout
    (engine,) = re.findall(r"libdeeptf_engine\S+ => (\S+)", linked)
    assert Path(engine).resolve().parent == library.resolve()


@pytest.mark.slow
def test_find_package(layout: tuple[Path, Path, Path], tmp_path: Path) -> None:
    prefix, *_ = layout
    cmake = program("cmake")
    run(cmake, "-S", EXAMPLE, "-B", tmp_path, f"-DCMAKE_PREFIX_PATH={prefix}")
    cache = (tmp_path / "CMakeCache.txt").read_text()
    assert re.search(f"^deeptf_DIR:PATH={re.escape(str(prefix))}/", cache, re.MULTILINE)
    run(cmake, "--build", tmp_path)
    programs = [path.name for path in tmp_path.glob("energy_*")]
    assert {"energy_c", "energy_cpp"} <= set(programs)
    assert len(set(energies(tmp_path, *programs))) == 1
