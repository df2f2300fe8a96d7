"""Labels without what the modifier of a model adds: its term is trained on the rest.

The modifier of a run is made of the settings in its input and of a frozen model in a file, which is
read when a run begins; a restart has both from its checkpoint. What it says of each frame is taken
off the labels once, and kept in memory with the systems.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from deeptf.config import dump
from deeptf.data.errors import DataError
from deeptf.data.opening import Data
from deeptf.data.system import System
from deeptf.data.types import names_of
from deeptf.exchange.sources import read_frozen
from deeptf.model.inputs import Inputs
from deeptf.model.model import MODIFIER, ModelConfig
from deeptf.model.parameters import Parameters
from deeptf.model.scopes import Arrays, in_scopes
from deeptf.properties import ATOM_DIPOLE, ENERGY, FORCE, VIRIAL
from deeptf.tf import tf
from deeptf.train.evaluation import Evaluation
from deeptf.train.origin import Origin

CHANGED = (ENERGY, FORCE, VIRIAL)  # labels that lose the part of the modifier
NEUTRAL = 1e-6  # e
PAUSE = 10.0  # s between two lines about frames that are done


def with_modifier(model: ModelConfig, origin: Origin) -> tuple[ModelConfig, Arrays]:
    """Return the settings with those of the model that the modifier needs, and its arrays.

    The file of the input is read, but for a restart: its checkpoint has both. Raises ValueError
    for a model of other types or properties, and where a restart has another modifier.
    """
    if origin.restart_step is not None:
        return _of_checkpoint(model, origin)
    modifier = model.modifier
    if modifier is None:
        return model, {}
    try:
        source, arrays, notes = read_frozen(modifier.model_name)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"`model/modifier/model_name` must be a frozen model of dipoles, but: {error}; the "
            "path counts from the folder of the run"
        ) from error
    for note in notes:
        print(f"{modifier.model_name}: {note}")
    given = [row.name for row in source.gives()]
    if ATOM_DIPOLE.name not in given:
        raise ValueError(
            f"`model/modifier/model_name` must be a model of dipoles, got {modifier.model_name}, "
            f"which gives {given[0]}"
        )
    named = names_of(source.type_map) is not None
    if len(source.type_map) != model.num_types or (named and source.type_map != model.type_map):
        raise ValueError(
            "`model/modifier/model_name` must be a model of the types "
            f"{' '.join(model.type_map)}, in this order, got {modifier.model_name} with "
            f"{' '.join(source.type_map)}"
        )
    modifier = replace(modifier, dipole_model=source.term)
    try:
        model = replace(model, modifier=modifier)
    except ValueError as error:
        raise ValueError(f"model/modifier: {error}") from error
    return model, in_scopes({MODIFIER: arrays})


def _of_checkpoint(model: ModelConfig, origin: Origin) -> tuple[ModelConfig, Arrays]:
    """Return the settings with the modifier of the checkpoint, and its arrays."""
    old, new = origin.model.modifier, model.modifier
    if (old is None) != (new is None) or (old is not None and not old.same_charges(new)):
        texts = (json.dumps(None if one is None else _given(one)) for one in (old, new))
        raise ValueError(
            f"a restart goes on with the model of the checkpoint ({origin.path}): model/modifier "
            "must be {}, got {}; give these values".format(*texts)
        )
    return replace(model, modifier=old), origin.modifier_arrays


def _given(modifier: object) -> dict[str, object]:
    """Return the keys of a modifier that an input has."""
    return {key: value for key, value in dump(modifier).items() if key != "dipole_model"}


def take_off(data: Data, model: ModelConfig, arrays: Mapping[str, np.ndarray]) -> None:
    """Take energy, force and virial of the modifier off the labels of all systems that have them.

    Prints how large they are. Raises DataError for frames without a cell.
    """
    if model.modifier is None:
        return
    systems = list(data.training.systems)
    systems += data.validation.systems if data.validation is not None else []
    _tell_charges(systems, model)
    begin = time.perf_counter()
    told, done = begin, 0
    total = sum(len(system.used_frames) for system in systems)
    with Evaluation(model, lambda inputs: _changes(model, inputs, arrays)) as evaluation:
        for system in systems:
            taken = _zeros(system)
            for frames, found in evaluation.of(system, system.used_frames, list(taken)):
                _fill(taken, system, frames, found)
                done += len(frames)
                if time.perf_counter() - told > PAUSE:
                    told = time.perf_counter()
                    print(f"long range of {done} of {total} frames", flush=True)
            system.take_off(taken)
    seconds = time.perf_counter() - begin
    print(f"long range taken off the labels of {total} frames ({seconds:.1f} s)", flush=True)


def _tell_charges(systems: Sequence[System], model: ModelConfig) -> None:
    """Print how many frames have a charge, and the first one's: a background makes up for it."""
    charges = model.modifier.charges(model.num_types)
    charged, first = 0, ""
    for system in systems:
        of_frames = system.compositions(model.num_types)[system.used_frames] @ charges
        found = np.flatnonzero(np.abs(of_frames) > NEUTRAL)
        charged += len(found)
        if len(found) and not first:
            frame = system.used_frames[found[0]]
            first = f"frame {frame} of {system.path} has {of_frames[found[0]]:+g} e"
    if charged:
        print(
            f"note: `model_charge_map` and `sys_charge_map` leave a charge in {charged} frames, "
            f"{first}: a uniform background makes up for it"
        )


def _changes(
    model: ModelConfig, inputs: Inputs, arrays: Mapping[str, np.ndarray]
) -> dict[str, tf.Tensor]:
    """Return what the modifier says of each label that it changes."""
    found = model.build_modifier(inputs, Parameters(arrays, frozen=True))
    return {row.label: found[row.name] for row in CHANGED}


def _zeros(system: System) -> Arrays:
    """Return room for what is taken off each label that a system has."""
    if not system.periodic:
        raise DataError(
            f"system {system.path}: frame 0 must have a cell, got nopbc: charges of model/modifier "
            "act on all their images; leave the system out, or give box.npy in place of nopbc"
        )
    widths = {ENERGY: 1, FORCE: 3 * system.num_atoms, VIRIAL: 9}
    return {
        row.label: np.zeros((system.num_frames, width))
        for row, width in widths.items()
        if system.present(row.label)
    }


def _fill(
    taken: Arrays, system: System, frames: np.ndarray, found: Mapping[str, np.ndarray]
) -> None:
    """Put what was found of frames in its place; virtual atoms have 0."""
    for label, values in found.items():
        if label != FORCE.label:
            taken[label][frames] = values.reshape(len(frames), -1)
            continue
        first = 0
        for frame in frames:
            real = system.real_atoms(frame)
            of_atoms = taken[label][frame].reshape(-1, 3)
            of_atoms[real] = values[first : first + len(real)]
            first += len(real)
