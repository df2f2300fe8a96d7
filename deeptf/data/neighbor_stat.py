"""`deeptf neighbor-stat`: the closest atoms and the most neighbours in a data set.

It tells which `sel` covers the data; deeptf uses all neighbours whatever `sel` says.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeptf.data.find import find_systems, find_type_map
from deeptf.data.statistics import Extremes
from deeptf.data.survey import collect
from deeptf.data.system import System


def neighbor_stat(
    systems: str | Sequence[str], rcut: float, type_map: Sequence[str] | None = None
) -> tuple[float, np.ndarray]:
    """Print and return the smallest distance in A and the most neighbours of each type [T].

    systems : a folder that is searched for systems, or a list of systems
    rcut : cut-off radius in A
    type_map : names of the types; None takes those of the first system that has some

    Raises ValueError for a wrong radius, missing systems or unknown types.
    """
    if not 0 < rcut < float("inf"):
        raise ValueError(f"`rcut` must be positive (A), got {rcut}")
    paths = find_systems(systems)
    if type_map is None:
        type_map, _ = find_type_map(paths)
    opened = [System(path, type_map) for path in paths]
    seen = Extremes(len(type_map), rcut)
    row = collect(opened, [seen])[seen]
    distance, most = float(seen.shortest(row).min(initial=np.inf)), seen.most_neighbors(row)
    print(f"{sum(len(system.used_frames) for system in opened)} frames of {len(opened)} systems")
    print(f"min_nbor_dist: {distance:.6f} A")
    print(f"max_nbor_size: {most.tolist()} within {rcut} A ({' '.join(type_map)})")
    return distance, most
