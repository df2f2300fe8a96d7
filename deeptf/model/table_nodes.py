"""Interpolation between the nodes of a table, and how many of them an error asks for.

The slope of a cubic Hermite interpolant is worst at u = 1/2 - 1/sqrt(12) of an interval.
"""

from __future__ import annotations

import numpy as np

WORST = 0.5 - 1.0 / np.sqrt(12.0)
LEAST_NODES, MOST_NODES = 2, 1024  # of a segment
ROOM = 1.1  # nodes beyond what the error asks for, so that the next steps need no change


def wanted_nodes(counts: np.ndarray, errors: np.ndarray, tolerance: float) -> np.ndarray:
    """Return the number of nodes of every segment for errors of the slope below `tolerance`.

    counts and errors, of one shape: numbers of nodes and the errors that they have, which go with
    the third power of the step. A segment keeps its nodes while they are enough and not half
    too many, and where the error is not a number: then the weights are not.
    """
    known = ~np.isnan(errors)
    factor = ROOM * np.cbrt(np.where(known, errors, tolerance) / tolerance)
    better = 1 + np.ceil((counts - 1) * factor)
    better = np.clip(better, LEAST_NODES, MOST_NODES).astype(np.int32)
    keep = ~known | ((errors <= tolerance) & (better > 0.6 * counts))
    return np.where(keep, counts, better)


def interpolate(nodes: np.ndarray, u: float) -> tuple[np.ndarray, np.ndarray]:
    """Return value and slope times step at `u` of every interval, from nodes [K, 2, M]."""
    left, right = nodes[:-1], nodes[1:]
    w = 1.0 - u
    value = (1 + 2 * u) * w * w * left[:, 0] + u * w * w * left[:, 1]
    value += u * u * (3 - 2 * u) * right[:, 0] - u * u * w * right[:, 1]
    slope = 6 * u * w * (right[:, 0] - left[:, 0])
    slope += w * (1 - 3 * u) * left[:, 1] + u * (3 * u - 2) * right[:, 1]
    return value, slope
