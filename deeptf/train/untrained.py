"""Energies that nothing trains beside the training data: walls, and parts of a sum of models.

Labels are sums of what nets give and of these. The energy bias of a new model is fitted to what
they leave of the labels, and parts of a sum that train share it: deepmd-kit fits that of each part
to the whole labels, so that a sum begins beside them by the energies of whole atoms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from deeptf.data.energy_bias import Energies
from deeptf.data.statistics import Found
from deeptf.model.descriptor.described import Arrays, Lines
from deeptf.model.inputs import Inputs
from deeptf.model.model import ModelConfig
from deeptf.model.parameters import Parameters
from deeptf.model.table import measured_arrays
from deeptf.model.term.part import Part
from deeptf.tf import tf
from deeptf.train.finetune import energies_of_frames, labels_of
from deeptf.train.wall import shortest_distance

SAME = 1e-9  # eV, by which a bias may change without being told


def without_untrained(
    model: ModelConfig, arrays: Mapping[str, np.ndarray], found: Found
) -> tuple[Arrays, Lines]:
    """Return the arrays of a new model that change since labels hold more than one net gives."""
    summed = hasattr(model.term, "models")
    shortest = shortest_distance(arrays)
    walls = sorted(_walls(model.part, shortest))
    if not (summed or walls):
        return {}, []
    left = list(_left(model, arrays, found))
    changed, lines = model.term.refitted(arrays, found.systems, left, model.type_map)
    if all(np.allclose(value, arrays[name], atol=SAME) for name, value in changed.items()):
        return {}, []
    what = [f"the wall up to {rout} A" for rout in walls] + ["the other parts"] * summed
    lines = [f"without {' and '.join(what)}: {line}" for line in lines]
    if walls and shortest is not None:
        lines.append(
            f"note: the wall acts on labelled pairs, from {shortest:.3f} A on, and the nets learn "
            "to make up for it; a smaller `rout` of zbl leaves labels alone"
        )
    return changed, lines


def _walls(part: Part, shortest: float | None) -> Iterator[float]:
    """Yield how far walls reach that act on the data of a model, in A."""
    wall = part.zbl is not None and part.short_range.lengths is None
    if wall and (shortest is None or shortest < part.zbl.rout):
        yield part.zbl.rout
    for one in getattr(part.term, "models", ()):
        yield from _walls(one, shortest)


def _left(model: ModelConfig, arrays: Mapping[str, np.ndarray], found: Found) -> Iterator[Energies]:
    """Yield what energy biases and all that nothing trains leave of the labels of each system."""
    bias = model.term.trained_bias(arrays)
    for system, energy in zip(found.systems, _energies(model, arrays, found), strict=True):
        labels, frames = labels_of(system)
        own = system.compositions(model.num_types)[frames] @ bias
        yield labels - own - energy, frames


def _energies(
    model: ModelConfig, arrays: Mapping[str, np.ndarray], found: Found
) -> Iterator[np.ndarray]:
    """Yield the energies of the frames of each system by what nothing trains."""
    if not model.part.has_untrained:
        yield from (np.zeros(len(labels_of(system)[1])) for system in found.systems)
        return
    constants = measured_arrays(model.tables, arrays)

    def build(inputs: Inputs) -> tf.Tensor:
        return model.untrained_energy(inputs, Parameters(constants, frozen=True))

    yield from energies_of_frames(model, build, found.systems)
