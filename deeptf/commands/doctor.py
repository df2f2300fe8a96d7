"""`deeptf doctor`: what deeptf finds on this machine, and whether training can run."""

from __future__ import annotations

import argparse

from deeptf.commands.parser import Commands


def add(commands: Commands) -> None:
    """Add `deeptf doctor`."""
    commands.add(
        "doctor",
        run,
        "Print what deeptf finds on this machine. Versions, CPU, threads, GPU, Horovod and other "
        "packages, a line each, with the fix for what is missing; exit status 1 where training "
        "cannot run.",
    )


def run(_: argparse.Namespace) -> int:
    """Print a line for each thing; return 1 where training cannot run, else 0."""
    from deeptf.commands.findings import examine

    findings = examine()
    for name, text, fix, _ in findings:
        print(f"{name:<11} {text}" + (f": {fix}" if fix else ""))
    stops = [finding.name for finding in findings if finding.stops]
    print(f"training cannot run: see {', '.join(stops)}" if stops else "training can run")
    return 1 if stops else 0
