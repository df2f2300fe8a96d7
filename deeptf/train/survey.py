"""What a run learns from its data before the first step: which systems there are, the type map and
the number of steps where the input leaves them open, what the data lack, and whether every frame of
training and validation can be used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deeptf.data.find import find_type_map, open_systems
from deeptf.data.options import DataOptions, most_atoms
from deeptf.data.schedule import BatchSchedule
from deeptf.data.statistics import Extremes, Found, collect, sampled_frames
from deeptf.data.system import System
from deeptf.train.options import InputConfig

CACHE = "statistics.npz"
LISTED = 20  # systems that the log names one by one


def decide_type_map(config: InputConfig) -> InputConfig:
    """Return the settings with a type map: the given one, else that of the systems."""
    if config.model.type_map:
        return config
    options = config.training.training_data
    systems = open_systems(options.systems, patterns=options.rglob_patterns)
    if config.training.validation_data is not None:
        options = config.training.validation_data
        systems += open_systems(options.systems, patterns=options.rglob_patterns)
    type_map, source = find_type_map(systems, config.model.term.open_types())
    print(f"type_map {' '.join(type_map)}, {source}")
    return replace(config, model=replace(config.model, type_map=type_map))


def open_data(config: InputConfig) -> tuple[list[System], list[System]]:
    """Return the systems for training and those for validation, of which there may be none."""
    training = config.training
    validation = []
    if training.validation_data is not None:
        validation = _open(config, training.validation_data)
    return _open(config, training.training_data), validation


def decide_steps(config: InputConfig, systems: Sequence[System]) -> InputConfig:
    """Return the settings with a number of steps, from numb_epoch where that is given."""
    training = config.training
    if training.numb_epoch is None:
        return config
    epoch = BatchSchedule(systems, training.training_data).epoch_steps()
    steps = int(np.ceil(training.numb_epoch * epoch))
    print(f"numb_steps {steps}: numb_epoch {training.numb_epoch:g} of {epoch} steps")
    return replace(config, training=replace(training, numb_steps=steps, numb_epoch=None))


def describe(config: InputConfig, systems: Sequence[System], validation: Sequence[System]) -> None:
    """Print the systems, and what of them the run does not use or misses.

    Raises ValueError where no training frame has a label for the loss.
    """
    training = config.training
    _list("training", systems, training.training_data)
    trained = _describe_labels(config, "training", systems)
    if not trained:
        wanted = sorted({row.label for rows in config.loss.terms().values() for row in rows})
        raise ValueError(
            f"training systems must have labels for the loss ({', '.join(wanted)}), got none in "
            f"{len(systems)} systems; add the files to set.* or change the prefactors of `loss`"
        )
    _list("validation", validation, training.validation_data)
    if validation:
        _describe_labels(config, "validation", validation)


def survey(config: InputConfig, systems: Sequence[System], validation: Sequence[System]) -> Found:
    """Look at every frame of the data; what was looked at before comes from the cache.

    Raises DataError for the first frame that cannot be used.
    """
    model, training = config.model, config.training
    sampled = sampled_frames(systems, model.data_stat_nbatch, training.training_data.batch_size)
    seen = Extremes(model.num_types, model.needs().rcut)
    collectors = [seen, *model.term.collectors(model.num_types)]
    cache = training.stat_file or CACHE
    found = collect(systems, collectors, sampled, cache)
    everywhere = found
    if validation:
        asked = [one for one in collectors if not one.sampled]
        other = collect(validation, asked, cache=cache)
        everywhere = {one: one.join(found[one], other[one]) for one in asked}
    closest = "no atom has a neighbour within rcut: all are isolated"
    shortest = seen.shortest(found[seen]).min(initial=np.inf)
    if np.isfinite(shortest):
        closest = f"shortest distance {shortest:.3f} A"
    print(
        f"statistics of {seen.num_frames(found[seen])} frames: {closest}, "
        f"at most {seen.most_neighbors(found[seen]).tolist()} neighbours of each type"
    )
    return Found(systems, found, everywhere, model.num_types, model.data_stat_protect)


def _open(config: InputConfig, options: DataOptions) -> list[System]:
    """Return the systems of a data section, without those that its batch_size leaves out."""
    needs = config.model.needs()
    systems = open_systems(
        options.systems,
        config.model.type_map,
        needs.numb_fparam,
        needs.numb_aparam,
        options.rglob_patterns,
    )
    limit = most_atoms(options.batch_size)
    if not limit:
        return systems
    kept = [system for system in systems if system.num_atoms <= limit]
    if not kept:
        raise ValueError(
            f"`batch_size` must leave some system, got {options.batch_size!r} and systems of "
            f"{min(system.num_atoms for system in systems)} atoms or more"
        )
    if len(kept) < len(systems):
        print(f"note: {len(systems) - len(kept)} systems of more than {limit} atoms are left out")
    return kept


def _describe_labels(config: InputConfig, name: str, systems: Sequence[System]) -> list[str]:
    """Say which labels of the loss are missing; return the terms for which there are some."""
    total = sum(len(system.used_frames) for system in systems)
    trained = []
    for term, rows in config.loss.terms().items():
        needed = [row.label for row in rows]
        labels = " and ".join(needed)
        number = sum(system.number_with(needed) for system in systems)
        if not number:
            print(f"note: no {name} system has {labels}: its term of the loss is 0")
        else:
            trained.append(term)
            if number < total:
                print(
                    f"note: {number} of {total} {name} frames have {labels}: the others add "
                    "nothing to its term of the loss"
                )
    return trained


def _list(name: str, systems: Sequence[System], options: DataOptions | None) -> None:
    """Print the first systems, and which frames and systems are used more or less than others."""
    frames = sum(system.num_frames for system in systems)
    print(f"{name}: {len(systems)} systems, {frames} frames")
    for system in systems[:LISTED]:
        cell = "" if system.periodic else ", no cell"
        print(f"  {system.path}: {system.num_frames} frames of {system.num_atoms} atoms{cell}")
    rest = systems[LISTED:]
    if rest:
        atoms = [system.num_atoms for system in rest]
        print(f"  and {len(rest)} more, of {min(atoms)} to {max(atoms)} atoms")
    copies = sum(int(system.copies.sum()) for system in systems)
    unused = frames - sum(len(system.used_frames) for system in systems)
    if any(np.any(system.copies != 1) for system in systems):
        left_out = f", {unused} frames never" if unused else ""
        print(f"note: {copies} {name} frames an epoch by numb_copy.npy{left_out}")
    if options is not None:
        probabilities = BatchSchedule(systems, options).probabilities
        never = [s.path for s, p in zip(systems, probabilities, strict=True) if not p]
        if never:
            more = f" and {len(never) - 3} more" if len(never) > 3 else ""
            print(f"note: probability 0, not used for {name}: {', '.join(never[:3])}{more}")
