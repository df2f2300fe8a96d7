"""The wall of a model beside its training data: energies of labels, and how near atoms come.

Labels are sums of what the nets give and of a wall. Where pairs of the data are within its reach,
the energy bias of a new model is that of labels minus the wall's energies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from deeptf.data.statistics import Found
from deeptf.model.descriptor.described import Arrays, Lines
from deeptf.model.inputs import Inputs
from deeptf.model.model import ModelConfig
from deeptf.model.pair_potential import Zbl
from deeptf.model.parameters import Parameters
from deeptf.model.ranges import SHORTEST
from deeptf.model.scopes import below, in_scopes
from deeptf.model.term.frozen import Frozen
from deeptf.model.term.part import Part
from deeptf.tf import tf
from deeptf.train.finetune import energies_of_frames, labels_of


def shortest_distance(arrays: Mapping[str, np.ndarray]) -> float | None:
    """Return the shortest distance in A in the data that a model has seen; None where unknown."""
    known = [float(v.min()) for k, v in arrays.items() if k.rpartition("/")[2] == SHORTEST]
    return min(known, default=None)


def without_walls(
    model: ModelConfig, arrays: Mapping[str, np.ndarray], found: Found
) -> tuple[Arrays, Lines]:
    """Return the arrays of a new model that change since labels hold the energies of walls.

    Each part of a sum is fitted to the whole labels, and so to what its own wall leaves of them.
    """
    changed, lines = {}, []
    for number, part in enumerate(getattr(model.term, "models", ())):
        if not part.fixed:
            own, more = without_walls(model.of(part), below(arrays, str(number)), found)
            changed |= in_scopes({str(number): own})
            lines += [f"models[{number}]: {line}" for line in more]
    own, more = _without_wall(model, {**arrays, **changed}, found)
    return {**changed, **own}, [*lines, *more]


def _without_wall(
    model: ModelConfig, arrays: Mapping[str, np.ndarray], found: Found
) -> tuple[Arrays, Lines]:
    """Return those that change since labels hold the energies of the wall of the whole model."""
    shortest = shortest_distance(arrays)
    added = model.zbl is not None and model.short_range.lengths is None
    if not added or (shortest is not None and shortest >= model.zbl.rout):
        return {}, []

    def build(inputs: Inputs) -> tf.Tensor:
        return model.wall_energy(inputs, Parameters(arrays, frozen=True))

    walls = energies_of_frames(model, build, found.systems)
    frames = [labels_of(system)[1] for system in found.systems]
    left = [(-wall, own) for wall, own in zip(walls, frames, strict=True)]
    changed, lines = model.term.refitted(arrays, found.systems, left, model.type_map)
    return changed, [f"without the wall up to {model.zbl.rout} A: {line}" for line in lines]


def with_wall(model: ModelConfig, arrays: Mapping[str, np.ndarray], wall: Zbl) -> ModelConfig:
    """Return a trained model with a wall that does not reach what it was trained on.

    Raises ValueError where it does, where the model does not know, or where it has something of
    that kind already.
    """
    if (key := _own_key(model.part)) is not None:
        raise ValueError(f"`--zbl` must go with a model without a wall, got one with {key}")
    shortest = shortest_distance(arrays)
    if shortest is None:
        raise ValueError(
            "`--zbl` must go with a model that knows how near atoms come in its data, got one of a "
            "kind that does not: train it with model/zbl"
        )
    if wall.rout > shortest:
        raise ValueError(
            f"ROUT of `--zbl` must be at most {shortest:.4f} A, the shortest distance in the data "
            f"of the model, got {wall.rout} A: its labels do not hold the energies of a wall; "
            "train it with model/zbl for one that reaches further"
        )
    return replace(model, zbl=wall)


def _own_key(part: Part) -> str | None:
    """Return the key of what a model or a part of it has where atoms are near."""
    if part.short_range is not None:
        return part.short_range_key
    if isinstance(part.term, Frozen):
        return _own_key(part.term.model)
    for number, one in enumerate(getattr(part.term, "models", ())):
        if (key := _own_key(one)) is not None:
            return f"models[{number}]/{key}"
    return None
