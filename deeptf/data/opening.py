"""The data of a run: the systems of training_data and validation_data, opened once.

Where the input leaves the type map open, the systems give it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deeptf.config import load
from deeptf.data.describe import tell_labels, tell_systems
from deeptf.data.find import find_systems, find_type_map
from deeptf.data.options import DataOptions, ValidationOptions
from deeptf.data.section import Section
from deeptf.data.system import LABELS, System
from deeptf.input_file import ConfigError, present_names, read_json, short
from deeptf.properties import Property


@dataclass(frozen=True)
class Wanted:
    """What the rest of a run wants of its data."""

    type_map: Sequence[str] = ()  # names of the types; none takes those of the systems
    least_types: int = 0  # where the systems do not name them
    numb_fparam: int = 0  # numbers of a frame
    numb_aparam: int = 0  # numbers of an atom
    labels: Sequence[Property] = LABELS
    terms: Mapping[str, Sequence[Property]] = field(default_factory=dict)  # of the loss: its labels


@dataclass(frozen=True)
class Data:
    """Open data."""

    type_map: tuple[str, ...]
    training: Section
    validation: Section | None = None


def open_data(training: DataOptions, validation: DataOptions | None, wanted: Wanted) -> Data:
    """Open the systems of both sections; print what there is, and what a run misses or ignores.

    Raises ValueError for systems that cannot be read, and where no training frame has a label that
    the loss needs.
    """
    sections = [training] if validation is None else [training, validation]
    paths = [find_systems(one.systems, one.rglob_patterns) for one in sections]
    type_map = tuple(wanted.type_map)
    if not type_map:
        type_map, source = find_type_map(sum(paths, []), wanted.least_types)
        print(f"type_map {' '.join(type_map)}, {source}")
    opened = []
    for options, own in zip(sections, paths, strict=True):
        columns = wanted.numb_fparam, wanted.numb_aparam
        systems = [System(path, type_map, *columns, wanted.labels) for path in own]
        opened.append(Section(systems, options))
    data = Data(type_map, *opened)
    tell_systems("training", data.training)
    tell_labels("training", data.training.systems, wanted.terms)
    tell_systems("validation", data.validation)
    if data.validation is not None:
        tell_labels("validation", data.validation.systems, wanted.terms)
    return data


def systems_of(input_file: str | Path) -> list[str]:
    """Return the paths of all systems of an input file, whose other keys are not looked at.

    Raises ConfigError where it names none, and DataError where there are none.
    """
    training = read_json(input_file).get("training")
    if not isinstance(training, Mapping):
        raise ConfigError(f"training: must be an object {{...}}, got {short(training)}")
    given = present_names(training, "training")
    paths = []
    for name, kind in (("training_data", DataOptions), ("validation_data", ValidationOptions)):
        if given.get(name) is not None or kind is DataOptions:
            options = load(kind, given.get(name), f"training/{name}")
            paths += find_systems(options.systems, options.rglob_patterns)
    return paths
