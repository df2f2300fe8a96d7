"""What is timed: a made-up box of water or of an alloy with the usual nets, or an input file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import alloy
import numpy as np
import water

from deeptf.data.find import find_systems
from deeptf.data.pairs import PairFinder
from deeptf.data.statistics import Extremes
from deeptf.data.survey import collect
from deeptf.data.system import System
from deeptf.train.options import load_input

TENSORS = {"dipole": ("dipole", 3), "polar": ("polarizability", 9)}  # label, its numbers
WIDER = 1.2  # than the sphere is where pairs are looked for
SEL_FACTOR = 1.1  # of "auto"
DEFAULT_RCUT = 6.0  # A


def water_case(
    folder: Path, edge: int, precision: str, batch: int, neighbors: int | None
) -> dict[str, Any]:
    """Return the input for a box of edge^3 molecules, written to `folder`.

    neighbors : of an atom, on average, by the choice of rcut; None is rcut 6 A with its usual sel.
    """
    system = water.write_system(folder, edge=edge)
    script = water.standard_input(system, 1, precision, batch)
    if neighbors is not None:
        _set_cutoff(script, system, water.DENSITY, neighbors)
    return script


def alloy_case(
    folder: Path, types: int, edge: int, precision: str, batch: int, neighbors: int
) -> dict[str, Any]:
    """Return the input for a box of 4 edge^3 atoms of `types` types, written to `folder`."""
    system = alloy.write_system(folder, types, edge=edge)
    script = water.standard_input(system, 1, precision, batch)
    script["model"]["type_map"] = list(alloy.NAMES[:types])
    _set_cutoff(script, system, alloy.DENSITY, neighbors)
    return script


def with_tensor(script: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the input for dipoles or polarizabilities ("polar") of the first type of atoms.

    Its system gets random labels.
    """
    label, width = TENSORS[kind]
    (system,) = script["training"]["training_data"]["systems"]
    frames = len(np.load(Path(system) / "set.000" / "box.npy"))
    values = np.random.default_rng(2).normal(size=(frames, width))
    np.save(Path(system) / "set.000" / f"{label}.npy", values)
    model = script["model"]
    fitting = {**model["fitting_net"], "type": kind, "sel_type": [0]}
    loss = {"type": "tensor", "pref": 1.0, "pref_atomic": 0.0}
    return {**script, "model": {**model, "fitting_net": fitting}, "loss": loss}


def nets_of(script: dict[str, Any]) -> str:
    """Return rcut, sel and nets of an input, in a line."""
    model = script["model"]
    fitting = model["fitting_net"]
    parts = model["descriptor"].get("list", [model["descriptor"]])
    each = (
        f"{part['type']}, rcut {part.get('rcut', DEFAULT_RCUT):g} A, sel {part.get('sel')}, net "
        f"{part.get('neuron')}"
        for part in parts
    )
    return f"{'; '.join(each)}; {fitting.get('type', 'ener')} {fitting.get('neuron')}"


def input_case(path: Path) -> dict[str, Any]:
    """Return the input file with absolute paths of systems, sel in numbers, Adam and no validation.

    Every program shall have the same sel, so "auto" is decided here, and Adam is the optimizer that
    all of them have.
    """
    script = absolute_input(path)
    script["training"].pop("validation_data", None)
    script.pop("optimizer", None)
    descriptor = script["model"]["descriptor"]
    left_open = [part for part in descriptor.get("list", [descriptor]) if _decides_sel(part)]
    if left_open:
        config = load_input(script)[0]
        paths = find_systems(config.training.training_data.systems)
        systems = [System(path, config.model.type_map or None) for path in paths]
        script["model"]["type_map"] = list(config.model.type_map or systems[0].type_map)
        for part in left_open:
            _set_sel(script, part, systems)
    return script


def absolute_input(path: Path) -> dict[str, Any]:
    """Return the input file with absolute paths of systems.

    Paths count from the folder of the file or, as in the examples, from a folder `run` in it.
    """
    script = json.loads(path.read_text())
    for name in ("training_data", "validation_data"):
        data = script["training"].get(name)
        if data:
            given, patterns = data["systems"], data.pop("rglob_patterns", None)
            places = [given] if isinstance(given, str) else given
            places = [_absolute(path.resolve().parent, place) for place in places]
            data["systems"] = find_systems(
                places[0] if isinstance(given, str) else places, patterns
            )
    return script


def with_steps(script: dict[str, Any], steps: int, report: int) -> dict[str, Any]:
    """Return the input for a run of `steps` steps that tells its time every `report` steps."""
    training = {**script["training"], "numb_steps": steps, "save_freq": steps, "disp_freq": report}
    return {**script, "training": training}


def _set_cutoff(script: dict[str, Any], system: Path, density: float, neighbors: int) -> None:
    """Set rcut so that an atom has that many neighbours on average, and sel as "auto" would.

    deepmd-kit drops neighbours beyond sel, so it is counted for each type.
    """
    descriptor = script["model"]["descriptor"]
    opened = System(system, script["model"]["type_map"])
    sphere = (3 * neighbors / (4 * np.pi * density)) ** (1 / 3)  # A, without shells of a lattice
    with PairFinder(WIDER * sphere) as find_pairs:
        distances = np.linalg.norm(find_pairs(opened.frame(0)).displacement, axis=1)
    descriptor["rcut"] = float(np.sort(distances)[neighbors * opened.num_atoms])
    _set_sel(script, descriptor, [opened])


def _decides_sel(part: dict[str, Any]) -> bool:
    """Return whether a descriptor leaves its sel to the data."""
    return str(part.get("sel", "auto")).startswith("auto")


def _set_sel(script: dict[str, Any], part: dict[str, Any], systems: list[System]) -> None:
    """Set sel of a descriptor to SEL_FACTOR times the most neighbours of each type, in fours."""
    seen = Extremes(len(script["model"]["type_map"]), part.get("rcut", DEFAULT_RCUT))
    most = seen.most_neighbors(collect(systems, [seen])[seen])
    sel = [4 * int(np.ceil(SEL_FACTOR * number / 4)) for number in most]
    part["sel"] = sel


def _absolute(folder: Path, name: str) -> str:
    tried = [os.path.normpath(folder / name), os.path.normpath(folder / "run" / name)]
    found = [path for path in tried if os.path.exists(path.partition("#")[0])]
    if not found:
        raise SystemExit(f"`systems` must name folders or HDF5 files, got {name!r}: tried {tried}")
    return found[0]
