"""`deeptf md` and `deeptf relax`: from a structure file to a trajectory."""

from __future__ import annotations

import argparse

from deeptf.commands.models import add_driving_models, add_model, start_for
from deeptf.commands.parser import Commands, add_threads
from deeptf.infer.md.settings import ENSEMBLES, Settings


def add_md(commands: Commands) -> None:
    """Add `deeptf md`."""
    parser = commands.add(
        "md",
        run_md,
        "Run molecular dynamics from a structure file. It writes PREFIX.extxyz (trajectory), "
        "PREFIX.log (a line of numbers for each sample), PREFIX.restart (what --restart goes on "
        "from) and PREFIX.png (energy, temperature and pressure against time). Atoms without "
        "velocities get those of the temperature.",
    )
    _add_structure(parser)
    add_driving_models(parser, "the first one drives, others say how much they disagree")
    parser.add_argument(
        "-e",
        "--ensemble",
        choices=ENSEMBLES,
        default=Settings.ensemble,
        help="nve, nvt (Nose-Hoover chains), langevin, npt (Martyna-Tobias-Klein, the cell keeps "
        "its shape), npt-cell (its lengths and angles are free; default: %(default)s)",
    )
    for option, kind, unit, text in (
        ("-n/--steps", int, "N", "steps of the run as a whole"),
        ("-T/--temperature", float, "K", "temperature of thermostat and first velocities, in K"),
        ("-P/--pressure", float, "BAR", "pressure of the barostat, in bar"),
        ("--timestep", float, "FS", "time of a step in fs"),
        ("--tdamp", float, "FS", "time of the thermostat in fs"),
        ("--pdamp", float, "FS", "time of the barostat in fs"),
        ("--log-every", int, "N", "steps from line to line of the log"),
        ("--frame-every", int, "N", "steps from frame to frame of the trajectory"),
        ("--seed", int, "K", "seed of first velocities and of noise"),
    ):
        name = option.rpartition("--")[2].replace("-", "_")
        parser.add_argument(
            *option.split("/"),
            type=kind,
            metavar=unit,
            default=getattr(Settings, name),
            help=f"{text} (default: %(default)s)",
        )
    parser.add_argument(
        "-o",
        "--output",
        metavar="PREFIX",
        default="md",
        help="what the names of new files begin with (default: %(default)s)",
    )
    parser.add_argument(
        "--restart",
        action="store_true",
        help="go on with a run that was stopped, or that is to have more steps",
    )
    parser.add_argument("--rdf", action="store_true", help="write g(r) of the frames to PREFIX.rdf")
    parser.add_argument(
        "--msd", action="store_true", help="write mean square displacements to PREFIX.msd"
    )
    add_threads(parser)


def run_md(given: argparse.Namespace) -> None:
    """Run molecular dynamics."""
    from deeptf.infer.structure import check_ase

    check_ase("md")
    from deeptf.infer.md.report import write_report
    from deeptf.infer.md.run import run

    start_for(*given.models)
    settings = Settings(**{name: getattr(given, name) for name in Settings.__dataclass_fields__})
    run(
        given.structure,
        given.models,
        given.output,
        settings,
        restart=given.restart,
        supercell=given.supercell,
        threads=given.threads,
    )
    write_report(given.output, settings, given.rdf, given.msd)


def add_relax(commands: Commands) -> None:
    """Add `deeptf relax`."""
    parser = commands.add(
        "relax",
        run_relax,
        "Move atoms to where no force acts on them. With --cell the cell becomes that of the "
        "pressure.",
    )
    _add_structure(parser)
    add_model(parser)
    parser.add_argument("--cell", action="store_true", help="relax the cell too")
    parser.add_argument(
        "-P",
        "--pressure",
        type=float,
        metavar="BAR",
        default=0.0,
        help="pressure on the cell, in bar (default: %(default)s)",
    )
    parser.add_argument(
        "--fmax",
        type=float,
        metavar="F",
        default=0.01,
        help="largest force that may be left, in eV/A (default: %(default)s)",
    )
    parser.add_argument(
        "-n",
        "--steps",
        type=int,
        metavar="N",
        default=1000,
        help="largest number of steps (default: %(default)s)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        default="relaxed.extxyz",
        help="structure to write, in any format of ASE (default: %(default)s)",
    )
    add_threads(parser)


def run_relax(given: argparse.Namespace) -> int:
    """Relax a structure; the status is 1 where forces are left."""
    from deeptf.infer.structure import check_ase

    check_ase("relax")
    from deeptf.infer.relax import relax

    start_for(given.model)
    converged = relax(
        given.structure,
        given.model,
        given.output,
        cell=given.cell,
        pressure=given.pressure,
        fmax=given.fmax,
        steps=given.steps,
        supercell=given.supercell,
        threads=given.threads,
    )
    return 0 if converged else 1


def _add_structure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("structure", metavar="STRUCTURE", help="file that ASE reads")
    parser.add_argument(
        "--supercell",
        type=int,
        nargs=3,
        metavar="N",
        default=(1, 1, 1),
        help="copies of the cell along each of its vectors",
    )
