"""A look at every frame of a run's data, for what its model wants to know of them.

Systems that were looked at before come from a file (cache.py); others are visited (statistics.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deeptf.data.cache import StatisticsCache, content_of, key_of
from deeptf.data.opening import Data
from deeptf.data.section import Section
from deeptf.data.statistics import Collector, Extremes, Found, Rows, total, visit
from deeptf.data.system import System
from deeptf.data.types import OF_SPIN

UNLIKELY = 0.45  # A; the shortest bond, of H2, has 0.74 A


def survey(
    data: Data,
    own: Sequence[Collector],
    rcut: float,
    num_batches: int,
    protect: float,
    cache: str | Path | None,
    masked: bool = False,
) -> Found:
    """Look at all data; print the extremes and return all that was found.

    own : collectors of the model.
    num_batches : batches of each training system that sampled collectors see.
    masked : aparam says which atoms are there.
    Raises DataError for the first frame that cannot be used.
    """
    seen = Extremes(len(data.type_map), rcut)
    collectors = list(dict.fromkeys([seen, *own]))
    systems, sampled = list(data.training.systems), sampled_frames(data.training, num_batches)
    if data.validation is not None:
        systems += data.validation.systems
        sampled += [0] * len(data.validation.systems)
    rows = _rows_of(systems, sampled, collectors, cache, masked)
    trained = total(rows[: len(data.training.systems)], collectors)
    everywhere = total(rows, collectors)
    closest = "no atom has a neighbour within rcut: all are isolated"
    real = [t for t, name in enumerate(data.type_map) if not name.endswith(OF_SPIN)]
    shortest = seen.shortest(trained[seen])[np.ix_(real, real)].min(initial=np.inf)
    if np.isfinite(shortest):
        closest = f"shortest distance {shortest:.3f} A"
    if shortest < UNLIKELY:
        closest += " (that of H2 is 0.74 A: are coordinates and cells in A?)"
    print(
        f"statistics of {seen.num_frames(trained[seen])} frames: {closest}, "
        f"at most {seen.most_neighbors(trained[seen]).tolist()} neighbours of each type"
    )
    return Found(data.training.systems, trained, everywhere, len(data.type_map), protect)


def collect(
    systems: Sequence[System],
    collectors: Sequence[Collector],
    sampled: Sequence[int] | None = None,
    cache: str | Path | None = None,
) -> Rows:
    """Return the row of each collector over all systems.

    sampled : number of frames of each system, spread evenly, that sampled collectors see; None
        means all.
    cache : .npz file with systems that need not be looked at again; new ones are added.
    Raises DataError for frames without physical sense; it names system, frame and atoms.
    """
    counts = [len(s.used_frames) for s in systems] if sampled is None else sampled
    return total(_rows_of(systems, counts, collectors, cache), collectors)


def sampled_frames(section: Section, num_batches: int) -> list[int]:
    """Return the number of frames of `num_batches` batches of each system, at most all it has.

    Batches of several systems ("mixed:N") are shared evenly, with `num_batches` frames of each
    system at least.
    """
    share = math.ceil(section.draws / len(section.systems))
    return [
        min(len(system.used_frames), num_batches * size * share)
        for system, size in zip(section.systems, section.batch_sizes, strict=True)
    ]


def _rows_of(
    systems: Sequence[System],
    sampled: Sequence[int],
    collectors: Sequence[Collector],
    cache: str | Path | None,
    masked: bool = False,
) -> list[Rows]:
    """Return the rows of each system, as they are known or found."""
    with StatisticsCache(cache) as known:
        keys = []
        for system, count in zip(systems, sampled, strict=True):
            content = content_of(system) if cache is not None else ""
            settings = {one: (one, count if one.sampled else None) for one in collectors}
            keys.append({one: key_of(content, own) for one, own in settings.items()})
        rows = [{one: known.get(key) for one, key in own.items()} for own in keys]
        new = [k for k, own in enumerate(rows) if any(row is None for row in own.values())]
        if new:
            chosen = [systems[k] for k in new], [sampled[k] for k in new]
            found = visit(*chosen, collectors, masked)
            for k, own in zip(new, found, strict=True):
                rows[k] = own
                known.new |= {keys[k][one]: row for one, row in own.items()}
    return rows
