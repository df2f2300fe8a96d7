"""`deeptf freeze` and `deeptf convert`: model files from checkpoints and from others' models."""

from __future__ import annotations

import argparse

from deeptf.commands.parser import Commands
from deeptf.process import start_tensorflow


def add_freeze(commands: Commands) -> None:
    """Add `deeptf freeze`."""
    parser = commands.add("freeze", run_freeze, "Write the newest checkpoint as a model file.")
    parser.add_argument(
        "-c",
        "--checkpoint",
        "--checkpoint-folder",
        metavar="DIR",
        default=".",
        help="folder of the checkpoints, or one checkpoint (default: the current folder); or the "
        "input file of a model that nothing trains (pairtab)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        default="frozen_model.pb",
        help="model file to write (default: %(default)s)",
    )
    parser.add_argument(
        "--zbl",
        nargs=2,
        type=float,
        metavar=("RIN", "ROUT"),
        help="add the repulsion of nuclei, switched off between these distances in A; ROUT is at "
        "most the shortest distance in the training data, so that labelled energies stay the same",
    )


def add_convert(commands: Commands) -> None:
    """Add `deeptf convert`."""
    parser = commands.add(
        "convert",
        run_convert,
        "Turn a model of deepmd-kit into one of deeptf. Takes frozen models of its TensorFlow "
        "backend of all kinds that deeptf has (energies, dipoles, polarizabilities, densities of "
        "states, spins, long range), compressed ones too, and compares the new model with the old "
        "one on random environments.",
        aliases=["convert-from"],
    )
    parser.add_argument("source", metavar="OLD", help="frozen model of deepmd-kit (.pb or .pbtxt)")
    parser.add_argument("output", metavar="NEW", help="model file to write (.pb)")
    parser.add_argument(
        "-t",
        "--type-map",
        nargs="+",
        metavar="TYPE",
        help="names of the types of a model that has none (default: Type_0 Type_1 ...)",
    )


def run_freeze(given: argparse.Namespace) -> None:
    """Write the newest checkpoint as a model file."""
    start_tensorflow()
    from deeptf.train.freeze import freeze

    checkpoint = freeze(given.checkpoint, given.output, given.zbl)
    print(f"{checkpoint} -> {given.output}")


def run_convert(given: argparse.Namespace) -> None:
    """Write a model of deepmd-kit as one of deeptf."""
    start_tensorflow()
    from deeptf.exchange.convert import convert

    notes = convert(given.source, given.output, given.type_map)
    print("\n".join([f"{given.source} -> {given.output}", *notes]))
