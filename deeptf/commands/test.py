"""`deeptf test`: the errors of a model on labelled frames."""

from __future__ import annotations

import argparse

from deeptf.commands.models import add_model, start_for
from deeptf.commands.parser import Commands, add_threads, at_least


def add(commands: Commands) -> None:
    """Add `deeptf test`."""
    parser = commands.add(
        "test",
        run,
        "Print the errors of a model on labelled frames. MAE and RMSE of energy (eV), force (eV/A) "
        "and virial (eV), for every system and for all together.",
    )
    add_model(parser)
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument(
        "-s", "--system", metavar="DIR", help="a system, or a folder searched for systems"
    )
    data.add_argument(
        "-f", "--datafile", metavar="FILE", help="text file that names a system in each line"
    )
    parser.add_argument(
        "-n",
        "--numb-test",
        type=at_least(0),
        metavar="N",
        default=0,
        help="frames of each system (default: 0, all)",
    )
    parser.add_argument(
        "-d",
        "--detail-file",
        metavar="PREFIX",
        help="write labels and predictions to PREFIX.e.out, PREFIX.f.out, ...",
    )
    parser.add_argument(
        "-a", "--atomic", action="store_true", help="compare shares of atoms, such as energies, too"
    )
    parser.add_argument(
        "--plot", metavar="FILE", help="draw predictions against labels to FILE (.png)"
    )
    parser.add_argument(
        "--shuffle",
        "--shuffle-test",
        action="store_true",
        help="with -n: take any frames instead of the first ones",
    )
    parser.add_argument(
        "--seed", "--rand-seed", type=int, metavar="K", help="seed of --shuffle (default: any)"
    )
    add_threads(parser)


def run(given: argparse.Namespace) -> None:
    """Print the errors."""
    from deeptf.infer.test import read_list, test

    systems = given.system if given.system is not None else read_list(given.datafile)
    start_for(given.model)
    test(
        given.model,
        systems,
        given.numb_test,
        detail=given.detail_file,
        atomic=given.atomic,
        plot=given.plot,
        shuffle=given.shuffle,
        seed=given.seed,
        threads=given.threads,
    )
