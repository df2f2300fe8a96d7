"""From the input file to everything that a run needs: settings with nothing left open, systems,
first arrays.

Left open in an input file may be the type map (taken from the data), `sel` (counted in the data)
and the seed (drawn and printed). A new model gets statistics of the data; other runs take all
arrays from a checkpoint or a frozen model.
"""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from deeptf import freeze
from deeptf.config import dump, read_json
from deeptf.data.energy_bias import energy_bias, parameter_statistics
from deeptf.data.find import open_systems
from deeptf.data.options import DataOptions
from deeptf.data.statistics import Statistics, compute_statistics, sampled_frames
from deeptf.data.system import System
from deeptf.files import replacing
from deeptf.model.ranges import SHORTEST
from deeptf.train import checkpoint
from deeptf.train.options import InputConfig, load_input
from deeptf.train.workers import Workers

CACHE = "statistics.npz"
LABEL_OF_TERM = {
    "e": "energy",
    "f": "force",
    "v": "virial",
    "ae": "atom_ener",
    "pf": "atom_pref",
}


@dataclass(frozen=True)
class Start:
    """Where the arrays of a run come from; nothing given is a new model."""

    restart: str | Path | None = None
    init_model: str | Path | None = None
    init_frozen: str | Path | None = None

    def __post_init__(self) -> None:
        given = [name for name, value in vars(self).items() if value is not None]
        if len(given) > 1:
            raise ValueError(f"only one of {' and '.join(given)} must be given, got {len(given)}")


@dataclass(frozen=True)
class Known:
    """What a run knows before it looks at the data."""

    arrays: Mapping[str, np.ndarray]
    model: Mapping[str, Any]  # section `model` of the input that made the arrays
    seed: int | None = None
    restart_step: int | None = None
    drawn: int = 0


@dataclass(frozen=True)
class Run:
    """A run that can start."""

    config: InputConfig  # type map and sel decided
    systems: list[System]
    validation: list[System]
    values: Mapping[str, np.ndarray]  # arrays that are known before the first step
    seed: int
    restart_step: int | None
    drawn: int = 0  # batches before the first step, by all workers

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
    training = told.config.training
    systems = _open(told.config, training.training_data)
    validation = _open(told.config, training.validation_data) if training.validation_data else []
    return replace(told, systems=systems, validation=validation)


def prepare(
    input_path: str | Path, start: Start, output: str | Path | None, skip_neighbor_stat: bool
) -> Run:
    """Read the input and the data and return the run; prints what was found and decided."""
    config, notices = load_input(read_json(input_path))
    for line in notices:
        print(f"note: {line}")
    known = _known(start)
    config = _decide_type_map(config, known)
    systems = _open(config, config.training.training_data)
    validation = []
    if config.training.validation_data is not None:
        validation = _open(config, config.training.validation_data)
    for system in validation + (systems if skip_neighbor_stat else []):
        system.check()  # the statistics read the training systems in any case
    _describe(config, systems, validation)
    _describe_average(config, known)
    config, values = _decide_arrays(config, systems, known, skip_neighbor_stat)
    seed = _decide_seed(config, known)
    run = Run(config, systems, validation, values, seed, known.restart_step, known.drawn)
    if output is not None:
        with replacing(output, "w") as stream:
            json.dump(dump(config), stream, indent=2)
    return run


def _known(start: Start) -> Known:
    """Read the arrays that a run starts from."""
    if start.restart is not None:
        state = checkpoint.load(start.restart)
        print(f"restart from {state.path} (step {state.meta['step']})")
        meta = state.meta
        drawn = meta.get("drawn", meta["step"])  # not in files of deeptf 0.1
        return Known(state.arrays, meta["input"]["model"], meta["seed"], meta["step"], drawn)
    if start.init_model is not None:
        state = checkpoint.load(start.init_model)
        print(f"weights from {state.path}")
        return Known(state.model_arrays(), state.meta["input"]["model"])
    if start.init_frozen is not None:
        description, arrays = freeze.read_arrays(start.init_frozen)
        print(f"weights from {start.init_frozen}")
        return Known(arrays, description["model"])
    return Known({}, {})


def _decide_type_map(config: InputConfig, known: Known) -> InputConfig:
    """Return the settings with a type map: the given one, else that of the first system."""
    type_map = config.model.type_map
    if not type_map:
        options = config.training.training_data
        first = open_systems(options.systems, patterns=options.rglob_patterns)[0]
        type_map = tuple(first.type_map or ())
        if not type_map:
            raise ValueError(
                "`model/type_map` must be given: "
                f"system {first.path} has no type_map.raw to take it from"
            )
        print(f"type_map {' '.join(type_map)}, from {first.path}")
        config = replace(config, model=replace(config.model, type_map=type_map))
    if known.model and list(type_map) != list(known.model["type_map"]):
        raise ValueError(
            f"`model/type_map` must be {list(known.model['type_map'])} as in the model "
            f"to start from, got {list(type_map)}"
        )
    return config


def _open(config: InputConfig, options: DataOptions) -> list[System]:
    fitting = config.model.fitting_net
    return open_systems(
        options.systems,
        config.model.type_map,
        fitting.numb_fparam,
        fitting.numb_aparam,
        options.rglob_patterns,
    )


