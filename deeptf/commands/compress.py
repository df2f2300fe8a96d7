"""`deeptf compress`: a frozen model with tables in place of its embedding nets."""

from __future__ import annotations

import argparse

from deeptf.commands.parser import Commands, add_threads
from deeptf.process import start_tensorflow

# Options of deepmd-kit's `dp compress` that say nothing to tables of deeptf.
WITHOUT_EFFECT: dict[str, tuple[str, type, str]] = {
    "step": ("-s", float, "--tolerance decides how close the nodes of a table lie"),
    "extrapolate": ("-e", float, "tables follow the nets down to 0.2 A, then straight lines"),
    "frequency": ("-f", int, "pairs closer than the data are counted in every evaluation"),
    "checkpoint-folder": ("-c", str, "nothing is written but the model"),
}


def add(commands: Commands) -> None:
    """Add `deeptf compress`."""
    parser = commands.add(
        "compress",
        run,
        "Write a frozen model with tables in place of its embedding nets. Takes any frozen model "
        "of deeptf, also converted ones and ones with tables, which are made anew. Prints the "
        "largest errors of the tables.",
    )
    parser.add_argument(
        "-i",
        "--input",
        metavar="MODEL",
        default="frozen_model.pb",
        help="frozen model (default: %(default)s)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        default="frozen_model_compressed.pb",
        help="model file to write (default: %(default)s)",
    )
    parser.add_argument(
        "--precision",
        choices=("float64", "float32"),
        help="precision of nets and tables (default: that of the model)",
    )
    parser.add_argument(
        "--tolerance",
        type=float,
        metavar="T",
        help="largest error of dG/dr, the slope of an embedding net, in 1/A (default: 2e-5)",
    )
    parser.add_argument(
        "--system",
        metavar="DIR",
        help="a system, or a folder searched for systems: print how much energies and forces "
        "change on them; they say how near atoms come where the model does not know it",
    )
    parser.add_argument(
        "-t",
        "--training-script",
        metavar="INPUT",
        help="input file (JSON) with the data of the model: they say how near atoms come",
    )
    for name, (short, kind, reason) in WITHOUT_EFFECT.items():
        text = f"accepted without effect: {reason}"
        parser.add_argument(short, f"--{name}", type=kind, metavar="X", help=text)
    add_threads(parser)


def run(given: argparse.Namespace) -> None:
    """Write the model, and print its errors and differences."""
    for name, (_, _, reason) in WITHOUT_EFFECT.items():
        value = getattr(given, name.replace("-", "_"))
        if value is not None:
            print(f"note: --{name} {value}: accepted without effect, {reason}")
    start_tensorflow()
    from deeptf.data.find import find_systems
    from deeptf.data.opening import systems_of
    from deeptf.exchange.compress import Data, compress
    from deeptf.infer.compare import compare

    script, systems = given.training_script, given.system
    data = Data(
        systems_of(script) if script is not None else (),
        find_systems(systems) if systems is not None else (),
    )
    print("\n".join(compress(given.input, given.output, given.precision, given.tolerance, data)))
    if systems is not None:
        print("\n".join(compare(given.input, given.output, data.others, given.threads)))
