"""`deeptf model-devi`: how much several models disagree."""

from __future__ import annotations

import argparse

from deeptf.commands.models import start_for
from deeptf.commands.parser import Commands, add_threads


def add(commands: Commands) -> None:
    """Add `deeptf model-devi`."""
    parser = commands.add(
        "model-devi",
        run,
        "Write how much models disagree about frames. For each frame the largest, the smallest and "
        "the average deviation of the virial per atom (eV) and of the forces (eV/A), and that of "
        "the energy per atom (eV).",
    )
    parser.add_argument(
        "-m",
        "--models",
        metavar="MODEL",
        nargs="+",
        default=[f"graph.{number:03d}.pb" for number in range(4)],
        help="frozen models (default: graph.000.pb to graph.003.pb)",
    )
    parser.add_argument(
        "-s",
        "--system",
        metavar="DIR",
        default=".",
        help="a system, or a folder searched for systems (default: the current folder)",
    )
    parser.add_argument("-S", "--set-prefix", choices=["set"], help=argparse.SUPPRESS)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        default="model_devi.out",
        help="table to write (default: %(default)s)",
    )
    parser.add_argument(
        "-f",
        "--frequency",
        type=int,
        metavar="N",
        default=1,
        help="steps from one frame to the next, for the first column (default: %(default)s)",
    )
    parser.add_argument(
        "--real_error",
        "--real-error",
        action="store_true",
        help="write root mean square errors against the labels in the place of deviations",
    )
    parser.add_argument(
        "--atomic", action="store_true", help="write the deviation of the force on each atom too"
    )
    parser.add_argument(
        "--relative",
        type=float,
        metavar="LEVEL",
        help="divide the deviation of a force by its size and LEVEL (eV/A)",
    )
    parser.add_argument(
        "--relative_v",
        "--relative-v",
        type=float,
        metavar="LEVEL",
        help="divide the deviation of a component of the virial per atom by its size and LEVEL "
        "(eV)",
    )
    add_threads(parser)


def run(given: argparse.Namespace) -> None:
    """Write the deviations."""
    from deeptf.infer.model_devi import model_devi

    start_for(*given.models)
    model_devi(
        given.models,
        given.system,
        given.output,
        frequency=given.frequency,
        real_error=given.real_error,
        atomic=given.atomic,
        relative=given.relative,
        relative_v=given.relative_v,
        threads=given.threads,
    )