def _describe(config: InputConfig, systems: list[System], validation: list[System]) -> None:
    """Print the systems; say which labels of the loss no system has."""
    for name, group in (("training", systems), ("validation", validation)):
        frames = sum(system.num_frames for system in group)
        print(f"{name}: {len(group)} systems, {frames} frames")
        for system in group:
            cell = "" if system.periodic else ", no cell"
            print(f"  {system.path}: {system.num_frames} frames of {system.num_atoms} atoms{cell}")
    labels = set().union(*(system.labels() for system in systems))
    loss = config.loss
    for term, label in LABEL_OF_TERM.items():
        used = getattr(loss, f"start_pref_{term}") > 0 or getattr(loss, f"limit_pref_{term}") > 0
        if used and label not in labels:
            print(f"note: no training system has {label}: its term of the loss is 0")
    if not labels & set(LABEL_OF_TERM.values()):
        raise ValueError("training systems must have labels (energy, force, ...), got none")


def _describe_average(config: InputConfig, known: Known) -> None:
    """Say what averaged weights are used for, or that those of a checkpoint are not."""
    training = config.training
    if training.average_decay:
        used = "frozen models have them"
        if training.validation_data is not None:
            used = f"validation columns of {training.disp_file} and {used}"
        print(f"averaged weights, decay {training.average_decay:g} a step: {used}")
    elif any(name.startswith(checkpoint.AVERAGE) for name in known.arrays):
        print("note: the checkpoint has averaged weights; without ema_decay the run drops them")


def _decide_arrays(
    config: InputConfig, systems: list[System], known: Known, skip_neighbor_stat: bool
) -> tuple[InputConfig, Mapping[str, np.ndarray]]:
    """Return the settings with `sel` decided, and the arrays that are known before the first
    step.
    """
    descriptor = config.model.descriptor
    if known.model and descriptor.sel_factor is not None:
        descriptor = descriptor.with_sel(known.model["descriptor"]["sel"])
        config = replace(config, model=replace(config.model, descriptor=descriptor))
    if known.model:
        return config, known.arrays
    found = _statistics(config, systems, skip_neighbor_stat)
    if descriptor.sel_factor is not None:
        descriptor = descriptor.with_sel(_sel(found.max_neighbors, descriptor.sel_factor))
        print(f"sel {list(descriptor.sel)}, from the data")
        config = replace(config, model=replace(config.model, descriptor=descriptor))
    elif np.any(found.max_neighbors > np.array(descriptor.sel)):
        print(
            f"note: up to {found.max_neighbors.tolist()} neighbours, more than sel "
            f"{list(descriptor.sel)}: all of them are used"
        )
    return config, _first_arrays(config, systems, found)


def _statistics(config: InputConfig, systems: list[System], skip_neighbor_stat: bool) -> Statistics:
    model, training = config.model, config.training
    all_frames = not skip_neighbor_stat or model.descriptor.sel_factor is not None
    sampled = sampled_frames(systems, model.data_stat_nbatch, training.training_data.batch_size)
    found = compute_statistics(
        systems,
        model.num_types,
        model.descriptor.rcut,
        model.descriptor.rcut_smth,
        sampled,
        all_frames,
        training.stat_file or CACHE,
    )
    print(
        f"statistics of {found.numb_frames} frames: shortest distance {found.min_distance:.3f} A, "
        f"at most {found.max_neighbors.tolist()} neighbours of each type"
    )
    return found


def _sel(most: np.ndarray, factor: float) -> list[int]:
    """Return factor times the most neighbours found, rounded up to a multiple of 4."""
    return [max(4, 4 * math.ceil(factor * n / 4)) for n in most]


def _first_arrays(
    config: InputConfig, systems: list[System], found: Statistics
) -> dict[str, np.ndarray]:
    model = config.model
    descriptor, fitting = model.descriptor, model.fitting_net
    mean, stddev = found.environment(
        descriptor.sel, model.data_stat_protect, descriptor.set_davg_zero
    )
    bias = energy_bias(systems, model.num_types, fitting.atom_ener, fitting.rcond)
    print(
        "energy bias in eV: "
        + ", ".join(f"{n} {b:.4f}" for n, b in zip(model.type_map, bias, strict=True))
    )
    arrays = {
        "descriptor/mean": mean,
        "descriptor/stddev": stddev,
        "fitting/energy_bias": bias,
        SHORTEST: np.where(np.isfinite(found.shortest), found.shortest, found.min_distance),
    }
    for name in ("fparam", "aparam"):
        if getattr(fitting, f"numb_{name}"):
            mean, stddev = parameter_statistics(systems, name)
            arrays |= {f"fitting/{name}_mean": mean, f"fitting/{name}_stddev": stddev}
    return arrays


def _decide_seed(config: InputConfig, known: Known) -> int:
    if known.seed is not None:
        return known.seed
    if config.training.seed is not None:
        return config.training.seed
    seed = secrets.randbits(31)
    print(f"seed {seed} (give training/seed to repeat the run)")
    return seed
