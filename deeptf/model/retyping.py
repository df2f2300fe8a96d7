"""A model for other types than those it was made for: added, dropped or in another order.

A `Source` says for each new type which of the old ones it is, None for one that they do not have.
Arrays get NaN where a new type needs numbers that the old model does not have; arrays of nets that
it does not have are left out. Neither knows what the arrays mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

Source = Sequence[int | None]
Arrays = dict[str, np.ndarray]


def by_type(array: np.ndarray, source: Source, axes: int = 1) -> np.ndarray:
    """Return an array whose first `axes` axes are types for other types; NaN for new ones."""
    known = np.array([t is not None for t in source])
    place = np.array([t or 0 for t in source])
    for axis in range(axes):
        array = np.take(array, place, axis)
        shape = [-1 if k == axis else 1 for k in range(array.ndim)]
        array = np.where(known.reshape(shape), array, array.dtype.type(np.nan))
    return array


def nets_by_type(arrays: Mapping[str, np.ndarray], names: Iterable[tuple[str, str]]) -> Arrays:
    """Return arrays with those of nets renamed, and of other nets left out.

    names : of each net, new and old. The name of an array is that of its net, / and more.
    """
    names = list(names)
    return {
        f"{new}/{name.removeprefix(f'{old}/')}": array
        for new, old in names
        for name, array in arrays.items()
        if name.startswith(f"{old}/")
    }


def pairs_of_types(pairs: Iterable[tuple[int, ...]], source: Source) -> tuple[tuple[int, ...], ...]:
    """Return pairs of types by their new numbers; those with a dropped type fall out."""
    new = {old: number for number, old in enumerate(source) if old is not None}
    return tuple(tuple(new[t] for t in pair) for pair in pairs if all(t in new for t in pair))


def places_of_types(sel: Sequence[int], source: Source) -> tuple[int, ...]:
    """Return the places of other types, as many in all: so sums over them keep their size.

    New types get none, and those of dropped ones go over to the type that has most.
    """
    kept = [0 if t is None else sel[t] for t in source]
    kept[int(np.argmax(kept))] += sum(sel) - sum(kept)
    return tuple(kept)
