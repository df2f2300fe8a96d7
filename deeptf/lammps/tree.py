"""A LAMMPS that was compiled in its source tree: what the plugin must know of it.

CMake and make leave behind which sizes integers have and whether there is MPI. The sources of a
release know no git: then the plugin knows LAMMPS by its version, "22 Jul 2025".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from deeptf.lammps.found import COMPILERS, Lammps

DESCRIPTOR = re.compile(r'git_descriptor\(\)\s*{\s*return\s*"([^"]*)"')
VERSION = re.compile(r'^#define\s+LAMMPS_VERSION\s+"([^"]*)"', re.MULTILINE)
NO_GIT = "(unknown)"
ON = ("ON", "TRUE", "YES", "1")


@dataclass(frozen=True)
class Settings:
    """How LAMMPS was compiled."""

    sizes: str  # of integers, such as SMALLBIG
    mpi: bool
    compiler: str | None = None


def of_source(folder: str | Path) -> Lammps:
    """Return the LAMMPS that was compiled in a source tree, by make or in a folder below it.

    Raises ValueError where it is none, or was not compiled.
    """
    folder = Path(folder).resolve()
    headers = folder / "src"
    if not (headers / "pair.h").is_file():
        raise ValueError(f"`--source` must be a source folder of LAMMPS, got {folder}")
    written = [headers / "lmpgitversion.h", *sorted(folder.glob("*/**/lmpgitversion.h"))]
    made = next((path for path in written if path.is_file()), None)
    if made is None:
        raise ValueError(
            f"LAMMPS in {folder} must have been compiled there, got no lmpgitversion.h that says "
            "which one it is: compile it first, or see `deeptf lammps build --cmake`"
        )
    caches = (parent / "CMakeCache.txt" for parent in made.parents)
    cache = next((path for path in caches if path.is_file()), None)
    settings = _of_cmake(cache) if cache else _of_make(headers)
    return Lammps(
        str(folder),
        _descriptor(made, headers / "version.h"),
        (headers,) if settings.mpi else (headers, headers / "STUBS"),
        (f"LAMMPS_{settings.sizes}",),
        _compilers(settings),
    )


def _descriptor(made: Path, version: Path) -> str:
    match = DESCRIPTOR.search(made.read_text())
    if not match or match.group(1) == NO_GIT:
        match = VERSION.search(version.read_text())
    if not match:
        raise ValueError(f"{version} must say which LAMMPS this is, got no LAMMPS_VERSION")
    return match.group(1)


def _compilers(settings: Settings) -> tuple[str, ...]:
    usual = ("mpicxx",) if settings.mpi else COMPILERS
    return (settings.compiler, *usual) if settings.compiler else usual


def _of_cmake(cache: Path) -> Settings:
    lines = re.findall(r"^(\w+):\w+=(.*)$", cache.read_text(), re.MULTILINE)
    values = {name: value.strip() for name, value in lines}
    mpi = values.get("BUILD_MPI", "ON").upper() in ON
    compiler = values.get("MPI_CXX_COMPILER" if mpi else "CMAKE_CXX_COMPILER")
    return Settings(values.get("LAMMPS_SIZES", "smallbig").upper(), mpi, compiler)


def _of_make(headers: Path) -> Settings:
    """Return the settings of the program that was made last, lmp_NAME by MAKE/**/Makefile.NAME."""
    programs = sorted(headers.glob("lmp_*"), key=lambda path: path.stat().st_mtime)
    name = programs[-1].name.removeprefix("lmp_") if programs else "mpi"
    files = sorted(headers.glob(f"MAKE/**/Makefile.{name}"))
    text = files[0].read_text() if files else ""
    sizes = re.search(r"^LMP_INC\s*=.*-DLAMMPS_(SMALLBIG|BIGBIG|SMALLSMALL)", text, re.MULTILINE)
    stubs = re.search(r"^MPI_INC\s*=.*STUBS", text, re.MULTILINE)
    return Settings(sizes.group(1) if sizes else "SMALLBIG", mpi=not stubs)
