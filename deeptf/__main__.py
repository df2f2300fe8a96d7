"""The command line: one function per command.

    deeptf train | freeze | test | convert | neighbor-stat | doctor

Errors that a user can mend are one message on stderr and exit status 1; `--debug` shows where they
come from. What a command does is in the module that it calls, loaded when it is needed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from deeptf import __version__
from deeptf.ops.library import description
from deeptf.process import open_standard_files, start_tensorflow

Arguments = argparse.Namespace
USER_ERRORS = (ValueError, OSError, ImportError, FloatingPointError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    open_standard_files()
    given = build_parser().parse_args(arguments)
    try:
        return given.function(given) or 0
    except BrokenPipeError:
        print(f"deeptf {given.command}: ended, since nobody reads its output", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("deeptf: interrupted", file=sys.stderr)
        return 130
    except USER_ERRORS as error:
        if given.debug:
            raise
        print(f"deeptf {given.command}: error: {_one_message(error)}", file=sys.stderr)
        return 1


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--debug", action="store_true", default=False, help="show the traceback of an error"
    )
    parser = argparse.ArgumentParser(
        prog="deeptf",
        description="Deep Potential models: from energies and forces of a quantum code to a "
        "potential. Lengths are in A, energies in eV.",
    )
    parser.add_argument("--version", action=_ShowVersion)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    adders = (_add_train, _add_freeze, _add_test, _add_convert, _add_neighbor_stat, _add_doctor)
    for add in adders:
        add(commands, common)
    return parser


class _ShowVersion(argparse.Action):
    """Print the version and the CPU level of the compiled ops, and leave."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="show version and CPU level, and exit")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        try:
            text = description()
        except ImportError as error:
            text = f"deeptf {__version__}, without ops: {error}"
        print(text)
        parser.exit()


def _command(
    commands: argparse._SubParsersAction,
    common: argparse.ArgumentParser,
    name: str,
    function: Callable[[Arguments], int | None],
    text: str,
    aliases: Sequence[str] = (),
) -> argparse.ArgumentParser:
    """Add a command; `text` is its description, the first sentence of it its line in the list."""
    parser = commands.add_parser(
        name, parents=[common], aliases=aliases, help=text.split(". ")[0], description=text
    )
    parser.set_defaults(function=function)
    return parser


def _add_threads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--threads",
        type=_positive,
        metavar="N",
        help="threads of TensorFlow (default: the cores that affinity and CPU quota allow, "
        "whatever OMP_NUM_THREADS says)",
    )


def _add_train(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    parser = _command(
        commands,
        common,
        "train",
        _train,
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
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write the input with all defaults to FILE (JSON)"
    )
    parser.add_argument(
        "--skip-neighbor-stat",
        action="store_true",
        help="accepted without effect: frames that are new to a run are looked at in any case",
    )
    _add_threads(parser)


def _train(given: Arguments) -> int | None:
    start_tensorflow()
    from deeptf.train.run import train

    return train(
        given.input,
        restart=given.restart,
        init_model=given.init_model,
        init_frozen=given.init_frz_model,
        output=given.output,
        skip_neighbor_stat=given.skip_neighbor_stat,
        threads=given.threads,
    )


def _add_freeze(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    parser = _command(
        commands, common, "freeze", _freeze, "Write the newest checkpoint as a model file."
    )
    parser.add_argument(
        "-c",
        "--checkpoint",
        "--checkpoint-folder",
        metavar="DIR",
        default=".",
        help="folder of the checkpoints, or one checkpoint (default: the current folder)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        default="frozen_model.pb",
        help="model file to write (default: %(default)s)",
    )


def _freeze(given: Arguments) -> None:
    start_tensorflow()
    from deeptf.train.freeze import freeze

    checkpoint = freeze(given.checkpoint, given.output)
    print(f"{checkpoint} -> {given.output}")


def _add_test(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    parser = _command(
        commands,
        common,
        "test",
        _test,
        "Print the errors of a model on labelled frames. MAE and RMSE of energy (eV), force (eV/A) "
        "and virial (eV), for every system and for all together.",
    )
    parser.add_argument(
        "-m",
        "--model",
        metavar="MODEL",
        default="frozen_model.pb",
        help="frozen model (default: %(default)s)",
    )
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
        type=int,
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
        "-a", "--atomic", action="store_true", help="compare atomic energies (eV) too"
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
    _add_threads(parser)


def _test(given: Arguments) -> None:
    start_tensorflow()
    from deeptf.infer.test import read_list, test

    test(
        given.model,
        given.system if given.system is not None else read_list(given.datafile),
        given.numb_test,
        detail=given.detail_file,
        atomic=given.atomic,
        plot=given.plot,
        shuffle=given.shuffle,
        seed=given.seed,
        threads=given.threads,
    )


def _add_convert(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    parser = _command(
        commands,
        common,
        "convert",
        _convert,
        "Turn a model of deepmd-kit into one of deeptf. Takes frozen energy models (se_e2_a) of "
        "its TensorFlow backend, and compares the new model with the old one on random "
        "environments.",
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


def _convert(given: Arguments) -> None:
    start_tensorflow()
    from deeptf.exchange.convert import convert

    notes = convert(given.source, given.output, given.type_map)
    print("\n".join([f"{given.source} -> {given.output}", *notes]))


def _add_neighbor_stat(
    commands: argparse._SubParsersAction, common: argparse.ArgumentParser
) -> None:
    parser = _command(
        commands,
        common,
        "neighbor-stat",
        _neighbor_stat,
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


def _neighbor_stat(given: Arguments) -> None:
    start_tensorflow()
    from deeptf.neighbor_stat import neighbor_stat

    neighbor_stat(given.system, given.rcut, given.type_map)


def _add_doctor(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    _command(
        commands,
        common,
        "doctor",
        _doctor,
        "Print what deeptf finds on this machine. Versions, CPU, threads, GPU, Horovod and other "
        "packages, a line each, with the fix for what is missing; exit status 1 where training "
        "cannot run.",
    )


def _doctor(_: Arguments) -> int:
    from deeptf.doctor import doctor

    return doctor()


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value


def _one_message(error: BaseException) -> str:
    """Return what the error says, without number and class."""
    if isinstance(error, ModuleNotFoundError) and error.name == "tensorflow":
        return "TensorFlow must be installed, got none: pip install 'deeptf[cpu]'"
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}"
    return str(error) or type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
