"""The arrays that a model has of the tables of its nets, by name, and what they tell.

In training they are the numbers of nodes and the ranges to which these belong (table.py); in a
frozen model also the tables, which some models have in place of nets.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from deeptf.model.parameters import Parameters
from deeptf.model.ranges import Curves

NODES = "table_nodes"  # [C, S] number of nodes of each segment
RANGE = "table_range"  # [C, 3] Curves.range that they belong to
# Of a frozen model, following from the weights: CurveTable.nodes, node_row and grid.
TABLE, TABLE_ROW, TABLE_GRID = "table", "table_row", "table_grid"
# Of a model that has these in place of nets, as others compress them: the number of segments of
# each curve beyond the range of the data.
STORED_NEAR = "table_near"


def is_stored(parameters: Parameters) -> bool:
    """Return whether a model has a table in place of nets."""
    return parameters.known(STORED_NEAR) is not None


def has_stored(arrays: Iterable[str]) -> bool:
    """Return whether among the names of arrays of a model are those of a table in place of nets."""
    return any(name.rpartition("/")[2] == STORED_NEAR for name in arrays)


def stored_ends(parameters: Parameters, number: int) -> np.ndarray:
    """Return the arguments where the range of the data and the table of each curve end, [C, 2].

    number : of curves, C.
    """
    row, grid, near = (parameters.known(name) for name in (TABLE_ROW, TABLE_GRID, STORED_NEAR))
    last = grid.reshape(number, -1, 2)[:, [-int(near), -1]]
    end = last[:, 1, 0] + last[:, 1, 1] * (np.diff(row).reshape(number, -1)[:, -1] - 1)
    return np.stack([last[:, 0, 0], end], axis=1)


def is_measured(curves: Curves, parameters: Parameters) -> bool:
    """Return whether a model has numbers of nodes that belong to these ranges."""
    nodes, found = parameters.known(NODES), parameters.known(RANGE)
    if nodes is None or found is None or nodes.shape != (len(curves), curves.segments):
        return False
    return found.shape == (len(curves), 3) and np.allclose(found, curves.range, rtol=1e-9, atol=0)
