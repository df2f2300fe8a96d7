"""The systems of data on which models are evaluated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from deeptf.data.find import find_systems
from deeptf.data.system import System
from deeptf.infer.description import Description

BATCH_ATOMS = 8192  # atoms that are read and evaluated at a time


def systems_for(model: Description, systems: str | Sequence[str]) -> Iterator[System]:
    """Open systems for a model, one after the other.

    systems : a folder that is searched for systems, or a list of systems
    """
    names = model.get_type_map() if model.names_types() else None
    wanted = model.labelled(atomic=True)
    for path in find_systems(systems):
        yield System(path, names, model.get_dim_fparam(), model.get_dim_aparam(), wanted)


def portions(system: System, frames: np.ndarray) -> list[np.ndarray]:
    """Return the numbers of frames in portions that are evaluated at a time."""
    size = max(1, BATCH_ATOMS // system.num_atoms)
    return [frames[first : first + size] for first in range(0, len(frames), size)]
