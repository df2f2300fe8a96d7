"""Excluded pairs of types where one net serves all: matrices of zeros and ones, by both types."""

from __future__ import annotations

import itertools

import numpy as np

from deeptf.exchange.deepmd.kind import Part

Pairs = tuple[tuple[int, ...], ...]


def excluded_by_mask(part: Part) -> Pairs:
    """Return the pairs of types that do not count.

    Of parts, which may have masks each, the training input says it.
    """
    masks = [mask for mask in map(_mask, _shapes(part), itertools.repeat(part)) if mask is not None]
    if part.suffix:
        return part.option("exclude_types", Pairs)
    if not masks:
        return ()
    types = range(part.num_types)
    pairs = itertools.combinations_with_replacement(types, 2)
    return tuple((a, b) for a, b in pairs if not masks[0][a, b])


def _shapes(part: Part) -> list[tuple[int, int]]:
    """Return the shapes of such matrices; the last column may be that of places without an atom."""
    return [(part.num_types, part.num_types), (part.num_types, part.num_types + 1)]


def _mask(shape: tuple[int, int], part: Part) -> np.ndarray | None:
    """Return the matrix of this shape, if there is one."""
    found = None
    for name in part.graph.constants_of_shape(shape):
        found = part.graph.array(name, shape)
        used = found[:, : part.num_types]
        if not np.all((found == 0) | (found == 1)) or np.any(used != used.T):
            raise ValueError(f"`{name}` must say which pairs of types count, got other numbers")
    return found
