"""From the input file to everything that a run needs: settings with nothing left open, systems,
first arrays.

Left open in an input file may be the type map (taken from the data), `sel` (counted in the data)
and the seed (drawn and printed). A new model gets statistics of the data; other runs take all
arrays from a checkpoint or a frozen model.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from deeptf.config import dump, read_json
from deeptf.data.statistics import Found
from deeptf.data.system import System
from deeptf.files import replacing
from deeptf.train import checkpoint
from deeptf.train.options import InputConfig, load_input
from deeptf.train.start import Known, Start, check_restart, fit, read_start
from deeptf.train.survey import (
    CACHE,
    decide_steps,
    decide_type_map,
    describe,
    open_data,
    survey,
)
from deeptf.train.workers import Workers


@dataclass(frozen=True)
class Run:
    """A run that can start."""

    config: InputConfig  # type map and sel decided
    systems: list[System]
    validation: list[System]
    values: Mapping[str, np.ndarray]  # arrays that are known before the first step
    seed: int
    known: Known  # what it goes on from; its arrays are in `values`
    identity: str = field(default_factory=lambda: secrets.token_hex(8))  # of the files it writes

    @property
    def trained(self) -> bool:
        """Whether the weights are given."""
        return self.known.model is not None

    @property
    def first_step(self) -> int:
        """Number of steps that have been done."""
        return self.known.restart_step or 0

    def meta(self, drawn: int) -> dict[str, Any]:
        """Return the description that a checkpoint holds after `drawn` batches."""
        return {"input": dump(self.config), "seed": self.seed, "drawn": drawn}


def prepare_together(workers: Workers, *arguments: Any) -> Run:
    """Return what `prepare` returns on the leader, with systems opened by every worker.

    The other workers end with exit status 1 where the leader fails: it says why.
    """
    run = None
    try:
        if workers.leads:
            run = prepare(*arguments)
    finally:
        told = workers.share(run and replace(run, systems=[], validation=[]))
    if run is not None:
        return run
    if told is None:
        raise SystemExit(1)
    systems, validation = open_data(told.config)
    return replace(told, systems=systems, validation=validation)


def prepare(
    input_path: str | Path, start: Start, output: str | Path | None, skip_neighbor_stat: bool
) -> Run:
    """Read the input and the data and return the run; prints what was found and decided."""
    config, notices = load_input(read_json(input_path))
    for line in notices:
        print(f"note: {line}")
    _check_names(input_path, config)
    known = read_start(start)
    config = decide_type_map(fit(config, known))
    if skip_neighbor_stat:
        print("note: --skip-neighbor-stat has no effect: a run looks at frames that are new to it")
    systems, validation = open_data(config)
    describe(config, systems, validation)
    config = decide_steps(config, systems)
    check_restart(config, known)
    _describe_average(config, known)
    found = survey(config, systems, validation)
    config, values = _decide_arrays(config, known, found)
    seed = _decide_seed(config, known)
    run = Run(config, systems, validation, values, seed, replace(known, arrays={}))
    if known.run is not None:
        run = replace(run, identity=known.run)
    if output is not None:
        with replacing(output, "w") as stream:
            json.dump(dump(config), stream, indent=2)
    return run


def _check_names(input_path: str | Path, config: InputConfig) -> None:
    """Raise ValueError where two files of the run, the input among them, have one name."""
    training = config.training
    names = {
        "disp_file": training.disp_file,
        "stat_file": training.stat_file or CACHE,
        "the input file": input_path,
    }
    taken: dict[str, str] = {}
    for key, name in names.items():
        other = taken.setdefault(os.path.realpath(name), key)
        if other != key:
            raise ValueError(
                f"`training/{other}` must be the name of a file of its own, got {str(name)!r}, "
                f"which is {key}"
            )


def _describe_average(config: InputConfig, known: Known) -> None:
    """Say what averaged weights are used for, or that those of a checkpoint are not."""
    training = config.training
    averaged = any(name.startswith(checkpoint.AVERAGE) for name in known.arrays)
    if training.average_decay:
        used = "frozen models have them"
        if training.validation_data is not None:
            used = f"validation columns of {training.disp_file} and {used}"
        print(f"averaged weights, decay {training.average_decay:g} a step: {used}")
        if known.restart_step is not None and not averaged:
            print(f"note: {known.path} has no averaged weights: they begin at its weights")
    elif averaged:
        print("note: the checkpoint has averaged weights; without ema_decay the run drops them")


def _decide_arrays(
    config: InputConfig, known: Known, found: Found
) -> tuple[InputConfig, Mapping[str, np.ndarray]]:
    """Return the settings with nothing left open, and the arrays before the first step."""
    model = config.model
    if known.model is not None:
        changed, lines = model.term.extended(known.arrays, found)
        _tell(lines)
        return config, {**known.arrays, **changed}
    term, lines = model.term.decide(found)
    _tell(lines)
    arrays, lines = term.first_arrays(found, model.type_map)
    _tell(lines)
    return replace(config, model=replace(model, term=term)), arrays


def _tell(lines: Sequence[str]) -> None:
    for line in lines:
        print(line)


def _decide_seed(config: InputConfig, known: Known) -> int:
    given = config.training.seed
    if known.seed is not None:
        if given not in (None, known.seed):
            print(f"note: training/seed is {known.seed} as in {known.path}, not {given}")
        return known.seed
    if given is not None:
        return given
    seed = secrets.randbits(31)
    print(f"seed {seed} (give training/seed to repeat the run)")
    return seed
