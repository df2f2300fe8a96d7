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


def at_least(least: int) -> Callable[[str], int]:
    """Return the type of an option that is an integer from `least` on."""

    def number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(f"must be an integer of at least {least}, got {text}")
        return value

    return number


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Add the option `--threads`."""
    parser.add_argument(
        "--threads",
        type=at_least(1),
        metavar="N",
        help="number of threads (default: the cores that affinity and CPU quota allow, "
        "whatever OMP_NUM_THREADS says)",
    )
