"""What the parsers of all commands have in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Run = Callable[[argparse.Namespace], int | None]  # takes what was given, may return an exit status


@dataclass(frozen=True)
class Commands:
    """The list of commands, to which each file adds its own."""

    parsers: argparse._SubParsersAction
    common: argparse.ArgumentParser  # options of every command

    def add(
        self, name: str, run: Run, text: str, aliases: Sequence[str] = ()
    ) -> argparse.ArgumentParser:
        """Add a command; `text` is its description, and the first sentence its line in the list."""
        parser = self.parsers.add_parser(
            name,
            parents=[self.common],
            aliases=aliases,
            help=text.split(". ")[0].removesuffix("."),
            description=text,
        )
        parser.set_defaults(function=run)
        return parser


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Add the option `--threads`."""
    parser.add_argument(
        "--threads",
        type=_positive,
        metavar="N",
        help="number of threads (default: the cores that affinity and CPU quota allow, "
        "whatever OMP_NUM_THREADS says)",
    )


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value
