"""What descriptors with nets for types learn from data before training."""

from __future__ import annotations

import numpy as np
import pytest

from deeptf.data.statistics import Extremes, Found
from deeptf.model.descriptor.row_sums import RowSums
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.ranges import SHORTEST


def found(shortest: list[list[float]], most: tuple[int, ...], rcut: float = 6.0) -> Found:
    """Return what data show that have these shortest distances and most neighbours."""
    types = len(most)
    extremes, sums = Extremes(types, rcut), RowSums(types, rcut, 0.5)
    rows = {
        extremes: np.concatenate([np.ravel(shortest), most, [sum(most), 70, 10]]),
        sums: np.repeat([5.0, 9.0, 7.0, 0.0], types),
    }
    return Found([], rows, {extremes: rows[extremes]}, types)


def test_shortest_distances_of_a_model_that_does_not_know_them() -> None:
    descriptor, arrays = SeE2A((4, 4)), {}
    assert descriptor.extended(arrays, found([[1.5, np.inf], [np.inf, 2.0]], (1, 1))) == ({}, [])
    changed, lines = descriptor.extended(arrays, found([[1.5, 0.7], [0.7, 2.0]], (1, 1)))
    np.testing.assert_array_equal(changed[SHORTEST], [[1.0, 0.7], [0.7, 1.0]])
    assert len(lines) == 1 and "atoms come as close as 0.700 A" in lines[0]
    changed, _ = descriptor.extended(changed, found([[1.5, 0.9], [0.9, 0.8]], (1, 1)))
    np.testing.assert_array_equal(changed[SHORTEST], [[1.0, 0.7], [0.7, 0.8]])


def test_shortest_distances_of_a_new_model() -> None:
    first = SeE2A((4, 4)).first_arrays(found([[1.5, np.inf], [np.inf, 2.0]], (1, 1)))
    np.testing.assert_array_equal(first[SHORTEST], [[1.5, 1.5], [1.5, 2.0]])
    seen = SeE2A((4, 4)).seen(found([[1.5, np.inf], [np.inf, 0.5]], (1, 1)))
    np.testing.assert_array_equal(seen[SHORTEST], [[1.5, 0.5], [0.5, 0.5]])
    for rcut, least in ((6.0, 1.0), (0.8, 0.8)):
        descriptor = SeE2A((4,), rcut, 0.5)
        first = descriptor.first_arrays(found([[np.inf]], (0,), rcut))
        np.testing.assert_array_equal(first[SHORTEST], [[least]])


@pytest.mark.parametrize(
    ("sel", "most", "decided", "told"),
    [
        ("auto", (10, 0), (12, 4), "sel [12, 4], from the data"),
        ("auto:1.5", (10, 7), (16, 12), "sel [16, 12], from the data"),
        ((9, 9), (10, 7), (9, 9), "note: up to [10, 7] neighbours, more than sel [9, 9]"),
        ((10, 7), (10, 7), (10, 7), ""),
    ],
)
def test_sel_follows_the_data_where_it_is_open(
    sel: str | tuple[int, ...], most: tuple[int, ...], decided: tuple[int, ...], told: str
) -> None:
    descriptor, lines = SeE2A(sel).decide(found([[1.0, 1.0], [1.0, 1.0]], most))
    assert descriptor.sel == decided and "".join(lines).startswith(told) == bool(lines or not told)
