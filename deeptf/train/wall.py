"""A wall that is added to a trained model, and how near atoms come in the data of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from deeptf.model.model import ModelConfig
from deeptf.model.pair_potential import Zbl
from deeptf.model.ranges import SHORTEST
from deeptf.model.term.frozen import Frozen
from deeptf.model.term.part import Part


def shortest_distance(arrays: Mapping[str, np.ndarray]) -> float | None:
    """Return the shortest distance in A in the data that a model has seen; None where unknown."""
    known = [float(v.min()) for k, v in arrays.items() if k.rpartition("/")[2] == SHORTEST]
    return min(known, default=None)


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
