"""`deeptf ipi`: a model as the driver of i-PI."""

from __future__ import annotations

import argparse

from deeptf.commands.models import add_driving_models, start_for
from deeptf.commands.parser import Commands, add_threads


def add(commands: Commands) -> None:
    """Add `deeptf ipi`."""
    parser = commands.add(
        "ipi",
        run,
        "Give forces to i-PI, for path integrals and whatever else it does. It connects to the "
        "`ffsocket` of an i-PI that runs or is about to start, and ends with it. Several of these "
        "may serve one i-PI at the same time.",
    )
    parser.add_argument(
        "structure", metavar="STRUCTURE", help="file that ASE reads, atoms in the order of i-PI"
    )
    add_driving_models(
        parser,
        "the first one gives forces, with others i-PI gets the deviation as extra text",
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "-u", "--unix", metavar="NAME", help="unix socket, the address in the input of i-PI"
    )
    where.add_argument("-i", "--inet", metavar="HOST:PORT", help="inet socket")
    add_threads(parser)


def run(given: argparse.Namespace) -> None:
    """Serve i-PI."""
    from deeptf.infer.structure import check_ase

    check_ase("ipi")
    from deeptf.infer.ipi import serve

    start_for(*given.models)
    serve(given.structure, given.models, given.unix, given.inet, given.threads)
