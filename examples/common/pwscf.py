"""Labels periodic frames with Quantum ESPRESSO's `pw.x`: writes inputs, runs it, keeps outputs.

A frame is a pair of files frame_NNN.in and frame_NNN.out. The output is written as frame_NNN.part
and renamed once the self-consistent cycle has converged and the program has ended well: an .out
file is always a finished label, and an interrupted run goes on where it stopped. Reading the files
back is left to dpdata, whose reader wants one namelist variable a line.
"""

import argparse
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common import command_line, dataset

MASSES = {"H": 1.008, "O": 15.999, "Al": 26.982}


@dataclass(frozen=True)
class Settings:
    """One level of theory: `system` and `electrons` hold namelist variables as pw.x spells them."""

    pseudopotentials: Mapping[str, str]
    system: Mapping[str, str]
    electrons: Mapping[str, str]
    kpoints: tuple[int, ...] | None = None


def _namelist(name: str, variables: Mapping[str, str]) -> str:
    lines = [f"  {key} = {value}" for key, value in variables.items()]
    return "\n".join([f"&{name}", *lines, "/", ""])


def input_text(
    settings: Settings,
    symbols: Sequence[str],
    positions: np.ndarray,
    cell: np.ndarray,
    pseudo_dir: Path,
    scratch: Path,
) -> str:
    """The pw.x input of one calculation with forces and stress, lengths in angstrom."""
    species = list(dict.fromkeys(symbols))
    control = {
        "calculation": "'scf'",
        "tprnfor": ".true.",
        "tstress": ".true.",
        "disk_io": "'none'",
        "pseudo_dir": f"'{pseudo_dir}'",
        "outdir": f"'{scratch}'",
    }
    # Frames of molecular dynamics have no symmetry: nosym saves the search. Time reversal stays.
    system = {
        "ibrav": "0",
        "nat": str(len(symbols)),
        "ntyp": str(len(species)),
        "nosym": ".true.",
        **settings.system,
    }
    text = _namelist("control", control) + _namelist("system", system)
    text += _namelist("electrons", settings.electrons)
    text += "ATOMIC_SPECIES\n"
    text += "".join(f"{s} {MASSES[s]} {settings.pseudopotentials[s]}\n" for s in species)
    text += "CELL_PARAMETERS {angstrom}\n"
    text += "".join("{:.10f} {:.10f} {:.10f}\n".format(*vector) for vector in cell)
    text += "ATOMIC_POSITIONS {angstrom}\n"
    text += "".join(
        "{} {:.10f} {:.10f} {:.10f}\n".format(s, *r)
        for s, r in zip(symbols, positions, strict=True)
    )
    if settings.kpoints is None:
        return text + "K_POINTS gamma\n"
    return text + "K_POINTS automatic\n" + " ".join(map(str, settings.kpoints)) + "\n"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Where the pseudopotentials are and how to start pw.x."""
    parser.add_argument("--pseudo-dir", type=Path, default=Path("/usr/share/espresso/pseudo"))
    parser.add_argument("--command", default="pw.x", help="for instance 'mpirun -np 4 pw.x'")


def label(
    options: argparse.Namespace,
    settings: Settings,
    symbols: Sequence[str],
    frame: int,
    geometries: Mapping[str, np.ndarray],
) -> str:
    """Label one frame in the folder `options.work` unless it is done; says what came of it."""
    stem = options.work / f"frame_{frame:03d}"
    output, part, scratch = (stem.with_suffix(s) for s in (".out", ".part", ".scratch"))
    if output.exists():
        return ""
    coord, cell = geometries["coord"][frame], geometries["box"][frame]
    text = input_text(settings, symbols, coord, cell, options.pseudo_dir, scratch)
    stem.with_suffix(".in").write_text(text)
    with part.open("w") as stream:
        subprocess.run(
            [*options.command.split(), "-in", str(stem.with_suffix(".in"))],
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={"OMP_NUM_THREADS": "1", **os.environ},
            check=False,
        )
    shutil.rmtree(scratch, ignore_errors=True)
    text = part.read_text()
    if "convergence has been achieved" not in text or "JOB DONE" not in text:
        return f"NO LABEL (see {part}):"
    part.replace(output)
    return "labelled"


def generate(
    description: str,
    script: Path,
    atoms: tuple[Sequence[str], Sequence[str]],
    settings: Settings,
    frames: int,
    sample: Callable[[], dict[str, np.ndarray]],
) -> None:
    """The whole of a script that labels with pw.x; `atoms` are the symbols and the type map."""
    parser = argparse.ArgumentParser(description=description)
    command_line.add_common_options(parser, script, frames)
    add_options(parser)
    options = parser.parse_args()

    def label_frame(frame: int, geometries: dict[str, np.ndarray]) -> str:
        return label(options, settings, atoms[0], frame, geometries)

    example = command_line.Example(
        script, *atoms, sample, label_frame, suffix=".out", read=dataset.read_pwscf
    )
    command_line.run_steps(options, example)
