"""`deeptf neighbor-stat`: a look at a data set."""

from __future__ import annotations

import argparse

from deeptf.commands.parser import Commands
from deeptf.process import start_tensorflow


def add(commands: Commands) -> None:
    """Add `deeptf neighbor-stat`."""
    parser = commands.add(
        "neighbor-stat",
        run,
        "Print the smallest distance and the most neighbours in a data set. Helps to choose `sel`.",
    )
    parser.add_argument(
        "-s",
        "--system",
        metavar="DIR",
        required=True,
        help="a system, or a folder searched for systems",
    )
    parser.add_argument(
        "-r", "--rcut", type=float, metavar="R", required=True, help="cut-off radius in A"
    )
    parser.add_argument(
        "-t",
        "--type-map",
        nargs="+",
        metavar="TYPE",
        help="names of the types (default: those of the first system)",
    )


def run(given: argparse.Namespace) -> None:
    """Print the smallest distance and the most neighbours."""
    start_tensorflow()
    from deeptf.data.neighbor_stat import neighbor_stat

    neighbor_stat(given.system, given.rcut, given.type_map)
