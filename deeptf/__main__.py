"""The command line; its commands are in deeptf/commands.

    deeptf train | freeze | test | model-devi | md | relax | ipi | convert | compress | lammps |
    neighbor-stat | doctor

Errors that a user can mend are one message on stderr and exit status 1; `--debug` shows where they
come from.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from deeptf import __version__
from deeptf.commands import (
    compress,
    data,
    doctor,
    ipi,
    lammps,
    md,
    model,
    model_devi,
    test,
    train,
)
from deeptf.commands.parser import Commands
from deeptf.ops.library import description
from deeptf.process import open_standard_files

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
    parsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    commands = Commands(parsers, common)
    for add in (
        train.add,
        model.add_freeze,
        test.add,
        model_devi.add,
        md.add_md,
        md.add_relax,
        ipi.add,
        model.add_convert,
        compress.add,
        lammps.add,
        data.add,
        doctor.add,
    ):
        add(commands)
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


def _one_message(error: BaseException) -> str:
    """Return what the error says, without number and class."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        name = "TensorFlow" if error.name == "tensorflow" else f"Python package {error.name}"
        return f"{name} must be installed, got none: pip install 'deeptf[cpu]'"
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}"
    return str(error) or type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
