"""What the pass over data finds, with names for the numbers."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from deeptf.data.statistics import Extremes
from deeptf.data.survey import collect
from deeptf.model.descriptor.row_sums import RowSums


def look(systems, num_types, rcut, rcut_smth, sampled=None, cache=None):
    """Return extremes and sums of environment rows of all systems."""
    extremes, sums = Extremes(num_types, rcut), RowSums(num_types, rcut, rcut_smth)
    rows = collect(systems, [extremes, sums], sampled, cache)
    shortest = extremes.shortest(rows[extremes])
    count, radial, square, _ = rows[sums].reshape(4, -1)
    return SimpleNamespace(
        rows=rows,
        shortest=shortest,
        min_distance=shortest.min(initial=np.inf),
        max_neighbors=extremes.most_neighbors(rows[extremes]),
        numb_frames=extremes.num_frames(rows[extremes]),
        centre_count=count,
        radial=radial,
        radial_square=square,
        environment=lambda sel, zero=False: sums.normalisation(rows[sums], sel, zero),
    )
