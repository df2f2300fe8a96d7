"""What nothing trains beside the training data: walls, and parts of a sum of models.

Labels are sums of what the nets give and of these. The energy bias of a new model is fitted to what
they leave, a wall's where pairs of the data are within its reach; parts that train share it.
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
from deeptf.model.table import measured_arrays
from deeptf.model.term.linear_ener import LinearEner
from deeptf.tf import tf
from deeptf.train.finetune import energies_of_frames, labels_of


def shortest_distance(arrays: Mapping[str, np.ndarray]) -> float | None:
    """Return the shortest distance in A in the data that a model has seen; None where unknown."""
    known = [float(v.min()) for k, v in arrays.items() if k.rpartition("/")[2] == SHORTEST]
    return min(known, default=None)


def without_untrained(
    model: ModelConfig, arrays: Mapping[str, np.ndarray], found: Found
) -> tuple[Arrays, Lines]:
    """Return the arrays of a new model that change since labels hold more than its nets give."""
    shortest = shortest_distance(arrays)
    reaches = _reaches(model, shortest)
    what = [f"the wall up to {model.zbl.rout} A"] if reaches else []
    if isinstance(model.term, LinearEner):
        what.append("the other parts")
    if not what:
        return {}, []
    summed = isinstance(model.term, LinearEner)  # parts from files have tables
    constants = measured_arrays(model.tables, arrays) if summed else arrays

    def build(inputs: Inputs) -> tf.Tensor:
        return model.untrained_energy(inputs, Parameters(constants, frozen=True))

    bias = model.term.trained_bias(arrays)
    energies = energies_of_frames(model, build, found.systems)
    left = []
    for system, energy in zip(found.systems, energies, strict=True):
        label, frames = labels_of(system)
        share = system.compositions(model.num_types)[frames] @ bias
        left.append((label - share - energy, frames))
    changed, lines = model.term.refitted(arrays, found.systems, left, model.type_map)
    if all(np.allclose(value, arrays[name], atol=1e-9) for name, value in changed.items()):
        return {}, []
    lines = [f"without {' and '.join(what)}: {line}" for line in lines]
    if reaches and shortest is not None:
        lines.append(
            f"note: the wall acts on labelled pairs, from {shortest:.3f} A on, and the nets learn "
            "to make up for it; a smaller `rout` of zbl leaves labels alone"
        )
    return changed, lines


def _reaches(model: ModelConfig, shortest: float | None) -> bool:
    """Return whether a model has a wall that reaches the shortest distance in its data, in A."""
    added = model.zbl is not None and model.short_range.lengths is None
    return added and (shortest is None or shortest < model.zbl.rout)


def with_wall(model: ModelConfig, arrays: Mapping[str, np.ndarray], wall: Zbl) -> ModelConfig:
    """Return a trained model with a wall that does not reach what it was trained on.

    Raises ValueError where it does, where the model does not know, or where it has something of
    that kind already.
    """
    if model.short_range is not None:
        what = "use_srtab" if model.zbl is None else "zbl"
        raise ValueError(f"`--zbl` must go with a model without a wall, got one with {what}")
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
