"""Arrays of a part of a model by their names there, below the scope of the part in the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

Arrays = dict[str, np.ndarray]


def below(arrays: Mapping[str, np.ndarray], scope: str) -> Arrays:
    """Return the arrays in a scope by their names there."""
    prefix = f"{scope}/"
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def in_scopes(parts: Mapping[str, Mapping[str, np.ndarray]]) -> Arrays:
    """Return the arrays of parts, by their scopes, by the names in the whole."""
    return {f"{scope}/{k}": array for scope, own in parts.items() for k, array in own.items()}


def in_numbered_scopes(parts: Iterable[Mapping[str, np.ndarray]]) -> Arrays:
    """Return the arrays of parts in the scopes "0", "1", ..."""
    return in_scopes({str(number): own for number, own in enumerate(parts)})
