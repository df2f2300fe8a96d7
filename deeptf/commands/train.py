"""`deeptf train`: what the command line gives to a training run."""

from __future__ import annotations

import argparse

from deeptf.commands.parser import Commands, add_threads
from deeptf.process import start_tensorflow


def add(commands: Commands) -> None:
    """Add `deeptf train`."""
    parser = commands.add(
        "train",
        run,
        "Train a model. Writes lcurve.out and checkpoints to the current folder; SIGTERM and "
        "Ctrl-C save a checkpoint and stop.",
    )
    parser.add_argument("input", metavar="INPUT", help="input file (JSON)")
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        "-r",
        "--restart",
        metavar="CHECKPOINT",
        help="go on with a run: a checkpoint, its prefix or the folder it is in",
    )
    start.add_argument(
        "-i",
        "--init-model",
        metavar="CHECKPOINT",
        help="start a new run with the weights and statistics of a checkpoint",
    )
    start.add_argument(
        "-f",
        "--init-frz-model",
        metavar="MODEL",
        help="start a new run with the weights and statistics of a frozen model",
    )
    start.add_argument(
        "-t",
        "--finetune",
        metavar="MODEL",
        help="start a new run with the weights of a checkpoint or frozen model of other data: "
        "those of types of the same name are carried over, those of new types are drawn, and the "
        "energy bias is fitted to the training data",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write the input with all defaults to FILE (JSON)"
    )
    parser.add_argument(
        "--skip-neighbor-stat",
        action="store_true",
        help="accepted without effect: frames that are new to a run are looked at in any case",
    )
    add_threads(parser)


def run(given: argparse.Namespace) -> int | None:
    """Train, and return the exit status."""
    start_tensorflow()
    from deeptf.train.run import train

    return train(
        given.input,
        restart=given.restart,
        init_model=given.init_model,
        init_frozen=given.init_frz_model,
        finetune=given.finetune,
        output=given.output,
        skip_neighbor_stat=given.skip_neighbor_stat,
        threads=given.threads,
    )
