"""What a frozen model says of itself, checked before anything relies on it.

The keys are listed in frozen.py. A file whose description does not have them, or does not fit its
graph, is damaged or was edited. It does not check the graph, which TensorFlow does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from deeptf.exchange.graph_file import Node

PARAMETERS = ("fparam", "aparam")  # placeholders, whose widths are numb_fparam and numb_aparam


def check_metadata(metadata: Mapping[str, Any], nodes: Sequence[Node], counts: bool) -> None:
    """Raise ValueError unless a description of FORMAT 2 has its keys and fits the graph.

    counts : the graph counts pairs closer than the data of the model.
    """
    for key, (holds, wanted) in _WANTED.items():
        value = metadata.get(key)
        if not holds(value):
            raise _wrong(key, wanted, value)
    there = {node.name: node for node in nodes}
    missing = [name for name in metadata["outputs"] if name not in there]
    if missing:
        raise _wrong("outputs", "names of nodes of the graph", missing[0])
    for name in PARAMETERS:
        given, width = metadata[f"numb_{name}"], 0
        if name in there:
            width = (there[name].attributes.get("shape") or (0,))[-1]
        if given != width:
            raise _wrong(f"numb_{name}", f"{width}, what the graph takes", given)
    num_types = len(metadata["type_map"])
    if not _are_given(metadata.get("given", {}), num_types):
        raise _wrong("given", "{output: {width, types}}", metadata["given"])
    ranges = metadata.get("table_range")
    if counts and not (isinstance(ranges, dict) and _is_square(ranges.get("data"), num_types)):
        raise _wrong("table_range", f"distances of {num_types} times {num_types} types", ranges)


def _is_number(value: object, least: int, kinds: tuple[type, ...] = (int,)) -> bool:
    return type(value) in kinds and math.isfinite(value) and value >= least


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _are_given(value: object, num_types: int) -> bool:
    """Return whether `value` says width and types of outputs."""
    if not isinstance(value, dict):
        return False
    for own in value.values():
        types = own.get("types") if isinstance(own, dict) else None
        if not isinstance(types, list) or not _is_number(own.get("width"), 1):
            return False
        if not all(_is_number(t, 0) and t < num_types for t in types):
            return False
    return True


def _is_square(value: object, size: int) -> bool:
    """Return whether `value` has `size` rows of as many distances, or null."""
    rows = value if isinstance(value, list) else []
    cells = [cell for row in rows for cell in (row if isinstance(row, list) else [])]
    good = all(cell is None or _is_number(cell, 0, (int, float)) for cell in cells)
    return good and len(rows) == size and len(cells) == size * size


def _wrong(key: str, wanted: str, value: object) -> ValueError:
    text = repr(value)
    text = text if len(text) <= 80 else text[:77] + "..."
    return ValueError(f"`{key}` must be {wanted}, got {text}")


_Check = tuple[Callable[[Any], bool], str]
_NAMES = _are_names, "a list of names"
_SOME_NAMES = (lambda value: _are_names(value) and bool(value)), "a list of names"
_COUNT = (lambda value: _is_number(value, 0)), "an integer from 0"
_AT_LEAST_1 = (lambda value: _is_number(value, 1)), "an integer from 1"
_WANTED: dict[str, _Check] = {
    "type_map": _SOME_NAMES,
    "outputs": _SOME_NAMES,
    "doors": _SOME_NAMES,
    "arrays": _NAMES,
    "rcut": (lambda value: _is_number(value, 0, (int, float)), "a number of A"),
    "hops": _AT_LEAST_1,
    "numb_fparam": _COUNT,
    "numb_aparam": _COUNT,
    "pair_bytes": _AT_LEAST_1,
    "atom_bytes": _AT_LEAST_1,
    "model": (lambda value: isinstance(value, dict), "an object"),
}
